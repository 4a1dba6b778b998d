"""Networks as ONNX: how fold models of networks are opened and asked, by ONNX Runtime and without TensorFlow."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from igarape.chips.pictures import Pixels, symmetries
from igarape.errors import InputError

Floats = npt.NDArray[np.float64]

ERRORS_ONLY = 3
DEVICE, CPU, CUDA = "IGARAPE_ONNX", "cpu", "cuda"
# Of a card: sums in float32 as the processor's, not in the 10 bits of TF32, and no search for the quickest convolution,
# which would begin anew for each number of pictures.
PROVIDERS: dict[str, dict[str, dict[str, str]]] = {
    CPU: {"CPUExecutionProvider": {}},
    CUDA: {
        "CUDAExecutionProvider": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
        "CPUExecutionProvider": {},
    },
}


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
    """Open the networks of some folds, on the device that IGARAPE_ONNX names: cpu, the default, or cuda.

    Raises InputError for a missing or damaged file, and for a device that is not known or not there.
    """
    return Sessions(paths, threads=threads)


def device() -> str:
    """Return what networks answer on, from IGARAPE_ONNX; raise InputError where this ONNX Runtime does not know it."""
    asked = os.environ.get(DEVICE, CPU)
    if asked not in PROVIDERS:
        raise InputError(f"{DEVICE}={asked}: expected {' or '.join(PROVIDERS)}")
    if asked == CUDA and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise InputError(
            f"{DEVICE}={asked}: the ONNX Runtime that is installed knows processors only. Type: pip uninstall "
            f"onnxruntime && pip install onnxruntime-gpu; or unset {DEVICE}"
        )
    return asked


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open one model, quietly: on the processor it gives the same answers on every machine."""
    where = device()
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
    options.use_deterministic_compute = where == CUDA
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=list(PROVIDERS[where].items()))
    except Exception as error:  # ONNX Runtime has a class of its own for each status, and no public base class
        raise InputError(f"{path}: not a model that ONNX Runtime can open: {error}. Run: dvc repro train") from error
    # Where a library of CUDA's is missing, ONNX Runtime goes on with processors.
    if session.get_providers() != list(PROVIDERS[where]):
        raise InputError(
            f"{DEVICE}={where}: ONNX Runtime finds no graphics card that it can use. Its own words, if any, stand "
            f"above; it wants the CUDA and cuDNN that its documentation names. Or unset {DEVICE}"
        )
    return session


def _shape(session: onnxruntime.InferenceSession) -> tuple[int, int]:
    """Return (side of the input in pixels, number of labels) as the model states them."""
    return session.get_inputs()[0].shape[1], session.get_outputs()[0].shape[-1]
