"""evaluate: the verdict on the hold-out with out-of-fold figures beside it, and the bundle, checked against both."""

import json
import re
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml

from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, RunFacts
from igarape.config.params import read_params
from igarape.ensemble.decision import Rule
from igarape.ensemble.leave_one_out import RARE, WITHOUT
from igarape.ensemble.stackers import METHODS
from igarape.errors import InputError
from igarape.files import read_json
from igarape.predictions import probability_columns, read_predictions, read_probabilities
from igarape.scores.answers import TABLE, read_answers
from igarape.scores.metrics import average_precision, mean_average_precision, sample_f2
from igarape.serving import bundle_check
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import Infrared
from igarape.stages import compare, decide, distill, nir, stack
from igarape.stages import evaluate as stage
from igarape.tables import read_catalog, read_folds, truth, write_table
from igarape.workspace import PER_EXPERIMENT, Workspace


@pytest.fixture(scope="module")
def evaluated(stream: Workspace, settle: Any) -> Any:
    """Run evaluate where the other steps have run, and give the metrics."""
    with pytest.MonkeyPatch.context() as patch:
        settle(stream, patch)
        stage.run(stream)
        yield json.loads(stream.metrics.read_text(encoding="utf-8"))


def held_out(here: Workspace) -> tuple[Any, Any]:
    """Return truth and stacked probabilities of the hold-out."""
    labels = list(read_dataset("toy", here.datasets).labels.vocabulary().labels)
    rows = pd.read_parquet(here.root / "data/stack/predictions.parquet").query(
        f"learner == {CALIBRATED!r} and fold == -1"
    )
    catalog = pd.read_parquet(here.catalog()).set_index("image_id")
    return truth(catalog.loc[rows["image_id"]], labels), rows[probability_columns(rows)].to_numpy()


def test_the_hold_out_is_scored_by_the_rule_that_the_folds_chose(project: Workspace, evaluated: Any) -> None:
    """F2, mAP, the number of chips, and an interval around F2."""
    y, p = held_out(project)
    rule = Rule.from_json(
        read_json(project.root / "data/decide/rule.json")["rule"],
        read_dataset("toy", project.datasets).labels.vocabulary(),
    )
    holdout = evaluated["holdout"]
    assert holdout["f2"] == pytest.approx(sample_f2(y, rule.apply(p)))
    assert holdout["map"] == pytest.approx(mean_average_precision(y, p))
    assert holdout["n"] == len(y)
    assert holdout["f2_low"] <= holdout["f2"] <= holdout["f2_high"]


def test_what_the_steps_before_scored_out_of_fold_stands_beside_it(project: Workspace, evaluated: Any) -> None:
    """Learners, stackers and rules, as those steps wrote them."""
    stack, decision = (
        read_json(project.root / "data/stack/stack.json"),
        read_json(project.root / "data/decide/rule.json"),
    )
    cards = {name: read_json(project.root / f"data/train/{name}/learner.json") for name in ("tiny", "rare")}
    assert evaluated["learners"] == {name: {"f2": card["f2"], "map": card["map"]} for name, card in cards.items()}
    assert evaluated["stackers"] == stack["stackers"]
    assert evaluated["rules"] == decision["rules"]
    assert evaluated["oof"]["f2"] == decision["rules"][decision["rule"]["name"]]["f2"]


def test_what_the_rare_learner_brings_is_the_stack_less_that_without_it(project: Workspace, evaluated: Any) -> None:
    """By average precision out of fold, before calibration; with one rare label, the mean is its own."""
    folds, labels = read_folds(project.folds), read_dataset("toy", project.datasets).labels.vocabulary().labels
    y = truth(read_catalog(project.catalog(), labels).set_index("image_id").loc[folds["image_id"]], labels)
    found = read_probabilities(project.folder("stack") / "predictions.parquet", folds, labels)
    chosen = read_json(project.root / "data/stack/stack.json")["chosen"]
    inside, kiln = folds["fold"].to_numpy() >= 0, labels.index("kiln")
    without, having = (average_precision(y[inside], found[name][inside])[kiln] for name in (WITHOUT + RARE, chosen))
    assert evaluated["rare"] == {"kiln": {"ap_without": without, "ap_with": having}}
    assert (evaluated["rare_map"]["without"], evaluated["rare_map"]["with"]) == (without, having)
    assert evaluated["rare_map"]["low"] <= evaluated["rare_map"]["mean"] <= evaluated["rare_map"]["high"]


def test_the_labels_and_the_page_are_written(project: Workspace, evaluated: Any) -> None:
    """One row for each label in their order; the page names the data set."""
    table = pd.read_csv(project.root / "reports/per_label.csv")
    assert list(table["label"]) == list(read_dataset("toy", project.datasets).labels.vocabulary().labels)
    assert "toy" in (project.root / "reports/report.html").read_text(encoding="utf-8")


def test_doubted_labels_are_written_for_review(project: Workspace, evaluated: Any) -> None:
    """By the calibrated stack: each is given otherwise than it says; nobody has reviewed any yet."""
    table = pd.read_csv(project.doubts, keep_default_na=False)
    assert (table["dataset"] == "toy").all()
    rows = pd.read_parquet(project.root / "data/stack/predictions.parquet").query(f"learner == {CALIBRATED!r}")
    said, catalog = rows.set_index("image_id"), pd.read_parquet(project.catalog()).set_index("image_id")
    for row in table.to_dict("records"):
        one, fold = said.loc[row["image_id"]], said["fold"][row["image_id"]]
        assert row["probability"] == pytest.approx(one[f"p_{row['label']}"], abs=1e-4)
        assert row["given"] == catalog.loc[row["image_id"], f"y_{row['label']}"] == (row["probability"] <= 0.5)
        assert row["part"] == ("hold-out" if fold == -1 else f"fold {fold}")
    assert list(table.columns)[-1] == "review" and table["doubt"].is_monotonic_decreasing
    assert all(f'"{image_id}"' in project.review.read_text(encoding="utf-8") for image_id in set(table["image_id"]))
    assert ("doubts.csv" in project.reports.joinpath("report.html").read_text(encoding="utf-8")) == bool(len(table))


def test_the_verdict_is_in_mlflow(project: Workspace, evaluated: Any) -> None:
    """The figures by name, the three files, and the runs that led here in the bundle's lineage."""
    run = mlflow.get_run(RunFacts.read(project.run("evaluate")).run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["holdout_f2"] == pytest.approx(evaluated["holdout"]["f2"])
    assert run.data.metrics["oof_f2"] == pytest.approx(evaluated["oof"]["f2"])
    assert (run.data.metrics["left_out"], run.data.metrics["reported_faults"]) == (1, 2)
    kept = {item.path for item in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)}
    assert kept >= {"metrics.json", "per_label.csv", "doubts.csv", "report.html", "answers.parquet"}
    runs = read_json(project.root / "data/evaluate/lineage.json")["runs"]
    assert set(runs) == {"search@tiny", "train@tiny", "search@rare", "train@rare", "stack", "decide", "evaluate"}
    assert runs["evaluate"] == run.info.run_id


def test_learners_and_stacks_stand_side_by_side_in_mlflow(project: Workspace, evaluated: Any) -> None:
    """Each is a nested run, under the same names of parameters, figures and curves, out of fold and on the hold-out."""
    runs = {run.data.tags["mlflow.runName"]: run for run in nested(project)}
    assert set(runs) == {"tiny", "rare", *METHODS, CALIBRATED}
    figures = {f"{rows}_{figure}" for rows in ("oof", "holdout") for figure in ("f2", "map")}
    curves = {f"{rows}_f2_by_threshold" for rows in ("oof", "holdout")}
    assert all(set(run.data.metrics) == figures | curves for run in runs.values())
    assert all({"kind", "labels"} <= set(run.data.params) for run in runs.values())
    assert {name for name, run in runs.items() if run.data.params["kind"] == "learner"} == {"tiny", "rare"}
    assert runs["rare"].data.params["labels"] == "rare" and runs["tiny"].data.params["chips"] == "raw"
    for kind in ("learners", "stackers"):
        for name, scores in evaluated[kind].items():
            for figure, value in scores.items():
                assert runs[name].data.metrics[f"oof_{figure}"] == pytest.approx(value)
    assert runs[CALIBRATED].data.metrics["holdout_map"] == pytest.approx(evaluated["holdout"]["map"])


def test_a_curve_is_logged_by_the_threshold_in_percent(project: Workspace, evaluated: Any) -> None:
    """At 20 % it is the fixed rule's F2."""
    (run,) = (run for run in nested(project) if run.data.tags["mlflow.runName"] == "blend")
    for rows in ("oof", "holdout"):
        points = mlflow.MlflowClient().get_metric_history(run.info.run_id, f"{rows}_f2_by_threshold")
        curve = {point.step: point.value for point in points}
        assert sorted(curve) == list(range(0, 101, 2))
        assert curve[20] == pytest.approx(run.data.metrics[f"{rows}_f2"])


def nested(here: Workspace) -> list[Any]:
    """Return the nested runs of evaluate's latest run."""
    parent = RunFacts.read(here.run("evaluate")).run_id
    return mlflow.search_runs(
        experiment_names=["igarape/evaluate"],
        filter_string=f"tags.mlflow.parentRunId = '{parent}' and status = 'FINISHED'",
        output_format="list",
    )


# What a metric of a step's run is called; beside these, those of nested runs.
FIGURES = {
    "search": r"best_val_(f2|map)",
    "train": r"oof_(f2|map)|fold\d+_(loss|val_loss|val_f2|val_map|learning_rate)",
    "stack": r"((mean|single|blend|logistic|ridge|xgboost)/)?oof_(f2|map)|xgboost/oof_log_loss",
    "decide": r"((fixed|threshold|per_label|expected)/)?oof_(f2|fbeta)",
    "evaluate": r"(oof|holdout)_(f2|map)|holdout_(n|f2_low|f2_high)|left_out|reported_faults"
    r"|(doubted|corrected)_labels",
}


def test_a_figure_has_one_name_in_all_steps(project: Workspace, evaluated: Any) -> None:
    """So that MLflow's pages show runs of all steps beside each other; docs/tracking.md names what there is."""
    for step, names in FIGURES.items():
        for name in ("tiny", "rare") if step in PER_EXPERIMENT else (None,):
            metrics = mlflow.get_run(RunFacts.read(project.run(step, name)).run_id).data.metrics
            known = rf"{names}|(processor_)?seconds"  # what it has cost, each step tells
            assert [metric for metric in metrics if not re.fullmatch(known, metric)] == [], step
            assert step == "search" or "oof_f2" in metrics


def test_the_page_of_its_run_begins_as_the_report_does(project: Workspace, evaluated: Any) -> None:
    """With the score, and what stacking has brought; not with a table of figures."""
    said = mlflow.get_run(RunFacts.read(project.run("evaluate")).run_id).data.tags["mlflow.note.content"]
    assert said.startswith(f"hold-out F2 {evaluated['holdout']['f2']:.4f} (95 %: ")
    words = said.split("\n\n")[1]
    assert words in (project.reports / "report.html").read_text(encoding="utf-8") and "its best learner" in words


def test_the_answers_by_which_streams_are_compared_are_kept(project: Workspace, evaluated: Any) -> None:
    """Their F2 on each side is the verdict's, and a stream is as good as itself."""
    found = read_answers(project.folder("evaluate") / TABLE)
    for side, rows in (("holdout", found.folds == -1), ("oof", found.folds >= 0)):
        assert sample_f2(found.y[rows], found.answers[rows]) == pytest.approx(evaluated[side]["f2"])
        assert mean_average_precision(found.y[rows], found.p[rows]) == pytest.approx(evaluated[side]["map"])
    compare.run(project, ".", RunFacts.read(project.run("evaluate")).run_id)
    page = (project.reports / "compare.html").read_text(encoding="utf-8")
    assert "B scores the same as A: F2 0.0000 on the hold-out" in page and "Both have the same chips" in page


def test_a_bundle_that_answers_otherwise_than_the_pipeline_is_refused(copy: Workspace) -> None:
    """Stacked predictions that the models did not make: the first chip that differs is named."""
    path = copy.root / "data/stack/predictions.parquet"
    table = pd.read_parquet(path)
    table.loc[table["fold"] == -1, "p_tree"] = 1 - table.loc[table["fold"] == -1, "p_tree"]
    write_table(table, path)
    with pytest.raises(InputError, match=r"data/evaluate/bundle: chip-\d\d: the bundle's probabilities differ by"):
        stage.run(copy)
    assert not copy.metrics.exists()


def test_trees_go_through_the_same_steps_into_the_same_bundle(coloured: Workspace) -> None:
    """Searched, cross-fitted, stacked, and in the bundle, which answers as the pipeline did: else evaluate stops."""
    card = read_json(coloured.root / "data/train/colours/learner.json")
    assert not card["tta"]
    assert card["f2"] > 0.5  # fog is bright: colours tell
    assert read_json(coloured.root / "data/search/colours/best.json")["hyperparameters"]["depth"] in {1, 2}
    history = mlflow.MlflowClient().get_metric_history(
        RunFacts.read(coloured.run("train", "colours")).run_id, "fold0_loss"
    )
    assert [point.step for point in history] == [0, 1, 2, 3]
    stack.run(coloured)
    decide.run(coloured)
    stage.run(coloured)
    learner = next(part for part in Bundle.load(coloured.bundle).manifest.learners if part.name == "colours")
    assert learner.files == ("learners/colours/fold-0.ubj", "learners/colours/fold-1.ubj")


def test_a_learner_on_near_infrared_is_served_with_the_white_that_it_learned_by(leafy: Workspace) -> None:
    """The bundle answers from JPEGs and TIFs what the pipeline predicted, and is checked with the packed planes."""
    stack.run(leafy)
    decide.run(leafy)
    stage.run(leafy)
    bundle = Bundle.load(leafy.bundle)
    assert bundle.needs_nir and bundle.manifest.nir == Infrared(white=read_params(leafy.params).nir.white)
    folds = read_folds(leafy.folds)
    stacked = read_predictions(leafy.root / "data/stack/predictions.parquet", folds)
    rows = stacked[(stacked["learner"] == CALIBRATED) & (stacked["fold"] == -1)]
    catalog = read_catalog(leafy.catalog(), bundle.vocabulary.labels)
    chips = [Store(leafy.chips("raw"), catalog).bytes(image_id) for image_id in rows["image_id"]]
    tifs = [(leafy.root / f"chips/tifs/{image_id}.tif").read_bytes() for image_id in rows["image_id"]]
    p = bundle.answer(chips, tifs).filter(like="p_").to_numpy()
    assert np.abs(p - rows[probability_columns(rows)].to_numpy()).max() < bundle_check.TOLERANCE
    assert np.abs(bundle.answer(chips, tifs[::-1]).filter(like="p_").to_numpy() - p).max() > bundle_check.TOLERANCE


def test_planes_that_are_made_otherwise_than_the_learner_saw_them_are_refused(leafy: Workspace) -> None:
    """Another white since it was trained: the first chip that differs is named."""
    stack.run(leafy)
    decide.run(leafy)
    text = leafy.params.read_text(encoding="utf-8")
    leafy.params.write_text(re.sub(r"white: \d+", "white: 3000", text), encoding="utf-8")
    nir.run(leafy)
    with pytest.raises(InputError, match=r"chip-\d\d: the bundle's probabilities differ"):
        stage.run(leafy)


def test_beta_and_alerts_go_into_bundle_and_page(copy: Workspace) -> None:
    """As decide has written them; the answers have a column more, and F2 stays what is compared."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    params["decide"] |= {"beta": 1.0, "alert": {"sun": 0.7}}
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    decide.run(copy)
    stage.run(copy)
    decision = read_json(copy.root / "data/decide/rule.json")
    bundle = Bundle.load(copy.bundle)
    assert bundle.manifest.rule.beta == 1.0
    assert bundle.manifest.alerts["sun"].model_dump(mode="json") == decision["alerts"]["sun"]
    assert bundle.columns[:2] == ["tags", "alerts"]
    metrics = json.loads(copy.metrics.read_text(encoding="utf-8"))
    assert metrics["rules"] == decision["rules"] and set(metrics["rules"]["fixed"]) == {"f2", "fbeta"}
    page = (copy.root / "reports/report.html").read_text(encoding="utf-8")
    assert "All are made for F1" in page
    assert 'sun <span class="tag used">alert</span>' in page
    assert '<th scope="row">kiln</th><td class="n" data-name="asked">0.5</td>' in page


def judged(here: Workspace) -> Any:
    """Run what follows the learners, check that each figure is a number, and give the metrics."""
    for step in (stack, decide, distill, stage):
        step.run(here)
    metrics = read_json(here.metrics)  # a document refuses what is no number
    every = [metrics["oof"], *metrics["stackers"].values(), *metrics["learners"].values(), *metrics["rare"].values()]
    assert all(0 <= score <= 1 for each in every for score in each.values())
    table = pd.read_csv(here.reports / "per_label.csv")
    assert (table["average_precision"].isna() == (table["count"] == 0)).all()
    page = re.sub(r"<style>.*?</style>|base64,[^\"]*", "", (here.reports / "report.html").read_text(), flags=re.DOTALL)
    assert not re.search(r"\b(nan|inf|None)\b", page)
    return metrics


def test_one_learner_of_two_labels_is_enough(odd: Any) -> None:
    """None of them excludes another; the mean is the learner, and nothing can be left out."""
    labels = {"exclusive": [], "alone": [], "common": ["tree"], "rare": ["kiln"]}
    metrics = judged(odd(labels, lambda _, tags: tuple({*tags} & {"tree", "kiln"}), ["tiny"], sure=False))
    assert set(metrics["stackers"]) == set(METHODS) and metrics["worth"] == {}
    assert metrics["stackers"]["mean"] == metrics["stackers"]["single"]


def test_labels_of_all_chips_of_none_and_of_a_part_and_probabilities_of_0_and_1(odd: Any) -> None:
    """All chips have always, no chip ghost, and one scene alone has scene: a fold or the hold-out lacks it."""
    labels = {
        "exclusive": ["sun", "fog"],
        "alone": [],
        "common": ["tree", "pond", "always"],
        "rare": ["kiln", "scene", "ghost"],
    }
    own = ("scene", "always")
    learners = ["tiny", "rare"]
    here = odd(labels, lambda row, tags: (*tags, *own[row not in {26, 27} :]), learners, sure=True)
    for name in learners:
        rows = pd.read_parquet(here.predictions(name)).query("fold >= 0")
        assert set(rows[probability_columns(rows)].to_numpy().flat) == {0, 1}
    metrics = judged(here)
    assert "ghost" not in metrics["rare"] and "kiln" in metrics["rare"]
    assert metrics["budget"]["ghost"].keys() == metrics["budget"]["kiln"].keys()
