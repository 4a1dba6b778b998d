"""What an experiment may say: what all kinds of learners share, and the kinds that have no network."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from igarape.config.hyperparameters import FisherValues, KernelValues, TreeValues, Values
from igarape.config.schema import Section, named_twice
from igarape.config.spaces import Space
from igarape.errors import InputError
from igarape.labels import Targets, Vocabulary


def _by_name(labels: object) -> str:
    """Say whether an experiment lists its labels, or has a word for them."""
    return "Named" if isinstance(labels, list | tuple) else "Word"


def _once(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a label that is listed twice."""
    if twice := named_twice(labels):
        raise ValueError(f"should name each label once; {twice[0]} stands twice")
    return labels


LabelsWanted = Annotated[
    Annotated[Literal["all", "rare"], Tag("Word")]
    | Annotated[Annotated[tuple[str, ...], Field(strict=False, min_length=1), AfterValidator(_once)], Tag("Named")],
    Discriminator(_by_name),
]


class Experiment(Section):
    """What each experiments/E.yaml may say, whatever its learner is made of; what it leaves out is as here."""

    kind: ClassVar[str]
    # Whether a training uses one processor, however many there are: then those of folds are done side by side.
    one_processor: ClassVar[bool] = False

    backbone: str
    chips: Literal["raw", "dehazed", "nir"] = Field(
        default="raw", description="Which chips the learner sees: as they are, without haze, or near-infrared planes."
    )
    labels: LabelsWanted = Field(
        default="all", description="Labels that it predicts: all, the rare ones, or a list of the data set's."
    )
    size: int = Field(default=128, ge=32, le=1024, multiple_of=32, description="Side of the input in pixels.")
    objective: Literal["f2", "map"] = Field(
        default="f2",
        description="What the search maximises on validation rows: sample F2, or mean average precision.",
    )
    epochs: int = Field(
        default=10, ge=1, le=1000, description="Epochs of a full training; the budgets in params.yaml multiply them."
    )
    batch: int = Field(default=32, ge=1, le=4096, description="Chips that are worked on at once.")
    hyperparameters: Space[Values]

    def targets(self, vocabulary: Vocabulary) -> Targets:
        """Return what this learner predicts; raise InputError when the data set has no such labels."""
        try:
            targets = vocabulary.targets(self.labels)
        except InputError as error:
            raise InputError(f"labels: expected labels of the data set's YAML: {error}") from error
        if not targets.labels:
            raise InputError(
                f"labels: {self.labels}: the data set names no {self.labels} labels. "
                "Take this experiment out of params.yaml"
            )
        return targets

    def check(self, vocabulary: Vocabulary, *, nir: bool) -> None:
        """Raise InputError when the data set cannot serve this learner; nir says whether it names TIFs."""
        self.targets(vocabulary)
        if self.chips == "nir" and not nir:
            raise InputError(
                "chips: nir: the data set names no TIFs to take near-infrared from. Name them in its YAML, under "
                "source.nir, or take this experiment out of params.yaml"
            )

    def files(self) -> tuple[Path, ...]:
        """Return the files that this learner begins with."""
        return ()

    def sources(self) -> tuple[Path, ...]:
        """Return the Python files from outside the package that this learner is made of: those of its plugins."""
        return ()


class Tabular(Experiment):
    """A learner that is boosted trees on the chips' colour and texture statistics. An epoch is a round of boosting."""

    kind = "tabular"
    one_processor = True

    backbone: Literal["tabular"] = Field(description="Boosted trees on a chip's statistics, in place of a network.")
    epochs: int = Field(
        default=200, ge=1, le=1000, description="Rounds of boosting; the budgets in params.yaml multiply them."
    )
    hyperparameters: Space[TreeValues] = Space[TreeValues]()


class Kernel(Experiment):
    """A learner that is a kernel machine on the chips' statistics. Nothing in it is trained by epochs."""

    kind = "kernel"
    one_processor = True

    backbone: Literal["kernel"] = Field(description="Kernel logistic regression on a chip's statistics.")
    epochs: int = Field(default=1, ge=1, le=1, description="One: the weights are solved for, not trained step by step.")
    hyperparameters: Space[KernelValues] = Space[KernelValues]()


class Fisher(Experiment):
    """A learner that is a linear head on the chips' Fisher vectors. Nothing in it is trained by epochs."""

    kind = "fisher"
    one_processor = True

    backbone: Literal["fisher"] = Field(description="A linear head on the Fisher vector of a chip's patches.")
    epochs: int = Field(default=1, ge=1, le=1, description="One: the head is solved for, not trained step by step.")
    hyperparameters: Space[FisherValues] = Space[FisherValues]()
