"""What an answer tells besides: what is odd about a picture, and which F2 the labels may expect."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from igarape.chips.pictures import Pixels, is_flat
from igarape.chips.tif import is_tif, read_header
from igarape.ensemble.expectation import expected_scores
from igarape.labels import Vocabulary
from igarape.scores.metrics import BETA

DIGITS = 4  # of expected F2


def picture_warnings(data: bytes, image: Pixels) -> list[str]:
    """Say what is odd about a picture, whose bytes were decoded into image: that it is flat, that it was resized."""
    said = []
    if is_flat(image):
        said.append("the picture shows one colour only")
    width, height = _sides(data)
    if (width, height) != image.shape[:2]:
        said.append(f"the picture is {width} x {height} pixels and was resized to {image.shape[1]} x {image.shape[0]}")
    return said


def _sides(data: bytes) -> tuple[int, int]:
    """Return (width, height) as the header of a picture states them, which has been decoded before."""
    if is_tif(data):
        header = read_header(data, "picture")
        return header.width, header.height
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        return picture.size


def detailed(
    rows: pd.DataFrame, warnings: Sequence[Sequence[str]], names: Sequence[str | None], *, vocabulary: Vocabulary
) -> list[Mapping[str, Any]]:
    """Return an object for each picture: name, tags, alerts, probabilities, expected_f2 and warnings.

    Parameters
    ----------
    rows
        A bundle's answers.
    warnings
        What is odd about each picture.
    names
        Of the pictures' files, where they came with any.
    vocabulary
        The bundle's.
    """
    p = rows[[f"p_{label}" for label in vocabulary.labels]].to_numpy()
    tags = [_split(text, vocabulary) for text in rows["tags"]]
    answered = np.array([vocabulary.encode(each) for each in tags]).reshape(p.shape)
    hopes = expected_scores(p.astype(np.float64), answered, vocabulary, beta=BETA)
    told: list[Mapping[str, Any]] = []
    for row, name in enumerate(names):
        alerts = {"alerts": _split(rows["alerts"].iloc[row], vocabulary)} if "alerts" in rows else {}
        told.append(
            {
                "name": name,
                "tags": tags[row],
                **alerts,
                "probabilities": dict(zip(vocabulary.labels, p[row].tolist(), strict=True)),
                "expected_f2": round(float(hopes[row]), DIGITS),
                "warnings": list(warnings[row]),
            }
        )
    return told


def _split(text: str, vocabulary: Vocabulary) -> list[str]:
    """Return the labels in a cell of an answer."""
    return text.split(vocabulary.separator) if text else []
