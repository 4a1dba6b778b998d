"""What MLflow remembers of a step. A journal stands between, so that a slow or a lost MLflow costs no work."""

import json
import os
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from igarape.errors import InputError
from igarape.files import read_json, write_json
from igarape.journal import Courier, Entry, Journal, deliver, left_behind
from igarape.lineage import Lineage, lineage
from igarape.record import TRIAL, Log, Run, Trial, texts

__all__ = ["Lineage", "Log", "Run", "Trial", "lineage", "send_left", "step_run"]

SPOOL = Path("data/.unsent")
# How long the end of a step waits for an MLflow that takes nothing: about as long as it takes to start one again.
PATIENCE = 60.0  # seconds
KIND = "custom_model_development"  # without it MLflow's pages open on traces of language models
STEP, PARENT = "igarape.run", "mlflow.parentRunId"
ATTEMPT = "run.json"  # in a step's notes: its last run
RETRIES, TIMEOUT = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"
REFUSED = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}  # errors of MLflow's that no second try mends
LIMITS = {"metrics": 1000, "params": 100, "tags": 100}  # of one request


class _Post:
    """Takes journal entries to MLflow. What comes twice counts once: runs carry our keys, metrics their times."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.ids: dict[str, str] = {}  # MLflow's by ours, in the order they were opened
        self._ended: set[str] = set()
        self._latest = 0
        self._folder = folder
        self._client = MlflowClient(uri)

    def send(self, entries: Sequence[Entry]) -> None:
        """Send entries of one kind and run; what MLflow refuses for good is left out with a warning."""
        kind, run = entries[0]["op"], entries[0]["run"]
        try:
            getattr(self, f"_{kind}")(*entries)
        except MlflowException as error:
            if error.error_code not in REFUSED or run not in self.ids:
                raise
            if len(entries) == 1:
                warnings.warn(f"MLflow refuses {kind} of run {self.ids[run]}: {error.message}", stacklevel=2)
            else:
                for entry in entries:
                    self.send([entry])
        self._latest = entries[-1]["time"]

    def kill(self) -> int:
        """Close the runs that a dead process left open, as of its last sign of life; return how many."""
        left = [self.ids[run] for run in reversed(self.ids) if run not in self._ended]
        running = [run for run in left if self._client.get_run(run).info.status == "RUNNING"]
        for run in running:
            self._client.set_terminated(run, "KILLED", self._latest)
        return len(running)

    def replace(self, run: str) -> None:
        """Mark a finished run as KILLED: its process died before its result had its place, so another run follows."""
        info = self._client.get_run(run).info if self._known(run) else None
        if info and info.status == "FINISHED":
            self._client.set_terminated(run, "KILLED", info.end_time)

    def describe(self, key: str, come_from: Lineage) -> None:
        """Log the data sets that a step's run saw, and say of what kind its experiment is."""
        run = self._client.get_run(self.ids[key])
        self._client.set_experiment_tag(run.info.experiment_id, "mlflow.experimentKind", KIND)
        self._client.log_inputs(self.ids[key], [_input(path, md5) for path, md5 in come_from.data.items()])

    def _open(self, entry: Entry) -> None:
        """Open a run, unless it is there: `mlflow run` has opened it, or this was sent before."""
        tags = entry["tags"] | {"mlflow.runName": entry["name"]}
        if entry["parent"]:
            tags[PARENT] = self.ids[entry["parent"]]
        experiment = self._experiment(entry["experiment"])
        run = self._known(entry["id"]) or self._found(experiment, TRIAL if entry["parent"] else STEP, entry["run"])
        run = run or self._client.create_run(experiment, entry["time"], tags).info.run_id
        self.ids[entry["run"]] = run
        if run == entry["id"]:
            self._log(entry, tags=[RunTag(name, value) for name, value in tags.items()])
        self._log(entry, params=[Param(name, value) for name, value in entry["params"].items()])

    def _experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made where it is missing."""
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id) if found else self._client.create_experiment(name)

    def _known(self, run: str | None) -> str | None:
        """Return the run; None without one, and on a server that does not know it."""
        try:
            return run and str(self._client.get_run(run).info.run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None

    def _found(self, experiment: str, tag: str, key: str) -> str | None:
        """Return the run that carries our key, also one that somebody has deleted."""
        found = self._client.search_runs([experiment], f"tags.`{tag}` = '{key}'", ViewType.ALL, max_results=1)
        return found[0].info.run_id if found else None

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
            log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
            log(run, str(path), entry["folder"])

    def _adopt(self, *entries: Entry) -> None:
        """Hang nested runs under another parent."""
        for entry in entries:
            experiment = self._experiment(entry["experiment"])
            for key in entry["keys"]:
                if found := self._found(experiment, TRIAL, key):
                    self._client.set_tag(found, PARENT, self.ids[entry["run"]])
                    if self._client.get_run(found).info.status == "KILLED":  # after its last word, before its end
                        self._client.set_terminated(found, "FINISHED")
                else:
                    warnings.warn(f"MLflow has no run with {TRIAL} = {key}: it stays without", stacklevel=2)

    def _end(self, entry: Entry) -> None:
        """End a run."""
        self._client.set_terminated(self.ids[entry["run"]], entry["status"], entry["time"])
        self._ended.add(entry["run"])


@contextmanager
def step_run(
    step: str, *, params: Mapping[str, Any], learner: str | None = None, notes: Path | None = None
) -> Iterator[Run]:
    """Open the MLflow run of a step in the experiment igarape/STEP, with its parameters, commit and data sets.

    Under `mlflow run` it joins the project's run. params may be nested: names are joined by dots. A step that fails
    leaves a FAILED run with its traceback. What a dead process of this step and learner left unsent is sent first, and
    the runs that it left open are closed as KILLED. notes: a folder that a step leaves behind when it dies before its
    result has its place (files.resumable); a run that it finished all the same is KILLED too.
    Raises InputError when MLflow does not answer at the beginning, or when, at the end, it has taken nothing for
    PATIENCE seconds.
    """
    place = f"{step}@{learner}" if learner else step
    uri = mlflow.get_tracking_uri()
    advice = "Start it, or unset MLFLOW_TRACKING_URI to track into mlflow.db of this folder"
    with _answering(uri, advice, retries="2"):
        experiment, joined = _experiment(step)
    with _environment(RETRIES, "0"):  # the courier tries again; MLflow's own second try might open a run twice
        with _answering(uri, advice, retries="0"):
            send_left(place, to=uri)
            entry = {"experiment": experiment, "id": joined, "parent": None, "name": learner or step, "uri": uri}
            run, courier = _opened(step, place, entry | {"params": texts(params)}, notes)
        try:
            with run.ended():
                yield run
        except BaseException as error:
            if unsent := courier.settle(PATIENCE):
                error.add_note(f"MLflow at {uri}: {unsent}")
            raise
        if unsent := courier.settle(PATIENCE):
            kept = f"What the step has made is safe under data/{step}; run it again, and it goes on from there"
            raise InputError(f"MLflow at {uri}: {unsent} {kept}")


def _opened(step: str, place: str, entry: Entry, notes: Path | None) -> tuple[Run, Courier]:
    """Begin the journal with the step's run, send that, and put the rest into a courier's hands."""
    key, come_from, context = uuid.uuid4().hex, lineage(), resolve_tags()
    journal = Journal.begin(SPOOL / f"{place}.{datetime.now(UTC):%Y%m%dT%H%M%S}-{key[:8]}")
    tags = come_from.tags() | {"igarape.step": step, STEP: key}
    try:
        post = _Post(journal.folder, entry["uri"])
        journal.append("open", key, durable=True, **entry, tags=tags if entry["id"] else context | tags)
        deliver(journal, post.send)
        post.describe(key, come_from)
        if notes:
            if (notes / ATTEMPT).exists():
                post.replace(read_json(notes / ATTEMPT)["run_id"])
            write_json({"run_id": post.ids[key]}, notes / ATTEMPT)
    except BaseException:
        journal.close(remove=True)
        raise
    run = Run(journal, key, run_id=post.ids[key], experiment=entry["experiment"], trial_tags=context)
    return run, Courier(journal, post.send)


def send_left(place: str = "*", *, to: str | None = None) -> list[str]:
    """Send what dead processes left in the journals of a place, and close the runs they left open as KILLED.

    place: STEP or STEP@LEARNER; * is all. to: send only what belongs to this MLflow. By default each journal goes to
    the MLflow at which its step began, or to MLFLOW_TRACKING_URI where that is set. Returns a sentence for each.
    Raises InputError, after it has tried all, when some could not be sent; those stay.
    """
    said, failed = [], []
    for folder in left_behind(SPOOL, place):
        journal = Journal.take_over(folder)
        if journal is None:
            said.append(f"{folder.name}: still at work; its step sends by itself")
            continue
        done = False
        try:
            done, sentence = _sent(journal, to)
            said.append(sentence)
        except InputError as error:
            failed.append(str(error))
        finally:
            journal.close(remove=done)
    if failed:
        raise InputError("\n".join([*said, *failed]))
    return said


def _sent(journal: Journal, to: str | None) -> tuple[bool, str]:
    """Send a dead process's journal; say whether, and what was sent."""
    name = journal.folder.name
    entries, _ = journal.batch()
    if not entries:
        return True, f"{name}: empty"
    uri = entries[0]["uri"]
    if to not in {None, uri}:
        return False, f"{name}: belongs to MLflow at {uri}"
    uri = to or os.environ.get("MLFLOW_TRACKING_URI") or uri
    post = _Post(journal.folder, uri)
    with _answering(uri, f"When it answers again: igarape send. To do without, remove {journal.folder}", retries="0"):
        count = deliver(journal, post.send)
        killed = post.kill()
    closed = f"; {killed} runs that were open are KILLED" if killed else ""
    return True, f"{name}: {count} entries sent to MLflow at {uri}{closed}"


def _experiment(step: str) -> tuple[str, str | None]:
    """Return the experiment's name, and the run that `mlflow run` has opened for this step, if it has."""
    joined = os.environ.pop("MLFLOW_RUN_ID", None)  # for this run only, as MLflow sees it too
    if joined is None:
        return mlflow.set_experiment(f"igarape/{step}").name, None
    client = MlflowClient()
    return client.get_experiment(client.get_run(joined).info.experiment_id).name, joined


@contextmanager
def _answering(uri: str, advice: str, *, retries: str) -> Iterator[None]:
    """Turn MLflow's failure into one clear error, after seconds: left to itself it tries for minutes."""
    with _environment(RETRIES, os.environ.get(RETRIES, retries)), _environment(TIMEOUT, os.environ.get(TIMEOUT, "15")):
        try:
            yield
        except (MlflowException, OSError) as error:
            raise InputError(f"MLflow at {uri} does not answer: {error}. {advice}") from error


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for the block; MLflow reads how patient it is from there alone."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _input(path: str, md5: str) -> DatasetInput:
    """Describe a DVC output as an MLflow dataset: its path, and DVC's MD5 as the digest."""
    source = json.dumps({"path": path, "md5": md5})
    dataset = Dataset(name=path, digest=md5, source_type="dvc", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
