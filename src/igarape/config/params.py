"""The schema of params.yaml: every knob, its type and its bounds. No default stands in code."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from igarape.config.schema import Name, Section, named_twice, read_yaml, validate
from igarape.errors import InputError, some

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Method = Literal["mean", "single", "blend", "logistic", "ridge", "xgboost"]


class Ingest(Section):
    """What ingest bears before it stops."""

    faults: int = Field(ge=0)


class Haze(Section):
    """Knobs of chips.dehaze: the dark channel prior (He, Sun, Tang, TPAMI 2011), its guards, its guided filter."""

    patch: int = Field(ge=1, le=127)
    top: float = Field(gt=0, le=0.1)
    darkest: float = Field(gt=0, le=1)
    brightest: float = Field(gt=0, le=1)
    tint: float = Field(ge=0, le=0.5)
    colour: float = Field(ge=0, le=10)
    window: int = Field(ge=1, le=255)
    clear: float = Field(ge=0, lt=1)
    opaque: float = Field(gt=0, le=1)
    floor: float = Field(gt=0, lt=1)
    radius: int = Field(ge=1, le=128)
    epsilon: Positive
    subsample: int = Field(ge=1, le=16)

    @model_validator(mode="after")
    def _in_order(self) -> "Haze":
        if self.darkest > self.brightest:
            raise ValueError("darkest should be at most brightest")
        return self


class Dehaze(Haze):
    """Those knobs, and the quality of the JPEGs that the step packs."""

    quality: int = Field(ge=50, le=100)


class Nir(Section):
    """Near-infrared planes: the value that becomes 255, and how well the bands have to lie over the picture.

    shift: pixels beyond which a chip is flagged. response: of the phase correlation; below it a chip is flagged too.
    """

    white: int = Field(ge=1, le=65535)
    shift: Positive
    response: Share


class Split(Section):
    """How many folds, how large the hold-out, and what stays together."""

    folds: int = Field(ge=2, le=20)
    holdout: float = Field(gt=0, lt=0.9)
    by: Literal["chip", "scene"]
    hamming: int = Field(ge=0, le=64)  # of 256 bits; pictures that have nothing in common differ in 128 +- 8
    ratio: float = Field(gt=0, lt=1)
    correlation: float = Field(ge=0, le=1)


class Describe(Section):
    """What the page for people shows at most: chips on each contact sheet, and pairs of each kind."""

    chips: int = Field(ge=1, le=60)
    pairs: int = Field(ge=1, le=60)


class Search(Section):
    """The keras-tuner search of each experiment; budget multiplies the experiment's epochs for one trial.

    trials: of random and bayesian; how many hyperband takes follows from the epochs (learners.oracles). parallel: how
    many are open at once: what is proposed next does not know their scores.
    """

    tuner: Literal["random", "bayesian", "hyperband"]
    trials: int = Field(ge=1, le=500)
    budget: Positive
    parallel: int = Field(ge=1, le=100)


class Train(Section):
    """The cross-fit of each experiment; budget multiplies the experiment's epochs."""

    budget: Positive
    validation: float = Field(ge=0, le=0.5)
    patience: int = Field(ge=1)


class Stack(Section):
    """Which of the stacked predictions are used further, and the trees of the XGBoost meta-learner.

    rounds: at most; how many, and how deep, is chosen inside the folds. seeds: boosters that are averaged. check: rows
    of each fold whose predictions must be those of the fold's own model.
    """

    use: Literal["best", Method]
    rounds: int = Field(ge=1, le=5000)
    depths: tuple[Annotated[int, Field(ge=1, le=12)], ...] = Field(min_length=1, strict=False)
    rate: float = Field(gt=0, le=1)
    child_weight: float = Field(ge=0)
    l2: float = Field(ge=0)
    seeds: int = Field(ge=1, le=20)
    check: int = Field(ge=1)


class Decide(Section):
    """The rule that turns probabilities into labels, and the labels that raise an alert.

    beta: of the F-beta that rules are made for. alert: by label, the precision that its alerts should have.
    """

    use: Literal["best", "fixed", "threshold", "per_label", "expected"]
    beta: float = Field(ge=0.5, le=4)
    alert: dict[str, Annotated[float, Field(gt=0, le=1)]]


class Distill(Section):
    """The student: one network that learns what the ensemble answers; budget multiplies the experiment's epochs.

    experiment: the student's; None: there is none. truth: share of the true labels in what it learns. unlabelled:
    whether it learns from chips without labels too.
    """

    experiment: Name | None
    budget: Positive
    truth: float = Field(ge=0, le=1)
    unlabelled: bool


class Evaluate(Section):
    """resamples: of the paired bootstrap. check: hold-out chips on which bundle and pipeline must agree."""

    resamples: int = Field(ge=100, le=100_000)
    check: int = Field(ge=1)


class Serve(Section):
    """What is served.

    views: of the eight symmetries of the square, by how many the bundle answers. precision: in which numbers its
    networks compute.
    """

    views: Literal[8, 4, 2, 1]
    precision: Literal["float32", "int8"]


class Promote(Section):
    """What a version has to hold against the champion; see serving.gate.

    require: of F2. margin, margin_map, margin_brier: what may be lost of F2 and of macro average precision, and how far
    the Brier score may rise. collapse: average precision that no rare label may lose. slower, larger: how many times
    the champion's milliseconds a chip and MB are borne.
    """

    require: Literal["not_worse", "better"]
    margin: float = Field(ge=0, le=1)
    margin_map: float = Field(ge=0, le=1)
    margin_brier: float = Field(ge=0, le=1)
    collapse: float = Field(gt=0, le=1)
    slower: float = Field(ge=1)
    larger: float = Field(ge=1)


class Params(Section):
    """params.yaml: seed, data set, experiments, a section for each step that has knobs; those of serve and promote."""

    seed: int = Field(ge=0, lt=2**32)  # what NumPy and Keras take
    dataset: Name
    experiments: tuple[Name, ...] = Field(min_length=1, strict=False)
    ingest: Ingest
    dehaze: Dehaze
    nir: Nir
    split: Split
    describe: Describe
    search: Search
    train: Train
    stack: Stack
    decide: Decide
    distill: Distill
    evaluate: Evaluate
    serve: Serve
    promote: Promote

    @field_validator("experiments")
    @classmethod
    def _no_experiment_twice(cls, experiments: tuple[str, ...]) -> tuple[str, ...]:
        if twice := named_twice(experiments):
            raise ValueError(f"should name each experiment once; {some(twice)} stands twice")
        return experiments


def read_params(path: Path) -> Params:
    """Read params.yaml."""
    return validate(Params, read_yaml(path), str(path))


def workers() -> int:
    """Return how many processes may work at once, from IGARAPE_WORKERS; without it, the machine's processors."""
    value = os.environ.get("IGARAPE_WORKERS")
    if value is None:
        return os.cpu_count() or 1
    if not value.isdigit() or int(value) < 1:
        raise InputError(f"IGARAPE_WORKERS={value}: expected a whole number of at least 1")
    return int(value)
