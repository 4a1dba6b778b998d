"""A kernel machine on the statistics of a chip: a kernel learner's fold model, as it is asked, written and opened."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.files import atomic_path
from igarape.learners.moments import parts
from igarape.learners.trees.on_statistics import MeanOnStatistics, check_names
from igarape.learners.trees.statistics import names, statistics
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]
Table = npt.NDArray[np.float32]

SUFFIX = ".npz"
FARTHEST = 3.0  # deviations from the mean; one odd statistic shall not make a chip unlike all others


def standardised(table: Table, *, mean: Floats, scale: Floats) -> Floats:
    """Return statistics (n, statistics) less their mean, by their scale, at most FARTHEST from 0."""
    z: Floats = table - mean
    z /= scale
    return np.clip(z, -FARTHEST, FARTHEST, out=z)


def rbf_kernel(z: Floats, landmarks: Floats, *, gamma: float) -> Floats:
    """Return the RBF kernel exp(-gamma |z - landmark|^2), (n, m), of z (n, width) and landmarks (m, width)."""
    square = (z**2).sum(axis=1)[:, None] - 2 * z @ landmarks.T + (landmarks**2).sum(axis=1)
    like: Floats = np.exp(-gamma * np.maximum(square, 0.0))
    return like


@dataclass(frozen=True)
class KernelMap:
    """The RBF kernel between chips and landmarks: statistics (n, statistics) become (n, landmarks).

    mean and scale standardise the statistics; landmarks (landmarks, statistics) are standardised already.
    """

    mean: Floats
    scale: Floats
    landmarks: Floats
    gamma: float

    def transform(self, table: Table) -> Floats:
        """Return the kernel, 0..1, of each row of statistics with each landmark."""
        z = standardised(table, mean=self.mean, scale=self.scale)
        return rbf_kernel(z, self.landmarks, gamma=self.gamma)


@dataclass(frozen=True)
class Machine:
    """A fitted kernel machine. weights: (landmarks, labels). bias: (labels,). size: side of its chips in pixels."""

    from_kept: ClassVar[bool] = False

    kernel: KernelMap
    weights: Floats
    bias: Floats
    size: int

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""
        return len(self.bias)

    def predict(self, images: Pixels, rows: npt.NDArray[np.int64], *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of images (n, size, size, 3).

        tta makes no difference: from all eight sides a chip has the same statistics.
        """
        return self.answer(statistics(images[row] for row in rows))

    def answer(self, table: Table) -> Probabilities:
        """Return probabilities (n, labels) for statistics (n, statistics)."""
        scores = np.concatenate([self.kernel.transform(table[part]) @ self.weights for part in parts(len(table))])
        p: Probabilities = np.exp(-np.logaddexp(0.0, -(scores + self.bias))).astype(np.float32)
        return p

    def export(self, stem: Path) -> Path:
        """Write the machine as stem.npz, NumPy's arrays by name; return that path."""
        path = stem.with_name(f"{stem.name}{SUFFIX}")
        arrays = asdict(self.kernel) | {"weights": self.weights, "bias": self.bias, "size": self.size}
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, statistics=np.array(names()), **arrays)
        return path

    @classmethod
    def load(cls, path: Path) -> "Machine":
        """Read what export wrote; the answers are the same to the last bit.

        Raises InputError for a missing or damaged file, or one made with other statistics than there are here.
        """
        if not path.exists():
            raise InputError(f"{path}: not found; the step train writes it. Run: dvc repro train")
        try:
            with np.load(path) as arrays:
                known = tuple(arrays["statistics"].tolist())
                kernel = KernelMap(arrays["mean"], arrays["scale"], arrays["landmarks"], float(arrays["gamma"]))
                machine = cls(kernel, arrays["weights"], arrays["bias"], int(arrays["size"]))
        except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, BadZipFile) as error:
            raise InputError(f"{path}: not a kernel machine: {error}. Run: dvc repro train") from error
        check_names(known, path, what="a kernel machine")
        return machine


def open_models(paths: Sequence[Path], *, threads: int) -> MeanOnStatistics:  # noqa: ARG001 - as for the other kinds
    """Open the machines of some folds; raise InputError as Machine.load does. NumPy chooses its threads itself."""
    return MeanOnStatistics([Machine.load(path) for path in paths])
