"""Tiles are cut from bands of rows, each row of pixels read once."""

from pathlib import Path

import numpy as np
import pytest
from scenes import CRS, LEFT, TOP, write_scene

from igarape.labels import Booleans
from igarape.sites.bands import Bands
from igarape.sites.raster import Raster, on_grid
from igarape.sites.resampling import Samples
from igarape.sites.scene import open_scene
from igarape.sites.tiles import Grid
from igarape.sites.windows import filled, rows_of_tiles, sample

GROUND = np.random.default_rng(0).integers(1, 256, (3, 45, 50), dtype=np.uint8)
GROUND[:, 10:20, 5:30] = 0
GRID = Grid(CRS, LEFT, TOP, 3.0, 50, 45, 16, 7)


def test_each_tile_is_cut_where_it_lies_and_no_row_is_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels, valid shares and counts are those of the whole scene, wherever the parts begin that it is read in."""
    read: list[tuple[int, int]] = []
    plain = Raster.read

    def counted(self: Raster, top: int, left: int, samples: Samples, valid: Booleans) -> None:
        read.extend((row, left) for row in range(top, top + len(valid)))
        plain(self, top, left, samples, valid)

    monkeypatch.setattr(Raster, "read", counted)
    path = write_scene(tmp_path / "a.tif", GROUND)
    held = (GROUND != 0).any(axis=0)
    total = np.zeros(GRID.cells, dtype=np.int64)
    with open_scene(path, bands=Bands(1, 2, 3), day="2024-05-31") as scene:
        raster = on_grid(scene, GRID)
        for columns in (range(1), range(1, 4), range(4, len(GRID.columns))):
            cell = GRID.columns[columns[0]] // GRID.stride
            for place, row in enumerate(rows_of_tiles(raster, range(len(GRID.rows)), columns)):
                height, width = row.counts.shape
                total[row.cell : row.cell + height, cell : cell + width] += row.counts
                for share, column in zip(row.valid.tolist(), columns, strict=True):
                    left = GRID.columns[column]
                    part = np.s_[GRID.rows[place] : GRID.rows[place] + 16, left : left + 16]
                    colours, there = row.colours(left, None), held[part]
                    np.testing.assert_array_equal(colours[there], np.moveaxis(GROUND[:, *part], 0, -1)[there])
                    assert colours.min() > 0 or not there.any()
                    assert share == pytest.approx(held[part].mean())
        assert read == [(row, GRID.columns[first]) for first in (0, 1, 4) for row in range(45)]
        assert sample(raster).shape == (3, held.sum())
    cells = np.add.reduceat(np.add.reduceat(held, range(0, 45, 7), axis=0, dtype=np.int64), range(0, 50, 7), axis=1)
    np.testing.assert_array_equal(total, cells)


@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_beyond_a_straight_border_a_tile_shows_what_lies_opposite(angle: int) -> None:
    """The tile turned by 180 degrees, wherever the border lies that leaves at least half; the rest is as it was."""
    down, across = np.mgrid[:16, :16] - 7.5
    holds = across * np.cos(np.radians(angle)) + down * np.sin(np.radians(angle)) < 3.3
    tile = np.random.default_rng(1).integers(1, 60_000, (4, 16, 16), dtype=np.uint16)
    found = filled(np.where(holds, tile, 0).astype(np.uint16), holds)
    np.testing.assert_array_equal(found, np.where(holds, tile, tile[:, ::-1, ::-1]))
    assert found.dtype == np.uint16


def test_what_has_nothing_opposite_shows_the_mean() -> None:
    """A hole in the middle; and nothing is changed in the scene's own pixels."""
    holds = np.ones((16, 16), dtype=np.bool_)
    holds[6:10, 6:10] = False
    tile = np.where(holds, 41, 0).astype(np.uint8)[None]
    assert (filled(tile, holds) == 41).all() and tile.min() == 0
    assert filled(tile, np.ones_like(holds)) is tile
