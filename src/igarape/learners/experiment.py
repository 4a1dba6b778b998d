"""The schema of experiments/: one YAML per learner says what it sees, how it learns, and what its search may vary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from igarape.configuration import Section, read_yaml, validate
from igarape.errors import InputError
from igarape.files import read_json
from igarape.labels import Vocabulary
from igarape.learners.knobs import Choice, Knob, Range, Space, Value

EXPERIMENTS, SEARCHED = Path("experiments"), Path("data/search")
# The smallest side that a backbone's body has room for, where that is more than the 32 of all others.
SMALLEST = {"inception_v3": 96}
OF_ANY_WIDTH = ("plain", "mobilenet", "mobilenet_v2")

NetworkName = Literal[
    "plain",
    "vgg16",
    "resnet50",
    "mobilenet",
    "mobilenet_v2",
    "densenet121",
    "inception_v3",
    "efficientnet_v2b0",
    "convnext_tiny",
]


class NetworkKnobs(Space):
    """What the search may vary of a network.

    learning_rate: peak of the schedule when the whole network learns. warm_up: the share of the steps in which the rate
    rises to it. floor: what it then falls to along a cosine, as a share of the peak. head_epochs: how often the last
    layer, alone, sees the features of all chips before the rest is trained too, at head_rate. dropout: before the last
    layer. width: multiplies the filters (MobileNet's alpha). frozen: the share of the backbone's layers, from the
    picture on, that keep their loaded weights; what isn't learned needs no gradients, which saves time. decay: AdamW's
    weight decay. ema: momentum of the weights' moving average, which takes the weights' place; 0 for none; lower where
    it would reach back over more than a quarter of the steps. loss: as losses.make_loss. smoothing: of the labels.
    dihedral: whether each chip is shown in one of the eight symmetries of the square. jitter: largest relative change
    of a chip's brightness and contrast. zoom: how much of a chip's side is cut away at most. smallest: the side that
    training begins with, as a share of the size that it ends with. balance: 0 shows each chip once an epoch; 1 shows
    the rarest label as often as the most frequent one. tta: whether a prediction is the mean over the eight symmetries.
    """

    numbers: ClassVar = {
        "learning_rate": (1e-6, 1.0),
        "warm_up": (0.0, 0.9),
        "floor": (0.0, 1.0),
        "head_epochs": (0.0, 500.0),
        "head_rate": (1e-6, 1.0),
        "dropout": (0.0, 0.9),
        "width": (0.1, 4.0),
        "frozen": (0.0, 1.0),
        "decay": (0.0, 1.0),
        "ema": (0.0, 0.9999),
        "smoothing": (0.0, 0.5),
        "jitter": (0.0, 0.5),
        "zoom": (0.0, 0.7),
        "smallest": (0.25, 1.0),
        "balance": (0.0, 1.0),
    }
    words: ClassVar = {
        "loss": ("bce", "focal", "asl", "soft_f2", "softmax"),
        "dihedral": (False, True),
        "tta": (False, True),
    }

    learning_rate: Knob
    warm_up: Knob
    floor: Knob
    head_epochs: Knob
    head_rate: Knob
    dropout: Knob
    width: Knob
    frozen: Knob
    decay: Knob
    ema: Knob
    loss: Knob
    smoothing: Knob
    dihedral: Knob
    jitter: Knob
    zoom: Knob
    smallest: Knob
    balance: Knob
    tta: Knob


class TreeKnobs(Space):
    """What the search may vary of boosted trees.

    learning_rate: what each round's trees count. depth: of a tree. child_weight: the least hessian of a leaf.
    subsample: the share of the chips that a round sees. columns: the share of the statistics that a split is chosen
    from. l2: on the leaves.
    """

    numbers: ClassVar = {
        "learning_rate": (1e-4, 1.0),
        "depth": (1.0, 12.0),
        "child_weight": (0.0, 1000.0),
        "subsample": (0.05, 1.0),
        "columns": (0.01, 1.0),
        "l2": (0.0, 1000.0),
    }
    words: ClassVar = {}

    learning_rate: Knob
    depth: Knob
    child_weight: Knob
    subsample: Knob
    columns: Knob
    l2: Knob

    @field_validator("depth")
    @classmethod
    def _whole(cls, depth: Value | Choice | Range) -> Value | Choice | Range:
        """Refuse half a level."""
        values = depth.values if isinstance(depth, Choice) else (depth,)
        if not all(isinstance(value, float) and value.is_integer() for value in values):
            raise ValueError("should be a whole number, or a choice of whole numbers")
        return depth


class Experiment(Section):
    """What each experiments/E.yaml says, whatever its learner is made of.

    chips: the step whose chips the learner sees. labels: all, or the rare ones of the data set. size: side of the input
    in pixels. objective: what the search maximises on its validation rows. epochs: of a full training. batch: chips
    that are worked on at once.
    """

    chips: Literal["ingest", "dehaze", "nir"]
    labels: Literal["all", "rare"]
    size: int = Field(ge=32, le=1024, multiple_of=32)
    objective: Literal["f2", "map"]
    epochs: int = Field(ge=1, le=1000)
    batch: int = Field(ge=1, le=4096)
    knobs: Space

    def targets(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Return the labels this learner predicts; raise InputError when the data set has none of them."""
        labels = vocabulary.subset(self.labels)
        if not labels:
            raise InputError(
                f"labels: {self.labels}: the data set names no {self.labels} labels. "
                "Take this experiment out of params.yaml"
            )
        return labels

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        self.targets(vocabulary)
        if self.chips == "nir" and not nir:
            raise InputError(
                "chips: nir: the data set names no TIFs to take near-infrared from. Name them in its YAML, under "
                "source.nir, or take this experiment out of params.yaml"
            )

    def tta(self, knobs: Mapping[str, Value]) -> bool:
        """Say whether, with these knobs, a prediction is the mean over the eight symmetries of the square."""
        return False


class Tabular(Experiment):
    """A learner that is boosted trees on the chips' colour and texture statistics. An epoch is a round of boosting."""

    backbone: Literal["tabular"]
    knobs: TreeKnobs


class Network(Experiment):
    """A learner that is a neural network. weights: none, imagenet, or the path of a weights file."""

    backbone: NetworkName
    weights: str = Field(min_length=1)
    knobs: NetworkKnobs

    @model_validator(mode="after")
    def _weights_fit(self) -> "Network":
        if self.weights == "none":
            if max(self.knobs.values("head_epochs")) > 0:
                raise ValueError("knobs.head_epochs should be 0 where weights are none: there are no features yet")
            if max(self.knobs.values("frozen")) > 0:
                raise ValueError("knobs.frozen should be 0 where weights are none: there is nothing yet to keep")
            return self
        if self.backbone == "plain":
            raise ValueError("weights should be none: the plain network has no published weights")
        if self.knobs.width != 1.0:
            raise ValueError("knobs.width should be 1.0 where weights are loaded: they were made at that width")
        return self

    @model_validator(mode="after")
    def _fits_the_backbone(self) -> "Network":
        least = SMALLEST.get(self.backbone, 32)
        side = self.size * min(self.knobs.values("smallest"))
        if side < least:
            raise ValueError(f"size times knobs.smallest should be at least {least} for {self.backbone} (got {side:g})")
        if self.knobs.width != 1.0 and self.backbone not in OF_ANY_WIDTH:
            raise ValueError(f"knobs.width should be 1.0 for {self.backbone}; only {', '.join(OF_ANY_WIDTH)} vary it")
        return self

    def tta(self, knobs: Mapping[str, Value]) -> bool:
        """Say whether, with these knobs, a prediction is the mean over the eight symmetries of the square."""
        return bool(knobs["tta"])

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        super().check(vocabulary, nir=nir)
        if self.weights not in {"none", "imagenet"} and not Path(self.weights).is_file():
            raise InputError(
                f"weights: {self.weights}: no such file; set the experiment's weights to none, imagenet or a path"
            )
        if "softmax" in self.knobs.values("loss") and not set(vocabulary.exclusive) & set(self.targets(vocabulary)):
            raise InputError(
                "knobs.loss: softmax is taken over the labels that exclude each other, and the data set names none "
                "among this learner's. Take another loss, or take this experiment out of params.yaml"
            )


class _Kind(Section, extra="ignore"):
    """What an experiment's other keys depend on."""

    backbone: Literal[NetworkName, "tabular"]


def read_experiment(name: str, folder: Path = EXPERIMENTS) -> Experiment:
    """Read experiments/NAME.yaml; raise InputError with all its faults at once, or with an unknown backbone first."""
    path = folder / f"{name}.yaml"
    content = read_yaml(path)
    kind = validate(_Kind, content, str(path))
    return validate(Tabular if kind.backbone == "tabular" else Network, content, str(path))


def read_experiments(
    names: tuple[str, ...], vocabulary: Vocabulary, folder: Path = EXPERIMENTS, *, nir: bool
) -> Mapping[str, Experiment]:
    """Read the experiments that params.yaml lists, and check that the data set can serve each of them.

    nir: whether the data set names TIFs with near-infrared. Raises InputError with the faults of all of them.
    """
    experiments = {}
    faults = []
    for name in names:
        try:
            experiments[name] = read_experiment(name, folder)
            experiments[name].check(vocabulary, nir=nir)
        except InputError as error:
            faults.append(str(error) if str(folder) in str(error) else f"{folder / name}.yaml: {error}")
    if faults:
        raise InputError("\n".join(faults))
    return experiments


def read_best(name: str, experiment: Experiment, folder: Path = SEARCHED) -> Mapping[str, Any]:
    """Read what the search of an experiment has found, data/search/NAME/best.json: its knobs, score, trial and run.

    Raises InputError when there is no such file, or when its knobs are not such as this experiment's search would find.
    """
    path = folder / name / "best.json"
    best: Mapping[str, Any] = read_json(path)
    if strange := experiment.knobs.strange(best["knobs"]):
        raise InputError(
            f"{path}: {', '.join(strange)}: not as the experiment's knobs say, which have changed since that search. "
            f"Run: igarape search --experiment {name}"
        )
    return best
