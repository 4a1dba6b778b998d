"""Near-infrared: planes by their formulas, and a shift that is found where there is one."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import tifs
import yaml

from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.nir import Shift, measure_shift, planes
from igarape.chips.pictures import Pixels, bands, decode, encode_jpeg, encode_png
from igarape.errors import InputError

ROOT = Path(__file__).parents[2]
KNOBS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["nir"]
SHIFTS = ((0, 0), (1, 0), (1, -1), (5, 3), (-12, 9))
MARGIN = 12
JPEG = 90


@pytest.fixture(scope="module")
def scenes() -> list[Pixels]:
    """Draw pictures of 152 x 152, each of another scene."""
    return [decode(one.chip.origin.read(), one.chip.image_id) for one in draw_chips(range(8), 1, seed=4, size=152)]


def pixel(blue: int, green: int, red: int, nir: int, *, white: int = 1000) -> list[int]:
    """Return the planes of one pixel."""
    values: list[int] = planes(np.array([[[blue, green, red, nir]]], dtype=np.uint16), white=white)[0, 0].tolist()
    return values


@pytest.mark.parametrize(
    ("sensed", "shown"),
    [
        ((9, 0, 0, 1000), [255, 255, 0]),  # leaves only: NDVI 1, NDWI -1
        ((9, 500, 500, 0), [0, 0, 255]),  # no near-infrared at all: NDVI -1, NDWI 1
        ((9, 400, 400, 400), [102, 128, 128]),  # grey: both are 0, and lie in the middle
        ((9, 300, 100, 300), [76, 191, 128]),  # NDVI a half
        ((9, 100, 300, 300), [76, 128, 64]),  # NDWI minus a half
        ((9, 0, 0, 0), [0, 128, 128]),  # nothing
        ((9, 65535, 65535, 65535), [255, 128, 128]),  # beyond white
    ],
)
def test_planes_are_near_infrared_ndvi_and_ndwi(sensed: tuple[int, int, int, int], shown: list[int]) -> None:
    """By their formulas, with -1..1 laid on 0..255; blue plays no part."""
    assert pixel(*sensed) == shown
    assert pixel(60000, *sensed[1:]) == shown


def test_the_indices_do_not_depend_on_the_light() -> None:
    """Twice as bright in every band is the same NDVI and NDWI; near-infrared and white grow together."""
    dim = np.random.default_rng(0).integers(0, 32768, (20, 30, 4), dtype=np.uint16)
    assert (planes(dim, white=9000) == planes(dim * 2, white=18000)).all()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate"])
def test_planes_are_the_same_however_the_tif_is_written(bits: int, planar: str, compression: str | None) -> None:
    """In 8 bits or 16, bands side by side or one after the other, packed or not, the fourth one called alpha or not."""
    four = np.random.default_rng(1).integers(0, 256, (24, 40, 4), dtype=np.uint8)
    deep = four.astype(np.uint16) * 257
    for photometric, extra in (("minisblack", (0, 0, 0)), ("rgb", (0,)), ("rgb", (2,))):
        how = {"photometric": photometric, "extrasamples": extra, "planarconfig": planar, "compression": compression}
        data = tifs.written(four if bits == 8 else deep, **how)
        assert (
            planes(bands(data, "chip", ["blue", "green", "red", "nir"]), white=65535) == planes(deep, white=65535)
        ).all()


def test_what_is_no_tif_of_four_bands_is_an_error() -> None:
    """Three bands or five, a JPEG, half a TIF: the error begins with the chip's name."""
    four = tifs.sensed(np.zeros((16, 16, 3), np.uint8))
    files = {
        r"expected a TIF of four bands.*, found 3": tifs.written(four[:, :, :3]),
        r"expected a TIF of four bands.*, found 5": tifs.written(np.dstack([four, four[:, :, :1]])),
        "expected a TIF of four bands, found a jpg": encode_jpeg(np.zeros((16, 16, 3), np.uint8), JPEG),
        "damaged or cut short": tifs.written(four)[:900],
        "found an empty file": b"",
    }
    for message, data in files.items():
        with pytest.raises(InputError, match=f"^chip: .*{message}"):
            bands(data, "chip")


def test_a_png_keeps_every_plane() -> None:
    """Packed and read again they are what they were, and the same planes give the same bytes."""
    seen = planes(np.random.default_rng(2).integers(0, 20000, (31, 17, 4), dtype=np.uint16), white=12800)
    assert (decode(encode_png(seen), "chip") == seen).all()
    assert encode_png(seen) == encode_png(seen.copy())


def far(shift: Shift) -> bool:
    """Judge a shift by the bounds of params.yaml."""
    return shift.far(pixels=KNOBS["shift"], response=KNOBS["response"])


def check_shifts(scenes: list[Pixels], *, margin: int) -> None:
    """Lay bands by each of SHIFTS off the JPEG of each scene: the shift is found within a third of a pixel."""
    for scene, (dx, dy) in itertools.product(scenes, SHIFTS):
        image, laid = tifs.cut(scene, margin=margin, dx=dx, dy=dy)
        found = measure_shift(decode(encode_jpeg(image, JPEG), "chip"), laid)
        assert np.hypot(found.dx - dx, found.dy - dy) < 1 / 3, (dx, dy, found)
        assert far(found) == (np.hypot(dx, dy) > KNOBS["shift"])


def check_strangers(scenes: list[Pixels], *, margin: int) -> None:
    """Give each scene the bands of the next one: all of them are flagged by their response."""
    for scene, other in itertools.pairwise(scenes):
        found = measure_shift(tifs.cut(scene, margin=margin)[0], tifs.cut(other, margin=margin)[1])
        assert found.response < KNOBS["response"] and far(found)


def test_a_shift_is_measured_and_bands_of_another_place_are_told_apart(scenes: list[Pixels]) -> None:
    """On drawn chips, through a JPEG: dx is to the right, dy is down."""
    check_shifts(scenes, margin=MARGIN)
    check_strangers(scenes, margin=MARGIN)


def test_so_they_are_on_real_chips(planet: Path) -> None:
    """With the bounds of params.yaml, on 12 of Planet's pictures whose bands are made up."""
    paths = sorted((planet / "train-png").glob("*.png"))[::12][:12]
    chips = [decode(path.read_bytes(), path.name) for path in paths]
    check_shifts(chips, margin=32)
    check_strangers(chips, margin=32)


def test_nothing_correlates_with_a_flat_plane(scenes: list[Pixels]) -> None:
    """A TIF of one tone, and a picture of one colour, have a response of 0: no number is made up."""
    image, laid = tifs.cut(scenes[0], margin=MARGIN)
    for rgb, four in ((image, np.full_like(laid, 700)), (np.full_like(image, 9), laid), (image, laid * 0)):
        found = measure_shift(rgb, four)
        assert found.response == 0 and far(found) and np.isfinite([found.dx, found.dy]).all()


def test_far_is_beyond_the_bound_in_any_direction_or_below_the_response() -> None:
    """3 to the right and 4 down are 5 pixels."""
    assert not Shift(3, -4, 0.5).far(pixels=5, response=0.5)
    assert Shift(3, -4, 0.5).far(pixels=4.9, response=0.5)
    assert Shift(0, 0, 0.49).far(pixels=5, response=0.5)
