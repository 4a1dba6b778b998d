"""The answers table: what a finished stream says of each labelled chip, and what is true.

Streams and registered versions are compared by it. Rows in the folds are answered out of fold: by fold models, a stack
and a rule that were fitted on the other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.errors import InputError, expect
from igarape.files import digest
from igarape.labels import Booleans
from igarape.tables import HOLDOUT, Probabilities, read_table

# Its name in data/evaluate, and among the artifacts of its run.
TABLE = "answers.parquet"
PLACE = ["image_id", "dataset", "pixels", "fold"]
GROUP = "group"
# What the columns of each label begin with: its truth, its probability, its answer.
TRUTH, PROBABILITY, ANSWER = "y_", "p_", "a_"


@dataclass(frozen=True)
class Answers:
    """What a stream answers to n chips: truth y, probabilities p, answers (booleans), each of shape (n, labels).

    groups: of each chip that of the chips that it was dealt with; its own name, where a table of an older igarape says
    none. pixels: of each chip the CRC-32 of its pixels, by which two streams know whether they mean the same picture.
    folds: of each chip its fold; -1 is the hold-out.
    """

    dataset: str
    labels: tuple[str, ...]
    image_ids: Sequence[str]
    groups: Sequence[str]
    pixels: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    y: Booleans
    p: Probabilities
    answers: Booleans

    def table(self) -> pd.DataFrame:
        """Return the table that is kept."""
        place = pd.DataFrame(
            {
                "image_id": list(self.image_ids),
                "dataset": self.dataset,
                GROUP: list(self.groups),
                "pixels": self.pixels,
                "fold": self.folds,
            }
        )
        kept = [place, self._columns(PROBABILITY, self.p)]
        kept += [self._columns(first, one.astype(np.uint8)) for first, one in ((TRUTH, self.y), (ANSWER, self.answers))]
        return pd.concat(kept, axis=1)

    def rows(self, which: npt.NDArray[np.generic]) -> "Answers":
        """Return some of the chips, named by their places or by a mask."""
        kept = np.arange(len(self.image_ids))[which]
        return replace(
            self,
            image_ids=[self.image_ids[row] for row in kept],
            groups=[self.groups[row] for row in kept],
            pixels=self.pixels[kept],
            folds=self.folds[kept],
            y=self.y[kept],
            p=self.p[kept],
            answers=self.answers[kept],
        )

    def arranged(self, labels: Sequence[str]) -> "Answers":
        """Return the same with the columns in the order of labels, which have to be the same ones."""
        order = [self.labels.index(label) for label in labels]
        return replace(
            self, labels=tuple(labels), y=self.y[:, order], p=self.p[:, order], answers=self.answers[:, order]
        )

    @property
    def holdout(self) -> "Answers":
        """Return the hold-out's chips."""
        return self.rows(self.folds == HOLDOUT)

    def digest(self) -> str:
        """Return a hash of the chips, that is of their names, pixels and true labels; their order does not count."""
        alphabet = self.arranged(sorted(self.labels))
        chips = zip(self.image_ids, self.pixels.tolist(), alphabet.y.astype(int).tolist(), strict=True)
        return digest([*alphabet.labels, *(repr(chip) for chip in sorted(chips))])

    def _columns(self, first: str, values: npt.NDArray[np.generic]) -> pd.DataFrame:
        return pd.DataFrame(values, columns=[f"{first}{label}" for label in self.labels])


def read_answers(path: Path) -> Answers:
    """Read an answers table; raise InputError when it is none."""
    table = read_table(path, PLACE)
    labels = tuple(name.removeprefix(PROBABILITY) for name in table.columns if name.startswith(PROBABILITY))
    columns = [[f"{first}{label}" for label in labels] for first in (TRUTH, PROBABILITY, ANSWER)]
    missing = [name for names in columns for name in names if name not in table]
    if not labels or missing or not len(table):
        what = f"no column {missing[0]!r}" if missing else f"{len(table)} chips, {len(labels)} labels"
        raise InputError(f"{path}: expected the answers to chips, found {what}. Run: dvc repro")
    y, p, answers = (table[names].to_numpy() for names in columns)
    sets = sorted(map(str, table["dataset"].unique()))
    numbers = [name for name in ("pixels", "fold") if table[name].dtype.kind not in "iu"]
    expect(
        str(path),
        (len(sets) == 1, "dataset", "one", ", ".join(sets)),
        (not numbers, ", ".join(numbers), "whole numbers", "others"),
        (bool(np.isin(y, (0, 1)).all() and np.isin(answers, (0, 1)).all()), "truth and answers", "0 or 1", "others"),
        (p.dtype.kind == "f" and bool(((p >= 0) & (p <= 1)).all()), "probabilities", "0..1", "others"),
    )
    return Answers(
        dataset=sets[0],
        labels=labels,
        image_ids=list(table["image_id"]),
        groups=list(table[GROUP if GROUP in table else "image_id"]),
        pixels=table["pixels"].to_numpy(),
        folds=table["fold"].to_numpy(),
        y=y.astype(np.bool_),
        p=p,
        answers=answers.astype(np.bool_),
    )
