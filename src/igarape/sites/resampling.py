"""A scene's pixels on another grid: what a place shows depends on its ground alone, not on what else a file holds.

GDAL's warper counts positions from the corner of what it reads, and makes its kernel as wide as that part asks for: two
crops of a scene differ in their last bits, and so in values that are rounded. Here positions are counted from the
origin of the reference system. Two crops have the same ones, to the bit, and all that follows from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from rasterio import Affine

from igarape.labels import Booleans
from igarape.sites.scene import Scene
from igarape.sites.tiles import Floats, Grid, Integers

Samples = npt.NDArray[np.unsignedinteger[Any]]  # (bands, height, width)

# A raster's first pixel lies at a whole number of such parts of one: else two crops would differ by rounding.
PHASE = 4096
FAINT = 1e-3  # a share of a pixel's weight that is none: less than what PHASE and rounding move
ROUND = 360.0  # degrees
ROWS = 32  # of the grid, that are resampled at once
MOST = 2**20  # pixels of a scene that are held at once, with all their bands
BEYOND = 9  # pixels of a scene from its border: nothing is there, and no kernel reaches back
WIDEST = 8.0  # of a kernel, in pixels of the scene: next to where its system ends it would have no end

# Reads a part of the scene by its first row and column: as of Raster.read, on the scene's own pixels.
ReadPart = Callable[[int, int, Samples, Booleans], None]


class Taps(NamedTuple):
    """The pixels of a scene along one of its sides that pixels of a grid are made of: the first ones, and weights."""

    first: Integers
    weights: list[Floats]


@dataclass(frozen=True)
class Warp:
    """Where the pixels of a grid lie in a scene.

    top, left: of the grid's corner, in its pixels from the origin of its system, downwards and to the right.
    linear: from the scene's system to its pixels, but for their origin, which is at row, column. middle: its longitude,
    where the system has degrees. shape: the scene's height and width.
    """

    pixel: float
    top: float
    left: float
    to_scene: Transformer
    linear: Affine
    row: float
    column: float
    middle: float | None
    shape: tuple[int, int]

    @classmethod
    def between(cls, scene: Scene, grid: Grid) -> "Warp":
        """Return where a grid's pixels lie in a scene."""
        a, b, left, d, e, top = scene.dataset.transform[:6]
        linear = ~Affine(a, b, 0, d, e, 0)
        column, row = linear @ (left, top)
        return cls(
            grid.pixel,
            _snapped(-grid.top / grid.pixel),
            _snapped(grid.left / grid.pixel),
            Transformer.from_crs(grid.crs, CRS.from_wkt(scene.dataset.crs.to_wkt()), always_xy=True),
            linear,
            _snapped(row),
            _snapped(column),
            (scene.sides[0] + scene.sides[2]) / 2 if scene.dataset.crs.is_geographic else None,
            (scene.dataset.height, scene.dataset.width),
        )

    def taps(self, top: int, left: int, shape: tuple[int, int]) -> tuple[Taps, Taps]:
        """Return what rows and what columns of the scene a part of the grid is made of, by its first row and column."""
        rows = self.top + np.arange(top - 1, top + shape[0] + 1) + 0.5  # and one more around, for how large pixels are
        columns = self.left + np.arange(left - 1, left + shape[1] + 1) + 0.5
        x, y = self.to_scene.transform(*np.meshgrid(columns * self.pixel, rows * -self.pixel))
        away = ~(np.isfinite(x) & np.isfinite(y))  # where the scene's system does not reach
        x[away], y[away] = 0, 0
        if self.middle is not None:  # a scene over the antimeridian has longitudes of more than 180
            x += ROUND * np.rint((self.middle - x) / ROUND)
        down = self.linear.d * x + self.linear.e * y - self.row - 0.5
        across = self.linear.a * x + self.linear.b * y - self.column - 0.5
        for places, side in zip((down, across), self.shape, strict=True):
            places[away] = -BEYOND
            np.clip(places, -BEYOND, side + BEYOND, out=places)
        return _taps(down), _taps(across)


def resample(read: ReadPart, warp: Warp, *, top: int, left: int, samples: Samples, holds: Booleans) -> None:
    """Read a part of a grid from a scene: bilinear, and where the scene's pixels are smaller, by as much wider.

    A pixel holds something where all do that it is made of: half of a kernel would be another ground's mean.

    Parameters
    ----------
    read, warp
        Reads the scene, and where the grid lies in it.
    top, left
        The part's first row and column.
    samples
        Takes bands, (n, height, width); 0 where nothing is.
    holds
        Takes which pixels hold something, (height, width).
    """
    for start in range(0, holds.shape[0], ROWS):
        part = slice(start, start + ROWS)
        _resample(read, warp, top=top + start, left=left, samples=samples[:, part], holds=holds[part])


def _resample(read: ReadPart, warp: Warp, *, top: int, left: int, samples: Samples, holds: Booleans) -> None:
    """Read a few rows of a grid, half of their columns at a time where they lie over too much of the scene."""
    samples[:], holds[:] = 0, False
    taps = warp.taps(top, left, holds.shape)
    spans = [_span(each, side) for each, side in zip(taps, warp.shape, strict=True)]
    (upper, lower), (first, last) = spans
    if upper >= lower or first >= last:
        return
    width = holds.shape[1]
    if (lower - upper) * (last - first) > MOST and width > 1:
        for part in (slice(0, width // 2), slice(width // 2, width)):
            _resample(read, warp, top=top, left=left + part.start, samples=samples[:, :, part], holds=holds[:, part])
        return
    # One more on each side, where nothing is: for all that lies beyond.
    found = np.zeros((len(samples), lower - upper + 2, last - first + 2), dtype=samples.dtype)
    held = np.zeros(found.shape[1:], dtype=np.bool_)
    read(upper, first, found[:, 1:-1, 1:-1], held[1:-1, 1:-1])
    _blend(found, held, taps=taps, corner=(upper - 1, first - 1), samples=samples, holds=holds)


def _blend(
    found: Samples,
    held: Booleans,
    *,
    taps: tuple[Taps, Taps],
    corner: tuple[int, int],
    samples: Samples,
    holds: Booleans,
) -> None:
    """Make pixels of those of a scene, of which the first one is at a corner."""
    down, across = taps
    high, wide = held.shape
    flat, known = found.reshape(len(found), -1), held.ravel()
    sums, total = np.zeros(samples.shape), np.zeros(holds.shape)
    holds[:] = True
    for i, vertical in enumerate(down.weights):
        lines = np.clip(down.first + (i - corner[0]), 0, high - 1) * wide
        for j, horizontal in enumerate(across.weights):
            places = lines + np.clip(across.first + (j - corner[1]), 0, wide - 1)
            weight = vertical * horizontal
            holds &= known[places] | (weight == 0)
            total += weight
            sums += weight * flat[:, places]
    np.rint(sums / total, out=sums)
    samples[:] = np.where(holds, sums, 0)


def _taps(places: Floats) -> Taps:
    """Return what pixels along a side are made of whose middles, and those around them, lie at some places of it."""
    middle = places[1:-1, 1:-1]
    along, down = places[1:-1, 2:] - places[1:-1, :-2], places[2:, 1:-1] - places[:-2, 1:-1]
    reach = np.clip(np.hypot(along, down) / 2, 1, WIDEST)  # a kernel is as wide as the larger one of both pixels
    first = np.floor(middle - reach).astype(np.int64) + 1
    weights = [
        np.maximum(1 - np.abs(first + each - middle) / reach, 0) for each in range(int(np.ceil(2 * reach.max())))
    ]
    for each in weights:
        each[each < FAINT] = 0
    return Taps(first, weights)


def _span(taps: Taps, side: int) -> tuple[int, int]:
    """Return from where to where along a side of a scene there is something that pixels are made of."""
    return max(int(taps.first.min()), 0), min(int(taps.first.max()) + len(taps.weights), side)


def _snapped(place: float) -> float:
    """Return a place that is the same for two crops, but for whole pixels."""
    return float(np.rint(place * PHASE) / PHASE)
