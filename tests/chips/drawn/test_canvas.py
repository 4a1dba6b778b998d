"""A canvas keeps what is on top; strokes, blobs and grids have the size that was asked for."""

import cv2
import numpy as np
import pytest

from igarape.chips.drawn.canvas import Canvas, Surface, blank, mottled, ramp

EDGE = 128
RED = np.array([1, 0, 0], np.float32)


@pytest.fixture
def canvas() -> Canvas:
    """Give an empty canvas."""
    return blank(np.random.default_rng(3), EDGE)


def test_paint_changes_colour_and_surface_where_it_is_opaque_and_nothing_elsewhere(canvas: Canvas) -> None:
    """Alpha 1 replaces, alpha 0 leaves."""
    alpha = np.zeros((EDGE, EDGE), np.float32)
    alpha[10:20, 30:50] = 1
    canvas.paint(Surface.ROAD, RED, alpha)
    assert (canvas.rgb[10:20, 30:50] == RED).all()
    assert (canvas.surface == np.where(alpha == 1, Surface.ROAD, Surface.OTHER)).all()
    assert not canvas.rgb[alpha == 0].any()


def test_a_thin_layer_counts_as_well(canvas: Canvas) -> None:
    """The surface follows a layer's own peak: what is painted at 0.4 is seen, its faint rim at 0.1 is not."""
    alpha = np.full((EDGE, EDGE), 0.1, np.float32)
    alpha[:40] = 0.4
    canvas.paint(Surface.FALLEN, RED, alpha)
    assert (canvas.surface[:40] == Surface.FALLEN).all() and (canvas.surface[40:] == Surface.OTHER).all()
    assert canvas.rgb[0, 0, 0] == pytest.approx(0.4) and canvas.rgb[50, 0, 0] == pytest.approx(0.1)


def test_painting_outside_the_canvas_does_nothing(canvas: Canvas) -> None:
    """An object that lies beyond the border leaves no trace."""
    canvas.paint(Surface.PIT, RED, canvas.blob(np.array([-200.0, 50.0]), 20, rough=0.1))
    assert not canvas.surface.any() and not canvas.rgb.any()


@pytest.mark.parametrize(("scale", "octaves"), [(1.5, 1), (20, 1), (60, 4), (300, 2)])
def test_noise_has_mean_0_and_deviation_1(canvas: Canvas, scale: float, octaves: int) -> None:
    """At any scale, also one larger than the canvas."""
    noise = canvas.noise(scale, octaves)
    assert noise.shape == (EDGE, EDGE) and noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=1e-4) and noise.std() == pytest.approx(1, abs=1e-3)


def test_noise_is_the_same_on_machines_with_other_processors() -> None:
    """To the last bit: a chip's bytes follow from it."""
    before, found = cv2.getNumThreads(), []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        found.append(blank(np.random.default_rng(0), 512).noise(157.19))
    cv2.setNumThreads(before)
    assert (found[0] == found[1]).all()


def test_noise_of_a_larger_scale_is_smoother(canvas: Canvas) -> None:
    """The scale is the width of the features."""
    roughness = [float(np.abs(np.diff(canvas.noise(scale))).mean()) for scale in (2, 8, 32)]
    assert roughness == sorted(roughness, reverse=True) and roughness[0] > 5 * roughness[2]


def test_a_path_goes_through_its_anchor_in_steps_of_4_pixels(canvas: Canvas) -> None:
    """Without bends it is straight and as long as was asked."""
    anchor = np.array([30.0, 70.0])
    path = canvas.wander(anchor, 0.7, bend=0.5, every=20, length=200)
    assert np.hypot(*(path - anchor).T).min() < 1e-9
    assert np.hypot(*np.diff(path, axis=0).T) == pytest.approx(4)
    straight = canvas.wander(anchor, 0.7, bend=0, every=20, length=200)
    assert np.hypot(*(straight[-1] - straight[0])) == pytest.approx(196)


@pytest.mark.parametrize("width", [1, 3, 9])
def test_a_stroke_is_as_wide_as_was_asked(canvas: Canvas, width: int) -> None:
    """Measured across a straight line."""
    alpha = canvas.stroke(np.array([[-10.0, 64.0], [140.0, 64.0]]), width)
    assert alpha[:, 64].sum() == pytest.approx(width, abs=1.5)
    assert 0.9 < alpha.max() <= 1


def test_a_smooth_blob_is_a_disc_and_a_stretched_one_keeps_its_area(canvas: Canvas) -> None:
    """The area of a disc of that radius."""
    for stretch in (1.0, 2.5):
        alpha = canvas.blob(np.array([64.0, 64.0]), 25, rough=0, stretch=stretch)
        assert alpha.sum() == pytest.approx(np.pi * 25**2, rel=0.06)


def test_fraying_moves_the_edge_only(canvas: Canvas) -> None:
    """Deep inside all stays, far outside nothing comes."""
    alpha = np.zeros((EDGE, EDGE), np.float32)
    alpha[30:100, 30:100] = 1
    frayed = canvas.ragged(alpha, scale=9, amount=0.15)
    assert frayed[50:80, 50:80].min() > 0.99 and not frayed[:10].any() and not frayed[:, -10:].any()
    assert (np.abs(frayed - alpha) > 0.5).any()


def test_a_grid_cuts_the_canvas_into_cells_of_the_sizes_asked_for(canvas: Canvas) -> None:
    """No cell is larger than high x high; whole cells are at least low x low; sides are no further than high / 2."""
    cell, side, lines = canvas.grid(0.4, 20, 40)
    _, counts = np.unique(cell, return_counts=True)
    inner = np.setdiff1d(cell, np.concatenate([cell[0], cell[-1], cell[:, 0], cell[:, -1]]))
    whole = np.array([np.count_nonzero(cell == one) for one in inner])
    assert counts.max() < 40 * 40 * 1.1 and len(whole) and whole.min() > 20 * 20 * 0.9
    assert side.min() >= 0 and side.max() <= 20
    assert (np.diff(lines) >= 20).all() and (np.diff(lines) <= 40).all()


def test_a_ramp_rises_from_0_to_1() -> None:
    """Below its foot it is 0, above its head 1, half way a half."""
    assert ramp(np.array([-5, 1, 2, 3, 9], np.float32), 1, 3).tolist() == [0, 0, 0.5, 1, 1]


def test_colours_stay_colours(canvas: Canvas) -> None:
    """Variation never leaves [0, 1]."""
    colours = np.stack([canvas.colour(((0.98, 0.02, 0.5),), 0.5) for _ in range(50)])
    assert colours.min() >= 0 and colours.max() <= 1 and len(np.unique(colours[:, 2])) > 40
    bright = mottled(RED, canvas.noise(5), 2.0)
    assert bright.min() >= 0 and bright.max() <= 1
