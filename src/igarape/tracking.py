"""What MLflow remembers of a step: its run, its trials, and where its data came from."""

import json
import os
import subprocess
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import psutil
import yaml
from mlflow.entities import Dataset, DatasetInput, InputTag, RunInfo
from mlflow.exceptions import MlflowException

from igarape.errors import InputError

LOCK = Path("dvc.lock")
DATA = ("data/ingest", "data/dehaze", "data/nir", "data/split")
KIND = "custom_model_development"  # without it MLflow's pages open on traces of language models
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"

Log = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Lineage:
    """Where a result came from: the commit, whether it was changed since, and the MD5 of each data set as DVC has it.

    repro: the start and process of the `dvc repro` above us; None without one.
    """

    commit: str
    dirty: bool
    data: Mapping[str, str]
    repro: str | None


def lineage(lock: Path = LOCK) -> Lineage:
    """Read the commit from git, the data's hashes from dvc.lock, and the `dvc repro` above us from the process tree."""
    commit = _git("rev-parse", "HEAD")
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no"))
    stages = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {}) if lock.exists() else {}
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}
    return Lineage(commit=commit, dirty=dirty, data={path: outs[path] for path in DATA if path in outs}, repro=_repro())


def _git(*words: str) -> str:
    """Return what git prints, or "" where there is no repository."""
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _repro() -> str | None:
    """Name the `dvc repro` (or `dvc exp run`) that started this process, by its start time (UTC) and its process id."""
    for parent in psutil.Process().parents():
        words = parent.as_dict(["cmdline"], ad_value=())["cmdline"]  # other people's processes may be hidden from us
        if any(Path(word).name == "dvc" for word in words[:3]) and {"repro", "run"} & set(words):
            started = datetime.fromtimestamp(parent.create_time(), UTC)
            return f"{started:%Y-%m-%dT%H:%M:%SZ}-{parent.pid}"
    return None


class Run:
    """An open MLflow run. Its methods are handed to domain code as plain callbacks."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log metrics at an epoch."""
        mlflow.log_metrics(dict(metrics), step=epoch)

    def log_of(self, prefix: str) -> Log:
        """Return a log whose metric names start with prefix."""
        return lambda epoch, metrics: self.log(epoch, {f"{prefix}{name}": value for name, value in metrics.items()})

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log a step's final figures."""
        mlflow.log_metrics(dict(values))

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        mlflow.set_tags(dict(values))

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """Log a table that the MLflow UI shows; name ends in .json."""
        mlflow.log_table(frame, name)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or a folder with all it holds."""
        if path.is_dir():
            mlflow.log_artifacts(str(path), folder)
        else:
            mlflow.log_artifact(str(path), folder)

    @contextmanager
    def trial(self, name: str, params: Mapping[str, float | str | bool]) -> Iterator["Trial"]:
        """Open a nested run for one trial."""
        with mlflow.start_run(run_name=name, nested=True) as opened:
            key = uuid.uuid4().hex
            mlflow.set_tag("igarape.trial", key)
            mlflow.log_params(dict(params))
            with _traceback_kept():
                yield Trial(opened.info.run_id, key)

    def adopt(self, keys: Sequence[str]) -> None:
        """Make the finished trials of an earlier, interrupted run of this step trials of this one."""
        client = mlflow.MlflowClient()
        experiment = client.get_run(self.id).info.experiment_id
        for key in keys:
            for found in client.search_runs([experiment], f"tags.`igarape.trial` = '{key}'"):
                client.set_tag(found.info.run_id, "mlflow.parentRunId", self.id)
                if found.info.status == "KILLED":  # between its last word and its end
                    client.set_terminated(found.info.run_id, "FINISHED")


class Trial(Run):
    """An open nested run. key: finds it again, from the run of a step that goes on after a crash."""

    def __init__(self, run_id: str, key: str) -> None:
        super().__init__(run_id)
        self.key = key


@contextmanager
def step_run(step: str, *, params: Mapping[str, Any], learner: str | None = None) -> Iterator[Run]:
    """Open the MLflow run of a step in the experiment igarape/STEP, with its parameters, commit and data sets.

    Under `mlflow run` it joins the project's run. params may be nested: names are joined by dots. A step that fails
    leaves a FAILED run with its traceback. Raises InputError when MLflow does not answer.
    """
    name = learner or step
    come_from = lineage()
    with _answering():
        if "MLFLOW_RUN_ID" not in os.environ:
            mlflow.set_experiment(f"igarape/{step}")
        opened = mlflow.start_run(run_name=name)
    with opened:
        run = Run(opened.info.run_id)
        _close_others(opened.info, name)
        run.tags(_tags(step, name, come_from))
        mlflow.log_params(_flat(params))
        client = mlflow.MlflowClient()
        client.set_experiment_tag(opened.info.experiment_id, "mlflow.experimentKind", KIND)
        client.log_inputs(run.id, [_input(path, md5) for path, md5 in come_from.data.items()])
        with _traceback_kept():
            yield run


@contextmanager
def _answering() -> Iterator[None]:
    """Turn MLflow's failure into one clear error, after seconds: left to itself it tries for minutes."""
    set_by_user = os.environ.get(RETRIES)
    os.environ[RETRIES] = set_by_user or "2"
    try:
        yield
    except (MlflowException, OSError) as error:
        raise InputError(
            f"MLflow at {mlflow.get_tracking_uri()} does not answer: {error}. Start it, or unset MLFLOW_TRACKING_URI "
            "to track into mlflow.db of this folder"
        ) from error
    finally:
        if set_by_user is None:
            del os.environ[RETRIES]


def _close_others(info: RunInfo, name: str) -> None:
    """Close the runs of this name, and their trials, that a dead process left open."""
    client = mlflow.MlflowClient()
    left = client.search_runs([info.experiment_id], "attributes.status = 'RUNNING'")
    dead = {run.info.run_id for run in left if run.info.run_name == name and run.info.run_id != info.run_id}
    for run in left:
        if {run.info.run_id, run.data.tags.get("mlflow.parentRunId")} & dead:
            client.set_terminated(run.info.run_id, "KILLED")


def _tags(step: str, name: str, come_from: Lineage) -> dict[str, str]:
    """Return the tags every run carries."""
    tags = {
        "igarape.step": step,
        "mlflow.runName": name,
        "mlflow.source.git.commit": come_from.commit,
        "igarape.uncommitted_changes": str(come_from.dirty).lower(),
    }
    return tags | ({"igarape.repro": come_from.repro} if come_from.repro else {})


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join nested names by dots."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _input(path: str, md5: str) -> DatasetInput:
    """Describe a DVC output as an MLflow dataset: its path, and DVC's MD5 as the digest."""
    source = json.dumps({"path": path, "md5": md5})
    dataset = Dataset(name=path, digest=md5, source_type="dvc", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


@contextmanager
def _traceback_kept() -> Iterator[None]:
    """Log the traceback of whatever goes wrong as traceback.txt, and let it go on."""
    try:
        yield
    except BaseException:
        mlflow.log_text(traceback.format_exc(), "traceback.txt")
        raise
