"""What people's painters name, they paint; what they paint, they name."""

from collections.abc import Callable

import numpy as np
import pytest
from painting import EDGE, check, forest

from igarape.chips.drawn import landuse, scenery
from igarape.chips.drawn.canvas import Canvas, Surface

MIDDLE = np.array([EDGE / 2, EDGE / 2])


def village(canvas: Canvas) -> None:
    """Draw a road and houses along it."""
    landuse.houses(canvas, landuse.road(canvas, bend=0.05, width=3), count=15)


def mined_river(canvas: Canvas) -> None:
    """Draw a river and diggings along it."""
    landuse.diggings(canvas, scenery.river(canvas, width=12, muddy=True), reach=40)


PAINTERS: dict[str, tuple[Callable[[Canvas], object], Surface]] = {
    "road": (lambda canvas: landuse.road(canvas, bend=0.1, width=3), Surface.ROAD),
    "fields": (lambda canvas: landuse.fields(canvas, reach=300), Surface.FIELD),
    "plots": (lambda canvas: landuse.plots(canvas, MIDDLE, count=6), Surface.PLOT),
    "village": (village, Surface.ROOF),
    "town": (lambda canvas: landuse.town(canvas, radius=80), Surface.ROOF),
    "burn": (lambda canvas: landuse.burn(canvas, MIDDLE, radius=35), Surface.SCAR),
    "skid tracks": (lambda canvas: landuse.skid_tracks(canvas, length=250), Surface.TRACK),
    "pit": (lambda canvas: landuse.pit(canvas, radius=70), Surface.PIT),
    "diggings": (mined_river, Surface.DIGGING),
}


@pytest.mark.parametrize("name", PAINTERS)
def test_what_a_painter_names_it_paints_and_what_it_paints_it_names(name: str) -> None:
    """On forest, but for the soft rim of what lies beside it."""
    check(*PAINTERS[name])


def test_roofs_are_brighter_than_anything_around_them() -> None:
    """A person finds a village by them."""
    canvas = forest(6)
    village(canvas)
    light = canvas.rgb.mean(axis=2)
    assert light[canvas.surface == Surface.ROOF].mean() > 1.5 * light[canvas.surface == Surface.OTHER].mean()


def test_houses_need_a_road_within_the_canvas() -> None:
    """Beside a road that passes elsewhere nothing is built."""
    canvas = forest(7)
    landuse.houses(canvas, np.array([[-50.0, -50.0], [-80.0, -80.0]]), count=10)
    assert (canvas.surface == Surface.CANOPY).all()


def test_fields_are_larger_than_plots() -> None:
    """That is how a person tells the two apart."""
    farm, garden = forest(8), forest(8)
    landuse.fields(farm, reach=300)
    landuse.plots(garden, MIDDLE, count=6)
    assert np.count_nonzero(farm.surface == Surface.FIELD) > 3 * np.count_nonzero(garden.surface == Surface.PLOT)


def test_lines_between_fields_run_along_their_sides() -> None:
    """A road on such a line crosses the canvas straight."""
    canvas = forest(9)
    lines = landuse.fields(canvas, reach=300)
    assert lines
    directions = np.array([(line[1] - line[0]) / np.hypot(*(line[1] - line[0])) for line in lines])
    assert directions == pytest.approx(np.broadcast_to(directions[0], directions.shape))


def test_diggings_keep_to_their_river() -> None:
    """No heap lies further from the water than a few times their reach."""
    canvas = forest(10)
    course = scenery.river(canvas, width=8, muddy=True)
    landuse.diggings(canvas, course, reach=25)
    heaps = np.argwhere(canvas.surface == Surface.DIGGING)[::7, ::-1]
    away = np.array([np.hypot(*(course - heap).T).min() for heap in heaps])
    assert len(heaps) and away.max() < 3 * 25
