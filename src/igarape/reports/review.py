"""The page on which people judge the labels that the models doubt: chip by chip, by eye, for igarape relabel."""

import base64
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.labels import Booleans, Vocabulary
from igarape.reports.pages import embedded, render_page
from igarape.tables import Probabilities

MOST = 200  # chips on the page: some 4 MB of pictures
JPEG_QUALITY = 85


def review_content(
    table: pd.DataFrame,
    image_ids: Sequence[str],
    *,
    y: Booleans,
    p: Probabilities,
    vocabulary: Vocabulary,
    picture: Callable[[str], Pixels],
) -> dict[str, Any]:
    """Gather what the page shows: the chips doubted most, MOST at most, each with all its labels.

    Parameters
    ----------
    table
        The doubted labels, the most doubted first, as reports/doubts.csv has them.
    image_ids
        The chips.
    y, p
        Labels as given, and calibrated probabilities, of shape (n, labels).
    vocabulary
        The labels, and which of them cannot hold together.
    picture
        Returns the pixels of a chip; it is asked for those that are shown only.

    Returns
    -------
    dict
        What the page's script reads. key is another one when the doubts are others, so that a browser does not bring
        answers to an earlier page into this one.
    """
    rows = {image_id: row for row, image_id in enumerate(image_ids)}
    column = {label: k for k, label in enumerate(vocabulary.labels)}
    doubted = {str(image_id): of_chip for image_id, of_chip in table.groupby("image_id", sort=False)}
    return {
        "key": sha256(table.to_csv(index=False).encode()).hexdigest()[:16],
        "labels": vocabulary.labels,
        "exclusive": [column[label] for label in vocabulary.exclusive],
        "alone": [column[label] for label in vocabulary.alone],
        "doubted": len(doubted),
        "chips": [
            {
                "id": image_id,
                "part": of_chip["part"].iloc[0],
                "held": of_chip["part"].iloc[0] == "hold-out",
                "picture": base64.b64encode(encode_jpeg(picture(image_id), JPEG_QUALITY)).decode("ascii"),
                "given": y[rows[image_id]].astype(int).tolist(),
                "p": p[rows[image_id]].astype(float).round(3).tolist(),
                "doubted": of_chip["label"].map(column).tolist(),
            }
            for image_id, of_chip in list(doubted.items())[:MOST]
        ],
    }


def render_review(content: Mapping[str, Any], *, dataset: str) -> str:
    """Render reports/review.html: one page, nothing to load from elsewhere; the data set's name heads it."""
    return render_page(
        "reports/review.html.jinja",
        review=content,
        dataset=dataset,
        content=embedded({**content, "dataset": dataset}),
        script=(Path(__file__).parent / "review.js").read_text(encoding="utf-8"),
    )
