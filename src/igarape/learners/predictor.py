"""Predict with a learner's fold models: by ONNX Runtime or XGBoost, so that a bundle is used without TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from igarape.chips.pictures import Picture, symmetries
from igarape.errors import InputError
from igarape.learners.memory import keep_memory
from igarape.learners.statistics import statistics
from igarape.learners.trees import SUFFIX, Trees
from igarape.tables import Probabilities

Floats = npt.NDArray[np.float64]
Report = Callable[[int, int], None]
Rows = npt.NDArray[np.int64]

ERRORS_ONLY = 3


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
        keep_memory()
        self._models = KINDS[kinds[0]](paths, threads)
        self.size, self.outputs = self._models.shapes[0]
        for path, shape in zip(paths, self._models.shapes, strict=True):
            if shape != (self.size, self.outputs):
                raise InputError(
                    f"{path}: (pixels, labels) is {shape}, but {(self.size, self.outputs)} in {paths[0]}. "
                    "Fold models of one learner should be alike; run: dvc repro train"
                )

    def predict(
        self, pictures: Picture, *, tta: bool, batch: int, rows: Rows | None = None, report: Report | None = None
    ) -> Probabilities:
        """Return probabilities, float32 (rows, labels), of RGB pictures, uint8 (n, size, size, 3).

        rows: which of the pictures, which may be mapped from the disk; None takes them all.
        tta: take the mean over the eight symmetries of the square. batch: how many pictures (or views of them) go
        through a model at once. report: called with (pictures done, of how many).
        """
        if pictures.shape[1:] != (self.size, self.size, 3):
            raise InputError(f"expected pictures of {(self.size, self.size, 3)}, found {pictures.shape[1:]}")
        rows = np.arange(len(pictures)) if rows is None else rows
        answer = np.empty((len(rows), self.outputs), dtype=np.float32)
        step = max(1, batch // 8) if tta else batch
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            answer[some] = self._models.mean(pictures[rows[some]], tta=tta)
            if report:
                report(min(start + step, len(rows)), len(rows))
        return answer


class _Networks:
    """Networks as ONNX. shapes: of each, (side of its pictures in pixels, number of labels)."""

    def __init__(self, paths: Sequence[Path], threads: int) -> None:
        self._sessions = [_open(path, threads) for path in paths]
        self.shapes = [_shape(session) for session in self._sessions]

    def mean(self, pictures: Picture, *, tta: bool) -> Floats:
        """Average over the networks and, with tta, the eight views of each picture: (n, labels)."""
        views = symmetries(pictures) if tta else [pictures]
        # ONNX Runtime takes contiguous arrays; turned pictures are not.
        fed = np.empty((len(views) * len(pictures), *pictures.shape[1:]), dtype=np.float32)
        np.concatenate(views, out=fed)
        outputs = self.shapes[0][1]
        total = np.zeros((len(fed), outputs))
        for session in self._sessions:
            total += session.run(None, {session.get_inputs()[0].name: fed})[0]
        mean: Floats = total.reshape(len(views), -1, outputs).mean(axis=0) / len(self._sessions)
        return mean


class _Forests:
    """Boosted trees on the statistics of pictures. shapes: as those of networks."""

    def __init__(self, paths: Sequence[Path], threads: int) -> None:
        self._forests = [Trees.load(path, threads=threads) for path in paths]
        self.shapes = [(forest.size, forest.outputs) for forest in self._forests]

    def mean(self, pictures: Picture, *, tta: bool) -> Floats:
        """Average over the forests: (n, labels). With tta or without: all views have the same statistics."""
        table = statistics(pictures)
        total = np.zeros((len(pictures), self.shapes[0][1]))
        for forest in self._forests:
            total += forest.answer(table)
        return total / len(self._forests)


KINDS: Mapping[str, type[_Networks] | type[_Forests]] = {".onnx": _Networks, SUFFIX: _Forests}


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open one model, quietly, on the processor: the same answers on every machine."""
    if not path.exists():
        raise InputError(f"{path}: not found; the step train writes it. Run: dvc repro train")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    # The sessions of an ensemble take turns, and one that spins while it waits takes the processor from the next: with
    # five MobileNets on two cores one chip took 130 ms instead of 24.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a class of its own for each status, and no public base class
        raise InputError(f"{path}: not a model that ONNX Runtime can open: {error}. Run: dvc repro train") from error


def _shape(session: onnxruntime.InferenceSession) -> tuple[int, int]:
    """Return (side of the input in pixels, number of labels) as the model states them."""
    return session.get_inputs()[0].shape[1], session.get_outputs()[0].shape[-1]
