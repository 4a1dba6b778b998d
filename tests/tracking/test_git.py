"""What git says, and what is said where it says nothing."""

import os
import warnings
from pathlib import Path

import pytest
from streams import git

from igarape.tracking import git as module
from igarape.tracking.git import run_git


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Forget what this process was warned of."""
    module._warn_once.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository with a commit of a file."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "odd").write_bytes(b"\xff\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_bytes_come_as_they_are(repository: Path) -> None:
    """A file in a commit may hold anything."""
    assert run_git(repository, "show", "HEAD:./odd") == b"\xff\n"


def test_what_is_not_there_is_no_warning(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No repository, a repository without a commit, and a commit or a file that a clone lacks, in any language."""
    outside, empty = (tmp_path_factory.mktemp(name) for name in ("outside", "empty"))
    git(empty, "init", "--quiet")
    (repository / "new").touch()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setenv("LC_ALL", "de_DE.UTF-8")
        patch.setenv("GIT_CEILING_DIRECTORIES", str(outside.parent))
        for folder, words in (
            (outside, ["rev-parse", "HEAD"]),
            (empty, ["rev-parse", "HEAD"]),
            (empty, ["show", "HEAD:./odd"]),
            (repository, ["show", "abcdef1^{commit}"]),
            (repository, ["show", f"{'f' * 40}:./odd"]),
            (repository, ["show", "HEAD:./other"]),
            (repository, ["show", "HEAD:./new"]),
        ):
            assert run_git(folder, *words) is None


def test_that_there_is_no_git_is_said_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container without it."""
    monkeypatch.setenv("PATH", str(repository))
    with pytest.warns(UserWarning, match="git: not found on the PATH") as said:
        assert [run_git(repository, *words) for words in (["status"], ["log"])] == [None, None]
    assert len(said) == 1


def test_why_git_refuses_is_said_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as in a folder of another user, where git names the command that allows it."""
    refusing = repository / "bin/git"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2\nexit 128\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.warns(UserWarning, match=r"git: fatal: detected dubious ownership in repository\. So no") as said:
        assert [run_git(repository, *words) for words in (["status"], ["log"])] == [None, None]
    assert len(said) == 1
