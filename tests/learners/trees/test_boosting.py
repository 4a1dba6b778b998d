"""One training of trees: reproducible, scored on its validation rows alone, and told of sparingly."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from igarape.chips.pictures import symmetries
from igarape.labels import Booleans
from igarape.learners.examples import Images, Rows
from igarape.learners.learning import Training
from igarape.learners.trees.boosting import POINTS, fit
from igarape.learners.trees.forest import Trees
from igarape.scores.figures import validation_figures

RNG = np.random.default_rng(5)
COUNT = 60
# What can be learned: the first label makes a chip bright, the second one red. The third is chance, the last not there.
TRUTH: Booleans = RNG.random((COUNT, 4)) < [0.5, 0.5, 0.5, 0.0]
PICTURES: Images = RNG.integers(0, 100, (COUNT, 32, 32, 3), dtype=np.uint8)
PICTURES += (TRUTH[:, 0] * 80).astype(np.uint8)[:, None, None, None]
PICTURES[:, :, :, 0] += (TRUTH[:, 1] * 70).astype(np.uint8)[:, None, None]
TARGETS = tiny.targets(4)
TRAIN, WATCH, UNUSED = np.arange(40), np.arange(40, 54), np.arange(54, 60)

Rounds = list[tuple[int, dict[str, float]]]


def train(
    images: Images = PICTURES,
    y: Booleans = TRUTH,
    *,
    rounds: int = 12,
    validation: Rows = WATCH,
    log: Rounds | None = None,
    patience: int | None = 3,
    **hyperparameters: Any,
) -> Trees:
    """Boost small trees on the rows TRAIN."""

    def record(number: int, metrics: Mapping[str, float]) -> None:
        if log is not None:
            log.append((number, dict(metrics)))

    training = Training(
        images,
        y,
        TARGETS,
        train=TRAIN,
        validation=validation,
        epochs=rounds,
        patience=patience,
        seed=3,
        log=record,
    )
    return fit(training, experiment=tiny.tabular(), hyperparameters=tiny.tree_values(**hyperparameters))


def answers(trees: Trees) -> npt.NDArray[np.float32]:
    """Predict all pictures."""
    return trees.predict(PICTURES, np.arange(COUNT), tta=False)


def test_it_learns_what_can_be_learned() -> None:
    """Colours that go with a label are found on chips that it never saw; chance is not."""
    unseen = np.concatenate([WATCH, UNUSED])
    p = answers(train(validation=WATCH[:0]))[unseen]
    assert ((p > 0.5) == TRUTH[unseen])[:, :2].mean() > 0.9
    assert ((p > 0.5) == TRUTH[unseen])[:, 2].mean() < 0.9


def test_a_label_that_no_row_holds_is_answered_with_next_to_nothing() -> None:
    """It is no error: a rare label may be missing from a fold's training rows."""
    p = answers(train())
    assert p.shape == (COUNT, 4) and p.dtype == np.float32
    assert p[:, 3].max() < 0.01


def test_each_round_is_told_with_its_loss_and_the_watched_figures() -> None:
    """Rounds count from 0; the figures are numbers, those of a network's epochs by name, and the loss falls."""
    log: Rounds = []
    train(rounds=4, log=log)
    assert [number for number, _ in log] == [0, 1, 2, 3]
    for _, metrics in log:
        assert set(metrics) == {"loss", "val_loss", "val_f2", "val_map"}
        assert all(type(value) is float and np.isfinite(value) for value in metrics.values())
    losses = [metrics["loss"] for _, metrics in log]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("rounds", [120, 131])
def test_of_many_rounds_some_are_told_and_always_the_last(rounds: int) -> None:
    """A history of hundreds of points costs the tracking more than the trees; the search reads the last one."""
    log: Rounds = []
    train(rounds=rounds, validation=WATCH[:0], log=log, depth=1)
    numbers = [number for number, _ in log]
    assert numbers == sorted(set(numbers)) and numbers[-1] == rounds - 1
    assert POINTS / 2 <= len(numbers) <= POINTS
    assert {name for _, metrics in log for name in metrics} == {"loss"}


def test_boosting_stops_when_the_watched_loss_no_longer_falls() -> None:
    """Three rounds of patience after the best one, the last round told, and the best ones kept."""
    chance = RNG.random(TRUTH.shape) < 0.5
    log: Rounds = []
    trees = train(y=chance, rounds=40, log=log, learning_rate=0.5)
    losses = [metrics["val_loss"] for _, metrics in log]
    assert len(losses) < 40
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    kept = validation_figures(chance[WATCH], trees.predict(PICTURES, WATCH, tta=False), targets=TARGETS)
    assert kept["val_loss"] == pytest.approx(min(losses), abs=1e-6)


def test_without_patience_all_rounds_are_boosted() -> None:
    """Trials of a search are compared at equal length, and watched all the same."""
    log: Rounds = []
    train(y=RNG.random(TRUTH.shape) < 0.5, rounds=20, log=log, patience=None, learning_rate=0.5)
    assert len(log) == 20
    assert log[-1][1]["val_loss"] > min(metrics["val_loss"] for _, metrics in log)


def test_the_same_seed_gives_the_same_trees_and_other_rows_have_no_say() -> None:
    """Rows that are neither trained on nor watched may hold anything: the answers are the same to the last bit."""
    others = np.concatenate([WATCH, UNUSED])
    images, y = PICTURES.copy(), TRUTH.copy()
    images[others], y[others] = 0, True
    one, again = train(validation=WATCH[:0], subsample=0.7), train(images, y, validation=WATCH[:0], subsample=0.7)
    assert (one.predict(PICTURES, TRAIN, tta=False) == again.predict(PICTURES, TRAIN, tta=False)).all()


@pytest.mark.parametrize(
    "hyperparameters",
    [{"learning_rate": 0.05}, {"depth": 1.0}, {"child_weight": 8.0}, {"subsample": 0.5}, {"columns": 0.02}, {"l2": 50}],
    ids=lambda hyperparameters: next(iter(hyperparameters)),
)
def test_each_knob_is_heard(hyperparameters: dict[str, Any]) -> None:
    """Trees with another value are other trees."""
    assert (
        answers(train(validation=WATCH[:0], rounds=4))
        != answers(train(validation=WATCH[:0], rounds=4, **hyperparameters))
    ).any()


def test_a_turned_chip_is_answered_as_it_was() -> None:
    """To the last bit, with test-time augmentation or without."""
    trees, rows = train(rounds=4), np.arange(9)
    expected = trees.predict(PICTURES, rows, tta=False)
    assert all((trees.predict(view, rows, tta=False) == expected).all() for view in symmetries(PICTURES[:9]))
    assert (trees.predict(PICTURES, rows, tta=True) == expected).all()
