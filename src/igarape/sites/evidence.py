"""What one look at a tile says: how likely its answers are where a label is there, and where it is not.

A calibrated probability p holds the prevalence that the model was trained with, which is divided out: l = logit p -
logit prevalence is the logarithm of a likelihood ratio. Scores with that property and one spread are normal, of mean
+-d^2/2 and deviation d (Green and Swets 1966), where d tells how well the model tells the label: AUC is Phi(d/sqrt 2).
A ground has an effect of its own, a shift of l that all its looks share: the same roof, the same sandbar. So many looks
at one ground are worth few, and a label that the model tells badly is never sure. Haze and broken clouds hide some of
what is there: it is then answered as what is not there is, so that such a look hardly says that something is gone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from scipy.stats import norm

Floats = npt.NDArray[np.float64]

# Of Gauss-Hermite quadrature, which integrates the ground's effect out. With five, lists expect half of what is false.
NODES = 9
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(NODES)
# What stands for a ground's effect, in its deviations, and how likely each is, which sums to 1.
EFFECTS, WEIGHTS = np.asarray(_NODES, np.float64), np.asarray(_WEIGHTS / _WEIGHTS.sum(), np.float64)
# Something new that is not the label is more like it than other ground is: bare soil than forest, for a plot. So where
# the label is not there, effects of a ground that has changed are spread so many times as wide (bench/alike.py).
ALIKE = 1.5
_WIDE = WEIGHTS * norm.pdf(EFFECTS, scale=ALIKE) / norm.pdf(EFFECTS)
# How likely each effect is of a ground that has changed, (NODES, 2), where the label is not there and where it is.
CHANGED = np.stack([_WIDE / _WIDE.sum(), WEIGHTS], axis=1)
SURE = 1e-6  # no answer is surer than this


@dataclass(frozen=True)
class Emission:
    """How a model answers about the labels that are watched, each an array of shape (labels,).

    prevalence: share of training chips that show the label, among those that show ground. separation: d, above.
    """

    prevalence: Floats
    separation: Floats


@dataclass(frozen=True)
class Doubt:
    """What evidence is not trusted to say.

    bound: the most that one date may move the logarithm of any odds. shared: what answers to one ground have in common,
    as a share of their variance, below 1. haze: how far answers under haze stand apart, as a share of those under a
    clear sky. seen: the share of what is there that is seen under haze or broken clouds.
    """

    bound: float
    shared: float
    haze: float
    seen: float


def separation(auc: Floats) -> Floats:
    """Return the d of labels that a model tells with these AUCs."""
    return np.asarray(np.sqrt(2) * norm.ppf(auc), np.float64)


def seen_logit(p: Floats, cloud: Floats, *, alone: bool) -> Floats:
    """Return the logit (looks, labels) that a label is there, given that ground is seen.

    p: (looks, labels). cloud: the probability that none is, (looks,). alone: whether p is the probability that the
    label is there and seen, as where training chips of cloud have no other label; else it is taken as it is.
    """
    ground = 1 - np.minimum(cloud, 1 - SURE)[:, None] if alone else 1.0
    return np.asarray(logit(np.clip(p / ground, SURE, 1 - SURE)), np.float64)


def evidence(
    p: Floats, cloud: Floats, hazy: Floats, *, emission: Emission, doubt: Doubt, alone: bool
) -> tuple[Floats, Floats]:
    """Weigh looks.

    Parameters
    ----------
    p
        Probabilities of the labels, of shape (looks, labels).
    cloud, hazy
        Probabilities that no ground was seen, and that it was seen through haze, of shape (looks,) each.
    emission, doubt
        How the model answers, and what it is not trusted with.
    alone
        As of seen_logit.

    Returns
    -------
    tuple
        The logarithm of each look's likelihood, of shape (NODES, 2, looks, labels), by the ground's effect and by
        whether the label is there: between -bound and 0, and 0 at its largest. And the logarithm of the likelihood
        ratio, (looks, labels), without ground, weather and bound: above 0 a look says yes.
    """
    ratio = seen_logit(p, cloud, alone=alone) - logit(emission.prevalence)
    ground = 1 - cloud[:, None]
    veiled = np.divide(hazy[:, None], ground, out=np.zeros_like(ground), where=ground > 0).clip(0, 1)
    clear, haze = (
        _relative(ratio, emission=emission, shared=doubt.shared, contrast=contrast, seen=seen)
        for contrast, seen in ((1.0, 1.0), (doubt.haze, doubt.seen))
    )
    with np.errstate(divide="ignore"):  # a likelihood may vanish before it is bounded
        total = np.log(ground * ((1 - veiled) * clear + veiled * haze) + cloud[:, None])
    return np.maximum(total - total.max(axis=(0, 1)), -doubt.bound), ratio


def _relative(ratio: Floats, *, emission: Emission, shared: float, contrast: float, seen: float) -> Floats:
    """Return likelihoods (NODES, 2, looks, labels) over that of any such answer: 1 stands for no evidence at all.

    ratio: (looks, labels). shared: of Doubt. contrast: how far the means stand apart, as a share of those under a clear
    sky. seen: the share of what is there that is seen.
    """
    spread = emission.separation**2
    mean = contrast * spread / 2
    shifted = ratio - (EFFECTS[:, None] * np.sqrt(shared * spread))[:, None]
    log = np.stack([-((shifted + mean) ** 2), -((shifted - mean) ** 2)], axis=1) / (2 * (1 - shared) * spread)
    like = np.exp(log - log.max(axis=(0, 1)))
    like[:, 1] = seen * like[:, 1] + (1 - seen) * like[:, 0]
    shares = np.stack([1 - emission.prevalence, emission.prevalence])
    return np.asarray(like / np.einsum("k,yl,kynl->nl", WEIGHTS, shares, like), np.float64)
