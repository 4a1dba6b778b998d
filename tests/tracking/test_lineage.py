"""The lineage: read from git, from dvc.lock and from the process tree."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igarape.config.documents import RunFacts
from igarape.errors import InputError
from igarape.tracking import git as module
from igarape.tracking.lineage import Lineage, lineage, result, step_runs
from igarape.workspace import Workspace


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a git repository with one commit."""
    (tmp_path / ".gitignore").write_text("mlruns\n", encoding="utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_changes_since_the_commit_are_said(repository: Path) -> None:
    """A run on changed code does not pass for a run of the commit."""
    path = repository / ".gitignore"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "data\n", encoding="utf-8")
    assert lineage(repository).dirty
    path.write_text(before, encoding="utf-8")
    assert not lineage(repository).dirty


def test_what_dvc_writes_is_no_change_and_a_new_experiment_is_one(repository: Path) -> None:
    """Its repro writes dvc.lock while its steps run; an experiment that nobody has added is not in the commit."""
    lock, experiment, answers = (repository / name for name in ("dvc.lock", "experiments/mine.yaml", "answers.csv"))
    lock.write_text("stages: {}\n", encoding="utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["add", "dvc.lock"], [*identity, "commit", "-q", "-m", "a stream"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    lock.write_text("stages: {code: {}}\n", encoding="utf-8")
    answers.touch()
    assert not lineage(repository).dirty
    experiment.parent.mkdir()
    experiment.touch()
    assert lineage(repository).dirty


def test_the_result_is_that_of_the_dvc_repro_above_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, evaluate may have left another one than dvc.lock names."""
    monkeypatch.delenv("DVC_STAGE", raising=False)
    out = "{path: data/evaluate, md5: abc.dir}"
    (tmp_path / "dvc.lock").write_text(f"stages: {{evaluate: {{outs: [{out}]}}}}\n", encoding="utf-8")
    assert result(tmp_path) is None
    monkeypatch.setenv("DVC_STAGE", "register")
    assert result(tmp_path) == "abc.dir"
    (tmp_path / "dvc.lock").unlink()
    assert result(tmp_path) is None


def test_without_git_dvc_or_repro_the_lineage_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is run by hand in a bare folder is tracked all the same."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert lineage(tmp_path) == Lineage(commit="", dirty=False, data={}, repro=None)


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\nschema: '2.0'\n=======\n", "junk", "stages: {ingest: 7}", "stages: ["])
def test_a_lock_that_dvc_did_not_write_is_one_line(tmp_path: Path, text: str) -> None:
    """A merge that was not finished leaves such a one."""
    (tmp_path / "dvc.lock").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"dvc\.lock: is not what DVC writes, .*; then: dvc repro$") as caught:
        lineage(tmp_path)
    assert "\n" not in str(caught.value)


STEP = "from igarape.tracking.lineage import lineage; from pathlib import Path; print(lineage(Path()).repro)"
LAUNCHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STEP!r}], check=True)"


def test_all_steps_of_one_dvc_repro_carry_its_start_and_process_as_their_tag(tmp_path: Path) -> None:
    """So another `dvc repro` has another tag; launchers may stand between it and the step."""
    repro = "for code in sys.argv[2:]:\n    subprocess.run([sys.executable, '-c', code], check=True)"
    (tmp_path / "dvc").write_text(
        f"import os, subprocess, sys\nprint(os.getpid(), flush=True)\n{repro}", encoding="utf-8"
    )
    process, plain, launched = answers(["dvc", "repro", STEP, LAUNCHER], tmp_path)
    assert plain == launched
    started, _, number = plain.rpartition("-")
    assert number == process
    age = datetime.now(UTC) - datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(age) < timedelta(minutes=1)


def answers(words: list[str], folder: Path) -> list[str]:
    """Run a Python program and return the words it printed."""
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, cwd=folder
    ).stdout.split()


def test_the_tags_name_the_commit_and_the_repro() -> None:
    """Without a `dvc repro` there is no tag for one."""
    by_hand = Lineage(commit="abc", dirty=True, data={}, repro=None)
    assert by_hand.tags() == {"mlflow.source.git.commit": "abc", "igarape.uncommitted_changes": "true"}
    assert Lineage("abc", dirty=False, data={}, repro="now-1").tags()["igarape.repro"] == "now-1"


def test_without_git_a_run_has_no_commit(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container without git; the tags do not say that nothing was changed."""
    monkeypatch.setenv("PATH", str(repository))
    module._warn_once.cache_clear()
    with pytest.warns(UserWarning, match="git: not found on the PATH"):
        found = lineage(repository)
    assert found == Lineage(commit="", dirty=False, data={}, repro=found.repro)
    assert "igarape.uncommitted_changes" not in found.tags()


def test_the_runs_that_led_to_the_decision_are_named(tmp_path: Path) -> None:
    """Two of each experiment; a step that left no run is named with its file."""
    workspace = Workspace(tmp_path)
    for step, name in (("search", "plain"), ("train", "plain"), ("stack", None), ("decide", None)):
        with pytest.raises(InputError, match=rf"data/runs/{step}\S*\.json: not found"):
            step_runs(workspace, ["plain"])
        RunFacts(run_id=f"run of {step}").write(workspace.run(step, name))
    assert step_runs(workspace, ["plain"]) == {
        "search@plain": "run of search",
        "train@plain": "run of train",
        "stack": "run of stack",
        "decide": "run of decide",
    }
