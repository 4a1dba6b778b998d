"""What an experiment of any kind of learner may say, and how each fault is told."""

from pathlib import Path
from typing import Any

import pytest
from toy_experiments import WITH_RARE, WITHOUT_RARE, read, refused

from igarape.errors import InputError


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"size": 100}, "  size  should be a multiple of 32 (got 100)"),
        ({"chips": "ingest"}, "  chips  should be 'raw', 'dehazed' or 'nir' (got 'ingest')"),
        ({"labels": "common"}, "  labels  should be 'all' or 'rare' (got 'common')"),
        ({"weights": ""}, "  weights  should not be empty (got '')"),
        ({"epochs": 0}, "  epochs  should be at least 1 (got 0)"),
        ({"bacth": 8}, "  bacth  is not known; did you mean batch?"),
        ({"zoom": 0.3}, "  zoom  is not known here; it belongs under hyperparameters"),
    ],
)
def test_a_faulty_value_is_told_with_the_choices(changes: dict[str, Any], line: str) -> None:
    """Each field has its bounds."""
    assert refused(**changes) == [line]


def test_an_experiment_predicts_all_labels_or_the_rare_ones() -> None:
    """The targets are the data set's, not the experiment's."""
    assert read().targets(WITH_RARE).labels == ("sun", "tree", "kiln")
    assert read(labels="rare").targets(WITH_RARE).labels == ("kiln",)


def test_an_experiment_may_list_its_labels(tmp_path: Path) -> None:
    """Those of the data set, at least one; what is written of it is read again."""
    one = read(labels=["kiln"])
    assert one.targets(WITH_RARE) == read(labels="rare").targets(WITH_RARE)
    assert one.model_dump(mode="json")["labels"] == ["kiln"]
    (line,) = refused(labels=[])
    assert line == "  labels  should hold at least 1 values"
    (line,) = refused(labels=["kiln", "sun", "kiln"])
    assert line.startswith("  labels  should name each label once; kiln stands twice")
    with pytest.raises(InputError, match=r"labels: expected labels .*: unknown tag 'kilm'; did you mean kiln\?$"):
        read(labels=["kilm"]).targets(WITH_RARE)


def test_a_rare_label_learner_needs_rare_labels() -> None:
    """A data set without any cannot serve it, and the error says what to do."""
    with pytest.raises(InputError, match=r"the data set names no rare labels.*out of params\.yaml"):
        read(labels="rare").targets(WITHOUT_RARE)


def test_a_learner_on_near_infrared_needs_tifs() -> None:
    """A data set that names none cannot serve it, and the error says both ways out; other learners need none."""
    read(chips="nir").check(WITH_RARE, nir=True)
    read(chips="dehazed").check(WITH_RARE, nir=False)
    with pytest.raises(InputError, match=r"chips: nir: the data set names no TIFs.*source\.nir.*out of params\.yaml"):
        read(chips="nir").check(WITH_RARE, nir=False)
