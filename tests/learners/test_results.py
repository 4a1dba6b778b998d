"""The result of a training: predictions, settings and manifest, from which all later steps go on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
import yaml

from igarape.config.documents import LearnerManifest
from igarape.files import write_json
from igarape.learners.audit import rows_hash
from igarape.learners.examples import Examples, outside
from igarape.learners.folds import Recipe
from igarape.learners.results import write_result
from igarape.predictions import read_predictions
from igarape.scores.figures import figures

COUNT = 40
TARGETS = tiny.targets(3)
RECIPE = Recipe(
    experiment=tiny.tiny({"dropout": {"choice": [0.1, 0.25]}}),
    hyperparameters=tiny.values(tta=True, dropout=0.25),
    targets=TARGETS,
    epochs=2,
    validation=0.0,
    patience=2,
    seed=0,
    threads=1,
)


@pytest.fixture
def examples() -> Examples:
    """Make examples of two folds and a hold-out, without pictures."""
    rng = np.random.default_rng(0)
    image_ids = [f"chip-{row}" for row in range(COUNT)]
    return Examples(
        image_ids=image_ids,
        images=np.zeros((COUNT, 2, 2, 3), dtype=np.uint8),
        y=rng.random((COUNT, 3)) < 0.5,
        folds=np.arange(COUNT) % 3 - 1,
        groups=image_ids,
        digest="",
    )


def probabilities() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Draw predictions."""
    return np.random.default_rng(1).random((COUNT, 3), dtype=np.float32)


def noted(folder: Path, examples: Examples) -> Path:
    """Write what cross_fit notes of each fold, the second one's row by row from the back."""
    for fold in (0, 1):
        rows = outside(examples.folds, fold).tolist()
        write_json({"rows": rows[:: 1 - 2 * fold], "epochs": []}, folder / f"notes/fold-{fold}.json")
    return folder / "notes"


def test_the_predictions_can_be_read_by_the_steps_that_follow(examples: Examples, tmp_path: Path) -> None:
    """A row for each chip, with its fold, the learner's name, and a column for each label."""
    p = probabilities()
    write_result(tmp_path, p, name="tiny", examples=examples, recipe=RECIPE, notes=noted(tmp_path, examples))
    folds = pd.DataFrame({"image_id": examples.image_ids, "fold": examples.folds})
    table = read_predictions(tmp_path / "predictions.parquet", folds)
    assert set(table["learner"]) == {"tiny"}
    assert (table[[f"p_{label}" for label in TARGETS.labels]].to_numpy() == p).all()


def test_the_figures_are_out_of_fold(examples: Examples, tmp_path: Path) -> None:
    """Other predictions of the hold-out change nothing."""
    p, notes = probabilities(), noted(tmp_path, examples)
    scores = write_result(tmp_path, p, name="tiny", examples=examples, recipe=RECIPE, notes=notes)
    inside = examples.folds >= 0
    assert scores == figures(examples.y[inside], p[inside], targets=TARGETS)
    p[~inside] = 1 - p[~inside]
    assert (
        write_result(tmp_path, p, name="tiny", examples=examples, recipe=RECIPE, notes=noted(tmp_path, examples))
        == scores
    )


@pytest.mark.parametrize(
    ("labels", "partial", "scope"),
    [(["label_2", "label_0", "label_1"], True, "named"), ("rare", True, "rare"), ("rare", False, "all")],
)
def test_a_learner_of_some_labels_says_so(
    labels: str | list[str], partial: bool, scope: str, examples: Examples, tmp_path: Path
) -> None:
    """Its manifest says which, and its experiment.yaml as it was written."""
    recipe = replace(RECIPE, experiment=tiny.tiny(labels=labels), targets=replace(TARGETS, partial=partial))
    notes = noted(tmp_path, examples)
    write_result(tmp_path, probabilities(), name="tiny", examples=examples, recipe=recipe, notes=notes)
    manifest = LearnerManifest.read(tmp_path / "learner.json")
    assert (manifest.scope, manifest.labels) == (scope, TARGETS.labels)
    written = yaml.safe_load((tmp_path / "experiment.yaml").read_text(encoding="utf-8"))
    assert written["labels"] == manifest.settings["labels"] == labels


def test_all_labels_by_name_are_all(examples: Examples, tmp_path: Path) -> None:
    """Such a learner is compared, stacked and reported as those that say `labels: all`."""
    recipe = replace(RECIPE, experiment=tiny.tiny(labels=list(TARGETS.labels)))
    notes = noted(tmp_path, examples)
    write_result(tmp_path, probabilities(), name="tiny", examples=examples, recipe=recipe, notes=notes)
    assert LearnerManifest.read(tmp_path / "learner.json").scope == "all"


def test_the_manifest_says_what_the_fold_models_are(examples: Examples, tmp_path: Path) -> None:
    """With the values that were searched in place of the choices, which stand in experiment.yaml."""
    scores = write_result(
        tmp_path, probabilities(), name="tiny", examples=examples, recipe=RECIPE, notes=noted(tmp_path, examples)
    )
    manifest = LearnerManifest.read(tmp_path / "learner.json")
    assert (manifest.name, manifest.chips, manifest.size, manifest.scope) == ("tiny", "raw", 32, "all")
    assert manifest.labels == TARGETS.labels and manifest.tta
    assert (manifest.f2, manifest.map) == (scores["f2"], scores["map"])
    assert manifest.settings["hyperparameters"]["dropout"] == 0.25
    assert [facts.rows for facts in manifest.folds] == [len(outside(examples.folds, fold)) for fold in (0, 1)]
    others = [image_id for image_id, fold in zip(examples.image_ids, examples.folds, strict=True) if fold == 1]
    assert manifest.folds[0].learned == rows_hash(others) != manifest.folds[1].learned
    written = yaml.safe_load((tmp_path / "experiment.yaml").read_text(encoding="utf-8"))
    assert written["hyperparameters"]["dropout"] == {"choice": [0.1, 0.25]}
