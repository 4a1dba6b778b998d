"""Networks as ONNX: how fold models of networks are opened and asked, by ONNX Runtime and without TensorFlow."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from igarape.chips.pictures import Pixels, symmetries
from igarape.errors import InputError

Floats = npt.NDArray[np.float64]

ERRORS_ONLY = 3


class Sessions:
    """Networks as ONNX. shapes: of each, (side of its pictures in pixels, number of labels)."""

    def __init__(self, paths: Sequence[Path], *, threads: int) -> None:
        self._sessions = [_open(path, threads) for path in paths]
        self.shapes = [_shape(session) for session in self._sessions]

    def mean(self, images: Pixels, *, tta: bool) -> Floats:
        """Average over the networks and, with tta, the eight views of each image: (n, labels)."""
        views = symmetries(images) if tta else [images]
        # ONNX Runtime takes contiguous arrays; turned pictures are not.
        fed = np.empty((len(views) * len(images), *images.shape[1:]), dtype=np.float32)
        np.concatenate(views, out=fed)
        outputs = self.shapes[0][1]
        total = np.zeros((len(fed), outputs))
        for session in self._sessions:
            total += session.run(None, {session.get_inputs()[0].name: fed})[0]
        mean: Floats = total.reshape(len(views), -1, outputs).mean(axis=0) / len(self._sessions)
        return mean


def open_models(paths: Sequence[Path], *, threads: int) -> Sessions:
    """Open the networks of some folds; raise InputError for a missing or damaged file."""
    return Sessions(paths, threads=threads)


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open one model, quietly, on the processor: the same answers on every machine."""
    if not path.exists():
        raise InputError(f"{path}: not found; the step train writes it. Run: dvc repro train")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    # A plan of the memory for each number of pictures that was ever asked for, which takes more and saves no time.
    options.enable_mem_pattern = False
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
