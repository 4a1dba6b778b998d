"""decide: every rule scored on rows it was not fitted on, and one of them kept."""

from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml

from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.ensemble.decision import RULES, Rule, cross_fit_rules
from igarape.errors import InputError
from igarape.files import read_json
from igarape.scores.metrics import sample_f2
from igarape.stages import decide as stage
from igarape.tables import label_columns, probability_columns, truth, write_table
from igarape.workspace import Workspace


def wrote(here: Workspace) -> Any:
    """Return what decide wrote."""
    return read_json(here.root / "data/decide/rule.json")


def test_every_rule_is_scored_on_rows_it_was_not_fitted_on(project: Workspace) -> None:
    """Cross-fitted over the folds of the chosen stack; the hold-out has no part."""
    vocabulary = read_dataset("toy", project.datasets).labels.vocabulary()
    chosen = read_json(project.root / "data/stack/stack.json")["chosen"]
    rows = pd.read_parquet(project.root / "data/stack/predictions.parquet").query(
        f"learner == {chosen!r} and fold >= 0"
    )
    catalog = pd.read_parquet(project.catalog()).set_index("image_id")
    y = truth(catalog.loc[rows["image_id"]], vocabulary.labels)
    p = rows[probability_columns(rows)].to_numpy()
    answers = cross_fit_rules(y, p, rows["fold"].to_numpy(), vocabulary=vocabulary)
    expected = {name: sample_f2(y, answer) for name, answer in answers.items()}
    assert {name: scores["f2"] for name, scores in wrote(project)["rules"].items()} == pytest.approx(expected)
    assert set(expected) == set(RULES)


def test_the_best_rule_is_kept_and_named_in_the_run(project: Workspace) -> None:
    """`use: best` is by cross-fitted F2."""
    scores = {name: both["f2"] for name, both in wrote(project)["rules"].items()}
    rule = Rule.from_json(wrote(project)["rule"], read_dataset("toy", project.datasets).labels.vocabulary())
    assert scores[rule.name] == max(scores.values())
    run = mlflow.get_run(RunFacts.read(project.run("decide")).run_id)
    assert run.data.tags["igarape.chosen"] == rule.name
    assert run.data.metrics["oof_f2"] == pytest.approx(max(scores.values()))
    assert all(run.data.metrics[f"{name}_f2"] == pytest.approx(score) for name, score in scores.items())


@pytest.mark.parametrize("use", RULES)
def test_params_may_ask_for_one(copy: Workspace, use: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever scores better."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    params["decide"]["use"] = use
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    stage.run(copy)
    assert wrote(copy)["rule"]["name"] == use
    scores = ", ".join(f"{name} {each['f2']:.4f}" for name, each in wrote(copy)["rules"].items())
    assert f"decide: F2 out of fold: {scores}; used: {use}" in capsys.readouterr().out


def test_the_hold_outs_truth_has_no_say(copy: Workspace) -> None:
    """With every label of the hold-out turned round, rule and scores are the same."""
    before = wrote(copy)
    catalog = pd.read_parquet(copy.catalog())
    folds = pd.read_parquet(copy.folds).set_index("image_id")["fold"]
    labels = list(read_dataset("toy", copy.datasets).labels.vocabulary().labels)
    held = catalog["image_id"].map(folds).eq(-1)
    columns = label_columns(labels)
    catalog.loc[held, columns] = 1 - catalog.loc[held, columns]
    write_table(catalog, copy.catalog())
    stage.run(copy)
    assert wrote(copy) == before


def test_without_mlflow_the_last_result_stays(copy: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step empties its folder when MLflow has answered, not before."""
    before = (copy.root / "data/decide/rule.json").read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9"):
        stage.run(copy)
    assert (copy.root / "data/decide/rule.json").read_bytes() == before
