"""What a clone has of a version: its commit by git, and the commit whose dvc.lock names its results."""

from functools import partial
from pathlib import Path

import pytest
from streams import answers, begin, commit, finish, git

from igarape.tracking.finished import has_remote, kept
from igarape.tracking.lineage import RESULT, locked_outs
from igarape.tracking.recovery import Recovery, find_commit, find_locked, recover
from igarape.workspace import Workspace


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a project with two streams in turn; then somebody committed an unfinished merge, and undid it."""
    here = begin(tmp_path_factory.mktemp("project"))
    (here.root / "requirements.lock").write_text("# by make lock\nkeras==3.1 \\\n    --hash=sha256:ab\nnumpy==2.1\n")
    for noise in (0.5, 0.4):
        finish(here, answers(noise=noise))
    lock = here.lock.read_text(encoding="utf-8")
    here.lock.write_text(f"<<<<<<< HEAD\n{lock}{lock}=======\n", encoding="utf-8")
    commit(here, "unfinished")
    here.lock.write_text(lock, encoding="utf-8")
    return commit(here, "finished")


def locked(here: Workspace, revision: str) -> str:
    """Return the MD5 of a stream's results at a revision."""
    return locked_outs(git(here.root, "show", f"{revision}:dvc.lock").encode(), revision)[RESULT]


def test_the_commit_whose_lock_names_the_results_is_found(project: Workspace) -> None:
    """It comes after that of the code, as dvc.lock is committed last. Unfinished merges are passed over."""
    first, second = locked(project, "HEAD~3"), locked(project, "HEAD")
    asked = partial(kept, project.root)
    for md5, revisions in ((first, ["HEAD~3"]), (second, ["HEAD~2", "HEAD"])):
        found = find_locked(project.root, RESULT, md5, asked)
        assert found and found.at.commit in {git(project.root, "rev-parse", each) for each in revisions}
        assert (found.outputs, found.lacking) == (1, ())
    assert find_locked(project.root, RESULT, "0" * 32, asked) is None
    assert find_locked(project.root, "data/other", second, asked) is None
    lacking = find_locked(project.root, RESULT, first, lambda _: set())
    assert lacking and lacking.lacking == (RESULT,)
    unknown = find_locked(project.root, RESULT, first, lambda _: None)
    assert unknown and unknown.lacking is None


def test_a_commit_is_known_by_its_hash_and_nothing_else(project: Workspace) -> None:
    """A tag of a version may be written by anybody: a word that git takes for an option or a branch names no commit."""
    head = git(project.root, "rev-parse", "HEAD")
    found = find_commit(project.root, head[:9])
    assert found and (found.commit, found.subject) == (head, "finished") and len(found.day) == 10
    for other in ("f" * 40, "main", "--output=x", ""):
        assert find_commit(project.root, other) is None


def test_a_clone_says_what_it_has(project: Workspace) -> None:
    """The commit, the results, which data are in the cache, and the packages that the commit pins."""
    head, md5 = git(project.root, "rev-parse", "HEAD"), locked(project, "HEAD")
    data = {RESULT: md5, "data/ingest": "0" * 32}
    here = recover(project.root, head, data, partial(kept, project.root), remote=True)
    assert here.commit and here.locked and here.remote and not here.uncommitted
    assert here.kept == {RESULT: True, "data/ingest": False}
    assert here.packages == ("keras==3.1", "numpy==2.1") and here.installed
    before = recover(
        project.root, git(project.root, "rev-parse", "HEAD~4"), data, partial(kept, project.root), remote=False
    )
    assert before.packages == () and not before.installed


def test_outside_of_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is no error: MLflow has its part all the same."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    here = recover(tmp_path, "a" * 40, {RESULT: "b" * 32}, partial(kept, tmp_path), remote=has_remote(tmp_path))
    assert here == Recovery(None, None, uncommitted=False, kept={}, remote=False, packages=(), installed=True)


def test_results_that_lie_here_and_were_not_committed_are_known(project: Workspace) -> None:
    """By the dvc.lock of the working tree; those of another stream are nowhere."""
    lock = project.lock.read_text(encoding="utf-8")
    new = "e" * 32
    project.lock.write_text(lock.replace(locked(project, "HEAD"), new), encoding="utf-8")
    try:
        for md5, lies in ((new, True), ("0" * 32, False), (locked(project, "HEAD"), False)):
            here = recover(project.root, None, {RESULT: md5}, partial(kept, project.root), remote=False)
            assert here.uncommitted == lies
        project.lock.write_text("<<<<<<< HEAD\n", encoding="utf-8")
        here = recover(project.root, None, {RESULT: new}, partial(kept, project.root), remote=False)
        assert not here.uncommitted
    finally:
        project.lock.write_text(lock, encoding="utf-8")
