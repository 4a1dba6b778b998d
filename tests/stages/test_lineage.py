"""lineage: from the champion to the commands that bring it back, in a real project of git, DVC and MLflow."""

import json
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo
from mlflow import MlflowClient
from streams import answers, begin, finish, git

from igarape.stages import lineage
from igarape.tracking.lineage import RESULT, locked_outs
from igarape.workspace import Workspace

NAME = "igarape-toy"


@pytest.fixture
def project(tmp_path: Path, champion: Path) -> Workspace:
    """Give a project whose stream was committed, and is the champion of a registry that lies elsewhere."""
    (tmp_path / "project").mkdir()
    here = begin(tmp_path / "project")
    code = git(here.root, "rev-parse", "HEAD")
    shutil.copy(champion / "params.yaml", here.root)
    finish(here, answers())
    made = locked_outs(here.lock.read_bytes(), "dvc.lock")[RESULT]
    for key, value in {"git_commit": code, "uncommitted_changes": "false", f"dvc.{RESULT}": made}.items():
        MlflowClient().set_model_version_tag(NAME, "1", key, value)
    return here


def test_what_it_says_to_type_brings_the_results_back(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """By git checkout and dvc checkout, though the clone has gone on, and lost what lay in data/."""
    expected = (project.folder("evaluate") / "answers.parquet").read_bytes()
    finish(project, answers(noise=0.7))
    assert (project.folder("evaluate") / "answers.parquet").read_bytes() != expected
    lineage.run(project)
    said = capsys.readouterr().out
    assert said.startswith(f"{NAME} version 1: challenger, champion\n")
    assert "its dvc.lock names this version's results" in said and "DVC's cache here has all 1 outputs" in said
    lineage.run(project, version=1, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["version"]["version"] == "1" and found["clone"]["kept"] == {RESULT: True}
    checkout, restore, *_ = found["commands"]
    assert restore == "dvc checkout"
    git(project.root, *checkout.split()[1:])
    with Repo(str(project.root)) as repo:
        repo.checkout(force=True)
    assert (project.folder("evaluate") / "answers.parquet").read_bytes() == expected


def test_the_student_has_a_lineage_of_its_own(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """By the name of its model."""
    client = MlflowClient()
    client.create_registered_model(f"{NAME}-student")
    client.create_model_version(f"{NAME}-student", "s3://nowhere/model", tags={"teacher": "version 1"})
    lineage.run(project, version=1, model="student")
    assert "distilled     from version 1 of the ensemble" in capsys.readouterr().out
