"""decide: every rule scored on rows it was not fitted on, and one of them kept."""

import re
from typing import Any

import mlflow
import pandas as pd
import pytest
import yaml

from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.ensemble.decision import RULES, Rule, cross_fit_rule
from igarape.errors import InputError
from igarape.files import read_json
from igarape.predictions import probability_columns
from igarape.scores.metrics import sample_f2
from igarape.stages import decide as stage
from igarape.tables import label_columns, truth, write_table
from igarape.workspace import Workspace


def wrote(here: Workspace) -> Any:
    """Return what decide wrote."""
    return read_json(here.root / "data/decide/rule.json")


def ask(here: Workspace, **changes: Any) -> None:
    """Change the section decide of params.yaml."""
    params = yaml.safe_load(here.params.read_text(encoding="utf-8"))
    params["decide"] |= changes
    here.params.write_text(yaml.safe_dump(params), encoding="utf-8")


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
    known = (y, p, rows["fold"].to_numpy())
    expected = {name: sample_f2(y, cross_fit_rule(name, *known, vocabulary=vocabulary, beta=2.0)) for name in RULES}
    assert {name: scores["f2"] for name, scores in wrote(project)["rules"].items()} == pytest.approx(expected)
    assert all(set(scores) == {"f2"} for scores in wrote(project)["rules"].values())


def test_the_best_rule_is_kept_and_named_in_the_run(project: Workspace) -> None:
    """`use: best` is by cross-fitted F2."""
    scores = {name: both["f2"] for name, both in wrote(project)["rules"].items()}
    rule = Rule.from_json(wrote(project)["rule"], read_dataset("toy", project.datasets).labels.vocabulary())
    assert scores[rule.name] == max(scores.values())
    run = mlflow.get_run(RunFacts.read(project.run("decide")).run_id)
    assert run.data.tags["igarape.chosen"] == rule.name
    assert run.data.metrics["oof_f2"] == pytest.approx(max(scores.values()))
    assert all(run.data.metrics[f"{name}/oof_f2"] == pytest.approx(score) for name, score in scores.items())


@pytest.mark.parametrize("use", RULES)
def test_params_may_ask_for_one(copy: Workspace, use: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever scores better."""
    ask(copy, use=use)
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


def test_another_beta_is_what_rules_are_made_for_and_chosen_by(
    copy: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """F2 stays on record beside it; the stack is not looked at again."""
    ask(copy, beta=0.5)
    stage.run(copy)
    scores, rule = wrote(copy)["rules"], wrote(copy)["rule"]
    assert rule["beta"] == 0.5 and all(set(figures) == {"f2", "fbeta"} for figures in scores.values())
    assert scores[rule["name"]]["fbeta"] == max(figures["fbeta"] for figures in scores.values())
    said = capsys.readouterr().out
    assert "decide: F0.5 out of fold: fixed " in said and "; F2: fixed " in said
    run = mlflow.get_run(RunFacts.read(copy.run("decide")).run_id)
    assert run.data.metrics["oof_fbeta"] == pytest.approx(scores[rule["name"]]["fbeta"])
    assert run.data.params["decide.beta"] == "0.5"


def test_alerts_are_kept_with_the_rule_and_told(copy: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """With threshold, precision, recall and intervals; in MLflow their wishes are one text."""
    ask(copy, alert={"sun": 0.7, "fog": 0.1})
    stage.run(copy)
    assert list(wrote(copy)["alerts"]) == ["sun", "fog"]
    assert set(wrote(copy)["alerts"]["sun"]) == {
        "asked",
        "threshold",
        "positives",
        "precision",
        "precision_interval",
        "recall",
        "recall_interval",
    }
    said = capsys.readouterr().out
    assert re.search(r"decide: alert sun from \d\.\d{4} on: precision .* asked 0\.7; recall ", said)
    run = mlflow.get_run(RunFacts.read(copy.run("decide")).run_id)
    assert run.data.params["decide.alert"] == "fog: 0.1, sun: 0.7"
    described = run.data.tags["mlflow.note.content"].split("\n\n")
    assert len(described) == 3 and all(f"decide: {line}\n" in said for line in described)


def test_a_label_that_is_not_known_is_refused_before_anything_is_written(copy: Workspace) -> None:
    """The last result stays."""
    before = (copy.root / "data/decide/rule.json").read_bytes()
    ask(copy, alert={"kilns": 0.5})
    with pytest.raises(InputError, match=r"params\.yaml: decide\.alert: 'kilns' is no label .*did you mean kiln"):
        stage.run(copy)
    assert (copy.root / "data/decide/rule.json").read_bytes() == before
