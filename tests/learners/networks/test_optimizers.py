"""The schedule of the learning rate, and how far the weights' average reaches back."""

import keras
import pytest
import tiny

from igarape.learners.networks.optimizers import Schedule, make_optimizer


@pytest.mark.parametrize(
    ("ema", "steps", "expected"), [(0.98, 200, 0.98), (0.98, 80, 0.95), (0.5, 80, 0.5), (0.9, 3, 0.0)]
)
def test_no_average_spans_more_than_a_quarter_of_the_steps(ema: float, steps: int, expected: float) -> None:
    """A momentum m spans 1 / (1 - m) steps."""
    assert make_optimizer(tiny.values(ema=ema), steps).ema_momentum == pytest.approx(expected)


@pytest.mark.parametrize(
    ("steps", "warm_up", "floor"), [(100, 0.1, 0.0), (100, 0.0, 0.3), (7, 0.5, 0.0), (1, 0.9, 0.0), (9, 0.1, 1.0)]
)
def test_the_rate_is_that_of_keras_cosine_decay(steps: int, warm_up: float, floor: float) -> None:
    """From a tenth of its peak up to it, and down to its floor along a cosine."""
    rising = max(1, round(steps * warm_up))
    expected = keras.optimizers.schedules.CosineDecay(
        0.001, max(1, steps - rising), warmup_target=0.01, warmup_steps=rising, alpha=floor
    )
    schedule = Schedule(0.01, steps, warm_up=warm_up, floor=floor)
    rates = [float(schedule(step)) for step in range(steps + 2)]
    assert rates == pytest.approx([float(expected(step)) for step in range(steps + 2)], abs=1e-8)
