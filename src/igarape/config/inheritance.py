"""What an experiment's YAML says together with those that it is like: `like: PARENT`, and below it what changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igarape.config.schema import Name, Section, read_yaml, validate
from igarape.errors import InputError, did_you_mean


class _Head(Section, extra="ignore"):
    """The key that names a parent."""

    like: Name | None = None


@dataclass(frozen=True)
class Source:
    """One file: the experiment's name, its path, and what it says without `like`."""

    name: str
    path: Path
    content: Mapping[str, Any]


def read_sources(name: str, folder: Path) -> tuple[Source, ...]:
    """Read experiments/NAME.yaml and those that it is like, the one that is like none first.

    Raises InputError for a parent that is not there, or a chain that ends where it began.
    """
    sources: list[Source] = []
    wanted: str | None = name
    while wanted is not None:
        path = folder / f"{wanted}.yaml"
        content = read_yaml(path)
        sources.insert(0, Source(wanted, path, {key: value for key, value in content.items() if key != "like"}))
        wanted = validate(_Head, content, str(path)).like
        if wanted is not None:
            _check_parent(wanted, path, [source.name for source in reversed(sources)])
    return tuple(sources)


def _check_parent(parent: str, path: Path, way: list[str]) -> None:
    """Refuse a parent that is not there, or is on the way that leads to it, from the experiment that is read on."""
    if parent in way:
        circle = " -> ".join([*way[way.index(parent) :], parent])
        raise InputError(f"{path}: 1 problem\n  like  leads in a circle ({circle}); name another, or leave it out")
    if not (path.parent / f"{parent}.yaml").exists():
        others = {file.stem for file in path.parent.glob("*.yaml")} - set(way)
        raise InputError(f"{path}: 1 problem\n  like  there is no experiment {parent!r}{did_you_mean(parent, others)}")


def merged(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Put a child's keys over its parent's. Hyperparameters are put over one by one, each as a whole.

    So a space to search may take the place of one value, and one value that of a space.
    """
    together = {**parent, **child}
    inner = parent.get("hyperparameters"), child.get("hyperparameters")
    if all(isinstance(part, Mapping) for part in inner):
        together["hyperparameters"] = {**inner[0], **inner[1]}  # type: ignore[dict-item]
    return together


def leaves(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return each setting by its name: those of a training as hyperparameters.NAME."""
    found: dict[str, Any] = {}
    for key, value in content.items():
        inside = key == "hyperparameters" and isinstance(value, Mapping)
        found |= {f"{key}.{name}": one for name, one in value.items()} if inside else {key: value}
    return found


def origins(sources: tuple[Source, ...]) -> dict[str, str]:
    """Return the experiment whose file each setting's value is from; a default is from none."""
    return {setting: source.name for source in sources for setting in leaves(source.content)}
