"""The stackers side by side are honest (no row is predicted by what was fitted on it), and what rare learners bring."""

import numpy as np
import pytest
from opinions import LABELS, VOCABULARY, draw, written

from igarape.ensemble.boosting import Settings
from igarape.ensemble.stackers import METHODS, CrossFit, choose, fit_stackers
from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.scores.figures import figures
from igarape.scores.metrics import mean_average_precision
from igarape.tables import Folds, Probabilities

SETTINGS = Settings(rounds=12, depths=(2,), rate=0.3, child_weight=1.0, l2=1.0, seeds=2, seed=1)


def fits(
    p: dict[str, Probabilities],
    y: Booleans,
    folds: Folds,
    *,
    seen: list[tuple[int, int, str]] | None = None,
    methods: tuple[str, ...] = METHODS,
    groups: list[str] | None = None,
) -> dict[str, CrossFit]:
    """Cross-fit with this file's settings."""
    tables, numbers = written(p, folds)
    hear = (seen if seen is not None else []).append
    return fit_stackers(
        tables,
        y,
        folds=numbers,
        groups=list(numbers["image_id"]) if groups is None else groups,
        vocabulary=VOCABULARY,
        settings=SETTINGS,
        report=lambda done, total, text: hear((done, total, text)),
        methods=methods,
    )


def test_each_method_answers_every_chip_and_reports_its_fits() -> None:
    """A fit a fold, and one on all, for each method."""
    p, y, folds = draw(300, seed=1)
    seen: list[tuple[int, int, str]] = []
    found = fits(p, y, folds, seen=seen)
    assert tuple(found) == METHODS
    assert all(fit.p.shape == y.shape and ((fit.p >= 0) & (fit.p <= 1)).all() for fit in found.values())
    assert [done for done, _, _ in seen] == list(range(1, 31))
    assert seen[0] == (1, 30, "mean on the folds but 0") and seen[-1] == (30, 30, "xgboost on all folds")


def test_no_row_is_predicted_by_what_was_fitted_on_it() -> None:
    """Turning over the truth of one fold leaves that fold's predictions as they were, and changes the other folds'."""
    p, y, folds = draw(400, seed=2)
    before, rows = fits(p, y, folds), folds == 3
    after = fits(p, np.where(rows[:, None], ~y, y), folds)
    for method in METHODS:
        assert (after[method].p[rows] == before[method].p[rows]).all(), method
        if method not in {"mean", "single"}:
            assert (after[method].p[~rows] != before[method].p[~rows]).any(axis=1).mean() > 0.9, method


def test_the_order_in_which_learners_are_listed_means_nothing() -> None:
    """Trees draw columns by their places, which are by name: the same answers to the bit, corrections among them."""
    p, y, folds = draw(1500, seed=1)
    y[:, 3] = y[:, 0] ^ y[:, 1]
    one, other = (fits({name: p[name] for name in names}, y, folds) for names in (list(p), list(p)[::-1]))
    assert "tank" in one["xgboost"].stacker.boosters
    for method in METHODS:
        assert (one[method].p == other[method].p).all(), method


def test_nothing_is_fitted_on_the_hold_out() -> None:
    """Turning over the hold-out's truth changes nothing at all; its rows come from the stacker that is kept."""
    p, y, folds = draw(400, seed=3)
    before, rows = fits(p, y, folds), folds == -1
    after = fits(p, np.where(rows[:, None], ~y, y), folds)
    for method, fit in before.items():
        assert (after[method].p == fit.p).all()
        kept = fit.stacker.predict({name: values[rows] for name, values in p.items()})
        assert (kept == fit.p[rows]).all()


def test_two_folds_are_enough() -> None:
    """They are cut into parts for what is chosen inside them, and still no row is known."""
    p, y, folds = draw(400, seed=4, folds=2)
    before, rows = fits(p, y, folds, methods=("xgboost",))["xgboost"], folds == 0
    after = fits(p, np.where(rows[:, None], ~y, y), folds, methods=("xgboost",))["xgboost"]
    assert (after.p[rows] == before.p[rows]).all()


def test_the_blend_is_no_worse_than_its_best_learner_beside_a_weak_one() -> None:
    """The mean is: a weak learner spoils it."""
    p, y, folds = draw(1500, seed=5)
    p["deep"] = np.random.default_rng(5).random(p["deep"].shape, dtype=np.float32)
    found, inside = fits(p, y, folds, methods=("mean", "single", "blend")), folds >= 0
    scores = {
        method: figures(y[inside], fit.p[inside], targets=VOCABULARY.targets("all")) for method, fit in found.items()
    }
    assert scores["blend"]["map"] > scores["single"]["map"] > scores["mean"]["map"] + 0.02
    assert scores["blend"]["f2"] > scores["single"]["f2"]


def test_without_a_gain_xgboost_is_the_blend() -> None:
    """And says of each label that it keeps it."""
    p, y, folds = draw(300, seed=6)
    found = fits(p, y, folds, methods=("blend", "xgboost"))
    kept = [LABELS.index(label) for label in found["xgboost"].stacker.fallbacks]
    assert len(kept) >= 3
    rows = folds == -1
    assert (found["xgboost"].p[rows][:, kept] == found["blend"].p[rows][:, kept]).all()


def test_a_single_learner_stacks_to_itself_or_better() -> None:
    """One learner only: nothing to weigh, and nothing breaks; probabilities of exactly 0 and 1 neither."""
    p, y, folds = draw(400, seed=7)
    one = {"plain": p["plain"]}
    one["plain"][:20] = y[:20]
    found = fits(one, y, folds)
    assert set(found) == set(METHODS)
    assert (found["single"].p == one["plain"]).all()
    assert all(np.isfinite(fit.p).all() for fit in found.values())


def test_noise_stacks_to_chance() -> None:
    """A leak would score far above the labels' frequencies."""
    rng = np.random.default_rng(8)
    p, y, folds = draw(800, seed=8)
    noise = {name: rng.random(values.shape, dtype=np.float32) for name, values in p.items()}
    inside = folds >= 0
    for method, fit in fits(noise, y, folds).items():
        assert mean_average_precision(y[inside], fit.p[inside]) < y.mean() + 0.06, method


def test_the_best_has_the_highest_sum_of_its_figures() -> None:
    """Unless one is asked for; one that could not be fitted is told."""
    scores = {"mean": {"f2": 0.9, "map": 0.5}, "blend": {"f2": 0.89, "map": 0.6}}
    assert choose(scores, "best") == "blend"
    assert choose(scores, "mean") == "mean"
    with pytest.raises(InputError, match=r"stack\.use: single needs a learner of all labels.*mean, blend"):
        choose(scores, "single")


def test_what_does_not_fit_is_refused() -> None:
    """Another truth, one fold."""
    p, y, folds = draw(40, seed=9)
    with pytest.raises(InputError, match="expected y of shape"):
        fits(p, y[:, :2], folds)
    with pytest.raises(InputError, match="at least 2 folds"):
        fits(p, y, np.where(folds < 0, -1, 0))
    with pytest.raises(InputError, match="no learner predicts sea, dock"):
        fits({"rare": p["rare"]}, y, folds)
