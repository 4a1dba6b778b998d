"""worth: an idea against its parent in a small finished stream, kept as a run in MLflow."""

import mlflow
import pytest
import yaml

from igarape.errors import InputError
from igarape.files import write_text
from igarape.stages import search, train, worth
from igarape.workspace import Workspace


@pytest.fixture
def idea(coloured: Workspace) -> Workspace:
    """Give a copy of the stream where the trees were trained, and an idea about them was written down."""
    text = "# Asks: do deeper trees know more? It changes depth.\nlike: colours\nhyperparameters: {depth: 3}\n"
    write_text(text, coloured.experiments / "deeper.yaml")
    return coloured


def test_the_researcher_is_led_from_an_idea_to_an_answer(idea: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """What is typed is what the errors say; the answer lays it beside its parent, and the stack's learners."""
    with pytest.raises(InputError, match="igarape search --experiment deeper && igarape train --experiment deeper"):
        worth.run(idea, "deeper")
    search.run(idea, "deeper")
    with pytest.raises(InputError, match=r"not trained yet\. Type: igarape train --experiment deeper"):
        worth.run(idea, "deeper")
    train.run(idea, "deeper")
    capsys.readouterr()
    worth.run(idea, "deeper")
    said = capsys.readouterr().out
    assert said.startswith("deeper against colours, on ")
    assert "the blend of tiny, rare, colours\n" in said and "in the place of colours" in said
    assert "hyperparameters.depth  {choice: [1.0, 2.0]} -> 3" in said
    assert "deeper: search " in said and "(processor time " in said
    assert "To have it in the stack: list deeper under experiments:" in said
    (run,) = mlflow.search_runs(experiment_names=["igarape/worth"], output_format="list")
    assert (run.info.status, run.info.run_name) == ("FINISHED", "deeper")
    assert run.data.params["against"] == "colours" and run.data.params["blend"] == "tiny, rare, colours"
    assert {"oof_f2", "alone/f2_low", "beside/f2", "instead/map_high"} <= set(run.data.metrics)
    asked, *answered = run.data.tags["mlflow.note.content"].split("\n\n")
    assert asked == "Asks: do deeper trees know more? It changes depth."
    assert answered == said.splitlines()[:3] and answered[2].startswith(("whether the blend", "the blend"))
    kept = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/worth.txt")
    assert said.startswith(kept)


def test_a_learner_that_is_like_none_needs_a_name(coloured: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Another than its own; one that is in the stack is told no way into it."""
    with pytest.raises(InputError, match=r"colours: is like no other experiment\. .*--against plain"):
        worth.run(coloured, "colours")
    with pytest.raises(InputError, match="expected another learner after --against"):
        worth.run(coloured, "colours", against="colours")
    worth.run(coloured, "colours", against="tiny")
    said = capsys.readouterr().out
    assert "the blend of tiny, rare\n" in said and "another kind of learner, network -> tabular" in said
    assert "To have it" not in said


def test_names_that_lead_elsewhere_are_none(idea: Workspace) -> None:
    """Neither of the two."""
    for words in (("../deeper", None), ("deeper", "../colours")):
        with pytest.raises(InputError, match="expected small letters"):
            worth.run(idea, words[0], against=words[1])


def test_each_listed_learner_has_to_be_trained(idea: Workspace) -> None:
    """The blend is of all of them; what to type names the one that is not."""
    params = yaml.safe_load(idea.params.read_text(encoding="utf-8"))
    params["experiments"].append("deeper")
    write_text(yaml.safe_dump(params), idea.params)
    with pytest.raises(InputError, match="deeper: was not searched yet"):
        worth.run(idea, "colours", against="tiny")
