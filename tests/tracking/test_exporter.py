"""What takes an outbox's entries to MLflow, against a real database."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from igarape.tracking import outbox
from igarape.tracking.exporter import STEP, Exporter

Send = Callable[..., Run]


@pytest.fixture
def send(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Give what sends an opened run and entries of it, by an exporter of its own each time, and returns the run."""
    shutil.copy(empty_database, tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    def by_itself(*entries: dict[str, Any]) -> Run:
        exporter = Exporter(tmp_path, uri)
        opened = {"experiment": "igarape/search", "id": None, "parent": None, "name": "plain", "tags": {STEP: "key"}}
        for entry in (
            {"op": "open", "time": 1, "params": {}} | opened,
            *entries,
            {"op": "end", "time": 9, "status": "FINISHED"},
        ):
            exporter.send([{"run": "key"} | entry])
        return mlflow.get_run(exporter.ids["key"])

    return by_itself


def metrics(**values: float) -> dict[str, Any]:
    """Return an entry of metrics at epoch 0."""
    return {"op": "metrics", "time": 5, "step": 0, "values": values}


def test_what_is_sent_twice_is_there_once(send: Send) -> None:
    """A process may die after MLflow has heard it and before it knows that."""
    first = send(metrics(loss=0.5), {"op": "tags", "time": 6, "values": {"igarape.best_trial": "trial-0"}})
    again = send(metrics(loss=0.5), metrics(loss=0.25))
    assert again.info.run_id == first.info.run_id
    assert (again.info.start_time, again.info.end_time) == (1, 9)
    history = MlflowClient().get_metric_history(first.info.run_id, "loss")
    assert sorted((point.timestamp, point.value) for point in history) == [(5, 0.25), (5, 0.5)]
    assert len(mlflow.search_runs(experiment_names=["igarape/search"], output_format="list")) == 1


def test_only_a_finished_run_is_replaced(send: Send, tmp_path: Path) -> None:
    """It becomes KILLED and keeps its end; a failed one tells more as it is, and an unknown one is no error."""
    run = send()
    exporter = Exporter(tmp_path, mlflow.get_tracking_uri())
    for status, becomes in (("FAILED", "FAILED"), ("FINISHED", "KILLED")):
        MlflowClient().set_terminated(run.info.run_id, status, end_time=7)
        exporter.replace(run.info.run_id)
        assert mlflow.get_run(run.info.run_id).info.status == becomes
        assert mlflow.get_run(run.info.run_id).info.end_time == 7
    exporter.replace("0" * 32)


def test_a_run_to_adopt_that_is_not_there_is_a_warning(send: Send) -> None:
    """Somebody removed it from the database: the search is not less for it."""
    with pytest.warns(UserWarning, match=r"MLflow has no run with igarape\.trial = gone"):
        send({"op": "adopt", "time": 2, "experiment": "igarape/search", "keys": ["gone"]})


def test_two_may_say_at_once_of_what_kind_an_experiment_is(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow refuses the one that comes second, which is no loss; where nobody has said so, the refusal is an error."""
    experiment = send().info.experiment_id
    exporter = Exporter(tmp_path, mlflow.get_tracking_uri())
    real = MlflowClient.set_experiment_tag

    def refuse(*_: object) -> None:
        raise MlflowException("UNIQUE constraint failed")

    def overtaken(self: MlflowClient, *words: str) -> None:
        real(self, *words)
        refuse()

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_experiment_tag", refuse)
        with pytest.raises(MlflowException, match="UNIQUE"):
            exporter._set_kind(experiment)
        patch.setattr(MlflowClient, "set_experiment_tag", overtaken)
        exporter._set_kind(experiment)
    assert MlflowClient().get_experiment(experiment).tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_request_with_a_large_file_may_take_longer(
    send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server answers when its store has the file; other requests keep their time."""
    seen = []
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
    monkeypatch.setattr(outbox, "RATE", 100.0)
    monkeypatch.setattr(MlflowClient, "log_artifact", lambda *_: seen.append(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]))
    (tmp_path / "model").write_bytes(b"x" * 2000)
    send({"op": "artifact", "time": 5, "path": "model", "folder": None})
    assert (seen, os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) == (["35"], "15")
