"""Draws of chips that do not belong together."""

from collections.abc import Sized

import numpy as np

from igarape.scores.draws import Draws


def singly(chips: Sized, *, resamples: int, seed: int) -> Draws:
    """Give draws of as many chips as there are, each a group of its own."""
    return Draws(np.arange(len(chips)), resamples=resamples, seed=seed)
