"""A calibrator: what is answered with a probability of 0.3 should hold in three of ten chips, for each label.

none           the probability as it is
temperature    its logit, scaled (Guo et al., ICML 2017)
platt          its logit, scaled and shifted (Platt, 1999)
beta           log p and -log(1 - p), each scaled, and shifted (Kull, Silva Filho and Flach, AISTATS 2017)
isotonic       any rising curve, straight between its corners (Zadrozny and Elkan, KDD 2002)

All rise, so that ranks stay, but for ties that an isotonic curve makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from igarape.ensemble.linear import EDGE, logit, sigmoid
from igarape.errors import InputError
from igarape.scores.metrics import Floats, Reals

KINDS = ("none", "temperature", "platt", "beta", "isotonic")


@dataclass(frozen=True)
class Calibrator:
    """One label's map.

    values: the scales, then the shift; of an isotonic curve the places of its corners, then their heights.
    """

    kind: str
    values: tuple[float, ...] = ()

    def apply(self, p: Reals) -> Floats:
        """Turn probabilities (n,) into calibrated ones, each by itself."""
        values = np.asarray(p, dtype=np.float64)
        if self.kind == "none":
            return values
        if self.kind == "isotonic":
            places, heights = np.split(np.array(self.values), 2)
            return np.asarray(np.interp(values, places, heights))
        *scales, shift = self.values
        total = np.full(len(values), shift)
        for each, scale in zip(inputs_of(self.kind, values), scales, strict=True):
            total += scale * each
        return sigmoid(total)

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON file keeps."""
        return {"kind": self.kind, "values": self.values}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calibrator":
        """Restore what to_json returned."""
        if content["kind"] not in KINDS:
            raise InputError(f"calibration: expected one of {', '.join(KINDS)}, found {content['kind']!r}")
        return cls(content["kind"], tuple(content["values"]))


def inputs_of(kind: str, p: Floats) -> list[Floats]:
    """Return what a kind scales, each of shape (n,)."""
    if kind == "beta":
        clipped = np.clip(p, EDGE, 1 - EDGE)
        return [np.log(clipped), -np.log1p(-clipped)]
    return [logit(p)]
