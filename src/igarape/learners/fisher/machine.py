"""A linear head on the Fisher vectors of chips: a fisher learner's fold model, as it is asked, written and opened."""

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
from igarape.learners.fisher.mixture import Mixture, Table
from igarape.learners.fisher.patches import WIDTH, Descriptors, descriptors
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]

SUFFIX = ".fisher"
FARTHEST = 3.0  # deviations from the mean; one odd number shall not outweigh all others


@dataclass(frozen=True)
class Head:
    """A linear layer on Fisher vectors, which are standardised, held to FARTHEST, and of mean square length about 1.

    mean and scale (width,), weights (width, labels), bias (labels,): float32.
    """

    mean: Table
    scale: Table
    weights: Table
    bias: Table

    def standardised(self, vectors: Table, *, into: Table | None = None) -> Table:
        """Return Fisher vectors (n, width) as the weights are for them; into: the table that they are written to."""
        z: Table = np.subtract(vectors, self.mean, out=into)
        z /= self.scale
        np.clip(z, -FARTHEST, FARTHEST, out=z)
        z /= np.float32(np.sqrt(z.shape[1]))
        return z

    def answer(self, vectors: Table) -> Probabilities:
        """Return probabilities (n, labels) for Fisher vectors (n, width)."""
        return self.answer_standardised(self.standardised(vectors))

    def answer_standardised(self, standard: Table) -> Probabilities:
        """Return probabilities (n, labels) for Fisher vectors that standardised has returned."""
        scores = standard @ self.weights + self.bias
        p: Probabilities = np.exp(-np.logaddexp(np.float32(0), -scores))
        return p


@dataclass(frozen=True)
class Machine:
    """A fitted mixture and a head on its Fisher vectors. size: side of its chips in pixels."""

    from_kept: ClassVar[bool] = False

    mixture: Mixture
    head: Head
    size: int

    @property
    def outputs(self) -> int:
        """Return how many labels it predicts."""
        return len(self.head.bias)

    def predict(self, images: Pixels, rows: npt.NDArray[np.int64], *, tta: bool) -> Probabilities:
        """Return probabilities (rows, labels) for those rows of images (n, size, size, 3).

        tta makes no difference: from all eight sides a chip has the same patches.
        """
        answers = [self.answer(descriptors(images[row])) for row in rows]
        return np.array(answers, dtype=np.float32).reshape(len(rows), self.outputs)

    def answer(self, patches: Descriptors) -> Probabilities:
        """Return a chip's probabilities (labels,) for its descriptors.

        One chip at a time: a product of matrices may order a sum otherwise for more rows.
        """
        p: Probabilities = self.head.answer(self.mixture.fisher(patches)[None])[0]
        return p

    def export(self, stem: Path) -> Path:
        """Write the machine as stem.fisher, NumPy's arrays by name; return that path."""
        path = stem.with_name(f"{stem.name}{SUFFIX}")
        with atomic_path(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, size=self.size, **asdict(self.mixture), **asdict(self.head))
        return path

    @classmethod
    def load(cls, path: Path) -> "Machine":
        """Read what export wrote; the answers are the same to the last bit.

        Raises InputError for a missing or damaged file, or one made with other descriptors than there are here.
        """
        if not path.exists():
            raise InputError(f"{path}: not found; the step train writes it. Run: dvc repro train")
        try:
            with np.load(path) as arrays:
                mixture = Mixture(**{name: arrays[name] for name in Mixture.__annotations__})
                head = Head(**{name: arrays[name] for name in Head.__annotations__})
                machine = cls(mixture, head, int(arrays["size"]))
        except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, BadZipFile) as error:
            raise InputError(f"{path}: not a machine on Fisher vectors: {error}. Run: dvc repro train") from error
        if len(mixture.projection) != WIDTH:
            raise InputError(
                f"{path}: expected descriptors of {WIDTH} numbers, as this igarape takes them, found "
                f"{len(mixture.projection)}. Run: dvc repro train, or use the igarape that made it"
            )
        return machine


class Machines:
    """The mean of machines, for which a chip's patches are described once. shapes: as those of networks."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self._machines = machines
        self.shapes = [(machine.size, machine.outputs) for machine in machines]

    def mean(self, images: Pixels, *, tta: bool) -> Floats:
        """Average over the machines: (n, labels). With tta or without: all views have the same patches."""
        total = np.zeros((len(images), self.shapes[0][1]))
        for row, image in enumerate(images):
            patches = descriptors(image)
            for machine in self._machines:
                total[row] += machine.answer(patches)
        return total / len(self._machines)


def open_models(paths: Sequence[Path], *, threads: int) -> Machines:  # noqa: ARG001 - as for the other kinds
    """Open the machines of some folds; raise InputError as Machine.load does. NumPy chooses its threads itself."""
    return Machines([Machine.load(path) for path in paths])
