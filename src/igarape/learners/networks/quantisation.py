"""Networks that compute in 8-bit integers: a static quantisation by ONNX Runtime, calibrated on chips.

Weights have a scale for each channel, what flows between layers has one for each tensor: the range that it had on the
chips (Jacob et al., CVPR 2018). What comes after the last convolution stays in 32-bit floats: it is a small part of the
work, and probabilities of 8 bits would lose the rare labels.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from igarape.chips.pictures import Pixels
from igarape.files import atomic_path

BATCH = 8  # chips that are looked at at once
LAYER, ACTIVATIONS = "Conv", ("Relu", "Clip")  # an activation is one with the convolution before it


def quantise(source: Path, target: Path, images: Pixels) -> bool:
    """Write a network with 8-bit weights and values; say whether it was done: not where nothing convolves.

    Convolutions inside of a loop, as a probe has them, don't count: nobody sees the ranges in there.

    Parameters
    ----------
    source
        The network, ONNX: float32 (n, size, size, 3) -> (n, labels).
    target
        Where to; nothing is written where it was not done.
    images
        What the network sees of some chips, RGB uint8 (n, size, size, 3).
    """
    with TemporaryDirectory() as made:
        prepared = Path(made, "prepared.onnx")
        # Shapes are stated but for the number of pictures, which symbols would be needed for.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        network = onnx.load(prepared)
        if all(node.op_type != LAYER for node in network.graph.node):
            return False
        for number, node in enumerate(network.graph.node):
            node.name = f"node_{number}"
        with atomic_path(target) as unfinished:
            quantize_static(
                network,
                str(unfinished),
                _Chips(network.graph.input[0].name, images),
                nodes_to_exclude=_end(network.graph),
                per_channel=True,
                reduce_range=True,  # of 7 bits: on processors without VNNI sums of more are cut off, and answers differ
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
    return True


class _Chips(CalibrationDataReader):
    """Chips, a few at a time, as ONNX Runtime asks for them."""

    def __init__(self, name: str, images: Pixels) -> None:
        parts = range(0, len(images), BATCH)
        self._fed = ({name: images[start : start + BATCH].astype(np.float32)} for start in parts)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next ones; None at the end."""
        return next(self._fed, None)


def _end(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the nodes after the last convolution and its activation; nodes stand in order."""
    needed: set[str] = set()  # what convolutions depend on
    names = []
    for node in reversed(graph.node):
        if node.op_type == LAYER or needed.intersection(node.output):
            needed.update(node.input)
        elif node.op_type not in ACTIVATIONS:
            names.append(node.name)
    return names
