"""What an answer is: tags, alerts, the F2 that they may expect, a warning and probabilities, a row for each picture."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from igarape.chips.pictures import Pixels, is_flat
from igarape.config.documents import OperatingPoint
from igarape.ensemble.decision import Rule, raised_alerts
from igarape.ensemble.expected_fbeta import expected_fbeta
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.scores.answers import PROBABILITY
from igarape.scores.metrics import BETA, Floats
from igarape.tables import Probabilities

TAGS, ALERTS, EXPECTED, WARNING = "tags", "alerts", "expected_f2", "warning"
DIGITS = 4  # of expected F2
FAR = 0.995  # a picture is far from the training data where more than this share of the hold-out is nearer

FARTHER = "the picture is far from the training data"

Sides = tuple[int, int]


def checked(images: Iterable[Pixels]) -> list[Pixels]:
    """Return pictures as they are; raise InputError for what is no picture as pixels, such as floats or a path."""
    pictures = list(images)  # of what can be gone through once only, none would be left
    for row, image in enumerate(pictures):
        shape: tuple[int, ...] = getattr(image, "shape", ())
        kind = getattr(image, "dtype", type(image).__name__)
        if len(shape) != 3 or shape[2] != 3 or kind != np.uint8:
            raise InputError(
                f"picture {row}: expected RGB as an array of uint8, 0 to 255, (rows, columns, 3), found {kind} {shape}."
                " Bytes of a JPEG, a PNG or a TIF are for Bundle.answer"
            )
    return pictures


def warning(image: Pixels, *, sent: Sides | None, ood: float | None) -> str:
    """Say what is odd about a picture; nothing where all is usual.

    Parameters
    ----------
    image
        As the bundle sees it, of shape (size, size, 3).
    sent
        (width, height) as it was sent; None: as it is.
    ood
        The share of the hold-out that is more like the training data; None: nobody knows.
    """
    height, width = image.shape[:2]
    said = []
    if is_flat(image[:1]) and is_flat(image):  # a row tells in a fiftieth of the time that most are not
        said.append("the picture shows one colour only")
    if sent not in {None, (width, height)}:
        said.append("the picture is {} x {} pixels and was resized to {} x {}".format(*sent or (), width, height))
    if ood is not None and ood > FAR:
        said.append(f"{FARTHER}, farther than {ood:.1%} of the hold-out")
    return "; ".join(said)


def columns(vocabulary: Vocabulary, *, alerts: bool) -> list[str]:
    """Return the columns of an answer; alerts: whether any are configured."""
    texts = [TAGS, ALERTS] if alerts else [TAGS]
    return [*texts, EXPECTED, WARNING, *(PROBABILITY + label for label in vocabulary.labels)]


def is_number(column: str) -> bool:
    """Say whether a column of an answer holds numbers, float32, and no text."""
    return column == EXPECTED or column.startswith(PROBABILITY)


def answer_table(
    p: Probabilities, warnings: Sequence[str], *, rule: Rule, alerts: Mapping[str, OperatingPoint]
) -> pd.DataFrame:
    """Return a row for each picture, with the columns that columns() names.

    Parameters
    ----------
    p
        Probabilities (n, labels).
    warnings
        What is odd about each picture.
    rule
        From probabilities to tags.
    alerts
        The operating points of the labels that raise one.
    """
    vocabulary, held = rule.vocabulary, rule.apply(p)
    table: dict[str, Any] = {TAGS: _written(held, vocabulary)}
    if alerts:
        table[ALERTS] = _written(raised_alerts(p, alerts, vocabulary), vocabulary)
    expected: Floats = expected_fbeta(p.astype(np.float64), held, vocabulary, beta=BETA)
    table |= {EXPECTED: expected.round(DIGITS).astype(np.float32), WARNING: list(warnings)}
    columns_of_p = {PROBABILITY + label: p[:, place] for place, label in enumerate(vocabulary.labels)}
    return pd.DataFrame(table | columns_of_p)  # at once: columns that are inserted one by one cost a third more


def detailed(rows: pd.DataFrame, names: Sequence[str | None], *, vocabulary: Vocabulary) -> list[Mapping[str, Any]]:
    """Return an object for each picture: name, tags, alerts, expected_f2, warning and probabilities.

    Parameters
    ----------
    rows
        A bundle's answers.
    names
        Of the pictures' files, where they came with any.
    vocabulary
        The bundle's.
    """
    lists = [column for column in (TAGS, ALERTS) if column in rows]
    p = rows[[PROBABILITY + label for label in vocabulary.labels]].to_numpy()
    return [
        {
            "name": name,
            **{column: _split(rows[column].iloc[row], vocabulary) for column in lists},
            EXPECTED: round(float(rows[EXPECTED].iloc[row]), DIGITS),
            WARNING: rows[WARNING].iloc[row],
            "probabilities": dict(zip(vocabulary.labels, p[row].tolist(), strict=True)),
        }
        for row, name in enumerate(names)
    ]


def _written(held: Booleans, vocabulary: Vocabulary) -> list[str]:
    """Return the cells of rows of labels."""
    return [vocabulary.decode(row) for row in held]


def _split(text: str, vocabulary: Vocabulary) -> list[str]:
    """Return the labels in a cell of an answer."""
    return text.split(vocabulary.separator) if text else []
