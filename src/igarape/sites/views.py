"""What a scene looks like on a site's grid: the ground of a day, and the crops around a tile."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError, reason
from igarape.sites.bands import Bands
from igarape.sites.scene import Scene, open_scene
from igarape.sites.stretch import Stretch, Table, stretched
from igarape.sites.tiles import Grid

QUALITY = 72  # of JPEGs: a page holds many
NEAR = 0.125  # of a pixel: a page's pictures need not lie more exactly
AROUND = 0.5  # of a tile's side: what a crop shows on each side of it
CROP = 128  # pixels of a crop's side
SIDES = (1600, 1200, 900, 680, 500, 360, 260)  # pixels of a ground's longer side, the largest that there is room for


@dataclass(frozen=True)
class Layer:
    """An open scene on a site's grid, in the colours that its map was made from; nothing: the value that holds none.

    tables: as of Stretch.tables.
    """

    path: Path
    resampled: WarpedVRT
    bands: Bands
    tables: Sequence[Table] | None
    nothing: float

    def picture(self, window: Window, height: int, width: int) -> Pixels:
        """Return a window of the grid in so many pixels; black where the scene holds nothing.

        Raises InputError where the file is damaged.
        """
        wanted = [self.bands.red, self.bands.green, self.bands.blue]
        shape = (3, height, width)
        try:
            values = self.resampled.read(wanted, window=window, out_shape=shape, resampling=Resampling.average)
        except RasterioError as error:
            raise InputError(f"{self.path}: cannot be read ({reason(error)}). Fetch the scene again") from error
        picture = stretched(values, self.tables)
        picture[(values == self.nothing).all(axis=0)] = 0  # a stretch may turn it into a colour
        return picture


@dataclass(frozen=True)
class View:
    """The scenes of a day, as they lie above each other on a grid: the first one is on top.

    counted: at tiles, by their places, which layer is the scene whose look counts; not at all of them.
    """

    layers: tuple[Layer, ...]
    grid: Grid
    counted: Mapping[int, int] = field(default_factory=dict)

    def at(self, tile: int) -> "View":
        """Return the same with the scene on top whose look counts at a tile, by its place."""
        top = self.counted.get(tile, 0)
        return replace(self, layers=(self.layers[top], *self.layers[:top], *self.layers[top + 1 :]))

    def picture(self, window: Window, height: int, width: int) -> Pixels:
        """Return a window of the grid in so many pixels; black where no scene holds anything."""
        picture = np.zeros((height, width, 3), dtype=np.uint8)
        for layer in self.layers:
            empty = ~picture.any(axis=2)
            picture[empty] = layer.picture(window, height, width)[empty]
        return picture

    def ground(self, side: int) -> bytes:
        """Return all of the grid as a JPEG whose longer side has so many pixels, or as many as the grid."""
        height, width = self.grid.height, self.grid.width
        scale = min(1.0, side / max(height, width))
        shape = max(1, round(height * scale)), max(1, round(width * scale))
        return encode_jpeg(self.picture(Window(0, 0, width, height), *shape), QUALITY)

    def crop(self, row: int, column: int) -> bytes:
        """Return a tile, by its first pixel, with some ground around it, as a JPEG; black beyond the grid."""
        margin = round(self.grid.size * AROUND)
        scale = CROP / (self.grid.size + 2 * margin)
        first = np.array([row, column]) - margin
        start = np.maximum(first, 0)
        end = np.minimum(first + self.grid.size + 2 * margin, [self.grid.height, self.grid.width])
        upper, left = np.rint((start - first) * scale).astype(int)
        lower, right = np.rint((end - first) * scale).astype(int)
        window = Window(start[1], start[0], end[1] - start[1], end[0] - start[0])
        crop = np.zeros((CROP, CROP, 3), dtype=np.uint8)
        crop[upper:lower, left:right] = self.picture(window, lower - upper, right - left)
        return encode_jpeg(crop, QUALITY)


@contextmanager
def open_view(
    scenes: Sequence[tuple[Path, Mapping[str, Any]]], grid: Grid, counted: Mapping[int, int] | None = None
) -> Iterator[View]:
    """Open the scenes of a day as their maps saw them.

    scenes: where each one lies, and what its map.json says. counted: as View has it. Raises InputError for a scene that
    is not there any more.
    """
    with ExitStack() as stack:
        layers = tuple(stack.enter_context(_open_layer(path, told, grid)) for path, told in scenes)
        yield View(layers, grid, counted or {})


@contextmanager
def _open_layer(path: Path, told: Mapping[str, Any], grid: Grid) -> Iterator[Layer]:
    """Open one scene."""
    bands, stretch = Bands(**told["bands"]), Stretch.from_json(told["stretch"], str(path))
    with (
        open_scene(path, bands=bands, day=told["date"]) as scene,
        _warped(scene, grid) as resampled,
    ):
        yield Layer(path, resampled, bands, stretch.tables(scene.units), nothing=0 if scene.alpha else scene.nodata)


def _warped(scene: Scene, grid: Grid) -> WarpedVRT:
    """Return a scene resampled to a grid's pixels, for a with."""
    return WarpedVRT(
        scene.dataset,
        crs=grid.crs,
        transform=Affine(*grid.transform),
        width=grid.width,
        height=grid.height,
        resampling=Resampling.bilinear,
        tolerance=NEAR,
        **({"src_alpha": scene.alpha} if scene.alpha else {"src_nodata": scene.nodata, "nodata": scene.nodata}),
    )


def side_that_fits(view: View, most: int) -> int:
    """Return the longer side of a day's ground that takes at most so many bytes, or the shortest that we make."""
    return next((side for side in SIDES if len(view.ground(side)) <= most), SIDES[-1])
