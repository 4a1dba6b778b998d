"""The settings that a stream was made with, as DVC keeps them, and in which of them two streams differ."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from igarape.tracking.lineage import locked_stages

CODE, EXPERIMENTS = "data/code/", "data/resolve/"
SHORT = 7  # digits of a hash
THERE, MISSING = "there", "-"

# By the file that they stand in: each value by its name in there. The code of a step counts as one, by its hash.
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
        Gives a file that it names; None where DVC has it no more: that experiment is known by its hash only.

    Raises
    ------
    InputError
        For a dvc.lock that DVC has not written.
    """
    found: dict[str, dict[str, object]] = {}
    with locked_stages(lock, where) as stages:
        for stage in stages.values():
            for file, values in stage.get("params", {}).items():
                found.setdefault(file, {}).update(_leaves(values))
            for dep in stage.get("deps", ()):
                path, known = dep["path"], {"": dep["md5"][:SHORT]}
                if path.startswith(CODE):
                    found[path] = known
                elif path.startswith(EXPERIMENTS):
                    content = read(path)
                    name = f"experiments/{PurePosixPath(path).stem}.yaml"
                    found[name] = dict(_leaves(json.loads(content)["settings"])) if content else known
    return found


def differing(a: Settings, b: Settings) -> list[Setting]:
    """Return the settings that differ, in the order of their names; of a file that only one stream has, that it has."""
    found = []
    for file in sorted({*a, *b}):
        if file not in a or file not in b:
            found.append(Setting(file, *(THERE if file in one else MISSING for one in (a, b))))
            continue
        for name in sorted({*a[file], *b[file]}):
            one, other = (_said(side[file][name]) if name in side[file] else MISSING for side in (a, b))
            if one != other:
                found.append(Setting(f"{file} {name}".strip(), one, other))
    return found


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _leaves(values: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield values by their names with dots; of a list of names, each name that it has."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{above}{name}.")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            yield from ((f"{above}{name}: {item}", THERE) for item in value)
        else:
            yield f"{above}{name}", value
