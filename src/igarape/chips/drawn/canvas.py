"""A canvas to draw ground on: its colours, what stands on top at each pixel, and the strokes and blobs to draw with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Colour = Sequence[float]

SUBPIXEL = 4  # bits behind the point in OpenCV's polygon coordinates


class Surface(IntEnum):
    """What one sees from above at a pixel. OTHER has no name of its own, such as a yard or a verge."""

    OTHER = 0
    CANOPY = 1
    RIVER = 2
    SOIL = 3
    FALLEN = 4
    BLOSSOM = 5
    FIELD = 6
    PLOT = 7
    ROAD = 8
    ROOF = 9
    SCAR = 10
    TRACK = 11
    PIT = 12
    DIGGING = 13


@dataclass
class Canvas:
    """A square piece of ground while it is drawn.

    rng: where all its chances come from.
    rgb: float32 (edge, edge, 3), colours in [0, 1].
    surface: uint8 (edge, edge), the Surface on top.
    sun: where its light goes, in radians from the right, clockwise; crowns, slopes and clouds throw shadows that way.
    """

    rng: np.random.Generator
    rgb: Floats
    surface: npt.NDArray[np.uint8]
    sun: float

    @property
    def edge(self) -> int:
        """Pixels along one side."""
        return len(self.surface)

    def paint(self, surface: Surface, colour: Floats, alpha: Floats) -> None:
        """Lay a colour, (3,) or (edge, edge, 3), over the ground by alpha (edge, edge) in [0, 1].

        The surface changes where alpha is at least half of its own peak, so that a thin layer counts as well.
        """
        rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
        if not len(rows):
            return
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        share = alpha[window][..., None]
        self.rgb[window] += share * ((colour if colour.ndim == 1 else colour[window]) - self.rgb[window])
        self.surface[window][alpha[window] > alpha.max() / 2] = surface

    def anywhere(self, margin: float = 0.0) -> Points:
        """Return a random point (x, y), at least margin (as a share of the edge) away from the border."""
        return self.rng.uniform(margin * self.edge, (1 - margin) * self.edge, 2)

    def noise(self, scale: float, octaves: int = 1) -> Floats:
        """Return smooth noise (edge, edge) of mean 0 and deviation 1, with features about scale pixels wide."""
        total = np.zeros((self.edge, self.edge), np.float32)
        for octave in range(octaves):
            step = max(scale / 2**octave, 1.0)
            cells = int(np.ceil(self.edge / step)) + 3
            grid = self.rng.standard_normal((cells, cells)).astype(np.float32)
            with _one_thread():
                wide = cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
            start = self.rng.integers(0, max(int(step), 1), 2) + int(step)
            total += wide[start[0] :, start[1] :][: self.edge, : self.edge] * 0.6**octave
        return np.asarray((total - total.mean()) / (total.std() + 1e-6), np.float32)

    def colour(self, choices: Sequence[Colour], spread: float = 0.08) -> Floats:
        """Pick one of the colours and vary its brightness and its tone by a relative spread."""
        base = np.array(choices[int(self.rng.integers(len(choices)))])
        factor = self.rng.normal(1.0, spread) * self.rng.normal(1.0, spread / 4, 3)
        return np.clip(base * factor, 0, 1).astype(np.float32)

    def wander(self, anchor: Points, heading: float, *, bend: float, every: float, length: float) -> Points:
        """Return a path (n, 2), one point each 4 pixels.

        Parameters
        ----------
        anchor
            A point that the path leads through, in its middle.
        heading
            Its direction in radians.
        bend
            How far it turns off its heading, in radians (deviation).
        every
            Pixels from one turn to the next.
        length
            Of the path in pixels.
        """
        count = max(int(length / 4), 2)
        knots = np.arange(0, length + 2 * every, every)
        turns = np.interp(np.arange(count) * 4.0, knots, self.rng.normal(0, bend, len(knots)))
        smooth = np.convolve(np.pad(turns, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
        steps = 4.0 * np.stack([np.cos(heading + smooth), np.sin(heading + smooth)], axis=1)
        path = np.cumsum(steps, axis=0)
        return np.asarray(path - path[count // 2] + anchor)

    def stroke(self, path: Points, width: int) -> Floats:
        """Return the alpha (edge, edge) of a line along a path (n, 2), about as wide as asked."""
        mask = np.zeros((self.edge, self.edge), np.uint8)
        # OpenCV's smooth lines come out 1.4 pixels thicker than they are told, and never of even width.
        cv2.polylines(mask, [_fixed(path)], False, 255, max(width - 1, 1), cv2.LINE_AA, SUBPIXEL)
        return np.asarray(mask / 255, np.float32)

    def blob(self, centre: Points, radius: float, *, rough: float, stretch: float = 1.0) -> Floats:
        """Return the alpha (edge, edge) of a rounded, irregular patch.

        Parameters
        ----------
        centre
            Where it lies, of shape (2,).
        radius
            In pixels, where nothing disturbs it.
        rough
            Deviation of its outline's waves, as a share of the radius; a wave of half the length has half as much.
        stretch
            Its length over its width.
        """
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        waves = np.arange(1, 13)
        size = self.rng.normal(0, rough, 12) / waves
        reach = 1 + (size * np.cos(waves * angle[:, None] + self.rng.uniform(0, 2 * np.pi, 12))).sum(axis=1)
        reach = radius * np.clip(reach, 0.4, 2.0)
        turn = self.rng.uniform(0, np.pi)
        along, across = reach * np.cos(angle) * np.sqrt(stretch), reach * np.sin(angle) / np.sqrt(stretch)
        outline = np.stack([np.cos(turn) * along - np.sin(turn) * across, np.sin(turn) * along + np.cos(turn) * across])
        return self.polygon(outline.T + centre)

    def polygon(self, corners: Points) -> Floats:
        """Return the alpha (edge, edge) of a filled polygon (n, 2)."""
        mask = np.zeros((self.edge, self.edge), np.uint8)
        cv2.fillPoly(mask, [_fixed(corners)], 255, cv2.LINE_AA, SUBPIXEL)
        return np.asarray(mask / 255, np.float32)

    def ragged(self, alpha: Floats, *, scale: float, amount: float) -> Floats:
        """Return an alpha (edge, edge) with its straight or round edges frayed by noise of a scale in pixels."""
        soft = cv2.GaussianBlur(alpha, (0, 0), scale / 3)
        return ramp(np.asarray(soft + amount * self.noise(scale, 3) * (soft > 0), np.float32), 0.40, 0.60)

    def grid(self, angle: float, low: float, high: float) -> tuple[Points, Points, Points]:
        """Cut the canvas into turned rectangles with sides of low to high pixels.

        They stand in rows, each row pushed along by a length of its own, as bricks are. Returns for each pixel a cell
        number (edge, edge) and the pixels to the nearest side of its cell (edge, edge); and where along the direction
        angle the lines (n,) between the rows lie, as seen from the canvas's middle.
        """
        y, x = np.mgrid[: self.edge, : self.edge] - self.edge / 2
        count = int(2 * self.edge / low) + 4
        lines, cuts = (np.cumsum(self.rng.uniform(low, high, count)) - 1.2 * self.edge for _ in range(2))
        over, along = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
        row = np.searchsorted(lines, over)
        along = along + self.rng.uniform(0, high, count)[row]
        column = np.searchsorted(cuts, along)
        sides = (over - lines[row - 1], lines[row] - over, along - cuts[column - 1], cuts[column] - along)
        return row * (count + 1) + column, np.minimum.reduce(sides), lines


def blank(rng: np.random.Generator, edge: int) -> Canvas:
    """Return an empty canvas under a sun of its own."""
    return Canvas(
        rng=rng,
        rgb=np.zeros((edge, edge, 3), np.float32),
        surface=np.zeros((edge, edge), np.uint8),
        sun=float(rng.uniform(0, 2 * np.pi)),
    )


def ramp(values: Floats, low: float, high: float) -> Floats:
    """Rise smoothly from 0 at low to 1 at high."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def mottled(colour: Floats, texture: Floats, amount: float) -> Floats:
    """Spread a colour (3,) over the canvas, brighter and darker by a texture (edge, edge)."""
    return np.asarray(np.clip(colour * (1 + amount * texture[..., None]), 0, 1), np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Bound OpenCV to one thread: the last bits of its cubic interpolation depend on their number."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    """Turn points into OpenCV's fixed-point coordinates."""
    return np.asarray(np.round(points * 2**SUBPIXEL), np.int32)
