"""A draft of a data set's YAML: from what was found, with a word beside each thing that was taken for granted."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igarape.config.schema import flow
from igarape.errors import InputError

# What people may want of the settings, beside them.
HINTS = {"experiments": " # on photographs ImageNet's weights help: probe_kernel is quick, mobilenet takes longer"}


@dataclass(frozen=True)
class Draft:
    """What was found of a data set.

    images, tags: paths from the root on, no tags where folders name the labels. resolution: metres a pixel, if known.
    """

    name: str
    images: str
    tags: str | None
    columns: Mapping[str, str | None]
    separator: str
    spellings: Mapping[str, str]
    bands: Sequence[str]
    white: int | None
    resize: str
    size: int
    resolution: float | None
    exclusive: Sequence[str]
    alone: Sequence[str]
    common: Sequence[str]
    rare: Sequence[str]
    params: Mapping[str, Any]


def draft_text(draft: Draft) -> str:
    """Write the draft as YAML that people read and change."""
    nothing = "null # the names of the folders are the labels"
    usual = {"image": "image_name", "tags": "tags", "group": None, "split": None}
    columns = {key: value for key, value in draft.columns.items() if value != usual[key]} if draft.tags else {}
    optional = {
        "columns": (columns, "of the table; group stays together, split: test rows are the hold-out"),
        "bands": (list(draft.bands), "of TIFs, in their order"),
        "white": (draft.white, "the value of 16 bits that becomes 255"),
        "resize": (None if draft.resize == "refuse" else draft.resize, "of other sizes: fit, crop, pad or refuse"),
    }
    about = "of the tags in the table" if draft.tags else "so that labels may hold blanks"
    lines = [
        f"# {draft.name}: drafted by `igarape add {draft.name}`. Everything here may be changed.",
        "source:",
        "  kind: folder",
        f"  images: {flow(draft.images)}",
        f"  tags: {flow(draft.tags) if draft.tags else nothing}",
        "  unlabelled: null # or a folder of pictures without tags",
        "  nir: [] # or folders of TIFs with near-infrared, under the pictures' names",
        *(f"  {key}: {flow(value)} # {why}" for key, (value, why) in optional.items() if value),
        "",
        f"size: {draft.size} # pixels a side",
        f"resolution: {flow(draft.resolution)} # metres a pixel, for maps of scenes; null where nobody knows it",
        "",
        'note: ""',
        "",
        "labels:",
        f"  separator: {draft.separator} # {about}",
        f"  exclusive: {flow(draft.exclusive)} # exactly one of these holds",
        f"  alone: {flow(draft.alone)} # of those, which rule out every other label",
        f"  common: {flow(draft.common)}",
        f"  rare: {flow(draft.rare)} # under 1 % of the chips",
        *([f"  spellings: {flow(draft.spellings)} # how else they are written"] if draft.spellings else []),
        "",
        "params:",
        *(f"  {key}: {flow(value)}{HINTS.get(key, '')}" for key, value in draft.params.items()),
        "",
    ]
    return "\n".join(lines)


def suitable_params(
    *, experiments: Sequence[str], rare: bool, units: int, largest: float, scenes: bool
) -> dict[str, Any]:
    """Choose what params.yaml should hold for a data set.

    Parameters
    ----------
    experiments
        The names of those that there are.
    rare
        Whether there are rare labels.
    units
        How many groups there are, or chips where there are no groups.
    largest
        The share of all chips in the largest group, which must fit into a fold.
    scenes
        Whether the groups are scenes, to be kept together.
    """
    wanted = ["plain", *(["rare"] if rare else []), "tabular", "kernel", "fisher"]
    folds = 5 if units >= 30 else 3 if units >= 8 else 2
    while folds > 2 and largest > 0.8 / folds:
        folds -= 1
    return {
        "experiments": [name for name in wanted if name in experiments] or list(experiments)[:1],
        "ingest": {"faults": 0},
        "split": {"by": "scene" if scenes and largest <= 0.8 / folds else "chip", "folds": folds, "holdout": 0.2},
        "search": {"trials": 2, "budget": 0.3},
        "train": {"budget": 1.0, "validation": 0.0},
        "distill": {"experiment": None, "unlabelled": True},
    }


def locate(name: str, paths: Sequence[Path]) -> tuple[Path, list[str]]:
    """Return the root of data sets' paths, and paths that exist as they lie below it.

    The root is IGARAPE_DATA, or where that is not set the folder that holds them all. Raises InputError when a path
    does not exist or lies elsewhere.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: not found")
    whole = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - a link below the root should stay one
    above = Path(os.path.commonpath([path.parent for path in whole]))
    value = os.environ.get("IGARAPE_DATA")
    root = Path(os.path.abspath(value)) if value else above  # noqa: PTH100
    for kind in (whole, [path.resolve() for path in whole]):
        base = root if kind is whole else root.resolve()
        if all(path.is_relative_to(base) and path != base for path in kind):
            return root, [path.relative_to(base).as_posix() for path in kind]
    if root in whole:
        raise InputError(
            f"{root}: is IGARAPE_DATA itself, and a data set's files lie in a folder of it. Type: export "
            f"IGARAPE_DATA='{root.parent}'; or bring them into a folder there"
        )
    raise InputError(
        f"{whole[0]}: lies outside of IGARAPE_DATA={value}, where all data sets' paths begin. Link it there, and name "
        f"the link: ln -s '{above}' '{root / name}'; or type: export IGARAPE_DATA='{above}'"
    )
