"""What MLflow remembers of a step, in a real database."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.entities import Run as Recorded
from mlflow.exceptions import MlflowException
from mlflow.experiments import commands as experiments
from requests import Response
from servers import Server

from igarape.errors import InputError
from igarape.stages import send
from igarape.tracking import outbox, sender
from igarape.tracking import step as tracking
from igarape.tracking.address import new_experiment
from igarape.tracking.costs import PROCESSOR, SECONDS
from igarape.tracking.exporter import Exporter
from igarape.tracking.run import Run
from igarape.tracking.step import send_left, step_run
from igarape.workspace import Workspace

LOCK = """\
schema: '2.0'
stages:
  ingest:
    cmd: igarape ingest
    outs:
    - {path: data/ingest, hash: md5, md5: aaa.dir, size: 5}
  split:
    cmd: igarape split
    deps:
    - {path: data/ingest, hash: md5, md5: aaa.dir, size: 5}
    outs:
    - {path: data/split, hash: md5, md5: bbb.dir, size: 5}
  train@plain:
    cmd: igarape train
    outs:
    - {path: data/train/plain, hash: md5, md5: ccc.dir, size: 5}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Workspace]:
    """Give a git repository with a dvc.lock and a database, which MLflow uses."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(empty_database, folder)
    (folder / "dvc.lock").write_text(LOCK, encoding="utf-8")
    (folder / ".gitignore").write_text("mlflow.db\nmlruns\ndata\n", encoding="utf-8")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        patch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
        yield Workspace(folder)


def figures(run: Recorded) -> dict[str, float]:
    """Return a run's figures but for what it has cost, which each step tells."""
    return {name: run.data.metrics[name] for name in {*run.data.metrics} - {SECONDS, PROCESSOR}}


@pytest.fixture(scope="module")
def recorded(project: Workspace) -> Recorded:
    """Run a search step with two trials, the second of which fails; give its run."""
    with step_run(
        "search", workspace=project, params={"seed": 1, "plain": {"knobs": {"width": 1.0}}}, learner="plain"
    ) as run:
        try_out(run, "trial-0", dropout=0.0, error=None)
        with pytest.raises(MemoryError):
            try_out(run, "trial-1", dropout=0.1, error=MemoryError("out of memory"))
        run.metrics({"best_val_f2": 0.5})
        run.tags({"igarape.best_trial": "trial-0"})
        run.log_of("fold3_")(2, {"val_f2": 0.25})
        run.table(pd.DataFrame({"trial": ["trial-0"], "score": [0.5]}), "trials.json")
        run.artifact(project.root / "dvc.lock")
        (project.root / "parts" / "deep").mkdir(parents=True)
        (project.root / "parts" / "deep" / "a.txt").write_text("a", encoding="utf-8")
        run.artifact(project.root / "parts", "kept")
    return mlflow.get_run(run.id)


def try_out(run: Run, name: str, *, dropout: float, error: BaseException | None) -> None:
    """Run a trial of three epochs that fails at the end when there is an error."""
    with run.trial(name, {"dropout": dropout, "width": 1.0}) as trial:
        for epoch in range(3):
            trial.log(epoch, {"loss": 1.0 - epoch / 10})
        if error:
            raise error


def trials(parent: Recorded) -> list[Recorded]:
    """Return the nested runs, in the order they were opened, which may be in the same millisecond."""
    nested = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    found: list[Recorded] = mlflow.search_runs(
        [parent.info.experiment_id],
        nested,
        order_by=["attributes.start_time", "attributes.run_name"],
        output_format="list",
    )
    return found


def test_a_steps_runs_lie_in_the_steps_experiment(recorded: Recorded) -> None:
    """igarape/STEP holds the runs of STEP; a learner's run has the learner's name."""
    experiment = mlflow.get_experiment(recorded.info.experiment_id)
    assert experiment.name == "igarape/search"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert recorded.info.run_name == "plain"
    assert recorded.info.status == "FINISHED"
    assert recorded.data.tags["igarape.step"] == "search"


def test_a_run_carries_its_parameters_by_dotted_names(recorded: Recorded) -> None:
    """Nested parameters are joined as they are written in the YAML."""
    assert recorded.data.params == {"seed": "1", "plain.knobs.width": "1.0"}


def test_a_run_carries_the_git_commit(project: Workspace, recorded: Recorded) -> None:
    """The commit is HEAD, and the run says that nothing tracked was changed since."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=project.root)
    assert recorded.data.tags["mlflow.source.git.commit"] == head.stdout.strip()
    assert recorded.data.tags["igarape.uncommitted_changes"] == "false"


def test_a_run_carries_the_data_sets_dvc_hashes_as_inputs(recorded: Recorded) -> None:
    """The digest is DVC's MD5 of the chips and the folds; other outputs of dvc.lock are no data set."""
    assert recorded.inputs is not None
    inputs = {given.dataset.name: given.dataset for given in recorded.inputs.dataset_inputs}
    assert {name: dataset.digest for name, dataset in inputs.items()} == {
        "data/ingest": "aaa.dir",
        "data/split": "bbb.dir",
    }
    assert inputs["data/split"].source_type == "dvc"
    assert json.loads(inputs["data/split"].source) == {"path": "data/split", "md5": "bbb.dir"}


def test_each_trial_is_a_nested_run_with_its_knobs_epochs_duration_and_status(recorded: Recorded) -> None:
    """A trial that failed is told apart from one that finished, and keeps its traceback."""
    first, second = trials(recorded)
    assert [first.info.run_name, second.info.run_name] == ["trial-0", "trial-1"]
    assert [first.info.status, second.info.status] == ["FINISHED", "FAILED"]
    assert first.data.params == {"dropout": "0.0", "width": "1.0"}
    history = mlflow.MlflowClient().get_metric_history(first.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 1.0), (1, 0.9), (2, 0.8)]
    assert first.info.end_time >= first.info.start_time
    assert "MemoryError: out of memory" in mlflow.artifacts.load_text(f"{second.info.artifact_uri}/traceback.txt")


def test_figures_tables_and_files_are_kept(recorded: Recorded) -> None:
    """What a step hands over can be looked at in MLflow."""
    assert figures(recorded) == {"best_val_f2": 0.5, "fold3_val_f2": 0.25}
    assert recorded.data.metrics[SECONDS] > 0
    assert recorded.data.tags["igarape.best_trial"] == "trial-0"
    table = mlflow.artifacts.load_dict(f"{recorded.info.artifact_uri}/trials.json")
    assert table == {"columns": ["trial", "score"], "data": [["trial-0", 0.5]]}
    kept = {item.path for item in mlflow.artifacts.list_artifacts(run_id=recorded.info.run_id)}
    assert kept == {"dvc.lock", "kept", "trials.json"}
    assert mlflow.artifacts.load_text(f"{recorded.info.artifact_uri}/kept/deep/a.txt") == "a"


def fail(here: Workspace, step: str, error: BaseException) -> None:
    """Run a step that fails."""
    with step_run(step, workspace=here, params={}):
        raise error


def test_a_step_that_fails_leaves_a_failed_run_with_its_traceback(project: Workspace) -> None:
    """The error goes on, and the run tells what happened."""
    with pytest.raises(InputError, match="chips are gone"):
        fail(project, "decide", InputError("the chips are gone"))
    (run,) = mlflow.search_runs(
        search_all_experiments=True, filter_string="tags.`igarape.step` = 'decide'", output_format="list"
    )
    assert run.info.status == "FAILED"
    assert "the chips are gone" in mlflow.artifacts.load_text(f"{run.info.artifact_uri}/traceback.txt")


def test_under_mlflow_run_the_step_joins_the_projects_run(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLFLOW_RUN_ID names a run that `mlflow run` has opened: no second one appears, and it gets the step's tags."""
    client = mlflow.MlflowClient()
    experiment = made("igarape/stack")
    opened = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    with step_run("stack", workspace=project, params={"seed": 1}) as run, run.trial("inner", {}):
        assert run.id == opened
    joined = client.get_run(opened)
    assert joined.info.status == "FINISHED"
    assert joined.info.run_name == "stack"
    assert joined.data.params == {"seed": "1"}
    assert len(client.search_runs([experiment])) == 2


def made(experiment: str) -> str:
    """Make an experiment in the database that MLflow uses; return its id."""
    return new_experiment(experiment, MlflowClient(), mlflow.get_tracking_uri())


def launched(step: str, entry: str = "launched", user: str = "ana", **params: str) -> str:
    """Open a run as `mlflow run` does before the step itself has begun; return its id."""
    client = MlflowClient()
    tags = {"mlflow.source.name": "/home/ana/igarape", "mlflow.project.entryPoint": entry, "mlflow.user": user}
    run: str = client.create_run(made(f"igarape/{step}"), tags=tags).info.run_id
    for name, value in params.items():
        client.log_param(run, name, value)
    return run


def test_a_run_whose_step_was_killed_before_it_began_is_killed_by_the_next(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `mlflow run` opened for the same step and learner; no other learner's, step's or user's."""
    dead = [launched("launched", experiment="plain"), launched("launched")]  # the second before it had its parameters
    others = [
        launched("launched", experiment="rare"),
        launched("launched", "other", experiment="plain"),
        launched("launched", user="bo", experiment="plain"),
    ]
    joined = launched("launched", experiment="plain")
    monkeypatch.setenv("MLFLOW_RUN_ID", joined)
    with step_run("launched", workspace=project, params={"seed": 1}, learner="plain") as run, run.trial("trial-0", {}):
        assert [mlflow.get_run(one).info.status for one in [*dead, *others]] == ["KILLED"] * 2 + ["RUNNING"] * 3
    assert [mlflow.get_run(one).info.end_time for one in dead] == [mlflow.get_run(one).info.start_time for one in dead]
    assert mlflow.get_run(joined).info.status == "FINISHED"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////dev/null/mlflow.db", "htp://127.0.0.1"])
def test_an_mlflow_that_does_not_answer_is_one_clear_error(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    """The error names the address, and what to do about it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match=f"^MLflow at {uri} does not answer.*unset MLFLOW_TRACKING_URI.*$") as told:
        fail(project, "train", ZeroDivisionError())
    assert "Background on this error" not in str(told.value)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"


def test_at_the_beginning_mlflow_has_seconds_and_later_nobody_waits_for_it(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow by itself tries for minutes: too long to be told of a typing error. Later each request is tried once."""
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    tries = []
    opening = mlflow.set_experiment

    def set_experiment(name: str) -> Any:
        tries.append(os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES"))
        return opening(name)

    monkeypatch.setattr(mlflow, "set_experiment", set_experiment)
    with step_run("train", workspace=project, params={}):
        tries.append(os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES"))
    assert tries == ["2", "0"]
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


@pytest.fixture
def lost(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let MLflow take nothing more than the opening of runs, until undone; nobody has much patience."""

    def fail(*_: Any, **__: Any) -> None:
        raise MlflowException("nobody listens")

    monkeypatch.setattr(tracking, "PATIENCE", 1.0)
    for name in ("LULL", "SHORTEST", "LONGEST"):
        monkeypatch.setattr(sender, name, 0.01)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("log_artifact", "log_artifacts", "set_terminated"):
            patch.setattr(MlflowClient, name, fail)
        yield patch


def unlucky(here: Workspace, step: str, error: BaseException | None = None) -> None:
    """Run a step whose figures do not get through; when there is an error, it fails besides."""
    with step_run(step, workspace=here, params={}, learner="plain") as run:
        run.metrics({"loss": 0.5})
        run.text("a", "a.txt")
        with run.trial("trial-0", {"dropout": 0.1}) as trial:
            trial.log(0, {"val_f2": 0.5})
        if error:
            raise error


def of(step: str) -> list[Recorded]:
    """Return the runs of a step, without nested ones."""
    found: list[Recorded] = mlflow.search_runs(
        search_all_experiments=True, filter_string=f"tags.`igarape.step` = '{step}'", output_format="list"
    )
    return found


def test_a_step_that_mlflow_does_not_hear_ends_with_one_clear_error_and_can_be_sent(
    project: Workspace, lost: pytest.MonkeyPatch
) -> None:
    """It says that the results are safe, what lies where, and how to send it; sending twice changes nothing."""
    with pytest.raises(
        InputError, match=r"nobody listens.*data/\.unsent/lost@plain.*igarape send.*safe under data/lost;"
    ):
        unlucky(project, "lost")
    with pytest.raises(InputError, match=r"nobody listens.* igarape send"):
        send_left(project)
    lost.undo()
    (said,) = send_left(project)
    assert ": 8 entries sent to MLflow at sqlite:///" in said
    (run,) = of("lost")
    (trial,) = trials(run)
    assert (run.info.status, trial.info.status) == ("FINISHED", "FINISHED")
    assert (figures(run), trial.data.metrics) == ({"loss": 0.5}, {"val_f2": 0.5})
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/a.txt") == "a"
    assert send_left(project) == []


def test_a_failure_is_not_hidden_by_a_lost_mlflow(project: Workspace, lost: pytest.MonkeyPatch) -> None:
    """The step's own error goes on, with a note of what lies unsent; the next run of the step sends that first."""
    with pytest.raises(ZeroDivisionError) as caught:
        unlucky(project, "failing", ZeroDivisionError())
    assert "igarape send" in caught.value.__notes__[0]
    lost.undo()
    with step_run("failing", workspace=project, params={}, learner="other"):
        assert [run.info.status for run in of("failing")] == ["RUNNING", "RUNNING"]
    with step_run("failing", workspace=project, params={}, learner="plain"):
        assert sorted(run.info.status for run in of("failing")) == ["FAILED", "FINISHED", "RUNNING"]
    assert send_left(project) == []


def test_wherever_a_outbox_ends_nothing_is_sent_twice_and_no_run_stays_open(
    project: Workspace, lost: pytest.MonkeyPatch
) -> None:
    """A killed process may leave any beginning of its outbox. All of them, one after the other, give the whole."""
    with pytest.raises(InputError):
        unlucky(project, "torn")
    (folder,) = outbox.left_behind(project.outbox, "torn@plain")
    lost.undo()
    lines = (folder / outbox.LINES).read_bytes().splitlines(keepends=True)
    statuses = []
    for count in range(1, len(lines) + 1):
        copy = folder.with_name(f"copy.{count}")
        shutil.copytree(folder, copy)
        (copy / outbox.LINES).write_bytes(b"".join(lines[:count]))
        send_left(project, "copy")
        (run,) = of("torn")
        statuses += [run.info.status, *(trial.info.status for trial in trials(run))]
    assert set(statuses) == {"KILLED", "FINISHED"}
    assert statuses[-2:] == ["FINISHED", "FINISHED"]
    (trial,) = trials(run)
    assert len(MlflowClient().get_metric_history(trial.info.run_id, "val_f2")) == 1
    send_left(project, "torn@plain")


def test_a_run_that_ended_before_its_result_had_its_place_is_not_finished_twice(
    project: Workspace, tmp_path: Path
) -> None:
    """Between the run's end and the result's last name a process can die: the next run stands for both."""
    for _ in range(2):
        with step_run("placed", workspace=project, params={}, notes=tmp_path):
            pass
    assert [run.info.status for run in of("placed")] == ["FINISHED", "KILLED"]  # the last comes first
    with step_run("placed", workspace=project, params={}, notes=tmp_path / "of another result"):
        pass
    assert [run.info.status for run in of("placed")] == ["FINISHED", "FINISHED", "KILLED"]


def refuse(here: Workspace) -> str:
    """Run a step with a metric whose name MLflow does not take; return the run's id."""
    with step_run("refused", workspace=here, params={}) as run:
        for name in ("good", "b\nad", "better"):
            run.metrics({name: 1.0})
    return run.id


def test_what_mlflow_refuses_costs_nothing_else(project: Workspace) -> None:
    """A name that MLflow does not take is left out with a warning; what stands beside it is there."""
    with pytest.warns(UserWarning, match="MLflow refuses metrics"):
        run_id = refuse(project)
    recorded = mlflow.get_run(run_id)
    assert figures(recorded) == {"good": 1.0, "better": 1.0}
    assert recorded.info.status == "FINISHED"


def write(here: Workspace, step: str, *names: str) -> str:
    """Run a step that logs texts; return the run's id."""
    with step_run(step, workspace=here, params={}) as run:
        for name in names:
            run.text("a", name)
    return run.id


def test_a_file_that_is_never_taken_costs_nothing_else(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy before MLflow may bound the size of files: the warning says which one, and the rest is there."""
    taking = MlflowClient.log_artifact

    def take(client: MlflowClient, run_id: str, path: str, folder: str | None = None) -> None:
        if path.endswith("large.txt"):
            answer = Response()
            answer.status_code = 413
            answer.raise_for_status()
        taking(client, run_id, path, folder)

    monkeypatch.setattr(MlflowClient, "log_artifact", take)
    with pytest.warns(UserWarning, match=r"MLflow refuses artifact of run .*413"):
        run_id = write(project, "large", "large.txt", "small.txt")
    assert [item.path for item in mlflow.artifacts.list_artifacts(run_id=run_id)] == ["small.txt"]
    assert mlflow.get_run(run_id).info.status == "FINISHED"


def three(here: Workspace, keys: list[str], *, notes: Path) -> None:
    """Run a step of three trials; put their keys into keys."""
    with step_run("deleted", workspace=here, params={}, learner="plain", notes=notes) as run:
        for name in ("trial-0", "trial-1", "trial-2"):
            with run.trial(name, {}) as trial:
                keys.append(trial.key)


def test_runs_that_somebody_has_deleted_stop_nothing(
    project: Workspace, lost: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither one that a dead process had left open, nor one that another run stands for, nor a trial."""
    keys: list[str] = []
    with pytest.raises(InputError):
        three(project, keys, notes=tmp_path)
    (folder,) = outbox.left_behind(project.outbox, "deleted@plain")
    lines = (folder / outbox.LINES).read_bytes().splitlines(keepends=True)
    lost.undo()
    (folder / outbox.LINES).write_bytes(b"".join(lines[:-1]))  # killed before it could end
    shutil.copytree(folder, folder.with_name("copy.1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exporter, "kill", lambda _exporter: 0)  # its own sender had sent all that, and closed nothing
        send_left(project, "copy")
    client = MlflowClient()
    (dead,) = of("deleted")
    nested = {run.info.run_name: run.info.run_id for run in trials(dead)}
    for run_id in (dead.info.run_id, nested["trial-1"]):
        client.delete_run(run_id)
    with (
        pytest.warns(
            UserWarning, match=rf"no run with igarape\.trial = {keys[1]} in this experiment, or it is deleted"
        ),
        step_run("deleted", workspace=project, params={}, learner="plain", notes=tmp_path) as run,
    ):
        run.adopt(keys)
    assert [trial.info.run_name for trial in trials(mlflow.get_run(run.id))] == ["trial-0", "trial-2"]
    client.delete_run(run.id)
    with step_run("deleted", workspace=project, params={}, learner="plain", notes=tmp_path) as last:
        pass
    assert [run.info.run_id for run in of("deleted")] == [last.id]


def test_a_outbox_that_was_removed_in_part_is_sent_again(project: Workspace, lost: pytest.MonkeyPatch) -> None:
    """What was sent loses the copies of its files first: a kill then leaves lines that name files that are gone."""
    with pytest.raises(InputError):
        unlucky(project, "removed")
    (folder,) = outbox.left_behind(project.outbox, "removed@plain")
    lost.undo()
    shutil.rmtree(folder / outbox.COPIES)
    with pytest.warns(UserWarning, match=r"a\.txt is gone"):
        send_left(project)
    assert [run.info.status for run in of("removed")] == ["FINISHED"]


def test_a_run_whose_opening_fails_is_closed_by_the_next(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow may go between the opening of a run and what is told of it at once."""

    def fail_once(*_: Any) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Exporter, "describe", fail_once)
    with pytest.raises(KeyboardInterrupt):
        fail(project, "interrupted", ZeroDivisionError())
    assert [run.info.status for run in of("interrupted")] == ["RUNNING"]
    with step_run("interrupted", workspace=project, params={}):
        pass
    assert sorted(run.info.status for run in of("interrupted")) == ["FINISHED", "KILLED"]


def test_what_lies_unsent_goes_to_where_the_next_run_tracks(
    project: Workspace, lost: pytest.MonkeyPatch, tmp_path: Path, empty_database: Path
) -> None:
    """The MLflow that a step goes on at has all that was told before, also when its address is another one now."""
    keys = []
    with (
        pytest.raises(InputError),
        step_run("moved", workspace=project, params={}, learner="plain") as dead,
        dead.trial("one", {}) as one,
    ):
        keys.append(one.key)
    lost.undo()
    shutil.copy(empty_database, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
        with step_run("moved", workspace=project, params={}, learner="plain") as run:
            run.adopt(keys)
        (trial,) = trials(mlflow.get_run(run.id))
        assert (trial.info.run_name, trial.info.status) == ("one", "FINISHED")
    assert send_left(project) == []


def test_more_than_one_request_takes_is_sent_in_several(project: Workspace) -> None:
    """MLflow takes 1,000 metrics and 100 parameters or tags at once."""
    with step_run("many", workspace=project, params={f"p{k}": k for k in range(150)}) as run:
        for epoch in range(300):
            run.log(epoch, {f"m{k}": epoch for k in range(5)})
        run.tags({f"t{k}": "x" for k in range(150)})
    recorded = mlflow.get_run(run.id)
    assert len(recorded.data.params) == 150
    assert {f"t{k}" for k in range(150)} <= set(recorded.data.tags)
    assert [point.step for point in MlflowClient().get_metric_history(run.id, "m4")] == list(range(300))


KILLED = """
import time
from pathlib import Path
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

with step_run("killed", workspace=Workspace(Path()), params={}, learner="plain") as run:
    with run.trial("trial-0", {"dropout": 0.5}) as trial:
        trial.log(0, {"loss": 1.0})
    with run.trial("trial-1", {}) as unfinished, run.trial("trial-2", {}) as last:
        unfinished.log(0, {"loss": 2.0})
        print(run.id, trial.key, last.key, flush=True)
        time.sleep(60)
"""


def test_after_kill_9_the_next_run_closes_what_was_open_and_takes_what_was_finished(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's run and the open trial are KILLED; what is adopted is finished; who is at work, stays."""
    client = MlflowClient()
    opened = client.create_run(made("igarape/killed")).info.run_id
    with step_run("killed", workspace=project, params={}, learner="plain") as neighbour:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED],
            cwd=project.root,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"MLFLOW_RUN_ID": opened},
        )
        assert process.stdout is not None
        run_id, *keys = process.stdout.readline().split()
        process.kill()
        process.wait()
        process.stdout.close()
        assert run_id == opened
        with step_run("killed", workspace=project, params={}, learner="plain") as run:
            run.adopt(keys)
        assert mlflow.get_run(neighbour.id).info.status == "RUNNING"
    old, new = mlflow.get_run(opened), mlflow.get_run(run.id)
    assert (old.info.status, new.info.status) == ("KILLED", "FINISHED")
    (unfinished,), (adopted, last) = trials(old), trials(new)
    assert (unfinished.info.run_name, unfinished.info.status) == ("trial-1", "KILLED")
    assert unfinished.data.metrics == {"loss": 2.0}
    assert unfinished.info.end_time == old.info.end_time <= new.info.start_time
    assert (adopted.info.run_name, adopted.info.status) == ("trial-0", "FINISHED")
    assert (adopted.data.metrics, adopted.data.params) == ({"loss": 1.0}, {"dropout": "0.5"})
    # The step knew that it was finished, and died before it could say so.
    assert (last.info.run_name, last.info.status) == ("trial-2", "FINISHED")


@pytest.fixture
def away(tmp_path: Path) -> Workspace:
    """Give a project without a database of its own."""
    (tmp_path / "work").mkdir()
    return Workspace(tmp_path / "work")


@pytest.fixture
def server(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Give a server that is not started yet, and that steps track to."""
    (tmp_path / "server").mkdir()
    shutil.copy(empty_database, tmp_path / "server")
    started = Server(tmp_path / "server")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.uri)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    yield started
    started.stop()


def work(run: Run, name: str) -> dict[str, tuple[float, float]]:
    """Run a trial of twenty epochs and say what was found; return between which times each part happened, in ms."""
    start = time.time() * 1000
    with run.trial(name, {"dropout": 0.1, "loss": "focal"}) as trial:
        for epoch in range(20):
            trial.log(epoch, {"loss": 1 / (epoch + 1), "val_f2": epoch / 20})
        trial.text(f"<p>{name}", "pages/trial.html")
        end = time.time() * 1000
    run.tags({"igarape.best_trial": name})
    run.table(pd.DataFrame({"trial": [name]}), f"{name}.json")
    run.log(0, {f"{name}_score": 0.5})
    return {name: (start, end)}


def check_trial(trial: Recorded, times: tuple[float, float]) -> None:
    """Compare a trial's run with what work logged, and when it did."""
    start, end = times[0] - 1, times[1] + 1
    assert trial.info.status == "FINISHED"
    assert trial.data.params == {"dropout": "0.1", "loss": "focal"}
    history = MlflowClient().get_metric_history(trial.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(epoch, 1 / (epoch + 1)) for epoch in range(20)]
    moments = [trial.info.start_time, *(point.timestamp for point in history)]
    assert moments == sorted(moments)
    assert start <= moments[0] and moments[-1] <= end
    assert trial.info.end_time - moments[-1] < 2000
    page = mlflow.artifacts.load_text(f"{trial.info.artifact_uri}/pages/trial.html")
    assert page == f"<p>{trial.info.run_name}"


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_server_that_is_away_in_mid_step_costs_nothing(
    away: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step goes on as if it were there, and all is on record at the end, in order, as of when it happened."""
    monkeypatch.setattr(tracking, "PATIENCE", 300.0)  # on a busy machine a server takes a minute to start
    server.start()
    with step_run("search", workspace=away, params={"seed": 1}, learner="plain") as run:
        times = work(run, "before")
        server.stop()
        gone = time.monotonic()
        times |= work(run, "without")
        assert (
            time.monotonic() - gone < 2
        )  # sixty calls, some of which wait for the disk; MLflow alone would take minutes
        time.sleep(8)  # long enough for the sender to have tried a few times, in vain
        times |= work(run, "later")
        server.start(wait=False)
        times |= work(run, "after")
    recorded = mlflow.get_run(run.id)
    assert recorded.info.status == "FINISHED"
    assert figures(recorded) == {f"{name}_score": 0.5 for name in times}
    assert recorded.data.tags["igarape.best_trial"] == "after"
    tables = mlflow.artifacts.list_artifacts(run_id=run.id)
    assert {table.path for table in tables} == {f"{name}.json" for name in times}
    nested = trials(recorded)
    assert [trial.info.run_name for trial in nested] == list(times)
    for trial in nested:
        check_trial(trial, times[trial.info.run_name])
    assert recorded.info.end_time >= nested[-1].info.end_time
    assert list(away.outbox.iterdir()) == []


def abandoned(here: Workspace, server: Server, learner: str, times: dict[str, tuple[float, float]]) -> None:
    """Run a step in whose middle the server goes for good; put the times into times."""
    with step_run("search", workspace=here, params={}, learner=learner) as run:
        times |= work(run, "before")
        server.stop()
        times |= work(run, "without")


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_with_the_server_gone_for_good_all_is_kept_and_sent_later(
    away: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`igarape send` sends it, and so does the next run of the step; either way it is there once."""
    monkeypatch.setattr(tracking, "PATIENCE", 2.0)
    times: dict[str, dict[str, tuple[float, float]]] = {"plain": {}, "rare": {}}
    for learner, each in times.items():
        server.start()
        with pytest.raises(InputError, match=r"could not be sent.*igarape send\. What.*safe under data/search;"):
            abandoned(away, server, learner, each)
    with pytest.raises(InputError, match=r"does not answer.*igarape send.*data/\.unsent/search@plain"):
        send.run(away)
    server.start()
    with step_run("search", workspace=away, params={}, learner="rare"):
        pass
    capsys.readouterr()
    send.run(away)
    send.run(away)
    sent, nothing = [line for line in capsys.readouterr().out.splitlines() if "View" not in line]
    assert sent.startswith("search@plain.") and f"entries sent to MLflow at {server.uri}" in sent
    assert nothing == "nothing lies unsent"
    for learner, each in times.items():
        recorded, *_ = sorted(named(learner), key=lambda run: run.info.start_time)
        assert recorded.info.status == "FINISHED"
        nested = trials(recorded)
        assert [trial.info.run_name for trial in nested] == list(each)
        for trial in nested:
            check_trial(trial, each[trial.info.run_name])


def named(learner: str) -> list[Recorded]:
    """Return the runs of a learner."""
    return [run for run in of("search") if run.info.run_name == learner]


@pytest.mark.parametrize("launched_by_mlflow", [False, True])
def test_a_deleted_experiment_is_said_with_the_command_that_restores_it(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, launched_by_mlflow: bool
) -> None:
    """MLflow keeps a deleted experiment's name. The command, as it is printed, brings it back."""
    step = f"restored{launched_by_mlflow}"
    run = launched(step)
    number = mlflow.get_run(run).info.experiment_id
    if launched_by_mlflow:
        monkeypatch.setenv("MLFLOW_RUN_ID", run)
    MlflowClient().delete_experiment(number)
    with pytest.raises(InputError, match=f"experiment igarape/{step} is deleted") as caught:
        write(project, step)
    advice = str(caught.value).rpartition("To restore it: mlflow experiments ")[2]
    assert advice == f"restore -x {number}"
    done = CliRunner().invoke(experiments, advice.split())
    assert done.exit_code == 0, done.output
    assert mlflow.get_run(write(project, step, "a.txt")).info.status == "FINISHED"


def test_a_step_in_a_copy_of_dvcs_is_on_record_in_the_project(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlflow run` opened a run in the copy's database, which goes with the copy; what lies unsent is the project's."""
    copy = tmp_path / ".dvc/tmp/exps/standalone/tmpa1"
    copy.mkdir(parents=True)
    for folder in (tmp_path, copy):
        shutil.copy(empty_database, folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{copy}/mlflow.db")
    monkeypatch.setenv("MLFLOW_RUN_ID", launched("decide"))
    with step_run("decide", workspace=Workspace(copy), params={"seed": 1}) as run:
        run.text("a", "a.txt")
        assert len(list((tmp_path / "data/.unsent").glob("decide.*/outbox.jsonl"))) == 1
    shutil.rmtree(tmp_path / ".dvc")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    recorded = mlflow.get_run(run.id)
    assert recorded.info.status == "FINISHED"
    assert mlflow.artifacts.load_text(f"{recorded.info.artifact_uri}/a.txt") == "a"


def test_what_lies_unsent_in_a_project_that_moved_is_sent_to_where_it_is_now(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outbox names the database at its old place."""
    before, after = Workspace(tmp_path / "p"), Workspace(tmp_path / "q")
    before.root.mkdir()
    shutil.copy(empty_database, before.root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begun = outbox.Outbox.begin(before.outbox / "decide.1")
    opened: dict[str, Any] = {
        "experiment": "igarape/decide",
        "id": None,
        "parent": None,
        "name": "decide",
        "params": {},
        "tags": {},
    }
    begun.append("open", "0af7", uri=f"sqlite:///{tmp_path}/p/mlflow.db", **opened)
    begun.close(remove=False)
    before.root.rename(after.root)
    uri = f"sqlite:///{tmp_path}/q/mlflow.db"
    assert send_left(after) == [f"decide.1: 1 entry sent to MLflow at {uri}; closed as KILLED: 1 run"]
    assert not before.root.exists()
