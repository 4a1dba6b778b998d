"""The regressions to compare with find what is there, and answer a label of which nothing is known by its share."""

from collections.abc import Callable

import numpy as np
import pytest
from opinions import draw, known

from igarape.ensemble.linear import Linear
from igarape.ensemble.nested import Known, Within
from igarape.ensemble.regressions import fit_logistic, fit_ridge
from igarape.scores.metrics import Floats, average_precision

Fit = Callable[[Known, Within], Linear]


def answers(linear: Linear, given: Known) -> Floats:
    """Return what it answers on the hold-out."""
    rows = given.rows(frozenset({-1}))
    return linear.answer(linear.margin(given.p[rows]))


@pytest.mark.parametrize("fit", [fit_logistic, fit_ridge])
def test_one_label_helps_another(fit: Fit) -> None:
    """Docks lie where tanks do: with learners that know tanks only, docks are found."""
    p, y, folds = draw(1200, seed=1)
    y[:, 1] = y[:, 3]
    noise = np.random.default_rng(1).random((1200, 2), dtype=np.float32)
    p["plain"][:, 1], p["deep"][:, 1] = noise.T
    given = known(p, y, folds)
    found = answers(fit(given, given.all), given)
    rows = given.rows(frozenset({-1}))
    assert average_precision(y[rows], found)[1] > 0.7


@pytest.mark.parametrize("fit", [fit_logistic, fit_ridge])
def test_a_label_that_all_or_none_have_is_answered_so(fit: Fit) -> None:
    """On either scale."""
    p, y, folds = draw(200, seed=2)
    y[:, 0], y[:, 2] = True, False
    given = known(p, y, folds)
    found = answers(fit(given, given.all), given)
    assert found[:, 0] == pytest.approx(1, abs=1e-4)
    assert found[:, 2] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("fit", [fit_logistic, fit_ridge])
def test_only_the_rows_of_the_parts_are_known(fit: Fit) -> None:
    """Another truth elsewhere, the same weights."""
    p, y, folds = draw(300, seed=3)
    within: Within = frozenset({0, 1, 2})
    one, two = (fit(known(p, np.where((folds == 3)[:, None], flip ^ y, y), folds), within) for flip in (False, True))
    assert (one.weights == two.weights).all() and (one.bias == two.bias).all()
