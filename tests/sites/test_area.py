"""The area of a site: tiles on a grid of its own, those of a polygon only where there is one."""

from typing import Any

import pytest
from rasterio.warp import transform_bounds
from site_settings import CONTENT, site

from igarape.errors import InputError
from igarape.sites.area import site_area

LEFT, BOTTOM, RIGHT, TOP = CONTENT["bounds"]


def test_tiles_are_named_row_by_row_from_the_upper_left() -> None:
    """And lie where they should."""
    area = site_area(site(), "here")
    assert area.names == ("0_0", "0_1", "0_2", "1_0", "1_1", "1_2")
    assert area.known["1_2"] == 5
    assert area.grid.bounds(area.places)[5].tolist() == [LEFT + 128, BOTTOM, RIGHT, BOTTOM + 64]
    east, south, *_ = transform_bounds(area.grid.crs, "EPSG:4326", RIGHT - 32, BOTTOM + 32, RIGHT - 31, BOTTOM + 33)
    assert area.middles[5] == pytest.approx([south, east], abs=1e-6)


def test_a_polygon_leaves_the_tiles_that_it_overlaps() -> None:
    """Those that it only touches are none of them."""
    corners = [[LEFT + 64, TOP - 64], [LEFT + 100, TOP - 64], [LEFT + 100, BOTTOM + 10], [LEFT + 64, BOTTOM + 10]]
    area = site_area(site(polygon=corners), "here")
    assert area.names == ("1_1",) and area.known == {"1_1": 0}
    assert area.grid.bounds(area.places)[0, 0] == LEFT + 64


BOWTIE = [[LEFT, BOTTOM], [RIGHT, TOP], [RIGHT, BOTTOM], [LEFT, TOP]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"crs": "EPSG:nothing"}, "crs: 'EPSG:nothing' is none"),
        ({"crs": "EPSG:4326"}, "expected one in metres, found WGS 84 in degrees"),
        ({"crs": "EPSG:2263"}, "expected one in metres"),
        ({"bounds": [LEFT, BOTTOM, RIGHT + 0.4, TOP]}, "a whole number of pixels of 1 m, found 192.40"),
        ({"bounds": [LEFT, BOTTOM, LEFT + 63, TOP]}, "room for a tile of 64 x 64 pixels, found 63 x 128"),
        ({"bounds": [LEFT, BOTTOM, 1e30, TOP]}, r"hold about \S+ tiles, expected at most 10,000,000"),
        ({"polygon": BOWTIE}, "polygon: crosses or touches itself"),
        ({"polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}, "none of the grid's tiles lies in it"),
    ],
)
def test_ground_that_cannot_be_watched_is_refused(changes: dict[str, Any], said: str) -> None:
    """In one line that begins with the file."""
    with pytest.raises(InputError, match=f"^sites/here.yaml: .*{said}") as error:
        site_area(site(**changes), "sites/here.yaml")
    assert "\n" not in str(error.value)
