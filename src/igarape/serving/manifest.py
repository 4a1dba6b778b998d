"""bundle.json: what the parts of a bundle are, and how they are put together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from igarape.chips.pictures import Resize
from igarape.config.documents import OperatingPoint, RuleSettings
from igarape.config.schema import Section, validate
from igarape.errors import InputError, some
from igarape.files import digest, read_json, sha256

SCHEMA = 7
MANIFEST = "bundle.json"


class Infrared(Section):
    """The settings of chips.nir.planes."""

    white: int


class Reading(Section):
    """How the bytes of pictures become chips, as the data set was read: see config.datasets.Reading."""

    resize: Resize
    bands: tuple[str, ...] = Field(strict=False)
    white: int | None


class Learner(Section):
    """A learner's part: chips says what it sees (pictures, dehazed ones, near-infrared), at size x size pixels.

    files: its fold models; networks are one file, which gives the mean of their answers.
    """

    name: str
    chips: Literal["raw", "dehazed", "nir"]
    size: int
    labels: tuple[str, ...] = Field(strict=False)
    tta: bool
    files: tuple[str, ...] = Field(strict=False)


class Words(Section):
    """The vocabulary, as labels.Vocabulary."""

    exclusive: tuple[str, ...] = Field(strict=False)
    alone: tuple[str, ...] = Field(strict=False)
    common: tuple[str, ...] = Field(strict=False)
    rare: tuple[str, ...] = Field(strict=False)


class File(Section):
    """What a file of the bundle is known by: the SHA-256 of its bytes, in hexadecimal, and how many they are."""

    sha256: str
    size: int


Row = Annotated[tuple[float, ...], Field(strict=False)]
Matrix = Annotated[tuple[Row, ...], Field(strict=False)]


class Answers(Section):
    """The reference for drift of a bundle's answers: scores.drift.DriftReference."""

    means: Matrix
    between: Matrix
    within: Matrix
    shape: float
    scale: float
    groups: int


class Reference(Section):
    """What the training chips are like, for whom it meets other pictures.

    metres: the side of a pixel on the ground; None: the data set does not say it. levels: of red, green and blue, by
    the percentile, such as "50". answers: None where the training does not say it.
    """

    metres: float | None
    levels: dict[str, Annotated[tuple[float, float, float], Field(strict=False)]]
    answers: Answers | None


class Manifest(Section):
    """bundle.json.

    size: of a chip in pixels. reading: how pictures become chips. dehaze: the settings of chips.dehaze.dehaze, and the
    quality of the JPEGs that dehazed chips are packed as. nir: None where no learner sees near-infrared. rule: from
    probabilities to tags. alerts: the operating points of the labels that raise one. left_out: the learners of the
    stack that are not here, as no answer depends on them. views: by how many views learners with tta answer. quantised:
    the learners that compute in 8-bit integers. novelty: the file that says what is usual of pictures; None: nothing
    does. reference: None where nobody maps scenes with it. files: all others in the folder, by their paths in it.
    """

    schema_version: Literal[7]
    dataset: str
    size: int
    reading: Reading
    vocabulary: Words
    dehaze: dict[str, int | float]
    nir: Infrared | None
    reference: Reference | None
    learners: tuple[Learner, ...] = Field(strict=False)
    views: Literal[8, 4, 2, 1]
    quantised: tuple[str, ...] = Field(strict=False)
    left_out: tuple[str, ...] = Field(strict=False)
    novelty: str | None
    rule: RuleSettings
    alerts: dict[str, OperatingPoint]
    files: dict[str, File]

    @property
    def digest(self) -> str:
        """Return a hash of the bundle, by those of its files."""
        return digest([self.model_dump_json()])

    @model_validator(mode="after")
    def _alerts_of_labels(self) -> "Manifest":
        known = {*self.vocabulary.exclusive, *self.vocabulary.common, *self.vocabulary.rare}
        if unknown := sorted(set(self.alerts) - known):
            raise ValueError(f"alerts should be of labels of the vocabulary, found {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _nir_where_it_is_seen(self) -> "Manifest":
        if (self.nir is not None) != any(learner.chips == "nir" for learner in self.learners):
            raise ValueError("nir should stand where a learner sees near-infrared, and be null elsewhere")
        return self

    @model_validator(mode="after")
    def _models_are_listed(self) -> "Manifest":
        named = [file for learner in self.learners for file in learner.files]
        named += [self.novelty] if self.novelty else []
        if unlisted := [file for file in named if file not in self.files]:
            raise ValueError(f"files should list each file that has a part, and lacks {some(unlisted)}")
        return self


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the bundle in folder.

    Raises InputError when it is no bundle, or one that another version of igarape wrote.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(
            f"{folder}: expected a bundle's folder, which holds {MANIFEST}, found "
            f"{'none in it' if folder.is_dir() else 'nothing'}. "
            "The step evaluate writes it, as data/evaluate/bundle: dvc repro. A registered model has an "
            "address, such as models:/igarape-drawn@champion"
        )
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values, found a {type(content).__name__}. Run: dvc repro evaluate")
    if content.get("schema_version") != SCHEMA:
        raise InputError(
            f"{path}: schema_version {content.get('schema_version')}, this igarape reads {SCHEMA}. "
            "Run: dvc repro evaluate, or use the igarape that wrote it"
        )
    return validate(Manifest, content, str(path))


def list_files(folder: Path) -> dict[str, File]:
    """Return what each file of the bundle in folder is known by, by its path in it; the manifest is left out."""
    paths = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return {
        name: File(sha256=sha256(path), size=path.stat().st_size)
        for path in paths
        if (name := path.relative_to(folder).as_posix()) != MANIFEST
    }


def check_files(folder: Path, expected: Mapping[str, File]) -> None:
    """Refuse a folder that does not hold the files that were listed, with the bytes that they had.

    Raises InputError that names the files which are missing, were changed, or are not listed.
    """
    found = list_files(folder)
    faults = {
        "missing": [name for name in expected if name not in found],
        "changed": [name for name in expected if name in found and found[name] != expected[name]],
        "not listed": [name for name in found if name not in expected],
    }
    said = [f"{fault}: {some(names)}" for fault, names in faults.items() if names]
    if said:
        raise InputError(
            f"{folder}: its files are not those that {MANIFEST} lists. {'; '.join(said)}. Take the bundle from where "
            "it was registered, or run: dvc repro evaluate"
        )
