"""The ask-and-tell interface to a keras-tuner oracle, with a log of events, so that a killed search can be resumed.

`ask` returns the next trial that the oracle proposes, `tell` gives it the score of one. Both append a line of JSON to
the log. With several trials open at once, what an oracle proposes depends on the order of all calls before, including
those that it answered by "wait". Its random numbers depend on the seed alone. So the same calls in the same order bring
a new oracle into the same state.
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
class Proposal:
    """A trial that the oracle has proposed: its number, and its hyperparameters with keras-tuner's own keys besides."""

    number: int
    hyperparameters: Mapping[str, Any]


class AskTell:
    """An oracle with a log of what it was asked and told.

    open: proposed trials without a score, by number. told: the numbers of trials with a score, in the order in which
    the oracle got them. stopped: whether the oracle has nothing more to propose.
    """

    def __init__(self, oracle: keras_tuner.Oracle, log: Path, *, kept: Collection[int]) -> None:
        """Replay the log, if there is one.

        kept: the numbers of trials whose results are on the disk. The log is cut before the first event that gives the
        score of any other trial: that trial is then trained again, and what followed from its score is asked anew.
        """
        self.open: dict[int, Proposal] = {}
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

    def ask(self) -> Proposal | None:
        """Return the next trial that the oracle proposes; None when it waits for a score, or has stopped."""
        if self.stopped:
            return None
        status = self._ask()
        proposal = self.open[max(self.open)] if status == RUNNING else None
        event = {"asked": proposal.number, "proposed": proposal.hyperparameters} if proposal else {"asked": None}
        self._write(event | {"status": status})
        return proposal

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
        proposal = Proposal(len(self._trials), dict(trial.hyperparameters.get_config()["values"]))
        self._trials.append(trial)
        self.open[proposal.number] = proposal
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
