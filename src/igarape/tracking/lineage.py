"""Where a result comes from: the commit, the data sets by their DVC hashes, and the `dvc repro` it belongs to."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import yaml

from igarape.config.documents import Origin, RunFacts
from igarape.errors import InputError, reason
from igarape.tracking.git import run_git
from igarape.workspace import Workspace

DATA = ("data/ingest", "data/dehaze", "data/nir", "data/split")
RESULT = "data/evaluate"  # what a version is registered from
# The lock is no source: dvc repro itself writes it, beside what it names. What nobody has added yet may be one.
CHANGED = ("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude)dvc.lock")
ADDED = ("status", "--porcelain", "--untracked-files=all", "--", "src", "experiments", "datasets")


@dataclass(frozen=True)
class Lineage:
    """Where a result came from: the commit, whether it was changed since, and the MD5 of each data set as DVC has it.

    repro: the start and process of the `dvc repro` above us; None without one.
    """

    commit: str
    dirty: bool
    data: Mapping[str, str]
    repro: str | None

    def tags(self) -> dict[str, str]:
        """Return the tags that say so in MLflow."""
        known = {"mlflow.source.git.commit": self.commit, "igarape.uncommitted_changes": str(self.dirty).lower()}
        tags = known if self.commit else {}
        return tags | ({"igarape.repro": self.repro} if self.repro else {})

    def origin(self, runs: Mapping[str, str]) -> Origin:
        """Return what a bundle keeps of it, with the runs that led there by the names of their steps."""
        return Origin(git_commit=self.commit, uncommitted_changes=self.dirty, dvc=dict(self.data), runs=dict(runs))


def lineage(root: Path) -> Lineage:
    """Read the commit from git, the data's hashes from dvc.lock, and the `dvc repro` above us from the processes.

    Raises InputError for a dvc.lock that cannot be read.
    """
    commit = (run_git(root, "rev-parse", "HEAD") or b"").decode().strip()
    dirty = any(run_git(root, *words) for words in (CHANGED, ADDED))
    lock = root / "dvc.lock"
    outs = locked_outs(lock.read_bytes(), str(lock)) if lock.exists() else {}
    return Lineage(commit=commit, dirty=dirty, data={path: outs[path] for path in DATA if path in outs}, repro=_repro())


def result(root: Path) -> str | None:
    """Return the MD5 of what evaluate has left, by DVC; None where DVC does not run us, and may know an older one.

    Raises InputError for a dvc.lock that cannot be read.
    """
    lock = root / "dvc.lock"
    if "DVC_STAGE" not in os.environ or not lock.exists():
        return None
    return locked_outs(lock.read_bytes(), str(lock)).get(RESULT)


def locked_outs(content: bytes, where: str) -> dict[str, str]:
    """Return the MD5 of each output that a dvc.lock names, by its path; errors as of locked_stages."""
    with locked_stages(content, where) as stages:
        return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}


def packed_dataset(root: Path) -> str | None:
    """Return the data set whose chips dvc repro has packed; None where there is no dvc.lock, or none of ingest in it.

    Raises InputError for a dvc.lock that cannot be read.
    """
    lock = root / "dvc.lock"
    if not lock.exists():
        return None
    with locked_stages(lock.read_bytes(), str(lock)) as stages:
        name = stages.get("ingest", {}).get("params", {}).get("params.yaml", {}).get("dataset")
    return None if name is None else str(name)


@contextmanager
def locked_stages(content: bytes, where: str) -> Iterator[dict[str, Any]]:
    """Give the stages of a dvc.lock; InputError, which begins with where, for what in it DVC has not written."""
    try:
        yield (yaml.safe_load(content) or {}).get("stages", {})
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"{where}: is not what DVC writes, such as an unfinished merge: {' '.join(reason(error).split())}. "
            "Take one side's, such as by git checkout --ours dvc.lock; then: dvc repro"
        ) from error


def step_runs(workspace: Workspace, experiments: Sequence[str]) -> dict[str, str]:
    """Return the MLflow runs that led to the decision: of each experiment's search and training, stack and decide."""
    steps = [(step, name) for name in experiments for step in ("search", "train")]
    runs = {f"{step}@{name}": RunFacts.read(workspace.run(step, name)).run_id for step, name in steps}
    return runs | {step: RunFacts.read(workspace.run(step)).run_id for step in ("stack", "decide")}


def _repro() -> str | None:
    """Name the `dvc repro` (or `dvc exp run`) that started this process, by its start time (UTC) and its process id."""
    for parent in psutil.Process().parents():
        words = parent.as_dict(["cmdline"], ad_value=())["cmdline"]  # other people's processes may be hidden from us
        if any(Path(word).name == "dvc" for word in words[:3]) and {"repro", "run"} & set(words):
            started = datetime.fromtimestamp(parent.create_time(), UTC)
            return f"{started:%Y-%m-%dT%H:%M:%SZ}-{parent.pid}"
    return None
