"""What code that trains hands over, as the outbox has it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from outboxes import left

from igarape.tracking.outbox import Outbox
from igarape.tracking.run import TRIAL, Run, Trial, texts


@pytest.fixture
def run(outbox: Outbox) -> Run:
    """Give the record of a step."""
    return Run(outbox, "step", run_id="0af7", experiment="igarape/search", trial_tags={"mlflow.user": "ana"})


def test_metrics_are_plain_numbers_under_their_epoch(outbox: Outbox, run: Run) -> None:
    """Whatever kind of number the training computes; final figures stand at 0, and a prefix goes before the names."""
    losses, counts = np.full(1, 0.5, np.float32), np.full(1, 2)
    run.log(3, {"loss": losses[0]})
    run.metrics({"best": counts[0]})
    run.log_of("fold1_")(4, {"loss": 1})
    assert [(entry["run"], entry["step"], entry["values"]) for entry in left(outbox)] == [
        ("step", 3, {"loss": 0.5}),
        ("step", 0, {"best": 2.0}),
        ("step", 4, {"fold1_loss": 1.0}),
    ]


def test_a_curve_stands_at_its_own_steps(outbox: Outbox, run: Run) -> None:
    """Such as thresholds in percent."""
    run.curve({0: {"f2": 0.5}, 20: {"f2": 0.75}})
    assert [(entry["step"], entry["values"]) for entry in left(outbox)] == [(0, {"f2": 0.5}), (20, {"f2": 0.75})]


def test_a_trial_is_opened_under_its_step_and_ends_with_its_block(outbox: Outbox, run: Run) -> None:
    """It carries its own key as a tag, and what the step's context says; its parameters are texts."""
    with run.trial("trial-0", {"dropout": 0.0, "loss": "focal", "tta": True}) as trial:
        trial.log(0, {"loss": 1.0})
    opened, logged, ended = left(outbox)
    assert {name: opened[name] for name in ("op", "run", "parent", "name", "experiment", "params", "tags")} == {
        "op": "open",
        "run": trial.key,
        "parent": "step",
        "name": "trial-0",
        "experiment": "igarape/search",
        "params": {"dropout": "0.0", "loss": "focal", "tta": "True"},
        "tags": {"mlflow.user": "ana", TRIAL: trial.key},
    }
    assert logged["run"] == trial.key
    assert (ended["op"], ended["run"], ended["status"]) == ("end", trial.key, "FINISHED")


def fail(run: Run, error: BaseException) -> None:
    """Run a trial that fails."""
    with run.trial("trial-0", {}):
        raise error


@pytest.mark.parametrize("error", [MemoryError("no room"), KeyboardInterrupt(), SystemExit(3)])
def test_a_trial_that_fails_keeps_its_traceback_and_the_error_goes_on(
    outbox: Outbox, run: Run, error: BaseException
) -> None:
    """Whatever it is."""
    with pytest.raises(type(error)):
        fail(run, error)
    _, kept, ended = left(outbox)
    assert ended["status"] == "FAILED"
    text = (outbox.folder / kept["path"]).read_text(encoding="utf-8")
    assert Path(kept["path"]).name == "traceback.txt"
    assert "in fail" in text and type(error).__name__ in text


def test_a_traceback_tells_no_password(outbox: Outbox, run: Run) -> None:
    """It is sent to MLflow, where all of us read it."""
    error = ConnectionError("postgresql://mlflow:p/w@db/tracking is away")
    with pytest.raises(ConnectionError):
        fail(run, error)
    text = (outbox.folder / left(outbox)[1]["path"]).read_text(encoding="utf-8")
    assert "postgresql://...@db/tracking is away" in text and "p/w" not in text


def test_no_two_trials_share_a_key(run: Run) -> None:
    """Also those of the same name and parameters."""
    keys = set()
    for _ in range(100):
        with run.trial("trial-0", {}) as trial:
            keys.add(trial.key)
    assert len(keys) == 100


def test_a_text_may_lie_in_a_folder(outbox: Outbox, run: Run) -> None:
    """Its name is kept, and its folder as the artifact's folder."""
    run.text("<p>", "plots/trials.html")
    (entry,) = left(outbox)
    assert (Path(entry["path"]).name, entry["folder"]) == ("trials.html", "plots")
    assert (outbox.folder / entry["path"]).read_text(encoding="utf-8") == "<p>"


def test_tables_are_listed_for_mlflows_pages(outbox: Outbox, run: Run) -> None:
    """MLflow shows as tables what the tag mlflow.loggedArtifacts lists: all of them."""
    for name in ("a.json", "b.json"):
        run.table(pd.DataFrame({"x": [1]}), name)
    _, _, _, listed = left(outbox)
    assert listed["values"] == {
        "mlflow.loggedArtifacts": '[{"path": "a.json", "type": "table"}, {"path": "b.json", "type": "table"}]'
    }


def test_adopted_trials_are_named_by_their_keys(outbox: Outbox, run: Run) -> None:
    """They lie in the experiment of the step."""
    run.adopt(("k1", "k2"))
    (entry,) = left(outbox)
    assert (entry["keys"], entry["experiment"]) == (["k1", "k2"], "igarape/search")


def test_a_record_says_whose_it_is(outbox: Outbox) -> None:
    """Trials write into one outbox, each under its key."""
    Trial(outbox, "one").tags({"a": "1"})
    Trial(outbox, "two").metrics({"b": 2})
    assert [entry["run"] for entry in left(outbox)] == ["one", "two"]


def test_texts_join_nested_names_by_dots() -> None:
    """As they are written in the YAML."""
    assert texts({"seed": 1, "plain": {"knobs": {"width": 1.0}, "chips": None}}) == {
        "seed": "1",
        "plain.knobs.width": "1.0",
        "plain.chips": "None",
    }
