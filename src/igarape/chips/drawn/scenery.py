"""The ground as nature makes it: forest, rivers, bare slopes, storm gaps, trees in flower."""

import cv2
import numpy as np

from igarape.chips.drawn.canvas import Canvas, Floats, Points, Surface, mottled, ramp

GREENS = ((0.17, 0.22, 0.17), (0.17, 0.22, 0.14), (0.16, 0.22, 0.19), (0.20, 0.22, 0.15), (0.13, 0.17, 0.13))
WATERS = (
    (0.44, 0.37, 0.28),
    (0.52, 0.45, 0.36),
    (0.20, 0.29, 0.36),
    (0.28, 0.35, 0.40),
    (0.08, 0.13, 0.20),
)
OCHRES = ((0.68, 0.53, 0.33), (0.62, 0.48, 0.32), (0.55, 0.47, 0.36))
SOILS = ((0.45, 0.35, 0.24), (0.42, 0.36, 0.29), (0.52, 0.38, 0.25), (0.38, 0.31, 0.25))
SANDS = ((0.66, 0.58, 0.47), (0.60, 0.50, 0.40))
DEADWOOD = ((0.37, 0.32, 0.25), (0.34, 0.32, 0.23), (0.40, 0.34, 0.28))
REGROWTH = ((0.25, 0.31, 0.19), (0.28, 0.33, 0.22))
BLOSSOMS = ((0.72, 0.62, 0.24), (0.68, 0.66, 0.58), (0.66, 0.44, 0.46), (0.68, 0.48, 0.24))


def forest(canvas: Canvas) -> None:
    """Cover the whole canvas with canopy: crowns lit from the sun's side, hills, patches of another green."""
    rng = canvas.rng
    relief = _lit(canvas, canvas.noise(rng.uniform(90, 220), 3))
    light = rng.uniform(0.08, 0.19) * _crowns(canvas, rng.uniform(1.0, 1.9))
    light += rng.uniform(0.0, 0.07) * relief
    ground = mottled(canvas.colour(GREENS, 0.10), light, 1.0)
    other = mottled(canvas.colour(GREENS, 0.10), light, 1.0)
    patch = ramp(canvas.noise(rng.uniform(60, 200), 3), -1.5, 2.5)[..., None]
    everywhere = np.ones((canvas.edge, canvas.edge), np.float32)
    canvas.paint(Surface.CANOPY, ground + rng.uniform(0.2, 1.0) * patch * (other - ground), everywhere)


def river(canvas: Canvas, *, width: int, muddy: bool) -> Points:
    """Draw a winding river through the canvas and return its course (n, 2)."""
    rng = canvas.rng
    bend = rng.uniform(0.35, 0.85)
    every = rng.uniform(40, 70) + 2 * width
    course = canvas.wander(
        canvas.anywhere(0.1), rng.uniform(0, 2 * np.pi), bend=bend, every=every, length=4 * canvas.edge
    )
    water = canvas.stroke(course, width)
    if width > 5:
        water = canvas.ragged(water, scale=width / 2, amount=0.12)
    _bank(canvas, water)
    colour = canvas.colour(OCHRES if muddy else WATERS)
    canvas.paint(Surface.RIVER, mottled(colour, canvas.noise(60, 3), 0.03), water)
    return course


def lake(canvas: Canvas, *, radius: float, place: Points) -> None:
    """Draw a lake, or an arm of a river cut off long ago."""
    water = canvas.blob(place, radius, rough=0.3, stretch=canvas.rng.uniform(1, 3))
    _bank(canvas, water)
    canvas.paint(Surface.RIVER, mottled(canvas.colour(WATERS), canvas.noise(60, 3), 0.03), water)


def bare_slope(canvas: Canvas, *, radius: float, place: Points) -> None:
    """Draw open soil with ragged edges, gullies, and a shrub here and there."""
    rng = canvas.rng
    patch = canvas.blob(place, radius, rough=0.35, stretch=rng.uniform(1, 2.5))
    ragged = canvas.ragged(patch, scale=rng.uniform(15, 45), amount=0.2)
    shrubs = ramp(canvas.noise(4), 2.0, 2.4)
    gullies = 0.6 * _lit(canvas, canvas.noise(rng.uniform(40, 90), 4)) + 0.4 * canvas.noise(5, 2)
    colour = canvas.colour(SOILS if rng.random() < 0.7 else SANDS)
    canvas.paint(Surface.SOIL, mottled(colour, gullies, 0.09), ragged * (1 - 0.7 * shrubs))


def storm_gap(canvas: Canvas, *, length: float) -> None:
    """Draw a swath of forest that a storm has thrown: pale trunks side by side, a fringe of single standing trees."""
    rng = canvas.rng
    angle = rng.uniform(0, np.pi)
    y, x = (np.mgrid[: canvas.edge, : canvas.edge] - canvas.anywhere(0.1)[:, None, None]) / length
    along, across = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    reach = 1 - np.hypot(along, across * rng.uniform(2.0, 3.5)).astype(np.float32)
    thrown = ramp(reach + 0.30 * canvas.noise(30, 3) + 0.16 * canvas.noise(4), 0.0, 0.45)
    trunks = 0.7 * _streaks(canvas, angle + rng.normal(0, 0.15)) + 0.7 * canvas.noise(2.5)
    colour = canvas.colour(DEADWOOD if rng.random() < 0.75 else REGROWTH)
    canvas.paint(Surface.FALLEN, mottled(colour, trunks, rng.uniform(0.12, 0.22)), thrown * rng.uniform(0.55, 0.85))


def blossom(canvas: Canvas, *, crowns: int) -> None:
    """Sprinkle trees in flower over what is still canopy, more in some places than in others."""
    rng = canvas.rng
    likely = ramp(canvas.noise(120, 2), -1.5, 1.5).ravel() + 0.15
    chosen = rng.choice(likely.size, crowns, p=likely.astype(np.float64) / likely.sum(dtype=np.float64))
    dots = np.zeros((canvas.edge, canvas.edge), np.float32)
    np.maximum.at(dots.reshape(-1), chosen, rng.uniform(0.5, 1.0, crowns).astype(np.float32))
    width = rng.uniform(1.2, 1.8)
    alpha = np.clip(cv2.GaussianBlur(dots, (0, 0), width) * 2 * np.pi * width**2, 0, 0.9)
    alpha[canvas.surface != Surface.CANOPY] = 0
    canvas.paint(Surface.BLOSSOM, canvas.colour(BLOSSOMS), alpha)


def _crowns(canvas: Canvas, width: float) -> Floats:
    """Light a canopy (edge, edge) of round crowns about two widths across: bright tops, dark gaps; deviation 1."""
    white = canvas.rng.standard_normal((canvas.edge, canvas.edge)).astype(np.float32)
    fine, coarse = cv2.GaussianBlur(white, (0, 0), width), cv2.GaussianBlur(white, (0, 0), 2 * width)
    height = fine / fine.std() + 0.5 * coarse / coarse.std()
    return np.asarray(0.35 * height + 0.85 * _lit(canvas, height), np.float32)


def _lit(canvas: Canvas, height: Floats) -> Floats:
    """Light a height (edge, edge) from the sun's side; deviation 1."""
    down, right = np.gradient(height)
    light = np.cos(canvas.sun) * right + np.sin(canvas.sun) * down
    return np.asarray(light / (light.std() + 1e-6), np.float32)


def _streaks(canvas: Canvas, angle: float) -> Floats:
    """Return fine lines (edge, edge) along an angle, of deviation 1."""
    kernel = np.zeros((17, 17), np.float32)
    reach = 8 * np.array([np.cos(angle), np.sin(angle)])
    ends = np.round(8 + np.outer([-1, 1], reach)).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
    lines = cv2.filter2D(canvas.noise(1.5), -1, kernel / kernel.sum())
    return np.asarray(lines / (lines.std() + 1e-6), np.float32)


def _bank(canvas: Canvas, water: Floats) -> None:
    """Draw the strip beside water: sand, mud or another green."""
    strip = np.clip(cv2.GaussianBlur(water, (0, 0), canvas.rng.uniform(1.0, 2.5)) * 2, 0, 1)
    colour = canvas.colour((*SOILS, *SANDS, *REGROWTH, *GREENS))
    canvas.paint(Surface.OTHER, colour, strip * canvas.rng.uniform(0.3, 0.8))
