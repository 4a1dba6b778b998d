"""The ground as people make it: roads, fields, plots, villages, towns, clearings, logging, mines."""

import cv2
import numpy as np

from igarape.chips.drawn.canvas import Canvas, Floats, Points, Surface, mottled, ramp

ROADS = ((0.62, 0.52, 0.40), (0.60, 0.44, 0.32), (0.56, 0.53, 0.48), (0.66, 0.58, 0.48))
CROPS = (
    (0.29, 0.34, 0.23),
    (0.34, 0.37, 0.27),
    (0.26, 0.32, 0.22),
    (0.41, 0.37, 0.28),
    (0.47, 0.41, 0.33),
    (0.37, 0.33, 0.27),
)
GARDENS = ((0.29, 0.36, 0.20), (0.36, 0.39, 0.23), (0.45, 0.37, 0.26), (0.49, 0.38, 0.29), (0.40, 0.34, 0.24))
YARDS = ((0.52, 0.45, 0.35), (0.46, 0.42, 0.36), (0.55, 0.43, 0.32))
ROOFS = ((0.88, 0.87, 0.85), (0.72, 0.48, 0.38), (0.78, 0.74, 0.70), (0.62, 0.58, 0.55))
BURNT = ((0.25, 0.20, 0.19), (0.21, 0.18, 0.18), (0.31, 0.24, 0.22))
ASH = (0.60, 0.58, 0.57)
SKID = ((0.50, 0.40, 0.30), (0.46, 0.36, 0.26), (0.58, 0.46, 0.34))
BENCHES = ((0.66, 0.46, 0.36), (0.60, 0.50, 0.40), (0.56, 0.40, 0.32), (0.62, 0.58, 0.53))
TAILINGS = ((0.72, 0.65, 0.51), (0.70, 0.60, 0.42), (0.76, 0.71, 0.62), (0.64, 0.53, 0.39))
POOLS = ((0.60, 0.52, 0.32), (0.40, 0.45, 0.32), (0.55, 0.45, 0.30), (0.32, 0.42, 0.38))


def road(canvas: Canvas, *, bend: float, width: int) -> Points:
    """Draw an almost straight road through the canvas and return its course (n, 2)."""
    heading = canvas.rng.uniform(0, 2 * np.pi)
    course = canvas.wander(canvas.anywhere(0.1), heading, bend=bend, every=120, length=4 * canvas.edge)
    pave(canvas, course, width=width)
    return course


def pave(canvas: Canvas, course: Points, *, width: int) -> None:
    """Draw a road along a course: a verge without trees and the roadway."""
    verge = canvas.stroke(course, width + 2 * int(canvas.rng.integers(1, 4)))
    canvas.paint(Surface.OTHER, canvas.colour(CROPS), verge * canvas.rng.uniform(0.2, 0.6))
    canvas.paint(Surface.ROAD, canvas.colour(ROADS), canvas.stroke(course, width) * canvas.rng.uniform(0.75, 1.0))


def fields(canvas: Canvas, *, reach: float) -> list[Points]:
    """Clear large straight-sided fields around a place, and return lines (2, 2) between them where roads may run.

    reach: how far from that place land is cleared, in pixels.
    """
    rng = canvas.rng
    angle = rng.uniform(0, np.pi / 2)
    cell, side, cuts = canvas.grid(angle, 70, 190)
    cleared = _near(canvas, cell, canvas.anywhere(), reach)
    hedge = rng.choice([0.0, 0.0, 2.0, 4.0])
    alpha = canvas.ragged(cleared, scale=8, amount=0.12)
    if hedge:
        alpha = alpha * ramp(side.astype(np.float32), hedge, hedge + 2)
    if rng.random() < 0.5:
        alpha = alpha * ramp(canvas.noise(rng.uniform(60, 160), 4), -0.6, -0.5)
    trees = ramp(canvas.noise(4) + 0.8 * canvas.noise(40), 2.4, 2.8) if rng.random() < 0.6 else 0.0
    canvas.paint(Surface.FIELD, _crops(canvas, cell, angle), np.asarray(alpha * (1 - trees), np.float32))
    across = np.array([np.cos(angle), np.sin(angle)])
    ends = canvas.edge * np.outer([-1, 1], [-across[1], across[0]]) + canvas.edge / 2
    return [ends + cut * across for cut in cuts if abs(cut) < canvas.edge / 2]


def plots(canvas: Canvas, centre: Points, *, count: int) -> None:
    """Draw small uneven plots near each other, each with its own crop."""
    for place in centre + canvas.rng.normal(0, 14 * np.sqrt(count), (count, 2)):
        shape = canvas.blob(place, canvas.rng.uniform(11, 26), rough=0.3, stretch=canvas.rng.uniform(1, 2.2))
        texture = mottled(canvas.colour(GARDENS), canvas.noise(3, 2), 0.07)
        canvas.paint(Surface.PLOT, texture, shape * canvas.rng.uniform(0.7, 1.0))


def houses(canvas: Canvas, course: Points, *, count: int) -> None:
    """Draw a cluster of yards and roofs on both sides of a stretch of road, nearest to the canvas's middle."""
    rng = canvas.rng
    inside = np.flatnonzero(((course > 10) & (course < canvas.edge - 10)).all(axis=1))
    if not len(inside):
        return
    start = rng.choice(inside)
    spots = course[np.clip(start + rng.integers(-count, count + 1, count), 0, len(course) - 2)]
    spots = spots + rng.normal(0, 9, (count, 2))
    yards = np.clip(sum(canvas.blob(spot, rng.uniform(6, 12), rough=0.2) for spot in spots[::2]), 0, 1)
    canvas.paint(Surface.OTHER, canvas.colour(YARDS), np.asarray(yards * rng.uniform(0.3, 0.8), np.float32))
    for spot in spots:
        _roof(canvas, spot, rng.uniform(0, np.pi))


def town(canvas: Canvas, *, radius: float) -> None:
    """Draw a town: streets in a grid, roofs in the blocks between them, trees in the gaps."""
    rng = canvas.rng
    shape = canvas.blob(canvas.anywhere(0.1), radius, rough=0.2, stretch=rng.uniform(1, 1.8))
    angle = rng.uniform(0, np.pi / 2)
    canvas.paint(Surface.OTHER, mottled(canvas.colour(YARDS), canvas.noise(6, 2), 0.12), shape * 0.85)
    house, gap, _ = canvas.grid(angle, 4, 9)
    number = int(house.max()) + 1
    tones = np.stack([canvas.colour(ROOFS, 0.12) for _ in range(64)])[rng.integers(0, 64, number)]
    built = (rng.random(number) < rng.uniform(0.35, 0.75)).astype(np.float32)[house] * (gap > 0.8)
    canvas.paint(Surface.ROOF, tones[house], np.asarray(shape * built, np.float32))
    _, street, _ = canvas.grid(angle, 26, 46)
    canvas.paint(Surface.ROAD, canvas.colour(ROADS), np.asarray(shape * (street < 1.6), np.float32))


def burn(canvas: Canvas, centre: Points, *, radius: float) -> None:
    """Draw a clearing after the fire: scorched ground, charcoal, streaks of ash."""
    whole = canvas.blob(centre, radius, rough=0.3, stretch=canvas.rng.uniform(1, 2))
    shape = canvas.ragged(whole, scale=9, amount=0.15)
    ground = mottled(canvas.colour(BURNT), canvas.noise(7, 3), 0.20)
    ash = ramp(canvas.noise(canvas.rng.uniform(8, 16), 3), 1.0, 2.2)[..., None] * canvas.rng.uniform(0.4, 0.9)
    canvas.paint(Surface.SCAR, ground + ash * (np.array(ASH, np.float32) - ground), shape * 0.95)


def skid_tracks(canvas: Canvas, *, length: float) -> None:
    """Draw a thin winding track that comes and goes under the canopy, with felled gaps beside it."""
    rng = canvas.rng
    course = canvas.wander(canvas.anywhere(0.15), rng.uniform(0, 2 * np.pi), bend=0.7, every=24, length=length)
    colour = canvas.colour(SKID)
    gone = ramp(canvas.noise(16), -1.2, -0.4)
    canvas.paint(Surface.TRACK, colour, canvas.stroke(course, int(rng.integers(1, 4))) * gone)
    for spot in course[rng.integers(0, len(course), int(length / 12))]:
        gap = canvas.blob(spot + rng.normal(0, 9, 2), rng.uniform(1.2, 3.5), rough=0.25)
        canvas.paint(Surface.TRACK, colour * rng.uniform(0.8, 1.1), gap * rng.uniform(0.6, 0.95))


def pit(canvas: Canvas, *, radius: float) -> None:
    """Draw an open pit: benches that step down from the rim, haul roads, a flooded floor now and then."""
    rng = canvas.rng
    whole = canvas.blob(canvas.anywhere(0.1), radius, rough=0.35, stretch=rng.uniform(1, 2))
    shape = canvas.ragged(whole, scale=30, amount=0.14)
    inside = np.pad((shape > 0.5).astype(np.uint8), 1, constant_values=1)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1] + 4 * canvas.noise(50, 3)
    bench = rng.uniform(7, 14)
    step = (depth / bench) % 1
    terraces = 1.0 * ramp(step, 0.0, 0.3) - 1.5 * ramp(step, 0.65, 0.95)
    worked = ramp(canvas.noise(70, 2), -0.9, 0.2)
    shade = worked * terraces + 0.6 * canvas.noise(60, 4) + 0.25 * canvas.noise(3)
    canvas.paint(Surface.PIT, mottled(canvas.colour(BENCHES), shade, 0.14), shape)
    if rng.random() < 0.3:
        canvas.paint(Surface.RIVER, canvas.colour(POOLS), ramp(depth, 5.2 * bench, 5.2 * bench + 3))


def diggings(canvas: Canvas, course: Points, *, reach: float) -> None:
    """Draw washed sand in heaps and turbid pools on both sides of a river's course, thickest around one place on it.

    reach: how far from the river they lie, in pixels.
    """
    rng = canvas.rng
    inside = np.flatnonzero(((course > 0) & (course < canvas.edge)).all(axis=1))
    middle, stretch = int(rng.choice(inside)), int(rng.uniform(20, 60))
    worked = course[max(middle - stretch, 0) : middle + stretch]
    near = cv2.GaussianBlur(canvas.stroke(worked, int(2 * reach)), (0, 0), reach / 2)
    heaps = ramp(canvas.noise(rng.uniform(14, 30), 3) + 6 * near, 3.4, 4.0) * (near > 0.1)
    tone, other = canvas.colour(TAILINGS), canvas.colour(TAILINGS)
    sand = tone + ramp(canvas.noise(25, 3), -0.5, 0.5)[..., None] * (other - tone)
    canvas.paint(Surface.DIGGING, sand * (1 + 0.06 * canvas.noise(4, 2)[..., None]), heaps)
    pools = cv2.erode(heaps, np.ones((5, 5), np.uint8)) * ramp(canvas.noise(rng.uniform(16, 28), 2), 0.5, 0.65)
    canvas.paint(Surface.DIGGING, mottled(canvas.colour(POOLS), canvas.noise(50), 0.08), pools)


def _near(canvas: Canvas, cell: Points, centre: Points, reach: float) -> Floats:
    """Choose the cells around a centre, more surely the nearer they are; returns 0 or 1 for each pixel."""
    number = int(cell.max()) + 1
    y, x = np.mgrid[: canvas.edge, : canvas.edge]
    area = np.maximum(np.bincount(cell.ravel(), minlength=number), 1)
    middle = [np.bincount(cell.ravel(), weights=place.ravel(), minlength=number) / area for place in (x, y)]
    away = np.hypot(middle[0] - centre[0], middle[1] - centre[1])
    chosen = away < reach * canvas.rng.uniform(0.5, 1.3, number)
    return np.asarray(chosen[cell], np.float32)


def _crops(canvas: Canvas, cell: Points, angle: float) -> Floats:
    """Give each cell a crop's colour, its unevenness, and furrows to some."""
    rng = canvas.rng
    number = int(cell.max()) + 1
    tones = np.stack([canvas.colour(CROPS, 0.10) for _ in range(16)])[rng.integers(0, 16, number)]
    y, x = np.mgrid[: canvas.edge, : canvas.edge]
    furrows = np.sin((np.cos(angle) * x + np.sin(angle) * y) * 2 * np.pi / rng.uniform(5, 10))
    ploughed = (rng.random(number) < 0.3).astype(np.float32)[cell] * furrows
    texture = 0.05 * canvas.noise(40, 3) + 0.03 * canvas.noise(3) + 0.05 * ploughed
    return np.asarray(tones[cell] * (1 + texture[..., None]), np.float32)


def _roof(canvas: Canvas, centre: Points, angle: float) -> None:
    """Draw one roof."""
    half = canvas.rng.uniform(2.0, 4.2, 2) * [1.4, 0.9]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ turn + centre
    canvas.paint(Surface.ROOF, canvas.colour(ROOFS), canvas.polygon(corners))
