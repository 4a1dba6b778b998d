"""The losses an experiment can name, each from targets and probabilities (n, labels) to one number a chip."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from igarape.config.hyperparameters import LOSS
from igarape.errors import InputError
from igarape.labels import Booleans, Targets

Tensor: TypeAlias = keras.KerasTensor
Loss = Callable[[Tensor, Tensor], Tensor]
Counts = npt.NDArray[np.float32]

TINY = 1e-7
FOCUS = 2.0  # gamma of Lin et al.
PRESENT, ABSENT, MARGIN = 1.0, 4.0, 0.05  # gamma+, gamma- and m of Ridnik et al.
OVERLAP = 0.999  # beta of Cui et al.: a thousand more chips of a kind show next to nothing new
LIFT, STEEPNESS, MIDDLE = 0.1, 10.0, 0.2  # alpha, beta and mu of Wu et al., and lambda and kappa: as they have them for
TOLERANCE, OFFSET = 2.0, 0.05  # COCO
LEAST = 0.5  # what a label counts that no chip, or all but none, holds


def make_loss(name: str, *, smoothing: float, targets: Targets, y: Booleans) -> Loss:
    """Return the loss called name.

    bce: binary cross-entropy. focal: weighted by (1 - p_true)^2 (Lin et al., ICCV 2017). asl: asymmetric, so that
    what is absent and known to be counts hardly at all (Ridnik et al., ICCV 2021). soft_f2: 1 - F2 of the
    probabilities. softmax: cross-entropy of the exclusive labels, which share a softmax, beside the others' binary
    cross-entropies; two labels of the group share their chip, and a chip without any counts by the others.
    class_balanced, distribution_balanced, logit_adjusted: for labels that few chips hold; see COUNTED.
    Any other name is a plugin's.

    Parameters
    ----------
    name
        Of the loss.
    smoothing
        Moves the targets 0 and 1 to smoothing / 2 and 1 - smoothing / 2.
    targets
        The labels.
    y
        Which of them hold in the rows to learn from, and in no other: (rows, labels). Labels are counted in it.

    Raises
    ------
    InputError
        For a plugin that cannot be imported, and, when the loss is called, for one that gives no number a chip.
    """
    if name == "softmax":
        loss = _grouped(targets.grouped)
    elif name in COUNTED:
        loss = COUNTED[name](y)
    else:
        loss = LOSSES.get(name) or _from_plugin(name)

    def smoothed(y: Tensor, p: Tensor) -> Tensor:
        return loss(y * (1 - smoothing) + smoothing / 2, ops.clip(p, TINY, 1 - TINY))

    return smoothed


def _from_plugin(name: str) -> Loss:
    """Return a loss of the user's, whose errors name its file."""
    plugin = LOSS.load(name)

    def loss(y: Tensor, p: Tensor) -> Tensor:
        try:
            found = plugin(y, p)
        except Exception as error:
            raise InputError(LOSS.failure(name, error)) from error
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


def _counts(y: Booleans) -> tuple[Counts, Counts]:
    """Return how many rows hold each label, and how many do not; LEAST in the place of none."""
    held = np.clip(y.sum(axis=0), LEAST, max(len(y) - LEAST, LEAST)).astype(np.float32)
    return held, np.float32(len(y)) - held


def _class_balanced(y: Booleans) -> Loss:
    """Weigh the presence and the absence of a label each by 1 over its effective number of chips.

    That is (1 - beta^n) / (1 - beta) for n of them (Cui et al., Class-balanced loss based on effective number of
    samples, CVPR 2019). A label's two classes are balanced with each other; as there, their weights add up to two.
    """
    rarity = [(1 - OVERLAP) / (1 - OVERLAP**count) for count in _counts(y)]
    present, absent = (2 * weight / sum(rarity) for weight in rarity)

    def loss(y: Tensor, p: Tensor) -> Tensor:
        return -ops.mean(present * y * ops.log(p) + absent * (1 - y) * ops.log(1 - p), axis=-1)

    return loss


def _distribution_balanced(y: Booleans) -> Loss:
    """Rebalance labels that hold together, and tolerate what is absent (Wu et al., ECCV 2020), without focal weights.

    A label's weight on a chip is smoothed by a sigmoid: of how often it would be drawn for this label's sake, as a
    share of how often for all that it holds. A chip that holds none counts as drawn for a label of its own.
    """
    held, others = _counts(y)
    without = np.float32(max((~y.any(axis=1)).sum(), 1))
    margin = OFFSET * np.log(others / held)

    def loss(y: Tensor, p: Tensor) -> Tensor:
        holds = ops.cast(y > 0.5, "float32")  # whatever smoothing or mixing has made of it
        drawn = ops.sum(holds / held, axis=-1, keepdims=True)
        drawn = ops.where(drawn > 0, drawn, 1 / without)
        weight = LIFT + ops.sigmoid(STEEPNESS * (1 / held / drawn - MIDDLE))
        z = _logit(p) - margin
        terms = y * ops.softplus(-z) + (1 - y) * ops.softplus(TOLERANCE * z) / TOLERANCE
        return ops.mean(weight * terms, axis=-1)

    return loss


def _logit_adjusted(y: Booleans) -> Loss:
    """Teach logits that the logarithm of the prior odds is added to, for each label by itself, with tau 1.

    So the answers are those where a label is as often there as not (Menon et al., Long-tail learning via logit
    adjustment, ICLR 2021).
    """
    held, others = _counts(y)
    prior = np.log(held / others)

    def loss(y: Tensor, p: Tensor) -> Tensor:
        z = _logit(p) + prior
        return ops.mean(y * ops.softplus(-z) + (1 - y) * ops.softplus(z), axis=-1)

    return loss


def _logit(p: Tensor) -> Tensor:
    return ops.log(p) - ops.log(1 - p)


LOSSES: Mapping[str, Loss] = {"bce": _bce, "focal": _focal, "asl": _asymmetric, "soft_f2": _soft_f2}
# Those that are made of the truth of the rows to learn from.
COUNTED: Mapping[str, Callable[[Booleans], Loss]] = {
    "class_balanced": _class_balanced,
    "distribution_balanced": _distribution_balanced,
    "logit_adjusted": _logit_adjusted,
}
