"""What moves the weights: AdamW, along a schedule, with the weights' moving average."""

import math
from typing import Any

import keras

from igarape.config.hyperparameters import NetworkValues

# The steps that an average of weights reaches back over, 1 / (1 - momentum), as a share of all: where chips are few,
# and so steps, it would hold weights that have not learned yet.
SPAN = 0.25


def make_optimizer(hyperparameters: NetworkValues, steps: int) -> keras.optimizers.Optimizer:
    """Return AdamW for that many steps: its rate follows the schedule, its averages span SPAN of the steps at most."""
    schedule = Schedule(
        hyperparameters.learning_rate, steps, warm_up=hyperparameters.warm_up, floor=hyperparameters.floor
    )
    longest = 1 - 1 / max(1.0, SPAN * steps)
    average = {"use_ema": True, "ema_momentum": min(hyperparameters.ema, longest)} if hyperparameters.ema else {}
    return AdamW(schedule, weight_decay=hyperparameters.decay, **average)


class AdamW(keras.optimizers.AdamW):
    """Keras's AdamW, which sums gradients over replicas, only where there are several.

    TensorFlow registers how that sum is derived, and with it keeps each graph of a training step for good.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        if self._distribution_strategy.num_replicas_in_sync == 1:
            return grads_and_vars
        return super()._all_reduce_sum_gradients(grads_and_vars)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises from a tenth of its peak, for a share of the steps, and then falls along a cosine.

    warm_up: that share. floor: what it falls to, as a share of its peak. As Keras's CosineDecay, without its condition,
    of which the graph would hold two functions for each variable of the network and which TensorFlow never frees.
    """

    def __init__(self, peak: float, steps: int, *, warm_up: float, floor: float) -> None:
        self.peak, self.floor = peak, floor
        self.rising = max(1, round(steps * warm_up))
        self.falling = max(1, steps - self.rising)

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step."""
        done = keras.ops.cast(step, "float32")
        rise = 0.1 + 0.9 * done / self.rising
        fall = keras.ops.clip((done - self.rising) / self.falling, 0.0, 1.0)
        left = self.floor + (1 - self.floor) * (0.5 + 0.5 * keras.ops.cos(math.pi * fall))
        return self.peak * keras.ops.where(done < self.rising, rise, left)
