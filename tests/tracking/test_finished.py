"""A finished stream's file is found in the working tree, at a git revision by DVC, and with an MLflow run."""

import json
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from pygit2 import GitError
from streams import answers, begin, commit, finish, git

from igarape.errors import InputError
from igarape.scores.answers import TABLE
from igarape.tracking import finished
from igarape.tracking.finished import find, has_remote, kept
from igarape.tracking.lineage import locked_outs
from igarape.workspace import Workspace

OLD, NEW = answers(noise=0.5), answers(noise=0.4)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a project with a stream on main, another one on the branch idea, which is checked out, and a tag between."""
    here = begin(tmp_path_factory.mktemp("project"))
    git(here.root, "tag", "empty")
    finish(here, OLD)
    git(here.root, "switch", "--quiet", "--create", "older")
    finish(here, OLD, name="something.parquet")
    git(here.root, "switch", "--quiet", "--create", "idea", "main")
    finish(here, NEW)
    return here


def read(here: Workspace, name: str, into: Path) -> tuple[float, str]:
    """Return what tells one stream from another, and what is said of where it is from."""
    found = find(name, TABLE, here, into)
    return float(pd.read_parquet(found.path).filter(like="p_").to_numpy().sum()), found.origin


def test_each_revision_has_its_own_stream_and_nothing_is_checked_out(project: Workspace, tmp_path: Path) -> None:
    """By branch, by HEAD and before it, by commit; the working tree stays."""
    old, new = float(OLD.p.sum()), float(NEW.p.sum())
    known = git(project.root, "rev-parse", "main")
    before = git(project.root, "rev-parse", "--symbolic-full-name", "HEAD")
    for name, expected in (("main", old), ("idea", new), ("HEAD", new), ("HEAD~1", old), (known[:10], old)):
        value, origin = read(project, name, tmp_path)
        assert value == pytest.approx(expected) and name in origin
    assert read(project, "main", tmp_path)[1] == f"main ({known[:9]})"
    assert git(project.root, "rev-parse", "--symbolic-full-name", "HEAD") == before
    assert not git(project.root, "status", "--porcelain")


@pytest.mark.parametrize("name", [".", "workspace"])
def test_the_working_tree_is_read_as_it_lies(project: Workspace, tmp_path: Path, name: str) -> None:
    """Whether or not anything is committed; it says at which commit it stands."""
    value, origin = read(project, name, tmp_path)
    assert value == pytest.approx(float(NEW.p.sum()))
    assert origin == f"the working tree ({git(project.root, 'rev-parse', 'HEAD')[:9]})"
    with pytest.raises(InputError, match=r"answers\.parquet: not found; .*dvc repro"):
        find(name, TABLE, Workspace(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "empty",
            (
                r"^empty \(\w{9}\): its dvc\.lock names no data/evaluate: no stream has finished there, or dvc\.lock "
                r"was not committed\. When dvc repro has finished: git add dvc\.lock params\.yaml && git commit$"
            ),
        ),
        (
            "older",
            r"^older .*: DVC has no data/evaluate/answers\.parquet .*an older igarape has run there: dvc repro there",
        ),
        ("nothing", r"^nothing: no git revision .*no id of an MLflow run.*or \. for the working tree"),
        ("a name", r"^a name: no git revision"),
        ("HEAD:dvc.yaml", r"^HEAD:dvc\.yaml: no git revision of this project \(it names no commit\)"),
        ("", r"^'': no git revision of this project \(it is empty\)"),
    ],
)
def test_a_revision_without_a_stream_says_so(project: Workspace, tmp_path: Path, name: str, message: str) -> None:
    """Nothing finished there; an older igarape did; there is no such revision; it is a file at one, or no name."""
    with pytest.raises(InputError, match=message):
        find(name, TABLE, project, tmp_path)


def test_a_repository_of_another_user_says_what_to_type(
    project: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose folder is the host's: libgit2 opens none that is not trusted."""

    def opened(*_: object, **__: object) -> None:
        raise GitError("repository path '/here' is not owned by current user")

    monkeypatch.setattr(finished, "DVCFileSystem", opened)
    with pytest.raises(InputError, match=r"not owned by current user.*git config --global --add safe\.directory /"):
        find("HEAD", TABLE, project, tmp_path)


def test_what_the_cache_lacks_is_named_with_what_brings_it(project: Workspace, tmp_path: Path) -> None:
    """A clone has the revisions, and not yet what DVC keeps of them."""
    clone = Workspace(tmp_path / "clone")
    git(tmp_path, "clone", "--quiet", str(project.root), str(clone.root))
    with pytest.raises(InputError, match=r"^HEAD .* DVC has no .*dvc fetch --all-commits evaluate"):
        find("HEAD", TABLE, clone, tmp_path)
    shutil.copytree(project.root / ".dvc/cache", clone.root / ".dvc/cache")
    assert read(clone, "HEAD", tmp_path)[0] == pytest.approx(float(NEW.p.sum()))


def test_a_repository_without_a_commit_and_a_spoiled_lock_are_one_line(project: Workspace, tmp_path: Path) -> None:
    """What DVC and git say of them is said."""
    new = Workspace(tmp_path / "new")
    new.root.mkdir()
    git(new.root, "init", "--quiet")
    with pytest.raises(InputError, match=r"^main: no git revision of this project \(.*\), and no id"):
        find("main", TABLE, new, tmp_path)
    clone = Workspace(tmp_path / "clone")
    git(tmp_path, "clone", "--quiet", str(project.root), str(clone.root))
    (clone.root / "dvc.lock").write_text("junk: [", encoding="utf-8")
    commit(clone, "spoiled")
    with pytest.raises(
        InputError, match=r"^HEAD .*: DVC cannot read that revision: .*dvc\.lock.*Mend its dvc\.yaml or"
    ):
        find("HEAD", TABLE, clone, tmp_path)


@pytest.fixture
def tracked(registry: Path) -> Workspace:
    """Give a folder without git that MLflow tracks to."""
    mlflow.set_experiment("igarape/evaluate")
    return Workspace(registry)


def logged(folder: Path, *, step: str, names: tuple[str, ...]) -> str:
    """Log a run of a step with some files; return its id."""
    with mlflow.start_run(tags={"igarape.step": step, "mlflow.source.git.commit": "0af7" * 10}) as run:
        for name in names:
            NEW.table().to_parquet(folder / name)
            mlflow.log_artifact(str(folder / name))
    return str(run.info.run_id)


def test_a_run_of_evaluate_has_the_file_as_an_artifact(tracked: Workspace, tmp_path: Path) -> None:
    """Also in a folder that git does not know; a run of another step, or without the file, is named."""
    run = logged(tmp_path, step="evaluate", names=(TABLE,))
    value, origin = read(tracked, run, tmp_path / "into")
    assert value == pytest.approx(float(NEW.p.sum()))
    assert origin == f"run {run} (0af70af70)"
    with pytest.raises(InputError, match="a run of stack, FINISHED; expected a finished run of evaluate"):
        find(logged(tmp_path, step="stack", names=(TABLE,)), TABLE, tracked, tmp_path)
    with pytest.raises(InputError, match=r"has no artifact answers\.parquet, which evaluate logs since then"):
        find(logged(tmp_path, step="evaluate", names=("other.parquet",)), TABLE, tracked, tmp_path)


def test_a_run_that_mlflow_does_not_know_or_has_failed(
    tracked: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each, and no database is made to look into."""
    with pytest.raises(InputError, match=r"Run with id=0{32} not found"):
        find("0" * 32, TABLE, tracked, tmp_path)
    run = logged(tmp_path, step="evaluate", names=(TABLE,))
    MlflowClient().set_terminated(run, "FAILED")
    with pytest.raises(InputError, match="a run of evaluate, FAILED; expected a finished run"):
        find(run, TABLE, tracked, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(InputError, match=r"there is no .*none\.db yet"):
        find(run, TABLE, tracked, tmp_path)
    assert not (tmp_path / "none.db").exists()


def test_outputs_are_in_the_cache_when_all_their_files_are(project: Workspace, tmp_path: Path) -> None:
    """A folder of which a file is gone is not; nor is one whose list cannot be read."""
    here = Workspace(shutil.copytree(project.root, tmp_path / "copy", symlinks=True))
    md5 = locked_outs(here.lock.read_bytes(), "dvc.lock")["data/evaluate"]
    assert kept(here.root, [md5, "0" * 32, "0" * 32 + ".dir"]) == {md5}
    cache = here.root / ".dvc/cache/files/md5"
    listed = cache / md5[:2] / md5[2:]
    (entry,) = json.loads(listed.read_text(encoding="utf-8"))
    file = cache / entry["md5"][:2] / entry["md5"][2:]
    assert kept(here.root, [entry["md5"]]) == {entry["md5"]}
    file.unlink()
    assert kept(here.root, [md5]) == set()
    listed.chmod(0o644)
    listed.write_text("{}", encoding="utf-8")
    assert kept(here.root, [md5]) == set()
    (tmp_path / "none").mkdir()
    assert kept(tmp_path / "none", [md5]) is None


def test_a_default_remote_is_known(project: Workspace) -> None:
    """Without it dvc pull has nowhere to pull from, though there may be remotes of other names."""
    local = project.root / ".dvc/config.local"
    for text, there in (("", False), ("['remote \"team\"']\n url = /x\n", False), ("[core]\n remote = team\n", True)):
        local.write_text(text)
        assert has_remote(project.root) == there
    local.unlink()
