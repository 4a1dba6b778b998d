"""What a finished stream has written, wherever it lies: in the working tree, at a git revision, with an MLflow run.

A revision's files are what its dvc.lock names, read from DVC's cache or remote; nothing is checked out.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import RevError, map_scm_exception
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import ObjectFormatError, Tree  # type: ignore[attr-defined]  # it has no __all__
from dvc_data.index import DataIndexDirError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pygit2 import GitError

from igarape.errors import InputError, reason
from igarape.tracking.address import connected, database
from igarape.tracking.lineage import lineage
from igarape.tracking.settings import Settings, read_settings
from igarape.workspace import Workspace

HERE = (".", "workspace")
RUN = re.compile("[0-9a-f]{32}")  # an MLflow run's id
STEP, LOCK = "evaluate", "dvc.lock"
SHORT = 9  # digits of a commit
UNREAD = (DataIndexDirError, DvcException, OSError)  # what DVC raises for a file that it lacks


@dataclass(frozen=True)
class Found:
    """A file of a finished stream, in words where it is from, and the settings that made it; None: not known."""

    path: Path
    origin: str
    settings: Settings | None


def find(name: str, file: str, workspace: Workspace, into: Path) -> Found:
    """Find a file of a stream's data/evaluate by the stream's name.

    Parameters
    ----------
    name
        A git revision, such as main or HEAD; the id of evaluate's run in MLflow; or . or workspace: the working tree.
    file
        The file's name in data/evaluate, and among that run's artifacts.
    workspace
        The project.
    into
        A folder to write it to where it is not in the working tree.

    Raises
    ------
    InputError
        When the name names nothing, the stream has not finished there, or the file is out of reach.
    """
    if name in HERE:
        path = workspace.folder(STEP) / file
        if not path.exists():
            raise InputError(f"{path}: not found; evaluate writes it. Run: dvc repro")
        made = _settings(lambda file: (workspace.root / file).read_bytes(), str(workspace.root / LOCK))
        return Found(path, f"the working tree{_commit(workspace)}", made)
    into.mkdir(parents=True, exist_ok=True)
    try:
        if not name.strip():  # DVC would take it for the working tree
            raise RevError("it is empty")
        with map_scm_exception():
            files = DVCFileSystem(str(workspace.root.absolute()), rev=name)
            commit = str(files.repo.get_rev())
    except GitError as error:  # which scmrepo lets through
        root = workspace.root.absolute()
        raise InputError(
            f"git does not open {root}: {reason(error)}. Is it another user's whom you trust? Then type: git config "
            f"--global --add safe.directory {root}"
        ) from error
    except (DvcException, AttributeError) as error:
        if RUN.fullmatch(name):
            return _of_run(name, file, workspace, into)
        # What scmrepo has no words for is the name of a file or a folder at a revision, such as main:docs.
        why = "it names no commit" if isinstance(error, AttributeError) else reason(error)
        raise InputError(
            f"{name.strip() or repr(name)}: no git revision of this project ({why}), and no id of an MLflow run, which "
            "has 32 hexadecimal digits. Expected one of them, or . for the working tree"
        ) from error
    where = name if commit.startswith(name) else f"{name} ({commit[:SHORT]})"
    path = _of_revision(files, where, file, into)
    return Found(path, where, _settings(files.read_bytes, f"{where}: {LOCK}"))


def kept(root: Path, md5s: Iterable[str]) -> set[str] | None:
    """Return those outputs, by their MD5, that DVC's cache has whole; None where the folder is no project of DVC's."""
    try:
        with Repo(str(root)) as repo:
            return {md5 for md5 in md5s if _is_whole(repo.cache.local, md5)}
    except DvcException:
        return None


def has_remote(root: Path) -> bool:
    """Say whether a folder is a project of DVC's with a default remote, from which dvc pull brings files."""
    try:
        with Repo(str(root)) as repo:
            return bool(repo.config["core"].get("remote"))
    except DvcException:
        return False


def _is_whole(cache: Any, md5: str) -> bool:
    """Say whether a cache has a file, or a folder with all its files."""
    if not md5.endswith(".dir") or not cache.exists(md5):
        return bool(cache.exists(md5))
    try:
        tree = Tree.load(cache, HashInfo("md5", md5))
    except ObjectFormatError:
        return False
    return all(cache.exists(each.value) for _, _, each in tree)


def _commit(workspace: Workspace) -> str:
    """Say at which commit the working tree is, where there is one."""
    found = lineage(workspace.root)
    changed = ", with changes that are not committed" if found.dirty else ""
    return f" ({found.commit[:SHORT]}{changed})" if found.commit else ""


def _settings(read: Callable[[str], bytes], where: str) -> Settings | None:
    """Return the settings of a stream whose files are so read; None where it has no dvc.lock."""

    def found(file: str) -> bytes | None:
        try:
            return read(file)
        except UNREAD:
            return None

    lock = found(LOCK)
    return None if lock is None else read_settings(lock, where, found)


def _of_revision(files: DVCFileSystem, where: str, file: str, into: Path) -> Path:
    """Read a file that a revision's dvc.lock names."""
    folder, path = f"data/{STEP}", into / file
    try:
        there = files.isdir(folder)
    except DvcException as error:
        raise InputError(
            f"{where}: DVC cannot read that revision: {reason(error)}. Mend its dvc.yaml or dvc.lock, and commit them"
        ) from error
    if not there:
        raise InputError(
            f"{where}: its dvc.lock names no {folder}: no stream has finished there, or dvc.lock was not committed. "
            "When dvc repro has finished: git add dvc.lock params.yaml && git commit"
        )
    try:
        files.get_file(f"{folder}/{file}", str(path))
    except UNREAD as error:
        raise InputError(
            f"{where}: DVC has no {folder}/{file} ({error}). Where its cache lacks it and a remote has it: dvc fetch "
            f"--all-commits {STEP}. Where none has it, or an older igarape has run there: dvc repro there"
        ) from error
    return path


def _of_run(run: str, file: str, workspace: Workspace, into: Path) -> Found:
    """Fetch an artifact of a finished run of evaluate."""
    with connected(workspace.root) as uri:
        place = database(uri)
        if place is not None and not place.exists():  # MLflow would make it
            raise InputError(f"{run}: no MLflow run, as there is no {place} yet. Run: dvc repro")
        client = MlflowClient()
        try:
            found = client.get_run(run)
            step, status = found.data.tags.get("igarape.step"), found.info.status
            if step != STEP or status != "FINISHED":
                raise InputError(
                    f"{run}: a run of {step or 'something else'}, {status}; expected a finished run of {STEP}, whose "
                    "ids stand in MLflow's experiment igarape/evaluate and in reports/report.html"
                )
            if file not in {each.path for each in client.list_artifacts(run)}:
                raise InputError(f"{run}: has no artifact {file}, which {STEP} logs since then. Run: dvc repro")
            path = Path(client.download_artifacts(run, file, str(into)))
        except (MlflowException, OSError) as error:
            raise InputError(f"MLflow at {uri}: {run}: {error}") from error
    commit = found.data.tags.get("mlflow.source.git.commit", "")
    return Found(path, f"run {run}" + (f" ({commit[:SHORT]})" if commit else ""), None)
