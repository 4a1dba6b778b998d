"""bundle.json: what the parts of a bundle are, and how they are put together."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from igarape.chips.pictures import Resize
from igarape.config.documents import OperatingPoint, RuleSettings
from igarape.config.schema import Section, validate
from igarape.errors import InputError
from igarape.files import read_json

SCHEMA = 4
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
    """A learner's part: chips says what it sees (pictures, dehazed ones, near-infrared), at size x size pixels."""

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


class Manifest(Section):
    """bundle.json.

    size: of a chip in pixels. reading: how pictures become chips. dehaze: the settings of chips.dehaze.dehaze, and the
    quality of the JPEGs that dehazed chips are packed as. nir: None where no learner sees near-infrared. rule: from
    probabilities to tags. alerts: the operating points of the labels that raise one.
    """

    schema_version: Literal[4]
    dataset: str
    size: int
    reading: Reading
    vocabulary: Words
    dehaze: dict[str, int | float]
    nir: Infrared | None
    learners: tuple[Learner, ...] = Field(strict=False)
    rule: RuleSettings
    alerts: dict[str, OperatingPoint]

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


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the bundle in folder.

    Raises InputError when it is no bundle, or one that another version of igarape wrote.
    """
    path = folder / MANIFEST
    content = read_json(path)
    if content.get("schema_version") != SCHEMA:
        raise InputError(
            f"{path}: schema_version {content.get('schema_version')}, this igarape reads {SCHEMA}. "
            "Run: dvc repro evaluate, or use the igarape that wrote it"
        )
    return validate(Manifest, content, str(path))
