"""Boosted trees on the statistics of a chip: a tabular learner's fold model, as it is asked, written and opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import xgboost

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.files import atomic_path
from igarape.learners.trees.on_statistics import MeanOnStatistics, check_names
from igarape.learners.trees.statistics import Table, statistics
from igarape.tables import Probabilities

SUFFIX = ".ubj"


@dataclass(frozen=True)
class Trees:
    """A fitted booster. What it has to be asked with stands in its file: the names of its statistics, and the size."""

    from_kept: ClassVar[bool] = False

    booster: xgboost.Booster

    @classmethod
    def of(cls, booster: xgboost.Booster, *, size: int, labels: int) -> "Trees":
        """Note on a booster, fitted on statistics by name, the side of its chips in pixels and its number of labels."""
        booster.set_attr(size=str(size), labels=str(labels))
        return cls(booster)

    @property
    def size(self) -> int:
        """Return the side of its chips in pixels."""
        return int(self.booster.attr("size") or 0)

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""
        return int(self.booster.attr("labels") or 0)

    def predict(self, images: Pixels, rows: npt.NDArray[np.int64], *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of images (n, size, size, 3).

        tta makes no difference: from all eight sides a chip has the same statistics.
        """
        return self.answer(statistics(images[row] for row in rows))

    def answer(self, table: Table) -> Probabilities:
        """Return probabilities (n, labels) for statistics (n, statistics)."""
        p: Probabilities = self.booster.inplace_predict(table)
        return p.reshape(len(table), self.outputs)  # XGBoost leaves a single label's column out

    def export(self, stem: Path) -> Path:
        """Write the trees as stem.ubj, XGBoost's binary JSON; return that path."""
        path = stem.with_name(f"{stem.name}{SUFFIX}")
        with atomic_path(path) as unfinished:
            self.booster.save_model(unfinished)
        return path

    @classmethod
    def load(cls, path: Path, *, threads: int) -> "Trees":
        """Read what export wrote; the answers are the same to the last bit. threads: of one prediction; 0 for all.

        Raises InputError for a missing or damaged file, or one made with other statistics than there are here.
        """
        if not path.exists():
            raise InputError(f"{path}: not found; the step train writes it. Run: dvc repro train")
        try:
            booster = xgboost.Booster({"nthread": threads}, model_file=str(path))
        except xgboost.core.XGBoostError as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: not a model that XGBoost can open: {reason}. Run: dvc repro train") from error
        check_names(booster.feature_names or (), path, what="trees")
        return cls(booster)


def open_models(paths: Sequence[Path], *, threads: int) -> MeanOnStatistics:
    """Open the trees of some folds; raise InputError as Trees.load does."""
    return MeanOnStatistics([Trees.load(path, threads=threads) for path in paths])
