"""The blend finds whom to believe: it is the minimum of its own definition, and what it shares it shares."""

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, draw
from scipy.optimize import approx_fprime

from igarape.ensemble.blend import TO_MEAN, Blend, _Cost, cube, fit_blend
from igarape.ensemble.linear import log_loss, stack_columns
from igarape.labels import Booleans
from igarape.scores.metrics import Floats


def known(n: int, seed: int) -> tuple[Floats, Booleans, Booleans]:
    """Give logits by label, truth, and who predicts what."""
    p, y, _ = draw(n, seed)
    logits, predicts = cube(stack_columns(p, LEARNERS), LEARNERS, LABELS)
    return logits, y, predicts


def cost(blend: Blend, logits: Floats, y: Booleans, predicts: Booleans, penalty: float) -> float:
    """Write the definition down."""
    labels, learners, rows = logits.shape
    each = [[logits[j, :, n] @ blend.weights[j] + blend.bias[j] for j in range(labels)] for n in range(rows)]
    apart = ((blend.weights - blend.shared)[predicts] ** 2).sum() + (blend.bias**2).sum()
    drawn = ((blend.shared - 1 / learners) ** 2).sum()
    loss = log_loss(np.array(each), y.astype(np.float64)).sum()
    return float((loss + (penalty * apart + TO_MEAN * drawn) / 2) / rows)


@pytest.mark.parametrize("penalty", [1.0, 200.0, 20000.0])
def test_no_other_weights_cost_less(penalty: float) -> None:
    """A step in any direction that the bounds allow costs more; what is not predicted has weight 0."""
    logits, y, predicts = known(200, seed=1)
    blend = fit_blend(logits, y, predicts=predicts, penalty=penalty)
    assert (blend.weights >= 0).all() and (blend.shared >= 0).all() and (blend.weights[~predicts] == 0).all()
    least, rng = cost(blend, logits, y, predicts, penalty), np.random.default_rng(1)
    for _ in range(30):
        other = Blend(
            np.maximum(0, blend.shared + rng.normal(0, 0.02, blend.shared.shape)),
            np.maximum(0, blend.weights + rng.normal(0, 0.02, blend.weights.shape)) * predicts,
            blend.bias + rng.normal(0, 0.02, blend.bias.shape),
        )
        assert cost(other, logits, y, predicts, penalty) > least - 1e-6


def test_gradient_and_curvature_are_the_costs() -> None:
    """By finite differences, where no bound holds."""
    logits, y, predicts = known(50, seed=2)
    function = _Cost(logits, y.T.astype(np.float64), predicts, 0.3, 0.2)
    free, values = np.concatenate(function.moving), function.start()
    values[free] += 0.1
    _, gradient, curvature = function(values)
    assert approx_fprime(values, lambda v: function(v)[0], 1e-6)[free] == pytest.approx(gradient[free], abs=1e-4)
    assert approx_fprime(values, lambda v: function(v)[1], 1e-6)[np.ix_(free, free)] == pytest.approx(
        curvature[np.ix_(free, free)], abs=1e-4
    )


def test_a_strong_pull_gives_all_labels_the_same_weights() -> None:
    """And biases of 0; a weak one lets each label find its own."""
    logits, y, predicts = known(400, seed=3)
    logits[1, 0] = np.random.default_rng(3).normal(0, 2, 400)  # plain knows nothing about docks
    strong, weak = (fit_blend(logits, y, predicts=predicts, penalty=penalty) for penalty in (1e7, 0.4))
    assert np.abs(strong.weights - strong.shared)[predicts].max() < 1e-3
    assert np.abs(strong.bias).max() < 1e-3
    assert weak.weights[1, 0] < 0.2 < weak.weights[0, 0]


def test_few_rows_leave_the_mean() -> None:
    """Where one learner is right and one is noise, eight rows change little, and many rows all."""
    logits, y, predicts = known(4000, seed=8)
    logits[:, 0] = np.random.default_rng(8).normal(0, 2, (len(LABELS), 4000))
    few, many = (fit_blend(logits[:, :, :n], y[:n], predicts=predicts, penalty=1e4).shared[0] for n in (8, 4000))
    assert few > 0.7 / len(LEARNERS)
    assert many < 0.1 / len(LEARNERS)


def test_a_learner_of_noise_has_weight_0() -> None:
    """One that is against the truth too: no weight is negative."""
    logits, y, predicts = known(2000, seed=4)
    logits[:, 0] = np.random.default_rng(4).normal(0, 2, (len(LABELS), 2000))
    logits[2, 0] = -logits[2, 1]
    blend = fit_blend(logits, y, predicts=predicts, penalty=1000.0)
    assert blend.shared[0] == pytest.approx(0, abs=0.05)
    assert (blend.weights[:, 0] < 0.05).all()
    assert (blend.shared[1:] > 0.3).all()


@pytest.mark.parametrize("penalty", [1.0, 30.0, 3000.0])
def test_the_start_does_not_matter(penalty: float) -> None:
    """From another penalty's weights it comes to the same sums of logits, to 1e-6, be that stronger or weaker."""
    logits, y, predicts = known(300, seed=5)
    given = fit_blend(logits, y, predicts=predicts, penalty=penalty)
    for other in (30000.0, 0.3):
        near = fit_blend(logits, y, predicts=predicts, penalty=other)
        found = fit_blend(logits, y, predicts=predicts, penalty=penalty, start=near)
        assert found.margin(logits) == pytest.approx(given.margin(logits), abs=1e-6)


def test_a_label_that_all_rows_or_none_have_gets_a_finite_answer() -> None:
    """The penalty bounds what has no bound by itself."""
    logits, y, predicts = known(100, seed=6)
    y[:, 0], y[:, 2] = True, False
    blend = fit_blend(logits, y, predicts=predicts, penalty=1.0)
    margin = blend.margin(logits)
    assert np.isfinite(margin).all()
    assert margin[:, 0].mean() > 1 and margin[:, 2].mean() < -1


def test_as_weights_of_columns_it_answers_the_same() -> None:
    """The linear part of a stacker."""
    p, y, _ = draw(50, seed=7)
    logits, predicts = cube(stack_columns(p, LEARNERS), LEARNERS, LABELS)
    blend = fit_blend(logits, y, predicts=predicts, penalty=50.0)
    linear = blend.linear(LEARNERS, LABELS)
    assert linear.margin(stack_columns(p, LEARNERS)) == pytest.approx(blend.margin(logits))
