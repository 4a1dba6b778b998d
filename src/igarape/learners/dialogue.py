"""What a search asks its oracle and tells it: an event log, a line of JSON each, that a killed search replays.

Several trials may be open at once, so what an oracle proposes depends on the order of all that it was asked and told
before; also on the questions that it answered by "wait". Its chance comes from the seed alone: asked and told the same
in the same order, it is where it was.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner

from igarape.errors import InputError
from igarape.files import write_text

Event = Mapping[str, Any]

# What an oracle answers when it is asked for a trial; it may be IDLE too, until it is told of another one.
RUNNING, STOPPED = "RUNNING", "STOPPED"


@dataclass(frozen=True)
class Asked:
    """A trial that the oracle has proposed: its number, and values for all that is searched, and of its own besides."""

    number: int
    proposed: Mapping[str, Any]


class Dialogue:
    """An oracle that is asked for trials and told of their scores, and the log of that.

    open: the trials that it has not been told of. told: the numbers of the others, in the order of telling. stopped:
    whether it has nothing more to propose.
    """

    def __init__(self, oracle: keras_tuner.Oracle, log: Path, *, kept: Collection[int]) -> None:
        """Replay the log, if there is one.

        kept: trials whose results are there. From where the log tells of another one, it is forgotten: that trial, and
        what its score led to, is tried again.
        """
        self.open: dict[int, Asked] = {}
        self.told: list[int] = []
        self.stopped = False
        self._oracle, self._log = oracle, log
        self._trials: list[Any] = []
        events = _known(_read(log), kept)
        write_text("".join(map(_line, events)), log)
        for event in events:
            if "told" in event:
                self._tell(event["told"], event["score"])
            else:
                self._ask(event)

    def ask(self) -> Asked | None:
        """Return the next trial that the oracle proposes; None when it waits for a score, or has stopped."""
        if self.stopped:
            return None
        status = self._ask()
        asked = self.open[max(self.open)] if status == RUNNING else None
        event = {"asked": asked.number, "proposed": asked.proposed} if asked else {"asked": None}
        self._write(event | {"status": status})
        return asked

    def tell(self, number: int, score: float | None) -> None:
        """Tell the oracle the score of an open trial; None: it has failed."""
        self._write({"told": number, "score": score})
        self._tell(number, score)

    def _ask(self, event: Event | None = None) -> str:
        """Ask the oracle, and return its status; what it proposed before, as an event of the log says, counts still."""
        trial = self._oracle.create_trial(f"trial-{len(self._trials)}")
        if event and trial.status != event["status"]:
            raise InputError(
                f"{self._log}: after the same events keras-tuner's oracle answers {trial.status}, where it answered "
                f"{event['status']}: has keras-tuner changed? Remove {self._log.parent}, then run the search again"
            )
        self.stopped = trial.status == STOPPED
        if trial.status != RUNNING:
            return str(trial.status)
        if event:  # the oracle's arithmetic may differ by a digit, on another processor
            trial.hyperparameters.values = dict(event["proposed"])
        asked = Asked(len(self._trials), dict(trial.hyperparameters.get_config()["values"]))
        self._trials.append(trial)
        self.open[asked.number] = asked
        return RUNNING

    def _tell(self, number: int, score: float | None) -> None:
        trial = self._trials[number]
        del self.open[number]
        self.told.append(number)
        trial.status = "FAILED" if score is None else "COMPLETED"
        if score is not None:
            self._oracle.update_trial(trial.trial_id, {self._oracle.objective.name: score})
        self._oracle.end_trial(trial)

    def _write(self, event: Event) -> None:
        """Append a line: a trial's before it begins, a score's before the oracle knows it."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(_line(event))


def _read(log: Path) -> list[Event]:
    """Read the events of a log, but for a last one that a kill has cut short."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _known(events: list[Event], kept: Collection[int]) -> list[Event]:
    """Return the events before the first that tells of a trial whose result is not kept."""
    lost = [place for place, event in enumerate(events) if "told" in event and event["told"] not in kept]
    return events[: lost[0]] if lost else events


def _line(event: Event) -> str:
    return json.dumps(event) + "\n"
