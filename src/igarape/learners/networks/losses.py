"""The losses an experiment can name, each from targets and probabilities (n, labels) to one number a chip."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import keras
from keras import ops

from igarape.config.hyperparameters import LOSS
from igarape.errors import InputError
from igarape.labels import Targets

Tensor: TypeAlias = keras.KerasTensor
Loss = Callable[[Tensor, Tensor], Tensor]

TINY = 1e-7
FOCUS = 2.0  # gamma of Lin et al.
PRESENT, ABSENT, MARGIN = 1.0, 4.0, 0.05  # gamma+, gamma- and m of Ridnik et al.


def make_loss(name: str, *, smoothing: float, targets: Targets) -> Loss:
    """Return the loss called name.

    bce: binary cross-entropy. focal: weighted by (1 - p_true)^2 (Lin et al., ICCV 2017). asl: asymmetric, so that
    what is absent and known to be counts hardly at all (Ridnik et al., ICCV 2021). soft_f2: 1 - F2 of the
    probabilities. softmax: cross-entropy of the exclusive labels, which share a softmax, beside the others' binary
    cross-entropies; two labels of the group share their chip, and a chip without any counts by the others.
    Any other name is a plug's. smoothing moves the targets 0 and 1 to smoothing / 2 and 1 - smoothing / 2.
    Raises InputError for a plug that cannot be imported, and, when it is called, for one that gives no number a chip.
    """
    loss = _grouped(targets.grouped) if name == "softmax" else LOSSES.get(name) or _plugged(name)

    def smoothed(y: Tensor, p: Tensor) -> Tensor:
        return loss(y * (1 - smoothing) + smoothing / 2, ops.clip(p, TINY, 1 - TINY))

    return smoothed


def _plugged(name: str) -> Loss:
    """Return a loss of the user's, whose errors name its file."""
    plug = LOSS.load(name)

    def loss(y: Tensor, p: Tensor) -> Tensor:
        try:
            found = plug(y, p)
        except Exception as error:
            raise InputError(LOSS.fault(name, f"{type(error).__name__}: {error}")) from error
        if len(getattr(found, "shape", ())) != 1:
            raise InputError(LOSS.fault(name, f"gave {type(found).__name__} of shape {getattr(found, 'shape', ())}"))
        return found

    return loss


def _bce(y: Tensor, p: Tensor) -> Tensor:
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), axis=-1)


def _focal(y: Tensor, p: Tensor) -> Tensor:
    present, absent = y * (1 - p) ** FOCUS * ops.log(p), (1 - y) * p**FOCUS * ops.log(1 - p)
    return -ops.mean(present + absent, axis=-1)


def _asymmetric(y: Tensor, p: Tensor) -> Tensor:
    shifted = ops.maximum(p - MARGIN, 0.0)
    present, absent = y * (1 - p) ** PRESENT * ops.log(p), (1 - y) * shifted**ABSENT * ops.log(1 - shifted)
    return -ops.mean(present + absent, axis=-1)


def _soft_f2(y: Tensor, p: Tensor) -> Tensor:
    """Count probabilities as parts of a label; the 1 keeps a chip without labels from having no F2."""
    hits = ops.sum(y * p, axis=-1)
    return 1 - (5 * hits + 1) / (4 * ops.sum(y, axis=-1) + ops.sum(p, axis=-1) + 1)


def _grouped(count: int) -> Loss:
    def loss(y: Tensor, p: Tensor) -> Tensor:
        group, others = y[:, :count], y[:, count:]
        share = group / ops.maximum(ops.sum(group, axis=-1, keepdims=True), TINY)
        of_group = -ops.sum(share * ops.log(p[:, :count]), axis=-1)
        q = p[:, count:]
        of_others = -ops.sum(others * ops.log(q) + (1 - others) * ops.log(1 - q), axis=-1)
        return (of_group + of_others) / y.shape[-1]

    return loss


LOSSES: Mapping[str, Loss] = {"bce": _bce, "focal": _focal, "asl": _asymmetric, "soft_f2": _soft_f2}
