"""What an experiment's YAML says together with those that it is like: `like: PARENT`, and below it what changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igarape.config.schema import Name, Section, read_yaml, validate
from igarape.errors import did_you_mean


class _Head(Section, extra="ignore"):
    """The key that names a parent."""

    like: Name | None = None


@dataclass(frozen=True)
class Source:
    """One file: the experiment's name, its path, what it says without `like`, and what is wrong with its `like`."""

    name: str
    path: Path
    content: Mapping[str, Any]
    fault: str | None = None


def read_sources(name: str, folder: Path) -> tuple[Source, ...]:
    """Read experiments/NAME.yaml and those that it is like, the one that is like none first.

    The first one has a fault where its parent is not there, or is one of those that are like it.
    """
    sources: list[Source] = []
    wanted: str | None = name
    while wanted is not None and not (sources and sources[0].fault):
        path = folder / f"{wanted}.yaml"
        content = read_yaml(path)
        parent = validate(_Head, content, str(path)).like
        way = [*(source.name for source in reversed(sources)), wanted]
        fault = None if parent is None else _fault(parent, path, way)
        own = {key: value for key, value in content.items() if key != "like"}
        sources.insert(0, Source(wanted, path, own, fault))
        wanted = parent
    return tuple(sources)


def _fault(parent: str, path: Path, way: list[str]) -> str | None:
    """Say what is wrong with a parent that is not there, or is on the way that leads to it; None when nothing is."""
    if parent in way:
        circle = " -> ".join([*way[way.index(parent) :], parent])
        return f"leads in a circle ({circle}); name another, or leave it out"
    if not (path.parent / f"{parent}.yaml").exists():
        others = {file.stem for file in path.parent.glob("*.yaml")} - set(way)
        return f"should be an experiment that there is (got {parent!r}){did_you_mean(parent, others)}"
    return None


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
