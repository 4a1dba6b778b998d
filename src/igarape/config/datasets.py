"""The schema of datasets/: where a data set's chips are, and its vocabulary."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from igarape.config.schema import Name, Section, named_twice, read_yaml, validate
from igarape.errors import InputError, did_you_mean
from igarape.labels import SEPARATORS, Vocabulary

Label = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$", max_length=200)]
Separator = Literal["blank", "comma", "semicolon", "pipe", "list"]
Resize = Literal["fit", "crop", "pad", "refuse"]


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
Inside = Annotated[str, AfterValidator(_inside)]
Where = Annotated[tuple[Inside, ...], BeforeValidator(_several), Field(strict=False, min_length=1)]
Sets = Annotated[tuple[Where, ...], BeforeValidator(_several), Field(strict=False)]


class Columns(Section):
    """What the columns of a table of tags are called.

    tags: null where each label has a column of its own, of 0 and 1. group: what must stay together in a split, such as
    a scene. split: train, val or test; the test rows become the hold-out.
    """

    image: str = "image_name"
    tags: str | None = "tags"
    group: str | None = None
    split: str | None = None


class Reading(TypedDict):
    """How the bytes of a data set's pictures become chips, as chips.catalog.pack_chips takes it."""

    resize: Resize
    bands: tuple[str, ...]
    white: int | None


class FolderSource(Section):
    """Chips in folders or archives, and their tags in a CSV or a COCO file; without tags the folders name the labels.

    unlabelled: the sets of chips without tags. nir: the sets of TIFs with the chips' near-infrared, under the chips'
    names. Any of these sets may be missing. bands: what the bands of TIFs are called, in their order. white: the value
    of 16 bits that becomes 255. resize: what becomes of chips of another size. version: of all these files, which DVC
    does not see. Another number packs them anew, and DVC never takes what was packed of one version for another.
    """

    kind: Literal["folder"]
    images: Where
    tags: Annotated[tuple[Inside, ...], BeforeValidator(_several), Field(strict=False)]
    unlabelled: Sets
    nir: Sets
    columns: Columns = Columns()
    bands: tuple[str, ...] = Field((), strict=False)
    white: int | None = Field(None, ge=1, le=65535)
    resize: Resize = "refuse"
    version: int = Field(1, ge=1)

    @field_validator("bands")
    @classmethod
    def _colours(cls, bands: tuple[str, ...]) -> tuple[str, ...]:
        if bands and not all(bands.count(colour) == 1 for colour in ("red", "green", "blue")):
            raise ValueError("should name red, green and blue once each, such as [blue, green, red, nir]")
        return bands


class Labels(Section):
    """The vocabulary of a data set, as labels.Vocabulary; separator: what stands between the tags of its table.

    spellings: how else the table, or a folder's name, writes a label: {Trees: trees}.
    thin: labels that are made rarer, and how many chips in the folds shall hold each (chips.thinning).
    """

    separator: Separator = "blank"

    exclusive: tuple[Label, ...] = Field(strict=False)
    alone: tuple[Label, ...] = Field(strict=False)
    common: tuple[Label, ...] = Field(strict=False)
    rare: tuple[Label, ...] = Field(strict=False)
    spellings: dict[Label, Label] = Field(default_factory=dict)
    thin: dict[Label, Annotated[int, Field(ge=2)]] = Field(
        default_factory=dict
    )  # of one positive there is nothing to cross-fit

    @model_validator(mode="after")
    def _consistent(self) -> "Labels":
        every = self.exclusive + self.common + self.rare
        if twice := named_twice(every):
            raise ValueError(f"should hold each label once; {min(twice)} stands twice")
        if not every:
            raise ValueError("should hold at least one label")
        one = SEPARATORS.get(self.separator, "\n")
        torn = sorted(label for label in every if one in label)
        if torn:
            raise ValueError(f"separator should be one that no label holds; {torn[0]!r} holds a {self.separator}")
        if not set(self.alone) <= set(self.exclusive):
            raise ValueError("alone should be a part of exclusive")
        for key, named in (("thin", set(self.thin)), ("spellings", set(self.spellings.values()))):
            if strange := sorted(named - set(every)):
                known = did_you_mean(strange[0], every)
                raise ValueError(f"{key} should name labels of these lists; {strange[0]} is none{known}")
        if both := sorted(set(self.spellings) & set(every)):
            raise ValueError(f"spellings should be of no label; {both[0]} stands in these lists too")
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


def _settings(params: dict[str, Any]) -> set[str]:
    """Return the names of the settings that a data set asks for, such as split.folds."""
    return {
        f"{section}.{key}" if isinstance(wanted, dict) else section
        for section, wanted in params.items()
        for key in (wanted if isinstance(wanted, dict) else [section])
    }


class Dataset(Section):
    """datasets/NAME.yaml: where the chips are, their size in pixels, the vocabulary, what params.yaml should hold.

    resolution: metres a pixel, for maps of scenes; null where nobody knows it. full: what params.yaml should hold
    besides, where all chips and a graphics card are there. fetch: stands only where the source can be downloaded.
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
    resolution: float | None = Field(gt=0, le=10_000)
    note: str
    labels: Labels
    params: dict[str, Any]
    full: dict[str, Any] | None = None
    fetch: Fetch | None = None

    @model_validator(mode="after")
    def _taken_back(self) -> "Dataset":
        """Refuse what would stay in params.yaml after the data set is used without full."""
        if left := sorted(_settings(self.full or {}) - _settings(self.params)):
            raise ValueError(f"full should set what params sets too, so that it is taken back; {left[0]} is not there")
        return self

    @property
    def tifs(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of TIFs with near-infrared that the source names."""
        return self.source.nir if isinstance(self.source, FolderSource) else ()

    @property
    def reading(self) -> Reading:
        """Return how the bytes of pictures become chips."""
        if isinstance(self.source, DrawnSource):
            return Reading(resize="refuse", bands=(), white=None)
        return Reading(resize=self.source.resize, bands=self.source.bands, white=self.source.white)


def read_dataset(name: str, folder: Path) -> Dataset:
    """Read datasets/NAME.yaml."""
    path = folder / f"{name}.yaml"
    return validate(Dataset, read_yaml(path, made_by=f"igarape add {name} --images PATH --tags CSV"), str(path))


def data_root() -> Path:
    """Return the root of data sets' relative paths, from the environment variable IGARAPE_DATA.

    Raises InputError when the variable is not set or is no folder.
    """
    value = os.environ.get("IGARAPE_DATA")
    if not value:
        raise InputError(
            "IGARAPE_DATA is not set: it names the folder that holds the chips. Type: export IGARAPE_DATA=FOLDER"
        )
    if not os.path.isdir(value):  # noqa: PTH112 - Path's own raises where a name is too long
        raise InputError(f"IGARAPE_DATA={value}: no such folder")
    return Path(value)
