"""distill: a student learns the stack's answers out of fold; it is compared with the ensemble, and kept beside it."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import tiny
import yaml
from mlflow import MlflowClient

from igarape.config.documents import RunFacts
from igarape.config.student import Student
from igarape.files import read_json
from igarape.learners.audit import rows_hash
from igarape.learners.distillation import FILE
from igarape.predictions import probability_columns
from igarape.scores.answers import TABLE, read_answers
from igarape.serving.bundle import Bundle
from igarape.serving.registry import model_uri
from igarape.stages import distill as stage
from igarape.stages import evaluate, promote, register
from igarape.tables import read_folds, write_table
from igarape.workspace import Workspace

EXTRA = 3


def ask_for_student(here: Workspace) -> None:
    """Name a student in params.yaml, and pack chips of the hold-out a second time, as chips without labels."""
    params = yaml.safe_load(here.params.read_text(encoding="utf-8"))
    params["distill"] |= {"experiment": "pupil"}
    here.params.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    path = here.experiments / "pupil.yaml"
    path.write_text(yaml.safe_dump(tiny.CONTENT), encoding="utf-8")
    catalog, folds = pd.read_parquet(here.catalog()), read_folds(here.folds)
    held = folds.loc[folds["fold"] < 0, "image_id"].head(EXTRA)
    again = catalog[catalog["image_id"].isin(held)].assign(split="test")
    again["image_id"] = [f"new-{row}" for row in range(EXTRA)]
    again[[column for column in again.columns if str(column).startswith("y_")]] = 0
    write_table(pd.concat([catalog, again], ignore_index=True), here.catalog())


def test_where_nobody_asks_there_is_no_student(project: Workspace) -> None:
    """The step has run all the same, and its run in MLflow says so."""
    folder = project.folder("distill")
    assert Student.read(folder / "student.json").student is None
    assert [path.name for path in folder.iterdir()] == ["student.json"]
    run = mlflow.get_run(RunFacts.read(project.run("distill")).run_id)
    assert run.info.status == "FINISHED" and run.data.params["distill.experiment"] == "none"


def test_a_student_is_taught_compared_registered_and_promoted(
    copy: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """It learns from the folds and the chips without labels, and answers the hold-out, which it never saw."""
    ask_for_student(copy)
    stage.run(copy)
    folds, folder = read_folds(copy.folds), copy.folder("distill")
    manifest = Student.read(folder / "student.json").student
    assert manifest is not None
    inside = folds.loc[folds["fold"] >= 0, "image_id"]
    assert (manifest.labelled, manifest.unlabelled, manifest.learned) == (len(inside), EXTRA, rows_hash(inside))
    assert manifest.parity < 1e-4 and (folder / FILE).is_file()
    table = pd.read_parquet(folder / "predictions.parquet")
    assert set(table["image_id"]) == set(folds["image_id"]) - set(inside)
    run = mlflow.get_run(RunFacts.read(copy.run("distill")).run_id)
    assert run.data.params["pupil.batch"] == "8" and run.data.metrics["unlabelled"] == EXTRA
    evaluate.run(copy)
    check_verdict(copy, table)
    assert "student: hold-out F2" in capsys.readouterr().out
    register.run(copy)
    check_registry(copy)
    assert "igarape promote --model student" in capsys.readouterr().out


def check_verdict(here: Workspace, table: pd.DataFrame) -> None:
    """Look at what evaluate says of the student, and at its bundle."""
    told: Any = read_json(here.metrics)["student"]
    assert set(told) == {"ensemble", "student", "f2", "map", "by_views"}
    assert told["f2"]["mean"] == pytest.approx(told["student"]["f2"] - told["ensemble"]["f2"])
    assert told["student"]["mb"] < told["ensemble"]["mb"]
    page = (here.reports / "report.html").read_text(encoding="utf-8")
    assert "<h2>Student</h2>" in page and "ms a chip" in page
    logged = mlflow.get_run(RunFacts.read(here.run("evaluate")).run_id).data.metrics
    assert {"student_f2", "student_map", "student_ms", "ensemble_ms"} <= set(logged)
    assert not [name for name in logged if "/" in name]  # MLflow draws what has a section of its own first
    bundle = Bundle.load(here.student)
    assert [learner.name for learner in bundle.manifest.learners] == ["pupil"]
    assert [f"p_{label}" for label in bundle.vocabulary.labels] == probability_columns(table)


def check_registry(here: Workspace) -> None:
    """Look at the student's version, which says who taught it; promote it, and find it as --model student does."""
    client = MlflowClient()
    version = client.get_model_version_by_alias("igarape-toy-student", "challenger")
    assert version.tags["teacher"] == "version 1" and "against_ensemble_f2" in version.tags
    assert version.tags["runs.distill"] == RunFacts.read(here.run("distill")).run_id
    run = mlflow.get_run(str(version.run_id))
    assert (run.info.run_name, run.data.params["teacher"]) == ("student", "version 1")
    kept = Path(client.download_artifacts(version.tags["answers_run"], TABLE, str(here.data)))
    table = read_answers(kept)
    ensemble = read_answers(here.folder("evaluate") / TABLE)
    assert table.digest() == ensemble.digest() and (table.folds == ensemble.folds).all()
    assert (table.p[table.folds >= 0] == ensemble.p[table.folds >= 0]).all()  # what it was taught
    own = pd.read_parquet(here.folder("distill") / "predictions.parquet").set_index("image_id")
    assert (table.holdout.p == own.loc[list(table.holdout.image_ids), probability_columns(own)].to_numpy()).all()
    assert (table.holdout.answers == Bundle.load(here.student).rule.apply(table.holdout.p)).all()
    assert read_json(here.folder("register") / "student.json")["name"] == "igarape-toy-student"
    promote.run(here, model="student")
    assert model_uri("student", "toy", here.root) == "models:/igarape-toy-student/1"
    assert dict(client.get_registered_model("igarape-toy").aliases) == {"challenger": 1}
