"""Predictions: each read checks them against the folds, and says where the fault is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.errors import InputError
from igarape.predictions import prediction_table, probability_columns, read_predictions, read_probabilities
from igarape.tables import write_parts, write_table

FOLDS = pd.DataFrame({"image_id": ["a", "b", "c", "d"], "fold": [0, 1, 0, -1]})
LABELS = ("sun", "tree")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a table's file."""
    return tmp_path / "data" / "table.parquet"


def predicted(learner: str = "plain") -> pd.DataFrame:
    """Make a learner's predictions of the chips of FOLDS."""
    p = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)
    return prediction_table(list(FOLDS["image_id"]), FOLDS["fold"].to_numpy(), learner=learner, labels=LABELS, p=p)


def test_predictions_are_float32_and_in_the_order_of_the_labels() -> None:
    """A prediction's columns are image_id, learner, fold, then p_<label> as the labels stand."""
    frame = predicted()
    assert list(frame.columns) == ["image_id", "learner", "fold", "p_sun", "p_tree"]
    assert probability_columns(frame) == ["p_sun", "p_tree"]
    assert (frame[["p_sun", "p_tree"]].dtypes == np.float32).all()


def test_predictions_of_several_learners_are_read_whatever_their_rows_order(path: Path) -> None:
    """Rows may stand in any order: they carry their chip's name."""
    frame = pd.concat([predicted("one"), predicted("two")]).sample(frac=1, random_state=1)
    write_table(frame, path)
    assert len(read_predictions(path, FOLDS)) == 8


def test_predictions_of_other_labels_are_refused(path: Path) -> None:
    """One that lacks a label, and one that has them in another order, whose figures would be taken for each other's."""
    write_table(predicted(), path)
    assert len(read_predictions(path, FOLDS, ["sun", "tree"])) == 4
    for labels in (["sun", "tree", "pond"], ["tree", "sun"]):
        with pytest.raises(InputError, match=f"of {', '.join(labels)}, in this order, found sun, tree.*dvc repro"):
            read_predictions(path, FOLDS, labels)


def test_predictions_are_written_and_read_one_learner_at_a_time(path: Path) -> None:
    """As they would be all at once; the rows of each come in the order of the folds, wherever they stand."""
    one, two = predicted("one"), predicted("two").assign(p_sun=np.float32(0.5))
    write_parts((table for table in (one, two)), path)
    pd.testing.assert_frame_equal(read_predictions(path, FOLDS), pd.concat([one, two], ignore_index=True))
    pd.testing.assert_frame_equal(read_predictions(path, FOLDS, learner="two"), two)
    write_table(pd.concat([one, two]).sample(frac=1, random_state=1), path)
    found = read_probabilities(path, FOLDS)
    assert found.keys() == {"one", "two"}
    for name, table in (("one", one), ("two", two)):
        assert (found[name] == table[["p_sun", "p_tree"]].to_numpy()).all()
    with pytest.raises(InputError, match="no predictions by three"):
        read_predictions(path, FOLDS, learner="three")
    with pytest.raises(InputError, match="not found"):
        read_probabilities(path.with_name("none.parquet"), FOLDS)


def test_a_learner_predicts_a_chip_once(path: Path) -> None:
    """Another one may predict it too."""
    write_table(pd.concat([predicted("one"), predicted("two"), predicted("one")]), path)
    with pytest.raises(InputError, match="a one stands twice"):
        read_predictions(path, FOLDS)


@pytest.mark.parametrize("value", [-0.001, 1.001])
def test_a_probability_lies_in_0_to_1(path: Path, value: float) -> None:
    """Logits are not taken for probabilities."""
    frame = predicted()
    frame.loc[2, "p_tree"] = value
    write_table(frame, path)
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        read_predictions(path, FOLDS)


def test_probabilities_of_another_type_or_none_at_all_are_refused(path: Path) -> None:
    """The contract is float32, and at least one label."""
    write_table(predicted().astype({"p_sun": np.float64}), path)
    with pytest.raises(InputError, match="expected float32"):
        read_predictions(path, FOLDS)
    write_table(predicted()[["image_id", "learner", "fold"]], path)
    with pytest.raises(InputError, match="expected float32"):
        read_predictions(path, FOLDS)


def test_each_learner_predicts_every_chip(path: Path) -> None:
    """A learner that left out a chip cannot be stacked."""
    write_table(pd.concat([predicted("whole"), predicted("short").iloc[:-1]]), path)
    with pytest.raises(InputError, match="short: expected one row for each of 4 chips"):
        read_predictions(path, FOLDS)


def test_a_chip_outside_the_folds_is_refused(path: Path) -> None:
    """A stranger does not take the place of a missing chip."""
    write_table(predicted().replace({"image_id": {"c": "z"}}), path)
    with pytest.raises(InputError, match="plain: expected one row for each of 4 chips"):
        read_predictions(path, FOLDS)


def test_a_prediction_made_for_another_fold_is_caught(path: Path) -> None:
    """A row whose fold is not its chip's was predicted by a model that may have trained on it."""
    write_table(predicted().assign(fold=[0, 1, 1, -1]), path)
    with pytest.raises(InputError, match="c: predicted as fold 1, but its fold is 0"):
        read_predictions(path, FOLDS)
