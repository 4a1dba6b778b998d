"""What a painter of drawn chips has to keep: what it names it paints, and what it paints it names."""

from collections.abc import Callable

import numpy as np

from igarape.chips.drawn import scenery
from igarape.chips.drawn.canvas import Canvas, Surface, blank

EDGE = 256


def forest(seed: int) -> Canvas:
    """Return a canvas of nothing but forest."""
    canvas = blank(np.random.default_rng(seed), EDGE)
    scenery.forest(canvas)
    return canvas


def check(paint: Callable[[Canvas], object], surface: Surface) -> None:
    """Paint on forest: where its surface lies now, somewhere, the colour is another; where not, there is a soft rim."""
    canvas = forest(5)
    before = canvas.rgb.copy()
    paint(canvas)
    changed = np.abs(canvas.rgb - before).max(axis=2)
    named, kept = changed[canvas.surface == surface], changed[canvas.surface == Surface.CANOPY]
    assert len(named) > 100 and (named > 0.02).mean() > 0.9
    assert (kept > 0.1).mean() < 0.02 and kept.max() < 0.5
