"""The stack is honest (no row is predicted by what was fitted on it), starts from the mean, and survives the disk."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from igarape.ensemble.stacker import (
    CrossFit,
    Settings,
    Stacker,
    cross_fit,
    fit_stacker,
    mean_stacker,
)
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.metrics import mean_average_precision
from igarape.tables import Probabilities, learner_labels, learner_probabilities, predictions

Folds = npt.NDArray[np.int64]
LABELS = ("sea", "dock", "blow down/1", "tank")
LEARNERS = {"plain": LABELS, "deep": LABELS, "rare": ("tank", "blow down/1")}
SETTINGS = Settings(rounds=20, depth=2, rate=0.2, child_weight=3.0, l2=3.0, seed=1)


def draw(n: int, seed: int) -> tuple[dict[str, Probabilities], Booleans, Folds]:
    """Draw truth, three learners that know something of it, and folds -1..3."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, len(LABELS))) < [0.5, 0.3, 0.1, 0.2]
    learners = {}
    for name, labels in LEARNERS.items():
        columns = [LABELS.index(label) for label in labels]
        learners[name] = (1 / (1 + np.exp(-(3 * y[:, columns] - 2 + rng.normal(0, 1.5, (n, len(columns))))))).astype(
            np.float32
        )
    return learners, y, np.arange(n) % 5 - 1


def stack(p: dict[str, Probabilities], y: Booleans, folds: Folds, said: list[str] | None = None) -> CrossFit:
    """Cross-fit with this file's learners and settings."""
    hear = (said if said is not None else []).append
    return cross_fit(p, y, folds, learners=LEARNERS, labels=LABELS, progress=hear, **SETTINGS)


def test_the_mean_is_over_those_who_predict_the_label() -> None:
    """A label that the rare learner predicts too is averaged over three, the others over two; images give the order."""
    p, _, folds = draw(40, seed=1)
    image_ids = [f"chip_{i}" for i in range(40)]
    tables = {name: predictions(image_ids, folds, learner=name, labels=LEARNERS[name], p=p[name]) for name in LEARNERS}
    tables["rare"] = tables["rare"].sample(frac=1, random_state=1)
    stacker = mean_stacker(learner_labels(tables), labels=LABELS)
    mean = stacker.predict(learner_probabilities(tables, image_ids[::-1]))[::-1]
    assert mean.dtype == np.float32
    assert mean[:, 0] == pytest.approx((p["plain"][:, 0] + p["deep"][:, 0]) / 2)
    assert mean[:, 3] == pytest.approx((p["plain"][:, 3] + p["deep"][:, 3] + p["rare"][:, 0]) / 3)
    assert learner_labels(tables) == LEARNERS
    assert (learner_probabilities(tables, image_ids)["rare"] == p["rare"]).all()


def test_no_row_is_predicted_by_boosters_fitted_on_it() -> None:
    """Turning over the truth of one fold leaves that fold's predictions as they were, and changes the other folds'."""
    p, y, folds = draw(400, seed=2)
    before = stack(p, y, folds).p
    for fold in (0, 3):
        rows = folds == fold
        after = stack(p, np.where(rows[:, None], ~y, y), folds).p
        assert (after[rows] == before[rows]).all()
        assert (after[~rows] != before[~rows]).any(axis=1).mean() > 0.9


def test_nothing_is_fitted_on_the_hold_out() -> None:
    """Turning over the hold-out's truth changes nothing at all; its rows come from the stacker that is kept."""
    p, y, folds = draw(400, seed=3)
    before, rows = stack(p, y, folds), folds == -1
    after = stack(p, np.where(rows[:, None], ~y, y), folds)
    assert (after.p == before.p).all()
    kept = before.stacker.predict({name: values[rows] for name, values in p.items()})
    assert (kept == before.p[rows]).all()


def test_a_stack_of_noise_learns_nothing() -> None:
    """Learners that know nothing stack to chance, out of fold: a leak would score far above the labels' frequencies."""
    rng = np.random.default_rng(4)
    _, y, folds = draw(800, seed=4)
    noise = {name: rng.random((800, len(labels)), dtype=np.float32) for name, labels in LEARNERS.items()}
    assert mean_average_precision(y, stack(noise, y, folds).p) < y.mean() + 0.08


def test_xgboost_mends_what_the_mean_cannot() -> None:
    """With one good learner and one that has a label upside down, XGBoost finds out whom to believe."""
    p, y, folds = draw(1000, seed=5)
    p["deep"] = 1 - p["deep"]
    mean = mean_stacker(LEARNERS, labels=LABELS).predict(p)
    assert mean_average_precision(y, stack(p, y, folds).p) > mean_average_precision(y, mean) + 0.1


def test_without_correction_the_stack_is_the_mean() -> None:
    """Regularised to death, XGBoost answers its base margin: the mean."""
    p, y, _ = draw(200, seed=6)
    deadened: Settings = {**SETTINGS, "child_weight": 1e9}
    stacker = fit_stacker(p, y, learners=LEARNERS, labels=LABELS, **deadened)
    assert len(stacker.boosters) == len(LABELS)
    assert stacker.predict(p) == pytest.approx(mean_stacker(LEARNERS, labels=LABELS).predict(p), abs=1e-6)


def test_a_label_with_nothing_to_learn_keeps_the_mean_and_says_so() -> None:
    """No positive, or no negative, among the rows fitted on: the mean, recorded for that fold and told to progress."""
    p, y, folds = draw(400, seed=7)
    y[:, 2] = folds == 0
    y[:, 0] = True
    said: list[str] = []
    fitted = stack(p, y, folds, said)
    assert fitted.fallbacks[0] == {"sea": "every of 240 rows has it", "blow down/1": "none of 240 rows has it"}
    assert set(fitted.fallbacks[1]) == set(fitted.stacker.fallbacks) == {"sea"}
    rows = folds == 0
    mean = mean_stacker(LEARNERS, labels=LABELS).predict(p)
    assert (fitted.p[rows][:, [0, 2]] == mean[rows][:, [0, 2]]).all()
    assert (fitted.p[rows][:, [1, 3]] != mean[rows][:, [1, 3]]).any()
    assert any("the folds but 0, 240 rows" in line and "blow down/1 keeps the mean" in line for line in said)
    assert len(said) == 5


@pytest.mark.parametrize("method", ["mean", "xgboost"])
def test_a_saved_stacker_answers_the_same_to_the_bit(method: str, tmp_path: Path) -> None:
    """Saved, loaded, asked chip by chip or all at once: the same float32, whatever characters the labels have."""
    p, y, _ = draw(120, seed=8)
    y[:, 1] = False
    if method == "mean":
        stacker = mean_stacker(LEARNERS, labels=LABELS)
    else:
        stacker = fit_stacker(p, y, learners=LEARNERS, labels=LABELS, **SETTINGS)
    stacker.save(tmp_path / "stacker")
    loaded = Stacker.load(tmp_path / "stacker")
    assert (loaded.method, loaded.labels, loaded.learners) == (method, LABELS, LEARNERS)
    assert loaded.fallbacks == stacker.fallbacks == ({} if method == "mean" else {"dock": "none of 120 rows has it"})
    every = stacker.predict(p)
    assert (loaded.predict(p) == every).all()
    one_by_one = [loaded.predict({name: values[i : i + 1] for name, values in p.items()})[0] for i in range(120)]
    assert (np.array(one_by_one) == every).all()


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    """Fitted twice, saved twice: the same bytes, so DVC sees no change; what an earlier save left is gone."""
    p, y, _ = draw(120, seed=9)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "booster_99.json").write_text("stale")
        fit_stacker(p, y, learners=LEARNERS, labels=LABELS, **SETTINGS).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["booster_00.json", "booster_01.json", "booster_02.json", "booster_03.json", "stacker.json"]
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_bad_input_is_refused(tmp_path: Path) -> None:
    """A chip not predicted, a label nobody predicts, mismatches learners, labels or shapes, missing files."""
    p, y, folds = draw(20, seed=10)
    table = predictions([f"chip_{i}" for i in range(20)], folds, learner="rare", labels=LEARNERS["rare"], p=p["rare"])
    with pytest.raises(InputError, match="rare has no prediction of chip_20"):
        learner_probabilities({"rare": table}, ["chip_3", "chip_20"])
    with pytest.raises(InputError, match="no learner predicts sea, dock"):
        mean_stacker({"rare": LEARNERS["rare"]}, labels=LABELS)
    with pytest.raises(InputError, match="predicts 'dock'"):
        mean_stacker({"plain": ("sea", "dock")}, labels=("sea",))
    stacker = mean_stacker(LEARNERS, labels=LABELS)
    with pytest.raises(InputError, match=r"expected predictions by .*'rare'"):
        stacker.predict({"plain": p["plain"], "deep": p["deep"]})
    with pytest.raises(InputError, match=r"rare: expected probabilities of shape \(20, 2\), found \(20, 4\)"):
        stacker.predict({**p, "rare": p["plain"]})
    with pytest.raises(InputError, match="expected y of shape"):
        fit_stacker(p, y[:, :2], learners=LEARNERS, labels=LABELS, **SETTINGS)
    with pytest.raises(InputError, match="at least 2 folds"):
        stack(p, y, np.where(folds < 0, -1, 0))
    with pytest.raises(InputError, match=r"stacker\.json: not found"):
        Stacker.load(tmp_path)
    fit_stacker(p, y, learners=LEARNERS, labels=LABELS, **SETTINGS).save(tmp_path)
    next(tmp_path.glob("booster_*.json")).unlink()
    with pytest.raises(InputError, match=r"stacker\.json beside it names it"):
        Stacker.load(tmp_path)
