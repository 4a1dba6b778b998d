"""The hyperparameters of a training: each with its type, its bounds, its default and what it means."""

from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import Field, field_validator
from pydantic.fields import FieldInfo

from igarape.config.plugins import Role
from igarape.config.schema import Section

Value = float | bool | str

LOSS = Role(
    setting="loss",
    words=("bce", "focal", "asl", "soft_f2", "softmax", "class_balanced", "distribution_balanced", "logit_adjusted"),
    group="igarape.losses",
    parameters="y, p",
    gives="targets and probabilities (n, labels), Keras tensors in 0..1, to one number a chip (n,)",
    call=(2, ()),
)


Balance = Annotated[
    float,
    Field(
        ge=0.0,
        le=1.0,
        description="0 counts each chip once; 1 counts the chips that hold a label as much, together, as the others.",
    ),
]


class Values(Section):
    """The hyperparameters of one training. A subclass names them, each with its type, bounds, default and meaning."""

    def averaged(self) -> bool:
        """Say whether a prediction is the mean over the eight symmetries of the square."""
        return False


class NetworkValues(Values):
    """The hyperparameters of a network."""

    learning_rate: float = Field(
        default=0.001, ge=1e-6, le=1.0, description="Peak of the schedule when the whole network learns."
    )
    warm_up: float = Field(default=0.1, ge=0.0, le=0.9, description="Share of the steps in which the rate rises.")
    floor: float = Field(
        default=0.0, ge=0.0, le=1.0, description="What the rate then falls to along a cosine, as a share of its peak."
    )
    head_epochs: int = Field(
        default=0,
        ge=0,
        le=500,
        strict=False,
        description="How often the last layer, alone, sees the features of all chips before the rest is trained too.",
    )
    head_rate: float = Field(
        default=0.003, ge=1e-6, le=1.0, description="Learning rate of the last layer while it learns alone."
    )
    dropout: float = Field(
        default=0.2, ge=0.0, le=0.9, description="Share of the features that are dropped before the last layer."
    )
    width: float = Field(default=1.0, ge=0.1, le=4.0, description="Multiplies the filters (MobileNet's alpha).")
    frozen: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share of the backbone's layers, from the picture on, that keep their loaded weights. "
        "What is not learned needs no gradients, which saves time.",
    )
    decay: float = Field(default=0.001, ge=0.0, le=1.0, description="AdamW's weight decay.")
    ema: float = Field(
        default=0.0,
        ge=0.0,
        le=0.9999,
        description="Momentum of the weights' moving average, which takes the weights' place; 0 for none. "
        "Lower by itself where it would reach back over more than a quarter of the steps.",
    )
    loss: Annotated[str, LOSS] = Field(
        default="bce",
        description="Binary cross-entropy, focal, asymmetric, 1 - F2 of the probabilities, a softmax over the "
        "labels that exclude each other beside the others' cross-entropies, three that weigh labels by how few of the "
        "training chips hold them, or a loss of yours.",
    )
    smoothing: float = Field(
        default=0.0, ge=0.0, le=0.5, description="Label smoothing: 0 and 1 move towards each other by half of this."
    )
    dihedral: bool = Field(default=True, description="Whether chips are shown turned and mirrored: eight ways.")
    jitter: float = Field(
        default=0.05, ge=0.0, le=0.5, description="Largest relative change of a chip's brightness and contrast."
    )
    zoom: float = Field(default=0.0, ge=0.0, le=0.7, description="How much of a chip's side is cut away at most.")
    mixup: float = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        description="How far a chip and its labels are mixed with another's: by shares from Beta(this, this); "
        "0 for not at all.",
    )
    smallest: float = Field(
        default=1.0,
        ge=0.25,
        le=1.0,
        description="Side that training begins with, as a share of `size`. Chips grow until two thirds of the epochs "
        "are over.",
    )
    balance: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="0 shows each chip once an epoch; 1 shows the rarest label as often as the most frequent one.",
    )
    repeat: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="0 shows each chip once an epoch; 1 repeats the chips that hold a label until they are as many as "
        "the others. All else is shown less often, so that epochs stay as long.",
    )
    tta: bool = Field(default=True, description="Whether a prediction is the mean over the eight symmetries.")

    @field_validator("loss")
    @classmethod
    def _is_there(cls, loss: str) -> str:
        return LOSS.check(loss)

    def averaged(self) -> bool:
        """Say whether a prediction is the mean over the eight symmetries of the square."""
        return self.tta


class TreeValues(Values):
    """The hyperparameters of boosted trees. All views of a chip have the same statistics, so there is no tta."""

    learning_rate: float = Field(default=0.1, ge=1e-4, le=1.0, description="What each round's trees count.")
    depth: int = Field(default=4, ge=1, le=12, strict=False, description="Levels of a tree.")
    child_weight: float = Field(default=1.0, ge=0.0, le=1000.0, description="Least hessian of a leaf.")
    subsample: float = Field(default=1.0, ge=0.05, le=1.0, description="Share of the chips that a round sees.")
    columns: float = Field(default=1.0, ge=0.01, le=1.0, description="Share of the statistics that a split sees.")
    l2: float = Field(default=1.0, ge=0.0, le=1000.0, description="L2 regularisation of the leaves.")


class ProbeValues(Values):
    """The hyperparameters of a probe. Its features are the mean over a chip's eight views, so there is no tta."""

    head: Literal["logistic", "prototype", "kernel"] = Field(
        default="logistic",
        description="A logistic regression on the features, or on one number: how much nearer a chip is, by cosine, to "
        "the mean of those that hold a label than to the mean of the others; or kernel logistic regression on the "
        "features' first 256 principal components.",
    )
    l2: float = Field(
        default=100.0,
        ge=1e-3,
        le=1e6,
        description="Strength of the L2 penalty on the head's weights, of standardised features: 1 / C. A prototype "
        "has one weight; a kernel wants some 0.01.",
    )
    gamma: float = Field(
        default=0.5,
        ge=1e-3,
        le=100.0,
        description="Of a kernel, how fast similarity falls with distance: exp(-gamma times its square, by the mean "
        "square of the training chips' distances).",
    )
    balance: Balance = 0.0


class KernelValues(Values):
    """The hyperparameters of a kernel machine. All views of a chip have the same statistics, so there is no tta."""

    gamma: float = Field(
        default=0.25,
        ge=1e-3,
        le=100.0,
        description="How fast similarity falls with distance: exp(-gamma times the mean square of the differences).",
    )
    l2: float = Field(default=0.03, ge=1e-6, le=1e6, description="Strength of the L2 penalty on the weights: 1 / C.")
    balance: Balance = 0.0
    landmarks: int = Field(
        default=1000,
        ge=2,
        le=10000,
        strict=False,
        description="How many of the training chips others are compared with, at most.",
    )


class FisherValues(Values):
    """The hyperparameters of a head on Fisher vectors. All views of a chip have the same one, so there is no tta."""

    words: int = Field(
        default=128,
        ge=2,
        le=1024,
        strict=False,
        description="Gaussians that a chip's patches are compared with.",
    )
    components: int = Field(
        default=32, ge=1, le=54, strict=False, description="Principal components of a patch that they see."
    )
    l2: float = Field(default=0.01, ge=1e-6, le=1e6, description="Strength of the L2 penalty on the weights: 1 / C.")
    balance: Balance = 0.0


def role(field: FieldInfo) -> Role | None:
    """Return what a plugin that a setting may name is for; None where it names none."""
    return next((found for found in field.metadata if isinstance(found, Role)), None)


def words(field: FieldInfo) -> tuple[str | bool, ...]:
    """Return the words that a setting may be, but for the plugins that it may name; none where it is a number."""
    plugin = role(field)
    if plugin:
        return plugin.words
    if field.annotation is bool:
        return False, True
    return get_args(get_args(get_args(field.annotation)[0])[0] if lists(field) else field.annotation)


def lists(field: FieldInfo) -> bool:
    """Say whether a setting is words, the first of its branches, or a list."""
    return get_origin(field.annotation) is Union


def bounds(field: FieldInfo) -> tuple[float, float]:
    """Return the least and the largest number that a setting may be."""
    low = next(bound.ge for bound in field.metadata if hasattr(bound, "ge"))
    high = next(bound.le for bound in field.metadata if hasattr(bound, "le"))
    return float(low), float(high)
