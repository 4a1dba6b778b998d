"""What an oracle was asked and told, replayed: with real oracles of keras-tuner, and scores by a formula."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny

from igarape.config.spaces import Range
from igarape.errors import InputError
from igarape.learners.ask_tell import AskTell
from igarape.learners.oracles import Budget, make_oracle

SPACE = {
    "learning_rate": Range(low=0.001, high=0.1, scale="log"),
    "dropout": Range(low=0.0, high=0.5, scale="linear"),
}
STOP = {"asked": None, "status": "STOPPED"}
TUNERS = ["random", "bayesian", "hyperband"]


def converse(folder: Path, tuner: str, *, events: int = 10_000, width: int = 3) -> list[dict[str, Any]]:
    """Ask and tell with so many trials open, the latest told first, until so many events are logged; return the log."""
    folder.mkdir(exist_ok=True)
    oracle = make_oracle(tiny.tiny(SPACE), Budget(tuner=tuner, trials=14, epochs=9, seed=3), folder)
    log = folder / "events.jsonl"
    logged = AskTell(oracle, log, kept=range(1000))
    asking = True
    while len(lines(log)) < events:
        if asking and len(logged.open) < width:
            asking = logged.ask() is not None
        elif logged.open:
            number = max(logged.open)
            values = logged.open[number].hyperparameters
            logged.tell(number, None if number == 4 else 1 - abs(values["dropout"] - 0.2) - values["learning_rate"])
            asking = not logged.stopped
        else:
            break
    return [json.loads(line) for line in lines(log)]


def lines(log: Path) -> list[str]:
    """Return the lines of a log."""
    return log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("tuner", TUNERS)
def test_a_log_replays_exactly_wherever_it_was_cut(tmp_path: Path, tuner: str) -> None:
    """With three trials open, and told out of order: the oracle goes on as if it had never been away."""
    whole = converse(tmp_path / "whole", tuner)
    statuses = [event.get("status") for event in whole]
    assert sum("told" in event for event in whole) > 10
    assert ("IDLE" in statuses) == (tuner == "hyperband")
    for cut in (2, 17, len(whole) - 1):
        folder = tmp_path / str(cut)
        assert converse(folder, tuner, events=cut) == whole[:cut]
        with (folder / "events.jsonl").open("a", encoding="utf-8") as log:
            log.write('{"asked": 9, "prop')  # a line that a kill has cut short
        assert converse(folder, tuner) == whole


def test_a_score_whose_trial_is_not_kept_is_forgotten_with_all_that_it_led_to(tmp_path: Path) -> None:
    """What was asked before stays asked; the trial is open again."""
    converse(tmp_path, "bayesian")
    before = [json.loads(line) for line in lines(tmp_path / "events.jsonl")]
    place = next(place for place, event in enumerate(before) if event.get("told") == 5)
    oracle = make_oracle(tiny.tiny(SPACE), Budget(tuner="bayesian", trials=14, epochs=9, seed=3), tmp_path)
    logged = AskTell(oracle, tmp_path / "events.jsonl", kept=set(range(14)) - {5})
    assert [json.loads(line) for line in lines(tmp_path / "events.jsonl")] == before[:place]
    assert 5 in logged.open and 5 not in logged.told


def test_an_oracle_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    """A search that went on with another version of keras-tuner would be neither the old one nor a new one."""
    assert STOP in converse(tmp_path, "random")
    log = tmp_path / "events.jsonl"
    log.write_text("".join(line + "\n" for line in [json.dumps(STOP), *lines(log)]), encoding="utf-8")
    with pytest.raises(InputError, match=r"events\.jsonl: .*answers RUNNING, where it answered STOPPED.*Remove"):
        converse(tmp_path, "random")
