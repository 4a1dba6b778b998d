"""What to type follows from what lies in the project."""

import json
import shutil
from pathlib import Path

import pytest

from igarape.serving.advice import how_to_promote, how_to_register, other_here

NAME = "igarape-toy"
LOCK = "schema: '2.0'\nstages:\n  register:\n    cmd: igarape register\n"


@pytest.fixture
def registered(tmp_path: Path, bundle_folder: Path) -> Path:
    """Lay out a project whose result was registered: here, or where it was cloned from."""
    shutil.copytree(bundle_folder, tmp_path / "data/evaluate/bundle")
    (tmp_path / "data/register").mkdir()
    (tmp_path / "data/register/version.json").write_text(json.dumps({"name": NAME, "version": 3}))
    (tmp_path / "dvc.lock").write_text(LOCK)
    return tmp_path


def test_a_result_that_is_there_is_registered_by_force(registered: Path) -> None:
    """DVC takes the step for done, as its output is there; so `make repro` would do nothing."""
    said = how_to_register(NAME, registered)
    assert "data/register/version.json names a version that this MLflow does not have" in said
    assert said.endswith("dvc repro --single-item --force register")


def test_a_result_that_is_in_the_cache_only_is_pulled_first(registered: Path) -> None:
    """After `git clone`."""
    shutil.rmtree(registered / "data")
    assert "Run: dvc pull, then: dvc repro --single-item --force register" in how_to_register(NAME, registered)


def test_without_a_result_the_stream_has_to_run(registered: Path, tmp_path: Path) -> None:
    """In a fresh project, and for another data set than the one whose result is there."""
    assert how_to_register("igarape-other", registered) == "Run: make repro"
    assert how_to_register(NAME, tmp_path / "fresh") == "Run: make repro"


def test_a_version_that_is_there_is_promoted(tmp_path: Path) -> None:
    """The challenger; else the newest one, when somebody deleted the challenger."""
    assert how_to_promote(NAME, {"challenger": "2"}, ["1", "2"], tmp_path) == "Run: igarape promote"
    said = how_to_promote(NAME, {}, ["1", "2"], tmp_path)
    assert said == "There are versions 1, 2. Run: igarape promote --version 2"
    assert how_to_promote(NAME, {}, [], tmp_path) == "Run: make repro, then: igarape promote"


def test_a_result_that_dvc_brought_back_is_not_the_challenger(registered: Path) -> None:
    """After `relabel --undo` or `git checkout`, and `dvc repro`: no step ran, so the alias is where it was."""
    said = other_here(NAME, "4", ["3", "4"], registered)
    assert said is not None and said.endswith("is version 3. To promote that: igarape promote --version 3")
    assert other_here(NAME, "3", ["3", "4"], registered) is None
    assert other_here(NAME, "4", ["4"], registered) is None  # registered elsewhere, where it was cloned from
    assert other_here("igarape-other", "4", ["3", "4"], registered) is None


def test_a_student_is_told_from_the_ensemble(registered: Path) -> None:
    """It has files of its own, comes by params.yaml, and is promoted by an option."""
    name = f"{NAME}-student"
    assert "distill.experiment: student" in how_to_register(name, registered)
    (registered / "data/register/student.json").write_text(json.dumps({"name": name, "version": 1}))
    shutil.copytree(registered / "data/evaluate/bundle", registered / "data/evaluate/student")
    assert "student.json names a version that this MLflow does not have" in how_to_register(name, registered)
    assert how_to_promote(name, {"challenger": "2"}, ["1", "2"]) == "Run: igarape promote --model student"
    assert how_to_promote(name, {}, ["1"]).endswith("Run: igarape promote --model student --version 1")
