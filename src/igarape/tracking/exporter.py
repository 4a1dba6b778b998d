"""What takes an outbox's entries to MLflow, so that each is there once, however often it is sent."""

import json
import math
import warnings
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    Param,
    Run,
    RunTag,
    ViewType,
)
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from requests import HTTPError

from igarape.tracking.address import TIMEOUT, environment, new_experiment
from igarape.tracking.lineage import Lineage
from igarape.tracking.outbox import Entry, seconds_for
from igarape.tracking.run import TRIAL

# Without it MLflow's pages open on traces of language models.
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
STEP, PARENT = "igarape.run", "mlflow.parentRunId"
LAUNCHED = ("mlflow.source.name", "mlflow.project.entryPoint", "mlflow.user")  # where, what and by whom
# What no second try mends: errors of MLflow's, and statuses that what stands before it answers to a file.
REFUSED = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
TOO_MUCH = {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
DIGITS = 36  # of a data set's digest that MLflow keeps
LIMITS = {"metrics": 1000, "params": 100, "tags": 100}  # of one request


class Exporter:
    """Takes outbox entries to MLflow. What comes twice counts once: runs carry our keys, metrics their times."""

    def __init__(self, folder: Path, uri: str) -> None:
        """Take entries from the outbox of a folder to the MLflow at an address."""
        self.ids: dict[str, str] = {}  # MLflow's by ours, in the order they were opened
        self._ended: set[str] = set()
        self._latest = 0
        self._folder = folder
        self._uri = uri
        self._client = MlflowClient(uri)

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries of one kind and run; what MLflow refuses for good is left out with a warning."""
        kind, run = entries[0]["op"], entries[0]["run"]
        if kind != "open" and run not in self.ids:
            warnings.warn(f"{self._folder}: the line that opened run {run} is lost, and so is its {kind}", stacklevel=2)
            return
        try:
            getattr(self, f"_{kind}")(*entries)
        except (MlflowException, HTTPError) as error:
            if not _refused(error) or run not in self.ids:
                raise
            if len(entries) == 1:
                warnings.warn(f"MLflow refuses {kind} of run {self.ids[run]}: {error}", stacklevel=2)
            else:
                for entry in entries:
                    self.send([entry])
        self._latest = entries[-1]["time"]

    def kill(self) -> int:
        """Close the runs that a dead process left open, as of its last sign of life; return how many."""
        left = [self.ids[run] for run in reversed(self.ids) if run not in self._ended]
        running = [run for run in left if _is(self._client.get_run(run), "RUNNING")]
        for run in running:
            self._client.set_terminated(run, "KILLED", self._latest)
        return len(running)

    def clear(self, joined: Run) -> None:
        """Close as KILLED the runs that `mlflow run` has opened as it did this one, and whose step never began.

        Nothing tells such a run from one whose step is about to begin in the same folder; that ends it as it should be.
        """
        params = joined.data.params.items()
        for run in self._client.search_runs([joined.info.experiment_id], "attributes.status = 'RUNNING'"):
            tags = run.data.tags
            alike = all(tags.get(name) == joined.data.tags.get(name) for name in LAUNCHED)
            if alike and not {STEP, TRIAL} & set(tags) and run.data.params.items() <= params:
                self._client.set_terminated(run.info.run_id, "KILLED", run.info.start_time)

    def replace(self, run: str) -> None:
        """Mark a finished run as KILLED: its process died before its result had its place, so another run follows."""
        known = known_run(self._client, run)
        if known and _is(known, "FINISHED"):
            self._client.set_terminated(run, "KILLED", known.info.end_time)

    def describe(self, key: str, come_from: Lineage) -> None:
        """Log the data sets that a step's run saw, and say of what kind its experiment is."""
        run = self._client.get_run(self.ids[key])
        self._set_kind(run.info.experiment_id)
        self._client.log_inputs(self.ids[key], [_input(path, md5) for path, md5 in come_from.data.items()])

    def _set_kind(self, experiment: str) -> None:
        """Say of what kind an experiment is; of two that do so for the first time at once, MLflow refuses one."""

        def known() -> bool:
            return self._client.get_experiment(experiment).tags.get(KIND_TAG) == KIND

        if not known():
            try:
                self._client.set_experiment_tag(experiment, KIND_TAG, KIND)
            except MlflowException:
                if not known():
                    raise

    def _open(self, entry: Entry) -> None:
        """Open a run, unless it is there: `mlflow run` has opened it, or this was sent before."""
        tags = entry["tags"] | {"mlflow.runName": entry["name"]}
        if entry["parent"]:
            tags[PARENT] = self.ids[entry["parent"]]
        experiment = self._experiment(entry["experiment"])
        run = entry["id"] if entry["id"] and known_run(self._client, entry["id"]) else None
        if not run:
            found = self._found(experiment, TRIAL if entry["parent"] else STEP, entry["run"])
            run = (found or self._client.create_run(experiment, entry["time"], tags)).info.run_id
        self.ids[entry["run"]] = run
        if run == entry["id"]:
            self._log(entry, tags=[RunTag(name, value) for name, value in tags.items()])
        self._log(entry, params=[Param(name, value) for name, value in entry["params"].items()])

    def _experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made where it is missing."""
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id) if found else new_experiment(name, self._client, self._uri)

    def _found(self, experiment: str, tag: str, key: str) -> Run | None:
        """Return the run that carries our key, also one that somebody has deleted."""
        found = self._client.search_runs([experiment], f"tags.`{tag}` = '{key}'", ViewType.ALL, max_results=1)
        return found[0] if found else None

    def _log(self, entry: Entry, **items: list[Any]) -> None:
        """Log metrics, params or tags, no more in one request than MLflow takes."""
        for kind, every in items.items():
            for first in range(0, len(every), LIMITS[kind]):
                some = every[first : first + LIMITS[kind]]
                self._client.log_batch(self.ids[entry["run"]], **{kind: some}, synchronous=True)

    def _metrics(self, *entries: Entry) -> None:
        """Log metrics at the times at which they were handed over."""
        every = [
            Metric(name, value, entry["time"], entry["step"])
            for entry in entries
            for name, value in entry["values"].items()
        ]
        self._log(entries[0], metrics=every)

    def _tags(self, *entries: Entry) -> None:
        """Set tags."""
        for entry in entries:
            self._log(entry, tags=[RunTag(name, value) for name, value in entry["values"].items()])

    def _artifact(self, *entries: Entry) -> None:
        """Log files and folders."""
        for entry in entries:
            path, run = self._folder / entry["path"], self.ids[entry["run"]]
            if not path.exists():  # an outbox that was sent loses its copies first; killed then, it is sent again
                warnings.warn(f"{path} is gone: run {run} has it already, or stays without", stacklevel=2)
                continue
            log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
            usual: int = MLFLOW_HTTP_REQUEST_TIMEOUT.get()  # type: ignore[no-untyped-call]
            with environment(TIMEOUT, str(usual + math.ceil(seconds_for(self._folder, [entry])))):
                log(run, str(path), entry["folder"])

    def _inputs(self, *entries: Entry) -> None:
        """Log what a run has read; MLflow takes the same one twice as one."""
        for entry in entries:
            found = [
                DatasetInput(
                    Dataset(name, digest[:DIGITS], entry["kind"], json.dumps({"name": name, "digest": digest})),
                    [InputTag("mlflow.data.context", entry["kind"])],
                )
                for name, digest in entry["digests"].items()
            ]
            for first in range(0, len(found), LIMITS["params"]):
                self._client.log_inputs(self.ids[entry["run"]], found[first : first + LIMITS["params"]])

    def _adopt(self, *entries: Entry) -> None:
        """Hang nested runs under another parent."""
        for entry in entries:
            experiment = self._experiment(entry["experiment"])
            for key in entry["keys"]:
                found = self._found(experiment, TRIAL, key)
                if found is None or found.info.lifecycle_stage != LifecycleStage.ACTIVE:
                    lost = f"MLflow has no run with {TRIAL} = {key} in this experiment, or it is deleted"
                    warnings.warn(f"{lost}: that trial stands in the table of all trials only", stacklevel=2)
                    continue
                self._client.set_tag(found.info.run_id, PARENT, self.ids[entry["run"]])
                if _is(found, "KILLED"):  # after its last word, before its end
                    self._client.set_terminated(found.info.run_id, "FINISHED", found.info.end_time)

    def _end(self, entry: Entry) -> None:
        """End a run."""
        self._client.set_terminated(self.ids[entry["run"]], entry["status"], entry["time"])
        self._ended.add(entry["run"])


def known_run(client: MlflowClient, run: str) -> Run | None:
    """Return what MLflow has of a run; None on a server that does not know it."""
    try:
        return client.get_run(run)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _is(run: Run, status: str) -> bool:
    """Say whether a run has a status, and can have another: one that somebody has deleted takes nothing."""
    return run.info.lifecycle_stage == LifecycleStage.ACTIVE and run.info.status == status


def _refused(error: MlflowException | HTTPError) -> bool:
    """Say whether something will never be taken."""
    if isinstance(error, MlflowException):
        return error.error_code in REFUSED
    return error.response is not None and error.response.status_code in TOO_MUCH


def _input(path: str, md5: str) -> DatasetInput:
    """Describe a DVC output as an MLflow dataset: its path, and DVC's MD5 as the digest."""
    source = json.dumps({"path": path, "md5": md5})
    dataset = Dataset(name=path, digest=md5, source_type="dvc", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
