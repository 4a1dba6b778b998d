"""search: nested runs, the best of them named, and the hold-out left alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clusters
import driven
import mlflow
import numpy as np
import pandas as pd
import pytest
import tiny
import yaml
from servers import Server

from igarape.config.documents import RunFacts
from igarape.config.experiments import read_experiment, resolved_yaml
from igarape.config.hyperparameters import NetworkValues
from igarape.errors import InputError
from igarape.files import read_json
from igarape.learners import search as searching
from igarape.learners.learning import fit
from igarape.learners.networks import training
from igarape.stages import search as stage
from igarape.tables import read_folds
from igarape.tracking import step as tracking
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
EPOCHS = 1  # half of the experiment's two: params.yaml's search.budget is 0.5


def parent(here: Workspace) -> Any:
    """Return the search's run."""
    return mlflow.get_run(RunFacts.read(here.run("search", "tiny")).run_id)


def trials(here: Workspace) -> list[Any]:
    """Return the nested runs of the search."""
    run = parent(here)
    nested = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
    return list(mlflow.search_runs([run.info.experiment_id], nested, output_format="list"))


def test_every_trial_is_a_nested_run_with_knobs_epochs_costs_and_status(project: Workspace) -> None:
    """Two trials of one epoch each, and the memory they took."""
    assert len(trials(project)) == 2
    for trial in trials(project):
        assert trial.info.status == "FINISHED"
        assert set(trial.data.params) == {*NetworkValues.model_fields, "epochs"}
        for metric in ("loss", "val_loss", "val_f2", "val_map"):
            history = mlflow.MlflowClient().get_metric_history(trial.info.run_id, metric)
            assert [point.step for point in history] == list(range(EPOCHS))
        assert trial.data.metrics["duration_s"] > 0
        assert trial.data.metrics["peak_memory_mb"] > 50


def test_the_parent_run_names_the_best_trial(project: Workspace) -> None:
    """Its score is the greatest of the objective's values; best.json says the same."""
    scores = {trial.info.run_name: trial.data.metrics["score"] for trial in trials(project)}
    best = read_json(project.root / "data/search/tiny/best.json")
    assert (
        parent(project).data.tags["igarape.best_trial"] == best["trial"] == max(scores, key=lambda name: scores[name])
    )
    assert parent(project).data.metrics["best_val_map"] == pytest.approx(max(scores.values()))
    assert best["score"] == pytest.approx(max(scores.values()))


def test_best_json_holds_every_knob(project: Workspace) -> None:
    """So that train needs no search to be repeated, and finds its run by the file."""
    best = read_json(project.root / "data/search/tiny/best.json")
    (named,) = [trial for trial in trials(project) if trial.info.run_name == best["trial"]]
    assert named.data.params == {name: str(value) for name, value in best["hyperparameters"].items()} | {
        "epochs": str(EPOCHS)
    }
    assert best["experiment"] == "tiny"


def test_the_trials_table_is_kept(project: Workspace) -> None:
    """One row for each trial, as a file and in MLflow."""
    table = pd.read_parquet(project.root / "data/search/tiny/trials.parquet")
    assert sorted(table["trial"]) == sorted(trial.info.run_name for trial in trials(project))
    shown = mlflow.artifacts.load_dict(f"{parent(project).info.artifact_uri}/trials.json")
    assert [dict(zip(shown["columns"], row, strict=True))["trial"] for row in shown["data"]] == list(table["trial"])


def test_the_page_of_all_trials_is_kept(project: Workspace, browse: Callable[[str], Any]) -> None:
    """As a file, and among the run's artifacts, where MLflow shows it."""
    page = (project.root / "data/search/tiny/trials.html").read_text(encoding="utf-8")
    assert mlflow.artifacts.load_text(f"{parent(project).info.artifact_uri}/trials.html") == page
    assert "2 trials, the best with mAP" in browse(page).text


def test_nothing_but_the_result_is_kept(project: Workspace) -> None:
    """No model, and nothing of keras-tuner's; what was unfinished is gone with it."""
    names = {path.name for path in (project.root / "data/search/tiny").rglob("*")}
    assert names == {"best.json", "experiment.yaml", "trials.html", "trials.parquet"}
    resolved = (project.root / "data/search/tiny/experiment.yaml").read_text(encoding="utf-8")
    assert resolved == resolved_yaml(read_experiment("tiny", project.experiments))
    assert [path for path in (project.root / "data/search/.unfinished").rglob("*") if path.is_file()] == []


def test_the_run_carries_parameters_and_data(project: Workspace) -> None:
    """The hyperparameters' space, the search's section, the seed, and the chips' DVC hash."""
    run = parent(project)
    expected = {"seed": "1", "dataset": "toy", "search.trials": "2", "tiny.hyperparameters.learning_rate.high": "0.03"}
    assert run.data.params.items() >= expected.items()
    assert [given.dataset.digest for given in run.inputs.dataset_inputs] == ["aaa.dir"]
    assert run.info.run_name == "tiny"


def test_trials_are_scored_on_fold_0_and_learn_from_the_others_but_the_hold_out(
    copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that are handed to the search."""
    asked: dict[str, Any] = {}

    def search(images: Any, y: Any, **options: Any) -> None:
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "search", search)
    with pytest.raises(KeyboardInterrupt):
        stage.run(copy, "tiny")
    folds = read_folds(copy.folds)["fold"].to_numpy()
    assert set(folds[asked["validation"]]) == {0}
    assert set(folds[asked["train"]]) == {1}
    assert len(asked["validation"]) + len(asked["train"]) == np.sum(folds != -1)


WIDE = tiny.HYPERPARAMETERS | {"width": 1.0}  # as loaded weights want it


def change(here: Workspace, name: str, **changes: object) -> None:
    """Change an experiment."""
    path = here.root / f"experiments/{name}.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_a_faulty_experiment_stops_before_anything_is_removed(copy: Workspace) -> None:
    """What the last search found is still there."""
    change(copy, "tiny", bacth=3)
    with pytest.raises(InputError, match=r"experiments/tiny\.yaml: 1 problem\n  bacth  is not known"):
        stage.run(copy, "tiny")
    assert (copy.root / "data/search/tiny/best.json").exists()
    with pytest.raises(InputError, match=r"experiments/tinny\.yaml: not found; did you mean tiny\?"):
        stage.run(copy, "tinny")


def test_weights_of_another_network_end_the_search_with_one_clear_error(copy: Workspace) -> None:
    """The trial and its parent are marked as failed; another trial would fare no better."""
    (copy.root / "other.weights.h5").write_text("not weights", encoding="utf-8")
    change(copy, "tiny", backbone="mobilenet", weights=str(copy.root / "other.weights.h5"), hyperparameters=WIDE)
    with pytest.raises(InputError, match=r"weights: \S+/other\.weights\.h5: these are not weights of mobilenet"):
        stage.run(copy, "tiny")
    runs = mlflow.search_runs(
        experiment_names=["igarape/search"], filter_string="status = 'FAILED'", output_format="list"
    )
    assert sorted(run.info.run_name for run in runs) == ["tiny", "trial-0"]


def test_the_faults_of_all_listed_experiments_are_told_before_the_first_epoch(copy: Workspace) -> None:
    """Also those of experiments whose turn comes later; one that is not listed has itself to answer for alone."""
    change(copy, "tiny", epochs=0)
    change(copy, "rare", chips="nir")
    with pytest.raises(InputError) as caught:
        stage.run(copy, "tiny")
    told = str(caught.value)
    assert "experiments/tiny.yaml: 1 problem\n  epochs  should be at least 1 (got 0)" in told
    assert "experiments/rare.yaml: chips: nir: the data set names no TIFs" in told
    change(copy, "tiny", epochs=1)
    (copy.root / "experiments/unlisted.yaml").write_bytes((copy.root / "experiments/tiny.yaml").read_bytes())
    change(copy, "unlisted", weights="gone.weights.h5", backbone="mobilenet", hyperparameters=WIDE)
    with pytest.raises(
        InputError, match=r"^\S+/experiments/unlisted\.yaml: weights: gone\.weights\.h5: no such file"
    ) as caught:
        stage.run(copy, "unlisted")
    assert "rare" not in str(caught.value)


def test_a_trial_that_fails_is_a_failed_run_with_its_traceback(
    copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search goes on, and its parent is finished."""
    asked: list[Any] = []

    def fails(*words: Any, **options: Any) -> Any:
        asked.append(options)
        if len(asked) == 1:
            raise MemoryError("too large")
        return training.fit(*words, **options)

    monkeypatch.setattr(searching, "fit", fails)
    stage.run(copy, "tiny")
    assert parent(copy).info.status == "FINISHED"
    (failed,) = [trial for trial in trials(copy) if trial.info.status == "FAILED"]
    assert "MemoryError: too large" in mlflow.artifacts.load_text(f"{failed.info.artifact_uri}/traceback.txt")
    assert len(trials(copy)) == 2
    assert read_json(copy.root / "data/search/tiny/best.json")["trial"] == "trial-1"


# The moments at which a search is killed: as soon as one of these files is there.
MOMENTS = (
    "data/.unsent/search@tiny*/outbox.jsonl",
    "data/search/.unfinished/tiny/*/notes/oracle/trial_0/trial.json",
    "data/search/.unfinished/tiny/*/notes/trial-0.json",
    "data/search/.unfinished/tiny/*/notes/oracle/trial_2/trial.json",
    "data/search/.unfinished/tiny/*/notes/trial-2.json",
    "data/search/.unfinished/tiny/*/result/best.json",
)


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_a_search_killed_again_and_again_loses_nothing(copy: Workspace, kill_at: Callable[[str, str], None]) -> None:
    """No finished trial is trained again, none is missing, none is in MLflow twice, and nothing is left open."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    params["search"] = {"tuner": "random", "trials": 4, "budget": 1.5, "parallel": 1}
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    before = {run.info.run_id for run in recorded()}
    finished: dict[str, str] = {}
    for moment in MOMENTS:
        kill_at("search", moment)
        notes = (copy.root / "data/search/.unfinished/tiny").glob("*/notes/trial-*.json")
        rows = {path.name: path.read_text(encoding="utf-8") for path in notes}
        assert rows.items() >= finished.items()
        finished = rows
    stage.run(copy, "tiny")
    count = 4
    assert len(trials(copy)) == len(finished) == count
    assert {trial.info.run_name for trial in trials(copy)} == {f"trial-{number}" for number in range(count)}
    assert {trial.info.status for trial in trials(copy)} == {"FINISHED"}
    runs = [run for run in recorded() if run.info.run_id not in before]
    assert sorted(run.info.run_name for run in runs if run.info.status == "FINISHED") == sorted(
        ["tiny", *(trial.info.run_name for trial in trials(copy))]
    )
    assert {run.info.status for run in runs} == {"FINISHED", "KILLED"}
    keys = {trial.data.tags["igarape.trial"] for trial in trials(copy)}
    assert keys == {json.loads(row)["key"] for row in finished.values()}


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_minute_without_mlflow_costs_a_search_nothing(
    copy: Workspace, server: Server, first_epoch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server goes in the first trial: all is trained before it is back, and all of it is there at the end."""
    monkeypatch.setattr(tracking, "PATIENCE", 300.0)  # on a busy machine a server takes a minute to start
    shutil.rmtree(copy.root / "data/search/tiny")
    found: list[Path] = []

    def come_back() -> None:
        found.extend((copy.root / "data/search/.unfinished/tiny").glob("*/result/best.json"))
        server.start(wait=False)

    def go() -> None:
        server.stop()
        threading.Timer(60, come_back).start()

    monkeypatch.setattr(searching, "fit", first_epoch(fit, go))
    stage.run(copy, "tiny")
    assert len(found) == 1
    table = pd.read_parquet(copy.root / "data/search/tiny/trials.parquet").set_index("trial")
    runs = {trial.info.run_name: trial for trial in trials(copy)}
    assert set(runs) == set(table.index) == {"trial-0", "trial-1"}
    for name, run in runs.items():
        assert run.info.status == "FINISHED"
        assert run.data.metrics["score"] == table.loc[name, "score"]
        assert run.data.metrics["val_map"] == table.loc[name, "last_val_map"]
        assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")) == EPOCHS
        assert run.info.end_time - run.info.start_time < 60_000  # when it happened, not when it could be told
    assert parent(copy).info.status == "FINISHED"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_project_run_killed_before_its_step_begins_is_not_left_open(copy: Workspace) -> None:
    """`mlflow run` opens the run; when it dies with all it has started, the next one closes that as KILLED."""
    shutil.copy(ROOT / "MLproject", copy.root)
    shutil.copy(ROOT / "python_env.yaml", copy.root)
    before = {run.info.run_id for run in recorded()}
    words = [sys.executable, "-m", "mlflow", "run", ".", "-e", "search", "-P", "experiment=tiny"]
    words += ["--experiment-name", "igarape/search", "--env-manager", "local"]
    env = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    with subprocess.Popen(words, cwd=copy.root, env=env, start_new_session=True) as process:
        while len(recorded()) == len(before):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    (dead,) = [run for run in recorded() if run.info.run_id not in before]
    assert (dead.info.status, dead.data.tags.get("igarape.run")) == ("RUNNING", None)
    subprocess.run(words, cwd=copy.root, env=env, check=True)
    assert mlflow.get_run(dead.info.run_id).info.status == "KILLED"
    assert parent(copy).info.status == "FINISHED"
    assert len(trials(copy)) == 2


def recorded() -> list[Any]:
    """Return all runs of the step."""
    return list(mlflow.search_runs(experiment_names=["igarape/search"], output_format="list"))


def test_chips_that_were_not_packed_yet_are_missed_by_name(copy: Workspace) -> None:
    """A step that is run too early says which step writes what is missing."""
    copy.folds.unlink()
    with pytest.raises(InputError, match=r"data/split/folds\.parquet: not found.*dvc repro"):
        stage.run(copy, "tiny")


def test_near_infrared_is_refused_where_there_is_none(leafless: Workspace) -> None:
    """Before a run begins: the data set names no TIFs."""
    with pytest.raises(InputError, match=r"chips: nir: the data set names no TIFs"):
        stage.run(leafless, "leafy")
    assert not (leafless.root / "data/search/leafy").exists()


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_a_search_on_nodes_finds_what_one_machine_finds_whoever_dies(begun: Workspace, cluster: Any) -> None:
    """The driver is killed with two trials open, then a node: each trial is one nested run, with the same figures."""
    params = yaml.safe_load(begun.params.read_text(encoding="utf-8"))
    params["search"] = {"tuner": "bayesian", "trials": 4, "budget": 10.0, "parallel": 2}
    begun.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    told = ["trial", "status", "score", "epochs", "error", "learning_rate", "last_loss"]
    driven.end(driven.begin("search", "tiny", folder=begun.root, address=None))
    alone = pd.read_parquet(begun.folder("search", "tiny") / "trials.parquet")[told]
    best = begun.best("tiny").read_bytes()
    before = {run.info.run_id for run in recorded()}

    def events(what: str) -> int:
        logs = (begun.root / "data/search/.unfinished/tiny").glob("*/notes/events.jsonl")
        return sum(log.read_text(encoding="utf-8").count(f'"{what}": ') for log in logs)

    process = driven.begin("search", "tiny", folder=begun.root, address=cluster.address)
    driven.until(process, lambda: events("asked") == 2)
    process.kill()
    process.communicate()
    assert events("told") == 0
    process = driven.begin("search", "tiny", folder=begun.root, address=cluster.address)
    driven.until(process, lambda: events("told") >= 1 and events("asked") - events("told") == 2)
    clusters.remove_one(cluster)
    driven.end(process)
    assert pd.read_parquet(begun.folder("search", "tiny") / "trials.parquet")[told].equals(alone)
    assert begun.best("tiny").read_bytes() == best
    assert sorted(trial.info.run_name for trial in trials(begun)) == [f"trial-{number}" for number in range(4)]
    assert {trial.info.status for trial in trials(begun)} == {"FINISHED"}
    for trial in trials(begun):
        history = mlflow.MlflowClient().get_metric_history(trial.info.run_id, "loss")
        assert [point.step for point in history] == list(range(20))
    assert {run.info.status for run in recorded() if run.info.run_id not in before} == {"FINISHED", "KILLED"}
