"""The gate: what is surely worse is refused, what may be luck is not, and what cannot be told is said."""

import numpy as np
import pytest
from contest import patient
from drawing import singly

from igarape.labels import Booleans
from igarape.scores.metrics import average_precision, brier, sample_f2
from igarape.serving.gate import F2, MAP, SIZE, SPEED, Check, Side, check_challenger

LABELS = ("sun", "tree", "kiln", "mine")
RARE = ("kiln", "mine")
N = 400


def truth() -> Booleans:
    """Return what holds: kilns on 20 chips, mines on none."""
    rng = np.random.default_rng(0)
    y = rng.random((N, len(LABELS))) < 0.5
    y[:, 2], y[:, 3] = np.arange(N) < 20, False
    return y


def side(*, noise: float = 0.0, blind: bool = False, ms: float = 100.0, mb: float = 10.0) -> Side:
    """Answer with noise of a spread; blind: know nothing of kilns. The noise is the same for the same spread."""
    rng = np.random.default_rng(7)
    y = truth()
    p = np.clip(np.where(y, 0.8, 0.2) + rng.normal(0, 1, y.shape) * noise, 0.0, 1.0).astype(np.float32)
    if blind:
        p[:, 2] = rng.random(N)
    times = ms * rng.uniform(0.9, 1.1, 8)
    return Side(p, p >= 0.5, times, mb)


def verdict(champion: Side, challenger: Side, **limits: float | str) -> dict[str, Check]:
    """Judge, and return the checks by their names."""
    params = patient().promote.model_copy(update={"slower": 2.0, **limits})
    found = check_challenger(
        truth(),
        champion,
        challenger,
        labels=LABELS,
        rare=RARE,
        limits=params,
        draws=singly(truth(), resamples=300, seed=3),
    )
    return {check.name: check for check in found}


def failing(checks: dict[str, Check]) -> set[str]:
    """Return the names of those that fail."""
    return {name for name, check in checks.items() if not check.passed}


def test_the_figures_are_those_of_the_scores() -> None:
    """One row a check, in this order; differences are challenger - champion and lie inside of their intervals."""
    champion, challenger = side(noise=0.3), side(noise=0.2)
    checks = verdict(champion, challenger)
    assert list(checks) == [F2, MAP, "AP of kiln", "AP of mine", "Brier score", SPEED, SIZE]
    y = truth()
    for who, one in (("champion", champion), ("challenger", challenger)):
        ranked = average_precision(y, one.p)
        expected = (sample_f2(y, one.answers), np.nanmean(ranked), ranked[2], brier(y, one.p).mean())
        found = [getattr(checks[name], who) for name in (F2, MAP, "AP of kiln", "Brier score")]
        assert found == pytest.approx(expected, abs=1e-5)
    for check in checks.values():
        if check.difference:
            mean, low, high = check.difference
            assert low <= mean <= high
            assert mean == pytest.approx(check.challenger - check.champion, abs=1e-5)


def test_an_equal_version_passes_unless_better_is_required() -> None:
    """Even where nothing may be lost."""
    strict = {"margin": 0.0, "margin_map": 0.0, "margin_brier": 0.0, "slower": 1.0, "larger": 1.0}
    same = side(noise=0.3)
    assert failing(verdict(same, same, **strict)) == set()
    assert failing(verdict(same, same, require="better")) == {F2}


def test_a_better_version_passes_and_is_surely_better() -> None:
    """Its interval lies above 0."""
    assert failing(verdict(side(noise=0.4), side(noise=0.1), require="better")) == set()


def test_a_worse_version_fails_unless_the_margin_bears_it() -> None:
    """It is the interval's end that counts, not the mean."""
    champion, challenger = side(noise=0.25), side(noise=0.3)
    checks = verdict(champion, challenger, margin=0.0)
    spread = checks[F2].difference
    assert F2 in failing(checks) and spread is not None and spread[1] < spread[0] < 0
    between = -(spread[0] + spread[1]) / 2
    assert F2 in failing(verdict(champion, challenger, margin=between))
    assert F2 not in failing(verdict(champion, challenger, margin=-spread[1]))


def test_a_rare_label_that_collapses_fails_though_f2_hardly_moves() -> None:
    """More than `collapse` is lost, and more than luck; a label that no chip has is not judged."""
    checks = verdict(side(noise=0.1), side(noise=0.1, blind=True), margin=0.5, margin_map=0.5, margin_brier=0.5)
    assert failing(checks) == {"AP of kiln"}
    assert checks["AP of mine"].cells[-1] == "not judged"
    borne = verdict(side(noise=0.1), side(noise=0.1, blind=True), collapse=1.0)
    assert "AP of kiln" not in failing(borne)


def test_time_and_size_are_borne_up_to_a_multiple() -> None:
    """Time counts where it is surely more: the same pictures are timed for both."""
    light = side()
    assert failing(verdict(light, side(ms=195, mb=20))) == set()
    assert failing(verdict(light, side(ms=205, mb=20.1))) == {SPEED, SIZE}
    assert failing(verdict(light, side(ms=205, mb=20.1), slower=3.0, larger=3.0)) == set()


def test_a_row_reads_as_text() -> None:
    """Figure of both, the difference with its interval, what was asked, how it came out."""
    assert Check(F2, 0.9, 0.85, (-0.05, -0.06, -0.04), "interval from -0.01 up", passed=False).cells == (
        "F2", "0.9000", "0.8500", "-0.0500 [-0.0600, -0.0400]", "interval from -0.01 up", "FAILS",
    )  # fmt: skip
    assert Check(SIZE, 40.0, 41.0, (1.0, 1.0, 1.0), "at most 2 times", passed=True).cells[3] == "+1.0"
