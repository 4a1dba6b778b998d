"""The settings that a stream was made with, as DVC keeps them, and in which of them two streams differ."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from igarape.tracking.lineage import locked_stages

CODE, EXPERIMENTS = "data/code/", "data/resolve/"
OF_EACH = ("search", "train")  # the steps that dvc.lock has for each learner
HASH = ""  # the name of what stands for all that a file holds
SHORT = 7  # digits of a hash
THERE, MISSING = "there", "-"

# By the file that they stand in: each value by its name in there. What DVC knows by a hash has that too: code it alone.
Settings = Mapping[str, Mapping[str, object]]


class Setting(NamedTuple):
    """A setting that differs: where it stands, and what it is in either stream; a dash where one has none."""

    name: str
    a: str
    b: str


def read_settings(lock: bytes, where: str, read: Callable[[str], bytes | None]) -> Settings:
    """Read what a stream's dvc.lock says that it was made with.

    Parameters
    ----------
    lock
        The dvc.lock.
    where
        Where it is, for errors.
    read
        Gives a file that it names; None where DVC has it no more: that experiment is known by its hash only, as is one
        that another version of igarape has written in another form.

    Raises
    ------
    InputError
        For a dvc.lock that DVC has not written.
    """
    found: dict[str, dict[str, object]] = {}
    with locked_stages(lock, where) as stages:
        for stage in _listed(stages):
            for file, values in stage.get("params", {}).items():
                found.setdefault(file, {}).update(_leaves(values))
            for dep in stage.get("deps", ()):
                path = dep["path"]
                if path.startswith(CODE):
                    found[path] = {HASH: dep["md5"][:SHORT]}
                elif path.startswith(EXPERIMENTS):
                    name = f"experiments/{PurePosixPath(path).stem}.yaml"
                    found[name] = {HASH: dep["md5"][:SHORT], **_experiment(read(path))}
    return found


def differing(a: Settings, b: Settings) -> list[Setting]:
    """Return the settings that differ, in the order of their names; of a file that only one stream has, that it has."""
    found = []
    for file in sorted({*a, *b}):
        if file not in a or file not in b:
            found.append(Setting(file, *(THERE if file in one else MISSING for one in (a, b))))
            continue
        for name in sorted(_compared(a[file], b[file])):
            one, other = (_said(side[file][name]) if name in side[file] else MISSING for side in (a, b))
            if one != other:
                found.append(Setting(f"{file} {name}".strip(), one, other))
    return found


def _listed(stages: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return stages, but for those of learners that evaluate did not list: dvc.lock keeps what was taken out."""
    listed = stages.get("evaluate", {}).get("params", {}).get("params.yaml", {}).get("experiments")
    used = []
    for name, stage in stages.items():
        step, _, learner = name.partition("@")
        if listed is None or step not in OF_EACH or learner in listed:
            used.append(stage)
    return used


def _experiment(content: bytes | None) -> dict[str, object]:
    """Return the settings of a resolved experiment; none where they cannot be read."""
    try:
        return dict(_leaves(json.loads(content or b"")["settings"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _compared(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    """Return the names by which two files are compared: their hashes where one has no more, or where they agree."""
    names = {*one, *other}
    by_hash = HASH in names and (len(one) == 1 or len(other) == 1 or one.get(HASH) == other.get(HASH))
    return {HASH} if by_hash else names - {HASH}


def _said(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value, default=str)


def _leaves(values: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield values by their names with dots; of a list of names, each name that it has."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            yield from ((f"{above}{name}: {_said(item)}", THERE) for item in value)
        else:
            yield f"{above}{name}", value
