"""The schema of params.yaml and of datasets/: every knob, its type and its bounds. No default stands in code."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from igarape.configuration import Section, read_yaml, validate
from igarape.errors import InputError
from igarape.labels import Vocabulary

PARAMS = Path("params.yaml")
DATASETS = Path("datasets")

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Label = Annotated[str, Field(pattern=r"^\S+$")]  # a list of tags has blanks between them


class Ingest(Section):
    """What ingest bears before it stops."""

    faults: int = Field(ge=0)


class Dehaze(Section):
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
    quality: int = Field(ge=50, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> "Dehaze":
        if self.darkest > self.brightest:
            raise ValueError("darkest should be at most brightest")
        return self


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

    trials: of random and bayesian; how many hyperband takes follows from the epochs (learners.search).
    """

    tuner: Literal["random", "bayesian", "hyperband"]
    trials: int = Field(ge=1, le=500)
    budget: Positive


class Train(Section):
    """The cross-fit of each experiment; budget multiplies the experiment's epochs."""

    budget: Positive
    validation: float = Field(ge=0, le=0.5)
    patience: int = Field(ge=1)


class Stack(Section):
    """The XGBoost meta-learner (one per label), and which of the stacked predictions are used further."""

    use: Literal["best", "mean", "xgboost"]
    rounds: int = Field(ge=1, le=5000)
    depth: int = Field(ge=1, le=12)
    rate: float = Field(gt=0, le=1)
    child_weight: float = Field(ge=0)
    l2: float = Field(ge=0)


class Decide(Section):
    """The rule that turns probabilities into labels."""

    use: Literal["best", "fixed", "threshold", "expected_f2"]


class Evaluate(Section):
    """resamples: of the paired bootstrap. check: hold-out chips on which bundle and pipeline must agree."""

    resamples: int = Field(ge=100, le=100_000)
    check: int = Field(ge=1)


class Params(Section):
    """params.yaml: the seed, the data set, the experiments, and one section for each step that has knobs."""

    seed: int = Field(ge=0)
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
    evaluate: Evaluate

    @model_validator(mode="after")
    def _no_experiment_twice(self) -> "Params":
        if len(set(self.experiments)) != len(self.experiments):
            raise ValueError("should name each experiment once")
        return self


class DrawnSource(Section):
    """Chips that are drawn: how many, cut from scenes of side x side chips."""

    kind: Literal["drawn"]
    chips: int = Field(ge=20)
    side: int = Field(ge=1, le=8)


def _several(value: Any) -> Any:
    """Take one text for a list of one, and nothing for an empty one."""
    return [] if value is None else [value] if isinstance(value, str) else value


def _inside(path: str) -> str:
    """Refuse a path that could lead out of the folder it starts from."""
    if ":" in path or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise ValueError("should be a path from IGARAPE_DATA on, such as planet/train-jpg")
    return path


# Where something lies under IGARAPE_DATA: one path, or several of which the first that exists counts.
Where = Annotated[
    tuple[Annotated[str, AfterValidator(_inside)], ...], BeforeValidator(_several), Field(strict=False, min_length=1)
]
Sets = Annotated[tuple[Where, ...], BeforeValidator(_several), Field(strict=False)]


class FolderSource(Section):
    """Chips in folders or archives, and their tags in a CSV (image_name,tags).

    unlabelled: the sets of chips without tags. nir: the sets of TIFs with the chips' near-infrared, under the chips'
    names. Any of these sets may be missing.
    """

    kind: Literal["folder"]
    images: Where
    tags: Where
    unlabelled: Sets
    nir: Sets


class Labels(Section):
    """The vocabulary of a data set, as labels.Vocabulary."""

    exclusive: tuple[Label, ...] = Field(strict=False)
    alone: tuple[Label, ...] = Field(strict=False)
    common: tuple[Label, ...] = Field(strict=False)
    rare: tuple[Label, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _consistent(self) -> "Labels":
        every = self.exclusive + self.common + self.rare
        twice = sorted({label for label in every if every.count(label) > 1})
        if twice:
            raise ValueError(f"should hold each label once; {twice[0]} stands twice")
        if not every:
            raise ValueError("should hold at least one label")
        if not set(self.alone) <= set(self.exclusive):
            raise ValueError("alone should be a part of exclusive")
        return self

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary that the rest of the package works with."""
        return Vocabulary(exclusive=self.exclusive, alone=self.alone, common=self.common, rare=self.rare)


def _branch(source: Any) -> str | None:
    """Return the class that reads a data set's source, by its `kind`."""
    kind = source.get("kind") if isinstance(source, dict) else None
    return {"drawn": "DrawnSource", "folder": "FolderSource"}.get(str(kind))


class Fetch(Section):
    """What `igarape fetch` downloads from Kaggle: files of a competition."""

    competition: Name
    files: tuple[Annotated[str, Field(pattern=r"^[\w-][\w.-]*$")], ...] = Field(min_length=1, strict=False)


class Dataset(Section):
    """datasets/NAME.yaml: where the chips are, their size in pixels, the vocabulary, what params.yaml should hold.

    fetch: stands only where the source can be downloaded.
    """

    source: Annotated[
        Annotated[DrawnSource, Tag("DrawnSource")] | Annotated[FolderSource, Tag("FolderSource")],
        Discriminator(
            _branch,
            custom_error_type="source_kind",
            custom_error_message="kind should be drawn or folder",
        ),
    ]
    size: int = Field(ge=16, le=4096)
    note: str
    labels: Labels
    params: dict[str, Any]
    fetch: Fetch | None = None

    @property
    def tifs(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of TIFs with near-infrared that the source names."""
        return self.source.nir if isinstance(self.source, FolderSource) else ()


def read_params(path: Path = PARAMS) -> Params:
    """Read params.yaml of the folder we stand in."""
    if not path.exists():
        raise InputError(f"{path}: not found in {Path.cwd()}. Run igarape in the project's folder")
    return validate(Params, read_yaml(path), str(path))


def read_dataset(name: str, folder: Path = DATASETS) -> Dataset:
    """Read datasets/NAME.yaml."""
    path = folder / f"{name}.yaml"
    return validate(Dataset, read_yaml(path), str(path))


def data_root() -> Path:
    """Return the root of data sets' relative paths, from the environment variable IGARAPE_DATA.

    Raises InputError when the variable is not set or is no folder.
    """
    value = os.environ.get("IGARAPE_DATA")
    if not value:
        raise InputError(
            "IGARAPE_DATA is not set: it names the folder that holds the chips. Type: export IGARAPE_DATA=FOLDER"
        )
    root = Path(value)
    if not root.is_dir():
        raise InputError(f"IGARAPE_DATA={value}: no such folder")
    return root


def workers() -> int:
    """Return how many processes may work at once, from IGARAPE_WORKERS; without it, the machine's processors."""
    value = os.environ.get("IGARAPE_WORKERS")
    if value is None:
        return os.cpu_count() or 1
    if not value.isdigit() or int(value) < 1:
        raise InputError(f"IGARAPE_WORKERS={value}: expected a whole number of at least 1")
    return int(value)
