"""Predict with a learner's fold models, by ONNX Runtime, XGBoost or NumPy: a bundle is used without TensorFlow."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.learners.memory import keep_memory
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# The module that opens each kind of fold model, by the suffix of its file. It is loaded when one is opened: the code
# that an answer depends on is that of its own kind.
KINDS: Mapping[str, str] = {
    ".onnx": "igarape.learners.networks.sessions",
    ".ubj": "igarape.learners.trees.forest",
    ".npz": "igarape.learners.kernels.machine",
    ".fisher": "igarape.learners.fisher.machine",
}


class Models(Protocol):
    """Fold models of one kind. shapes: of each, (side of its pictures in pixels, number of labels)."""

    shapes: Sequence[tuple[int, int]]

    def mean(self, images: Pixels, *, tta: bool) -> Floats:
        """Average over the models and, with tta, the eight views of each image: (n, labels)."""


class Predictor:
    """The mean of one or more fold models: pictures in, probabilities out.

    Out-of-fold rows (one model), hold-out rows (all of them) and served answers all come from here.
    """

    def __init__(self, paths: Sequence[Path], *, threads: int = 0) -> None:
        """Open the models, all of one kind. threads: that one prediction may use; 0 leaves the choice to the library.

        Raises InputError for no path, a missing or damaged file, or models that do not fit together.
        """
        if not paths:
            raise InputError("expected at least one fold model, found none. Run: dvc repro train")
        kinds = sorted({path.suffix for path in paths})
        if len(kinds) > 1 or kinds[0] not in KINDS:
            raise InputError(
                f"{paths[0].parent}: expected fold models of one kind, {' or '.join(KINDS)}, found {', '.join(kinds)}. "
                "Run: dvc repro train"
            )
        self._models: Models = import_module(KINDS[kinds[0]]).open_models(paths, threads=threads)
        keep_memory()  # what opening took and left is given back: of networks more than they hold
        self.size, self.outputs = self._models.shapes[0]
        for path, shape in zip(paths, self._models.shapes, strict=True):
            if shape != (self.size, self.outputs):
                raise InputError(
                    f"{path}: (pixels, labels) is {shape}, but {(self.size, self.outputs)} in {paths[0]}. "
                    "Fold models of one learner should be alike; run: dvc repro train"
                )

    def predict(self, images: Pixels, *, tta: bool, batch: int, rows: Rows | None = None) -> Probabilities:
        """Return the models' mean probabilities, float32 (rows, labels).

        Parameters
        ----------
        images
            RGB, uint8 (n, size, size, 3); they may be mapped from the disk.
        tta
            Whether to take the mean over the eight symmetries of the square.
        batch
            How many pictures (or views of them) go through a model at once.
        rows
            Which of the pictures; None takes them all.

        Raises
        ------
        InputError
            For pictures of another size than the models'.
        """
        if images.shape[1:] != (self.size, self.size, 3):
            raise InputError(f"expected pictures of {(self.size, self.size, 3)}, found {images.shape[1:]}")
        rows = np.arange(len(images)) if rows is None else rows
        answer = np.empty((len(rows), self.outputs), dtype=np.float32)
        step = max(1, batch // 8) if tta else batch
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            answer[some] = self._models.mean(images[rows[some]], tta=tta)
        return answer
