"""experiments/: what a learner's YAML may say, and how each fault is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.configuration import validate
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.learners.experiment import BOUNDS, Choice, Experiment, Range, read_experiment, read_experiments

KNOBS: dict[str, Any] = {
    "learning_rate": {"low": 0.001, "high": 0.01, "scale": "log"},
    "dropout": {"choice": [0.4, 0.0, 0.2]},
    "width": 1,
    "smoothing": 0.0,
    "decay": 0.001,
    "jitter": 0.05,
}
GOOD: dict[str, Any] = {
    "backbone": "mobilenet",
    "weights": "none",
    "chips": "ingest",
    "labels": "all",
    "size": 64,
    "loss": "bce",
    "objective": "f2",
    "epochs": 2,
    "batch": 8,
    "knobs": KNOBS,
}
WITH_RARE = Vocabulary(exclusive=("sun",), alone=(), common=("tree",), rare=("kiln",))
WITHOUT_RARE = Vocabulary(exclusive=(), alone=(), common=("tree",), rare=())


def read(**changes: object) -> Experiment:
    """Validate the good experiment with changes."""
    return validate(Experiment, GOOD | changes, "e.yaml")


def refused(**changes: object) -> list[str]:
    """Return the faults that the changes bring about, without the first line."""
    with pytest.raises(InputError) as caught:
        read(**changes)
    return str(caught.value).splitlines()[1:]


def test_a_knob_is_one_value_a_choice_or_a_range() -> None:
    """The three ways to write a knob; a whole number is a number."""
    knobs = read().knobs
    assert knobs.fixed() == {"width": 1.0, "smoothing": 0.0, "decay": 0.001, "jitter": 0.05}
    assert knobs.searched() == {
        "learning_rate": Range(low=0.001, high=0.01, scale="log"),
        "dropout": Choice(choice=(0.4, 0.0, 0.2)),
    }


def test_the_ends_are_two_whole_corners_of_the_space() -> None:
    """All knobs at their smallest, all at their largest; choices need not be sorted."""
    low, high = read().knobs.ends()
    assert set(low) == set(high) == set(KNOBS)
    assert (low["dropout"], high["dropout"]) == (0.0, 0.4)
    assert (low["learning_rate"], high["learning_rate"]) == (0.001, 0.01)


@pytest.mark.parametrize("name", BOUNDS)
def test_every_knob_has_bounds_in_whichever_way_it_is_written(name: str) -> None:
    """A value, one of a choice, or the end of a range outside the bounds is a fault at the knob's own place."""
    low, high = BOUNDS[name]
    ways = [
        low - 1,
        high + 1,
        {"choice": [low, high + 1]},
        {"low": low, "high": high + 1, "scale": "linear"},
        float("nan"),
    ]
    for written in ways:
        (line,) = refused(knobs=KNOBS | {name: written})
        assert line.startswith(f"  knobs.{name}  should lie in {low}..{high}")


def test_all_knobs_out_of_bounds_are_shown_at_once() -> None:
    """The second fault does not wait until the first is mended."""
    assert len(refused(knobs=KNOBS | {"dropout": 2, "jitter": -1, "widht": 3})) == 3


@pytest.mark.parametrize(
    ("knob", "lines"),
    [
        ({"choice": [0.1]}, ["  knobs.dropout.choice  should hold at least 2 values"]),
        (
            {"chioce": [0.1, 0.2]},
            [
                "  knobs.dropout.choice  is missing",
                "  knobs.dropout.chioce  is not known; did you mean knobs.dropout.choice?",
            ],
        ),
        (
            {"low": 0.1, "hihg": 0.2, "scale": "log"},
            [
                "  knobs.dropout.high  is missing",
                "  knobs.dropout.hihg  is not known; did you mean knobs.dropout.high?",
            ],
        ),
        ({"low": 0.3, "high": 0.2, "scale": "log"}, ["  knobs.dropout  low should be below high (got 0.3 and 0.2)"]),
        (
            {"low": 0.0, "high": 0.2, "scale": "log"},
            ["  knobs.dropout  low should be above 0 on a log scale (got 0.0)"],
        ),
        (
            {"low": 0.1, "high": 0.2, "scale": "lgo"},
            ["  knobs.dropout.scale  should be 'linear' or 'log' (got 'lgo')"],
        ),
        ("much", ["  knobs.dropout  should be a valid number (got 'much')"]),
        (None, ["  knobs.dropout  should be a valid number (got None)"]),
        ([0.1, 0.2], ["  knobs.dropout  should be a valid number"]),
    ],
)
def test_a_faulty_knob_is_told_in_the_files_words(knob: object, lines: list[str]) -> None:
    """The reader sees the way of writing that they seem to have meant."""
    assert refused(knobs=KNOBS | {"dropout": knob}) == lines


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"backbone": "mobilnet"}, "  backbone  should be 'plain', 'mobilenet' or 'mobilenet_v2' (got 'mobilnet')"),
        ({"size": 100}, "  size  should be a multiple of 32 (got 100)"),
        ({"chips": "raw"}, "  chips  should be 'ingest', 'dehaze' or 'nir' (got 'raw')"),
        ({"labels": "common"}, "  labels  should be 'all' or 'rare' (got 'common')"),
        ({"weights": ""}, "  weights  should not be empty (got '')"),
        ({"epochs": 0}, "  epochs  should be at least 1 (got 0)"),
        ({"bacth": 8}, "  bacth  is not known; did you mean batch?"),
    ],
)
def test_a_faulty_value_is_told_with_the_choices(changes: dict[str, Any], line: str) -> None:
    """Each field has its bounds."""
    assert refused(**changes) == [line]


def test_the_plain_network_has_no_published_weights() -> None:
    """`weights=None` is not to be called transfer learning, nor the other way round."""
    (line,) = refused(backbone="plain", weights="imagenet")
    assert "weights should be none" in line


@pytest.mark.parametrize("width", [0.5, {"choice": [0.5, 1.0]}])
def test_loaded_weights_fix_the_width(width: object) -> None:
    """Weights were made at width 1, so another width, or a search over it, cannot load them."""
    (line,) = refused(weights="imagenet", knobs=KNOBS | {"width": width})
    assert "knobs.width should be 1.0 where weights are loaded" in line


def test_an_experiment_predicts_all_labels_or_the_rare_ones() -> None:
    """The targets are the data set's, not the experiment's."""
    assert read().targets(WITH_RARE) == ("sun", "tree", "kiln")
    assert read(labels="rare").targets(WITH_RARE) == ("kiln",)


def test_a_rare_label_learner_needs_rare_labels() -> None:
    """A data set without any cannot serve it, and the error says what to do."""
    with pytest.raises(InputError, match=r"the data set names no rare labels.*out of params\.yaml"):
        read(labels="rare").targets(WITHOUT_RARE)


def test_a_learner_on_near_infrared_needs_tifs() -> None:
    """A data set that names none cannot serve it, and the error says both ways out; other learners need none."""
    read(chips="nir").check_chips(nir=True)
    read(chips="dehaze").check_chips(nir=False)
    with pytest.raises(InputError, match=r"chips: nir: the data set names no TIFs.*source\.nir.*out of params\.yaml"):
        read(chips="nir").check_chips(nir=False)


def write(folder: Path, name: str, **changes: object) -> None:
    """Write an experiment."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(GOOD | changes), encoding="utf-8")


def test_an_experiment_is_read_by_its_name(tmp_path: Path) -> None:
    """A misspelled one meets the names that are there."""
    write(tmp_path, "small")
    assert read_experiment("small", tmp_path) == read()
    with pytest.raises(InputError, match=r"smal\.yaml: not found; did you mean small\?"):
        read_experiment("smal", tmp_path)


def test_the_faults_of_all_listed_experiments_come_together(tmp_path: Path) -> None:
    """Each fault names its file, whether it lies in the file or between the file and the data set."""
    write(tmp_path, "good")
    write(tmp_path, "bad", epochs=0)
    write(tmp_path, "rare", labels="rare")
    write(tmp_path, "infrared", chips="nir")
    learners = ("good", "rare", "infrared")
    assert tuple(read_experiments(learners, WITH_RARE, tmp_path, nir=True)) == learners
    with pytest.raises(InputError) as caught:
        read_experiments((*learners, "bad", "godo"), WITHOUT_RARE, tmp_path, nir=False)
    text = str(caught.value)
    assert all(f"{tmp_path / name}.yaml: " in text for name in ("bad", "rare", "infrared", "godo"))
    assert f"{tmp_path / 'good'}.yaml" not in text
