"""The records of a step and of its trials, as code that trains sees them: a call writes into the outbox, no more."""

import json
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from igarape.errors import concealed
from igarape.tracking.outbox import Outbox

TRIAL = "igarape.trial"  # the tag by which a nested run is found again
NOTE = "mlflow.note.content"  # the tag that MLflow shows as a description

Log = Callable[[int, Mapping[str, float]], None]


class Trial:
    """The record of a nested run. No call waits for MLflow, and none fails because of it."""

    def __init__(self, outbox: Outbox, key: str) -> None:
        self.key = key
        self._outbox = outbox

    def log(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log metrics at an epoch."""
        self._outbox.append("metrics", self.key, step=epoch, values={name: float(metrics[name]) for name in metrics})

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log final figures."""
        self.log(0, values)

    def curve(self, points: Mapping[int, Mapping[str, float]]) -> None:
        """Log metrics over steps that are no epochs, such as thresholds in percent."""
        for step, values in points.items():
            self.log(step, values)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        self._outbox.append("tags", self.key, values=texts(values))

    def describe(self, text: str) -> None:
        """Say in Markdown what the run is about: MLflow's page of it begins with that."""
        self.tags({NOTE: text})

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or a folder with all it holds, as it is now: a copy waits beside the outbox."""
        self._outbox.append("artifact", self.key, durable=True, path=self._outbox.keep(path), folder=folder)

    def text(self, text: str, name: str) -> None:
        """Log a text as the file name, which may lie in a folder: a page, where it ends in .html."""
        place = PurePosixPath(name)
        folder = None if place.parent == PurePosixPath() else str(place.parent)
        self._outbox.append(
            "artifact", self.key, durable=True, path=self._outbox.write(text, place.name), folder=folder
        )

    def inputs(self, digests: Mapping[str, str], *, kind: str) -> None:
        """Log what the run has read besides what DVC keeps: digests by name. kind: of source, such as a scene."""
        self._outbox.append("inputs", self.key, durable=True, digests=dict(digests), kind=kind)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """End the run with the block: FINISHED, or FAILED with the traceback of whatever goes wrong, which goes on."""
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except BaseException:
            self.text(concealed(traceback.format_exc()), "traceback.txt")
            raise
        finally:
            self._outbox.append("end", self.key, durable=True, status=status)


class Run(Trial):
    """The record of a step. Its methods are handed to domain code as plain callbacks."""

    def __init__(
        self, outbox: Outbox, key: str, *, run_id: str, experiment: str, trial_tags: Mapping[str, str]
    ) -> None:
        super().__init__(outbox, key)
        self.id = run_id
        self._experiment = experiment
        self._trial_tags = trial_tags
        self._tables: list[dict[str, str]] = []

    def log_of(self, prefix: str) -> Log:
        """Return a log whose metric names start with prefix."""
        return lambda epoch, metrics: self.log(epoch, {f"{prefix}{name}": value for name, value in metrics.items()})

    def table(self, frame: pd.DataFrame, name: str) -> None:
        """Log a table that the MLflow UI shows; name ends in .json."""
        self.text(frame.to_json(orient="split", index=False, date_format="iso"), name)
        self._tables.append({"path": name, "type": "table"})
        self.tags({"mlflow.loggedArtifacts": json.dumps(self._tables)})

    @contextmanager
    def trial(self, name: str, params: Mapping[str, float | str | bool]) -> Iterator[Trial]:
        """Open a nested run; its key finds it again, also from the run of a step that goes on after a crash."""
        trial = Trial(self._outbox, uuid.uuid4().hex)
        self._outbox.append(
            "open",
            trial.key,
            experiment=self._experiment,
            id=None,
            parent=self.key,
            name=name,
            params=texts(params),
            tags={**self._trial_tags, TRIAL: trial.key},
        )
        with trial.ended():
            yield trial

    def adopt(self, keys: Sequence[str]) -> None:
        """Make nested runs that an earlier, interrupted run of this step had finished nested runs of this one."""
        self._outbox.append("adopt", self.key, keys=list(keys), experiment=self._experiment)


def texts(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return values as MLflow keeps them: texts, the names of nested ones joined by dots."""
    found: dict[str, str] = {}
    for name, value in values.items():
        found |= texts(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": str(value)}
    return found
