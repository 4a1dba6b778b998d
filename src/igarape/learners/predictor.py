"""Predict with a learner's fold models: ONNX Runtime and numpy only, so that a bundle is used without TensorFlow."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from igarape.chips.pictures import Picture, symmetries
from igarape.errors import InputError
from igarape.tables import Probabilities

Report = Callable[[int, int], None]
Rows = npt.NDArray[np.int64]

ERRORS_ONLY = 3


class Predictor:
    """The mean of one or more fold models: pictures in, probabilities out.

    Out-of-fold rows (one model), hold-out rows (all of them) and served answers all come from here.
    """

    def __init__(self, paths: Sequence[Path], *, threads: int = 0) -> None:
        """Open the models. threads: that one prediction may use; 0 leaves the choice to ONNX Runtime.

        Raises InputError for no path, a missing or damaged file, or models that do not fit together.
        """
        if not paths:
            raise InputError("expected at least one fold model, found none. Run: dvc repro train")
        self._sessions = [_open(path, threads) for path in paths]
        self.size, self.outputs = _shape(self._sessions[0])
        for path, session in zip(paths, self._sessions, strict=True):
            if _shape(session) != (self.size, self.outputs):
                raise InputError(
                    f"{path}: (pixels, labels) is {_shape(session)}, but {(self.size, self.outputs)} in {paths[0]}. "
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
            chips = pictures[rows[some]]
            answer[some] = self._mean(symmetries(chips) if tta else [chips])
            if report:
                report(min(start + step, len(rows)), len(rows))
        return answer

    def _mean(self, views: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.float64]:
        """Average over the models and the views, each (n, size, size, 3): (n, labels)."""
        # ONNX Runtime takes contiguous arrays; turned pictures are not.
        fed = np.ascontiguousarray(np.concatenate(views), dtype=np.float32)
        total = np.zeros((len(fed), self.outputs))
        for session in self._sessions:
            total += session.run(None, {session.get_inputs()[0].name: fed})[0]
        mean: npt.NDArray[np.float64] = total.reshape(len(views), -1, self.outputs).mean(axis=0) / len(self._sessions)
        return mean


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
