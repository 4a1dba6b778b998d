"""What nature's painters name, they paint; what they paint, they name."""

from collections.abc import Callable

import numpy as np
import pytest
from painting import EDGE, check, forest

from igarape.chips.drawn import scenery
from igarape.chips.drawn.canvas import Canvas, Surface

PAINTERS: dict[str, tuple[Callable[[Canvas], object], Surface]] = {
    "river": (lambda canvas: scenery.river(canvas, width=12, muddy=False), Surface.RIVER),
    "muddy river": (lambda canvas: scenery.river(canvas, width=5, muddy=True), Surface.RIVER),
    "lake": (lambda canvas: scenery.lake(canvas, radius=50, place=canvas.anywhere()), Surface.RIVER),
    "bare slope": (lambda canvas: scenery.bare_slope(canvas, radius=60, place=canvas.anywhere()), Surface.SOIL),
    "storm gap": (lambda canvas: scenery.storm_gap(canvas, length=90), Surface.FALLEN),
    "blossom": (lambda canvas: scenery.blossom(canvas, crowns=80), Surface.BLOSSOM),
}


def test_forest_covers_everything_in_dark_greens_that_differ_from_scene_to_scene() -> None:
    """Green leads, and no two forests have one colour."""
    tones = np.array([forest(seed).rgb.mean(axis=(0, 1)) for seed in range(8)])
    assert (forest(0).surface == Surface.CANOPY).all()
    assert (tones[:, 1] > tones[:, 0]).all() and tones.max() < 0.4
    assert tones.std(axis=0).min() > 0.005


def test_canopy_has_texture() -> None:
    """Neighbouring pixels differ by crowns, by some hundredths of their brightness."""
    green = forest(1).rgb[..., 1]
    assert 0.01 < np.abs(np.diff(green, axis=1)).mean() / green.mean() < 0.2


@pytest.mark.parametrize("name", PAINTERS)
def test_what_a_painter_names_it_paints_and_what_it_paints_it_names(name: str) -> None:
    """On forest, but for the soft rim of what lies beside it."""
    check(*PAINTERS[name])


def test_a_river_is_as_wide_as_was_asked_and_follows_its_course() -> None:
    """Its course lies in the water; its area is about width times length."""
    canvas = forest(2)
    course = scenery.river(canvas, width=14, muddy=False)
    inside = course[((course > 8) & (course < EDGE - 8)).all(axis=1)].astype(int)
    wet = canvas.surface == Surface.RIVER
    assert wet[inside[:, 1], inside[:, 0]].mean() > 0.95
    assert wet.sum() == pytest.approx(14 * 4 * len(inside), rel=0.4)


def test_trees_flower_in_the_canopy_only() -> None:
    """No blossom on water; and as many more crowns, as many more blossoms."""
    counts = []
    for crowns in (40, 160):
        canvas = forest(4)
        canvas.paint(Surface.RIVER, np.zeros(3, np.float32), np.eye(EDGE, dtype=np.float32).cumsum(axis=1))
        water = canvas.surface == Surface.RIVER
        scenery.blossom(canvas, crowns=crowns)
        assert (canvas.surface[water] == Surface.RIVER).all()
        counts.append(np.count_nonzero(canvas.surface == Surface.BLOSSOM))
    assert 2 < counts[1] / counts[0] < 6
