"""What MLflow remembers of a step. An outbox stands between, so that a slow or a lost MLflow costs no work."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage
from mlflow.entities import Run as Recorded
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags

from igarape.errors import InputError, counted
from igarape.files import read_json, write_json
from igarape.tracking.address import RETRIES, TIMEOUT, VARIABLE, connected, database, environment, new_experiment, to_do
from igarape.tracking.costs import measured
from igarape.tracking.exporter import STEP, Exporter
from igarape.tracking.health import refused
from igarape.tracking.lineage import Lineage, lineage
from igarape.tracking.locations import project
from igarape.tracking.outbox import Entry, Outbox, left_behind
from igarape.tracking.run import Run, texts
from igarape.tracking.sender import Sender, deliver
from igarape.workspace import Workspace

# How long the end of a step waits for an MLflow that takes nothing: about as long as it takes to start one again.
PATIENCE = 60.0  # seconds
ATTEMPT = "run.json"  # in a step's notes: its last run
SECONDS = "15"  # that one request may take: by default two minutes, and so longer than PATIENCE


@contextmanager
def step_run(
    step: str,
    *,
    workspace: Workspace,
    params: Mapping[str, Any],
    learner: str | None = None,
    notes: Path | None = None,
    experiment: str | None = None,
) -> Iterator[Run]:
    """Open the MLflow run of a step in the experiment igarape/STEP, with its parameters, commit and data sets.

    Under `mlflow run` it joins the project's run. A step that fails leaves a FAILED run with its traceback. What a dead
    process of this step and learner left unsent is sent first, and the runs that it left open, and under `mlflow run`
    those that had got no further, are closed as KILLED.

    Parameters
    ----------
    step
        Its name.
    workspace
        The project that it runs in.
    params
        What is recorded; it may be nested: names are joined by dots.
    learner
        The experiment, where the step runs for each.
    notes
        A folder that a step leaves behind when it dies before its result has its place (files.resumable); a run that it
        finished all the same is KILLED too.
    experiment
        The step in whose experiment the run lies; None: its own.

    Raises
    ------
    InputError
        When MLflow does not answer at the beginning, or when, at the end, it has taken nothing for PATIENCE seconds.
    """
    with connected(workspace.root) as uri:
        yield from _tracked(
            step, learner, uri, workspace=workspace, params=params, notes=notes, experiment=experiment or step
        )


def _tracked(
    step: str,
    learner: str | None,
    uri: str,
    *,
    workspace: Workspace,
    params: Mapping[str, Any],
    notes: Path | None,
    experiment: str,
) -> Iterator[Run]:
    """Do what step_run says, with the MLflow at an address."""
    place = f"{step}@{learner}" if learner else step
    owner = Workspace(project(workspace.root))
    advice, come_from = to_do(uri, workspace.root), lineage(workspace.root)
    with _answering(uri, advice, retries="2"):
        place_of_runs, joined = _experiment(experiment, uri, workspace.root)
    # The sender tries again; MLflow's own second try might open a run twice.
    with environment(RETRIES, "0"), environment(TIMEOUT, os.environ.get(TIMEOUT, SECONDS)):
        send_left(owner, place, to=uri)
        entry: Entry = {"experiment": place_of_runs, "parent": None, "name": learner or step, "uri": uri}
        with _answering(uri, advice, retries="0"):
            entry |= {"params": texts(params)}
            run, sender = _opened(step, owner.outbox / place, entry, joined=joined, come_from=come_from, notes=notes)
        try:
            with run.ended(), measured(run):
                yield run
        except BaseException as error:
            if unsent := sender.settle(PATIENCE):
                error.add_note(f"MLflow at {uri}: {unsent}")
            raise
        if unsent := sender.settle(PATIENCE):
            kept = f"What the step has made is safe under data/{step}; run it again, and it goes on from there"
            raise InputError(f"MLflow at {uri}: {unsent} {kept}")


def _opened(
    step: str, place: Path, entry: Entry, *, joined: Recorded | None, come_from: Lineage, notes: Path | None
) -> tuple[Run, Sender]:
    """Begin the outbox with the step's run, send that, and put the rest into a sender's hands."""
    key, context = uuid.uuid4().hex, resolve_tags()
    outbox = Outbox.begin(place.with_name(f"{place.name}.{datetime.now(UTC):%Y%m%dT%H%M%S}-{key[:8]}"))
    tags = come_from.tags() | {"igarape.step": step, STEP: key}
    exporter = None
    try:
        exporter = Exporter(outbox.folder, entry["uri"])
        entry |= {"id": joined.info.run_id, "tags": tags} if joined else {"id": None, "tags": context | tags}
        outbox.append("open", key, durable=True, **entry)
        deliver(outbox, exporter.send)
        if joined:
            exporter.clear(joined)
        exporter.describe(key, come_from)
        if notes:
            if (notes / ATTEMPT).exists():
                exporter.replace(read_json(notes / ATTEMPT)["run_id"])
            write_json({"run_id": exporter.ids[key]}, notes / ATTEMPT)
    except BaseException:
        outbox.close(
            remove=exporter is None or key not in exporter.ids
        )  # else MLflow has a run, which the next one closes
        raise
    run = Run(outbox, key, run_id=exporter.ids[key], experiment=entry["experiment"], trial_tags=context)
    return run, Sender(outbox, exporter.send)


def send_left(workspace: Workspace, place: str = "*", *, to: str | None = None) -> list[str]:
    """Send what dead processes left in the outboxes of a place, and close the runs they left open as KILLED.

    workspace: the project that they lie in. place: STEP or STEP@LEARNER; * is all. to: the MLflow that takes it: by
    default that of MLFLOW_TRACKING_URI where that is set, else for each outbox the one at which its step began. Returns
    a sentence for each.
    Raises InputError, after it has tried all, when some could not be sent; those stay.
    """
    said, failed = [], []
    to = to or os.environ.get(VARIABLE)
    for folder in left_behind(workspace.outbox, place):
        outbox = Outbox.take_over(folder)
        if outbox is None:
            said.append(f"{folder.name}: still at work; its step sends by itself")
            continue
        done = False
        try:
            said.append(_sent(outbox, to, workspace.root))
            done = True
        except InputError as error:
            failed.append(str(error))
        finally:
            outbox.close(remove=done)
    if failed:
        raise InputError("\n".join([*said, *failed]))
    return said


def _sent(outbox: Outbox, to: str | None, root: Path) -> str:
    """Send a dead process's outbox; say what was sent."""
    name = outbox.folder.name
    entries, _ = outbox.batch()
    if not entries:
        return f"{name}: empty"
    if entries[0]["op"] != "open":  # the disk has lost it: nobody knows any more whose the others are
        raise InputError(
            f"{outbox.folder}: its first line is lost, and with it which run it is about. To do without, remove it"
        )
    with connected(root) as own:
        uri = to or entries[0]["uri"]
        file = database(uri)
        uri = own if file and not file.exists() else uri  # the project has moved, and its database with it
        exporter = Exporter(outbox.folder, uri)
        with _answering(
            uri, f"When it answers again: igarape send. To do without, remove {outbox.folder}", retries="0"
        ):
            count = deliver(outbox, exporter.send)
            killed = exporter.kill()
    closed = f"; closed as KILLED: {counted(killed, 'run')}" if killed else ""
    return f"{name}: {counted(count, 'entry', 'entries')} sent to MLflow at {uri}{closed}"


def _experiment(step: str, uri: str, root: Path) -> tuple[str, Recorded | None]:
    """Return the experiment's name, and the run that `mlflow run` has opened for this step, if it has.

    Raises InputError when somebody has deleted the experiment: MLflow keeps its name, and takes no run for it.
    """
    client = MlflowClient()
    joined = _joined(client, root)
    name = f"igarape/{step}"
    found = client.get_experiment(joined.info.experiment_id) if joined else client.get_experiment_by_name(name)
    if found and found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InputError(
            f"MLflow's experiment {found.name} is deleted, and takes no runs. To restore it: "
            f"mlflow experiments restore -x {found.experiment_id}"
        )
    if found and joined:
        return found.name, joined
    if found is None:
        new_experiment(name, client, uri)
    mlflow.set_experiment(name)
    return name, None


def _joined(client: MlflowClient, root: Path) -> Recorded | None:
    """Return the run that `mlflow run` has opened; None without one, or where it lies in a copy's database of DVC's."""
    run = os.environ.pop("MLFLOW_RUN_ID", None)  # for this run only, as MLflow sees it too
    if run is None:
        return None
    try:
        return client.get_run(run)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST" or project(root) == root:
            raise
        return None


@contextmanager
def _answering(uri: str, advice: str, *, retries: str) -> Iterator[None]:
    """Turn MLflow's failure into one clear error, after seconds: left to itself it tries for minutes.

    advice: what to do where it does not answer. A server that refuses us is asked why, which says what to do.
    """
    with (
        environment(RETRIES, os.environ.get(RETRIES, retries)),
        environment(TIMEOUT, os.environ.get(TIMEOUT, SECONDS)),
    ):
        try:
            yield
        except (MlflowException, OSError) as error:
            if why := refused(uri):
                raise InputError(f"MLflow at {why}; then try again: what was to be sent is kept") from error
            # Of a database its own words, without the statement and where SQLAlchemy explains itself.
            said = " ".join(str(error).partition("\n[SQL: ")[0].split())
            raise InputError(f"MLflow at {uri} does not answer as it should: {said}. {advice}") from error
