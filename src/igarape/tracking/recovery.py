"""What this clone has of a stream that finished somewhere, some day: its commit, its results by some dvc.lock."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from igarape.errors import InputError
from igarape.tracking.git import run_git
from igarape.tracking.lineage import RESULT, locked_outs

LOCK, REQUIREMENTS = "dvc.lock", "requirements.lock"

# Of outputs by their MD5, those that a cache has whole; None where there is no cache.
Kept = Callable[[Iterable[str]], set[str] | None]


@dataclass(frozen=True)
class Commit:
    """A commit of this clone: its hash, its day, and the first line of its message."""

    commit: str
    day: str
    subject: str


@dataclass(frozen=True)
class Locked:
    """A commit whose dvc.lock names a result; how many outputs it names, and those that DVC's cache here lacks.

    lacking: by their paths; None where there is no cache.
    """

    at: Commit
    outputs: int
    lacking: tuple[str, ...] | None


@dataclass(frozen=True)
class Recovery:
    """What this clone has of a version.

    commit: that of its code; None: not here. locked: where its results are named; None: nowhere here, or which they are
    is not on record. uncommitted: whether the dvc.lock that lies here names them. kept: of its data, by their paths,
    whether DVC's cache has them. remote: whether dvc pull has where to pull from. packages: what the commit's
    requirements.lock pins. installed: whether what this clone has checked out pins the same.
    """

    commit: Commit | None
    locked: Locked | None
    uncommitted: bool
    kept: Mapping[str, bool]
    remote: bool
    packages: tuple[str, ...]
    installed: bool


def recover(root: Path, commit: str | None, data: Mapping[str, str], kept: Kept, *, remote: bool) -> Recovery:
    """See what a clone has of a version.

    Parameters
    ----------
    root
        The clone.
    commit
        Of the version's code; None: not on record.
    data
        The MD5 of each of its outputs that is on record, by paths.
    kept
        Says which outputs DVC's cache has.
    remote
        Whether the clone's DVC has a default remote.
    """
    at = find_commit(root, commit or "")
    locked = find_locked(root, RESULT, data[RESULT], kept) if RESULT in data else None
    there, packages = kept(data.values()), _pinned(root, at.commit) if at else ()
    return Recovery(
        at,
        locked,
        uncommitted=locked is None and RESULT in data and _lies_here(root, data[RESULT]),
        kept={} if there is None else {path: md5 in there for path, md5 in data.items()},
        remote=remote,
        packages=packages,
        installed=packages == _pinned(root, "HEAD"),
    )


def find_commit(root: Path, commit: str) -> Commit | None:
    """Return what this clone has of a commit; None where it does not have it, or there is no git."""
    named = re.fullmatch("[0-9a-f]{6,64}", commit)  # and no option of git's, whoever wrote it
    said = run_git(root, "show", "--no-patch", "--format=%H%n%cs%n%s", f"{commit}^{{commit}}") if named else None
    return None if said is None else Commit(*said.decode(errors="replace").rstrip("\n").split("\n", maxsplit=2))


def find_locked(root: Path, path: str, md5: str, kept: Kept) -> Locked | None:
    """Return the newest commit, of any branch or tag, whose dvc.lock came to have an output with some MD5, or None.

    Parameters
    ----------
    root
        The clone.
    path, md5
        Of the output.
    kept
        Says which outputs DVC's cache has.
    """
    said = run_git(root, "log", "--all", "--format=%H", f"-S{md5}", "--", LOCK) or b""
    for commit in said.decode().split():  # those that brought it, and those that took it away
        try:
            outs = locked_outs(run_git(root, "show", f"{commit}:./{LOCK}") or b"", commit)
        except InputError:
            continue  # a merge that somebody committed unfinished
        if outs.get(path) == md5 and (at := find_commit(root, commit)):
            there = kept(outs.values())
            lacking = None if there is None else tuple(out for out, each in outs.items() if each not in there)
            return Locked(at, len(outs), lacking)
    return None


def _lies_here(root: Path, md5: str) -> bool:
    """Say whether the dvc.lock of the working tree, committed or not, names a result."""
    lock = root / LOCK
    try:
        return lock.exists() and locked_outs(lock.read_bytes(), LOCK).get(RESULT) == md5
    except InputError:
        return False  # an unfinished merge


def _pinned(root: Path, commit: str) -> tuple[str, ...]:
    """Return the packages that a commit's requirements.lock pins, as name==version: what make setup installs there."""
    lines = (run_git(root, "show", f"{commit}:./{REQUIREMENTS}") or b"").decode(errors="replace").splitlines()
    return tuple(line.split()[0] for line in lines if "==" in line and line[:1].isalnum())
