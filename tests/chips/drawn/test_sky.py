"""Clouds hide and throw shadows, haze is smooth, the sensor keeps colours within bounds."""

import numpy as np
import pytest

from igarape.chips.drawn import scenery, sky
from igarape.chips.drawn.canvas import Canvas, blank

EDGE = 256


@pytest.fixture
def canvas() -> Canvas:
    """Give a canvas of forest."""
    forest = blank(np.random.default_rng(11), EDGE)
    scenery.forest(forest)
    return forest


def test_without_clouds_nothing_changes(canvas: Canvas) -> None:
    """A clear sky hides nothing and throws no shadow."""
    assert (sky.no_clouds(canvas).over(canvas.rgb) == canvas.rgb).all()


@pytest.mark.parametrize("cover", [0.05, 0.2, 0.4])
def test_broken_clouds_cover_about_the_share_asked_for(canvas: Canvas, cover: float) -> None:
    """Counted where one cannot see through."""
    clouds = sky.broken_clouds(canvas, cover=cover)
    assert (clouds.alpha > 0.5).mean() == pytest.approx(cover, abs=0.05)
    assert clouds.alpha.min() >= 0 and clouds.alpha.max() <= 1


def test_clouds_are_bright_and_their_shadows_dark(canvas: Canvas) -> None:
    """Under a cloud the picture is lighter than the ground, in a shadow darker, elsewhere the same."""
    clouds = sky.broken_clouds(canvas, cover=0.2)
    image, ground = clouds.over(canvas.rgb).mean(axis=2), canvas.rgb.mean(axis=2)
    assert (image > ground + 0.1)[clouds.alpha > 0.5].all()
    assert (image < 0.9 * ground)[(clouds.alpha == 0) & (clouds.shadow > 0.2)].all()
    untouched = (clouds.alpha == 0) & (clouds.shadow == 0)
    assert (image == ground)[untouched].all()


def test_shadows_fall_where_the_light_goes(canvas: Canvas) -> None:
    """With the light going right, the shadow looks like the cloud moved to the right, not to the left."""
    canvas.sun = 0.0
    clouds = sky.broken_clouds(canvas, cover=0.15)
    agreement = {
        step: float((clouds.alpha[:, 100:-100] * clouds.shadow[:, 100 + step : EDGE - 100 + step]).sum())
        for step in range(-95, 96)
    }
    assert max(agreement, key=lambda step: agreement[step]) > 20


def test_an_overcast_sky_hides_the_ground(canvas: Canvas) -> None:
    """At most a seventh of what is below comes through."""
    for _ in range(5):
        assert sky.overcast(canvas).alpha.min() >= 0.85


def test_a_part_of_the_clouds_is_drawn_as_the_whole_is(canvas: Canvas) -> None:
    """Cutting and drawing commute."""
    clouds = sky.broken_clouds(canvas, cover=0.3)
    window = (slice(0, 100), slice(50, 120))
    assert (clouds.part(window).over(canvas.rgb[window]) == clouds.over(canvas.rgb)[window]).all()


def test_haze_is_smooth_and_never_thin() -> None:
    """Transmission stays between 0.35 and 0.75, and changes little from one node to the next; the airlight is grey."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        grid, light = sky.haze_grid(rng, 7), np.array(sky.airlight(rng))
        assert grid.shape == (7, 7) and grid.min() >= 0.35 and grid.max() <= 0.75
        assert np.abs(np.diff(grid, axis=0)).max() < 0.15
        assert light.min() > 0.4 and light.max() < 0.85 and np.ptp(light) < 0.2


def test_the_sensor_keeps_what_is_there(canvas: Canvas) -> None:
    """Its picture lies in [0, 1], differs from day to day, and still shows where it is bright and where dark."""
    days = [sky.sensed(canvas) for _ in range(3)]
    for day in days:
        assert day.min() >= 0 and day.max() <= 1
        assert np.corrcoef(day[..., 1].ravel(), canvas.rgb[..., 1].ravel())[0, 1] > 0.7
    assert len({round(float(day.mean()), 4) for day in days}) == 3
