"""What all nodes have to agree on before a task is begun: the project's folder, code, chips, Python, libraries."""

import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from igarape.cluster.nodes import TRAVEL, alive
from igarape.cluster.settings import Needs
from igarape.code import ROOT, libraries
from igarape.errors import InputError, counted, reason
from igarape.files import digest, write_text

PATIENCE = 120.0  # seconds for a node to take our code, and to answer
FOLDER, CODE, CHIPS, PLACE = "project folder", "code", "chips", "path "
OTHER = "others than here. Is the folder the same, or are its files cached? Mount it anew"
LINKS = (
    "missing there, though the project's folder is there. Links to a cache of DVC's that is elsewhere? Type here: "
    "dvc config cache.type reflink,hardlink,copy && dvc checkout --relink"
)

Facts = Mapping[str, str]


def require_agreement(needs: Needs, folder: Path, chips: Path | None, places: Sequence[Path] = ()) -> None:
    """Raise InputError that names each node, of those that can do a task, which differs from this machine, and in what.

    Parameters
    ----------
    needs
        Of a task.
    folder
        One that all nodes see.
    chips
        The folder of packed chips that tasks read, if they do.
    places
        What else they read, and where they write.
    """
    word = folder / "word"
    write_text(uuid.uuid4().hex, word)
    asked: tuple[Any, ...] = (str(Path.cwd()), str(word), str(chips) if chips else None, *map(str, places))
    ours, look = facts(*asked), ray.remote(facts)
    waiting = {
        look.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(*asked): f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
        for node in alive()
        if needs.met_by(node["Resources"])
    }
    ray.wait(list(waiting), num_returns=len(waiting), timeout=PATIENCE)  # all at once: one that is silent holds up none
    faults = [fault for ref, name in waiting.items() for fault in differences(name, _answer(ref), ours)]
    if faults:
        raise InputError(
            "\n".join([f"The cluster is not as this machine is, in {counted(len(faults), 'point')}:", *faults])
        )


def facts(root: str, word: str, chips: str | None, *places: str) -> Facts:
    """Return what this machine has, by what it is called.

    Parameters
    ----------
    root
        The project's folder, where the others begin.
    word
        A file that all should see.
    chips
        A folder of packed chips, if any is read.
    *places
        What else should be there.
    """
    found = {"Python": platform.python_version()} | libraries()
    found |= {name: "there" if Path(os.environ[name]).exists() else "missing" for name in TRAVEL if _is_path(name)}
    sources = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
    found[CODE] = digest([*map(str, sources), *(ROOT / path for path in sources)])
    found |= {PLACE + place: "there" if Path(root, place).exists() else "missing" for place in places}
    seen = Path(root, word)
    found[FOLDER] = seen.read_text(encoding="utf-8") if seen.is_file() else "missing"
    if chips:
        tables = sorted(path for path in Path(root, chips).glob("*.parquet") if path.is_file())  # no link to nowhere
        found[CHIPS] = digest([*(path.name for path in tables), *tables]) if tables else "missing"
    return found


def differences(name: str, theirs: Facts | str, ours: Facts) -> list[str]:
    """Say in what a node differs from this machine, and what to do; theirs: why it has not answered, if it has not."""
    if isinstance(theirs, str):
        return [f"{name}: {theirs}. See Ray's logs there: /tmp/ray/session_latest/logs"]
    different = [what for what in ours if theirs.get(what) != ours[what]]
    if FOLDER in different:  # chips are missing then too
        different = [FOLDER]
    return [f"{name}: {what}: {_told(what, theirs.get(what, 'missing'), ours[what])}" for what in different]


def _told(what: str, theirs: str, ours: str) -> str:
    """Say what differs."""
    if what == FOLDER:
        return (
            f"{(here := Path.cwd())} is not what it is here. Tasks write there what they have made, so a copy, or a "
            f"`dvc pull`, does not do. Mount it there: mount -t nfs {platform.node()}:{here} {here}"
        )
    if what == CODE:
        return "another one than here, though it was sent: start Ray there without igarape on PYTHONPATH"
    if what == CHIPS:
        return OTHER if theirs != "missing" else LINKS
    if what in TRAVEL:
        return f"{os.environ[what]} is {theirs} there, and {ours} here. Put it under the same path"
    if what.startswith(PLACE):
        return f"{theirs} there, {ours} here. Mount it there, under the same path"
    return f"{theirs} there, {ours} here. Install the same: make setup"


def _answer(ref: Any) -> Facts | str:
    """Return what a node has said, or why that is not known: it may be slow, dead or unable to take our code."""
    try:
        answer: Facts = ray.get(ref, timeout=0)
    except GetTimeoutError:
        return f"no answer within {PATIENCE:.0f} s"
    except RayError as error:
        return f"could not answer ({type(error).__name__}: {reason(error).splitlines()[0]})"
    return answer


def _is_path(name: str) -> bool:
    """Say whether a variable is set, to a path."""
    return "/" in os.environ.get(name, "") and "://" not in os.environ[name]
