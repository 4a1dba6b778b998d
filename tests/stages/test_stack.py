"""stack: all methods side by side, each on rows that it was not fitted on."""

from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml

from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, FoldFacts, LearnerManifest, RunFacts
from igarape.ensemble.leave_one_out import RARE, WITHOUT
from igarape.ensemble.stacker import Stacker
from igarape.ensemble.stackers import METHODS
from igarape.errors import InputError
from igarape.files import read_json
from igarape.learners.audit import fold_models, rows_hash
from igarape.learners.examples import load_examples
from igarape.learners.predictor import Predictor
from igarape.predictions import probability_columns, read_predictions
from igarape.scores.figures import figures
from igarape.stages import stack as stage
from igarape.tables import label_columns, read_catalog, read_folds, truth, write_table
from igarape.workspace import Workspace


def wrote(here: Workspace) -> Any:
    """Return what stack wrote about itself."""
    return read_json(here.root / "data/stack/stack.json")


def stacked(here: Workspace) -> pd.DataFrame:
    """Return the stacked predictions."""
    return read_predictions(here.root / "data/stack/predictions.parquet", read_folds(here.folds))


def test_all_methods_are_reported_on_out_of_fold_rows(project: Workspace) -> None:
    """Each one's scores are those of its own predictions of the folds' rows."""
    vocabulary = read_dataset("toy", project.datasets).labels.vocabulary()
    labels = list(vocabulary.labels)
    catalog = read_catalog(project.catalog(), labels).set_index("image_id")
    assert set(wrote(project)["stackers"]) == {*METHODS}
    assert set(stacked(project)["learner"]) == {*METHODS, CALIBRATED, "without rare", WITHOUT + RARE}
    for name, scores in wrote(project)["stackers"].items():
        rows = stacked(project).query(f"learner == {name!r} and fold >= 0")
        y = truth(catalog.loc[rows["image_id"]], labels)
        p = rows[probability_columns(rows)].to_numpy()
        assert scores == pytest.approx(figures(y, p, targets=vocabulary.targets("all")))


def test_the_mean_is_the_mean_of_the_learners_that_predict_a_label(project: Workspace) -> None:
    """Two for the rare label, one for the others."""
    tiny, rare = (pd.read_parquet(project.predictions(name)).set_index("image_id") for name in ("tiny", "rare"))
    mean = stacked(project).query("learner == 'mean'").set_index("image_id").loc[tiny.index]
    assert np.allclose(mean["p_tree"], tiny["p_tree"])
    assert np.allclose(mean["p_kiln"], (tiny["p_kiln"] + rare.loc[tiny.index, "p_kiln"]) / 2)


def test_the_better_one_is_chosen_saved_and_named_in_the_run(project: Workspace) -> None:
    """`use: best` is by the sum of F2 and mAP out of fold."""
    scores = {name: both["f2"] + both["map"] for name, both in wrote(project)["stackers"].items()}
    chosen = wrote(project)["chosen"]
    assert scores[chosen] == max(scores.values())
    assert Stacker.load(project.root / "data/stack/stacker").method == chosen
    run = mlflow.get_run(RunFacts.read(project.run("stack")).run_id)
    assert run.data.tags["igarape.chosen"] == chosen
    assert run.data.tags["mlflow.note.content"].endswith(f"; used: {chosen}")
    each = wrote(project)["stackers"]
    assert run.data.metrics["oof_f2"] == pytest.approx(each[chosen]["f2"])
    assert run.data.metrics["mean/oof_f2"] == pytest.approx(each["mean"]["f2"])
    curve = mlflow.MlflowClient().get_metric_history(run.info.run_id, "xgboost/oof_log_loss")
    rounds = yaml.safe_load(project.params.read_text(encoding="utf-8"))["stack"]["rounds"]
    assert (curve[0].step, curve[-1].step) == (0, rounds) and all(point.value > 0 for point in curve)


def test_what_the_blend_weighs_and_what_keeps_it_is_written(project: Workspace) -> None:
    """A weight, at least 0, of each learner that predicts a label; why trees do not correct it."""
    labels = {*read_dataset("toy", project.datasets).labels.vocabulary().labels}
    weights = wrote(project)["weights"]
    assert set(weights) == labels
    assert set(weights["tree"]) == {"tiny"} and set(weights["kiln"]) == {"tiny", "rare"}
    assert all(weight >= 0 for each in weights.values() for weight in each.values())
    assert set(wrote(project)["kept"]) <= labels
    assert all("has it" in reason or "gain nothing" in reason for reason in wrote(project)["kept"].values())


def test_the_stack_without_the_rare_learner_is_kept(project: Workspace) -> None:
    """Under its own name: there the label that it predicts is answered otherwise."""
    table = stacked(project)
    without, chosen = (table[table["learner"] == name] for name in (WITHOUT + RARE, wrote(project)["chosen"]))
    assert not np.array_equal(without["p_kiln"], chosen["p_kiln"])


@pytest.mark.parametrize("use", ["mean", "blend", "xgboost"])
def test_params_may_ask_for_one(copy: Workspace, use: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever scores better; the hold-out's answers come from the stacker that was saved."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8"))
    params["stack"]["use"] = use
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    stage.run(copy)
    assert wrote(copy)["chosen"] == use
    scores = ", ".join(f"{name} {each['f2']:.4f}" for name, each in wrote(copy)["stackers"].items())
    assert f"stack: F2 out of fold: {scores}; used: {use}" in capsys.readouterr().out
    held = stacked(copy).query(f"learner == {CALIBRATED!r} and fold == -1")
    learners = {name: pd.read_parquet(copy.predictions(name)) for name in ("tiny", "rare")}
    p = {
        name: table.set_index("image_id").loc[held["image_id"], probability_columns(table)].to_numpy()
        for name, table in learners.items()
    }
    answer = Stacker.load(copy.root / "data/stack/stacker").predict(p)
    assert np.abs(answer - held[probability_columns(held)].to_numpy()).max() < 1e-6


def test_the_hold_outs_truth_has_no_say(copy: Workspace) -> None:
    """With every label of the hold-out turned round, predictions and scores are the same."""
    before, scores = stacked(copy), wrote(copy)["stackers"]
    catalog = pd.read_parquet(copy.catalog())
    folds = read_folds(copy.folds).set_index("image_id")["fold"]
    held = catalog["image_id"].map(folds).eq(-1)
    labels = list(read_dataset("toy", copy.datasets).labels.vocabulary().labels)
    columns = label_columns(labels)
    catalog.loc[held, columns] = 1 - catalog.loc[held, columns]
    write_table(catalog, copy.catalog())
    stage.run(copy)
    pd.testing.assert_frame_equal(stacked(copy), before)
    assert wrote(copy)["stackers"] == scores


def test_predictions_made_for_other_folds_are_refused(copy: Workspace) -> None:
    """A leak between the steps does not reach the stack."""
    path = copy.predictions("tiny")
    table = pd.read_parquet(path)
    table["fold"] = table["fold"].replace({0: 1, 1: 0})
    write_table(table, path)
    with pytest.raises(InputError, match=r"data/train/tiny/predictions\.parquet: chip-.*predicted as fold"):
        stage.run(copy)


def test_a_planted_leak_is_found_without_the_hold_out(copy: Workspace) -> None:
    """A fold's predictions by a model that learned from it: the error names learner, fold and chip."""
    path, folds = copy.predictions("tiny"), read_folds(copy.folds)
    table, manifest = pd.read_parquet(path), LearnerManifest.read(copy.learner("tiny"))
    examples = load_examples(copy, manifest, labels=manifest.labels, report=lambda _done, _total: None)
    rows = np.flatnonzero(folds["fold"] == 1)
    other = Predictor(fold_models(copy.folder("train", "tiny"))[:1])
    table.loc[rows, probability_columns(table)] = other.predict(examples.images, rows=rows, tta=manifest.tta, batch=8)
    write_table(table, path)
    with pytest.raises(InputError, match=r"stack: tiny: fold 1: chip-\d+: .*the fold's own model .*train@tiny"):
        stage.run(copy)


def test_a_model_that_learned_from_its_own_fold_is_refused(copy: Workspace) -> None:
    """Its manifest says from which rows: they have to be those of the other folds."""
    path, folds = copy.learner("tiny"), read_folds(copy.folds)
    manifest = LearnerManifest.read(path)
    inside = folds["image_id"][folds["fold"] >= 0]
    leak = FoldFacts(rows=len(inside), learned=rows_hash(inside))
    manifest.model_copy(update={"folds": (leak, *manifest.folds[1:])}).write(path)
    with pytest.raises(InputError, match=f"stack: tiny: fold 0: its model learned from {len(inside)} rows"):
        stage.run(copy)
    manifest.model_copy(update={"folds": manifest.folds[1:]}).write(path)
    with pytest.raises(InputError, match="tiny: expected a model for each of 2 folds, found 1"):
        stage.run(copy)


def test_a_learner_without_a_models_file_or_a_chips_row_leaves_the_last_stack(copy: Workspace) -> None:
    """Without the model nothing that it predicted can be checked."""
    kept = copy.folder("stack") / "stack.json"
    before = kept.read_bytes()
    (copy.folder("train", "rare") / "fold-1.onnx").unlink()
    with pytest.raises(InputError, match=r"train/rare: has no model fold-1, .*dvc repro -f train@rare"):
        stage.run(copy)
    path = copy.predictions("rare")
    table = pd.read_parquet(path)
    write_table(table[table["fold"] < 0], path)
    with pytest.raises(InputError, match=r"rare: expected one row for each of 60 chips of the folds, found \d+"):
        stage.run(copy)
    assert kept.read_bytes() == before


def test_labels_that_only_a_rare_learner_predicts_need_another_learner(copy: Workspace) -> None:
    """A list of experiments without one for all labels cannot be stacked, and the error names the labels."""
    params = yaml.safe_load(copy.params.read_text(encoding="utf-8")) | {"experiments": ["rare"]}
    copy.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.raises(InputError, match="no learner predicts sun, fog, tree, pond"):
        stage.run(copy)
