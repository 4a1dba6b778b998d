"""Looks: sizes and depths of pictures, and what follows for the data set."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifs
from rasterio import Affine
from scenes import LEFT, TOP, write_scene

from igarape.chips.pictures import decode, encode_png
from igarape.chips.sources.inspection import Inspection, inspect_pictures
from igarape.chips.sources.origins import loose
from igarape.errors import InputError


def noise(height: int, width: int, seed: int = 0) -> bytes:
    """Encode a picture of noise."""
    return encode_png(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def seen(folder: Path, *files: bytes, bands: tuple[str, ...] = (), size: int | None = None) -> Inspection:
    """Look at files."""
    for number, data in enumerate(files):
        (folder / f"{number}").write_bytes(data)
    return inspect_pictures(
        {str(number): loose(folder / str(number)) for number in range(len(files))}, bands=bands, size=size
    )


@pytest.mark.parametrize(
    ("shapes", "size", "resize"),
    [
        ([(40, 40)] * 3, 40, "refuse"),
        ([(40, 40), (40, 40), (50, 50)], 40, "fit"),
        ([(40, 60)] * 2, 40, "crop"),
        ([(60, 40), (40, 40)], 40, "crop"),
    ],
)
def test_the_commonest_side_counts(tmp_path: Path, shapes: list[tuple[int, int]], size: int, resize: str) -> None:
    """Squares of another size are scaled, others lose their ends; a size that the user wants counts first."""
    files = [noise(*shape) for shape in shapes]
    found = seen(tmp_path, *files)
    assert (found.size, found.resize, found.white, found.broken) == (size, resize, None, {})
    assert seen(tmp_path, *files, size=0).size == 0  # which is refused later
    assert seen(tmp_path, *files, size=32).size == 32 and seen(tmp_path, *files, size=32).resize != "refuse"


@pytest.mark.parametrize(("most", "white"), [(3000, 3000), (255, 260), (10_000, 10_000), (60_000, None)])
def test_a_white_is_measured_where_16_bits_use_little_of_their_range(
    tmp_path: Path, most: int, white: int | None
) -> None:
    """Nearly; then the chips use what there is."""

    def deep(seed: int) -> npt.NDArray[np.uint16]:
        return np.random.default_rng(seed).integers(0, most, (40, 40, 3), dtype=np.uint16)

    files = [tifs.written(deep(seed), photometric="rgb") for seed in range(3)]
    found = seen(tmp_path, *files).white
    assert found == white if white is None else found is not None and abs(found / white - 1) < 0.05
    assert np.quantile(decode(files[0], "a", white=found), 0.99) > 230


def test_what_ingest_will_leave_out_is_told_and_nothing_else_is_an_error(tmp_path: Path) -> None:
    """Where no picture can be read the first fault is told: here, what the bands are called."""
    flat = encode_png(np.zeros((40, 40, 3), np.uint8))
    found = seen(tmp_path, noise(40, 40), b"text", flat)
    assert found.looked == 3 and list(found.broken) == ["1", "2"]
    assert found.broken["1"].startswith("expected a JPEG") and found.broken["2"] == "shows one colour only"
    four = tifs.written(np.ones((40, 40, 4), np.uint16))
    with pytest.raises(
        InputError, match=r"none of the pictures can be read \(1 tried\)\. The first: 0: .*source\.bands"
    ):
        seen(tmp_path, four)
    named = seen(tmp_path, four, bands=("blue", "green", "red", "nir"))
    assert named.size == 40 and not named.by_header and not seen(tmp_path, noise(40, 40)).by_header


def test_it_is_told_that_a_header_said_which_band_is_red(tmp_path: Path) -> None:
    """As NAIP's TIFs do."""
    four = tifs.written(np.ones((40, 40, 4), np.uint8), photometric="rgb", extrasamples=[0])
    assert seen(tmp_path, four).by_header


def test_pixels_have_the_side_that_all_geotiffs_say(tmp_path: Path) -> None:
    """To three digits; one that says another, or none, is a doubt, and scaled pixels have another side."""

    def ground(number: int, metres: float, side: int = 40) -> bytes:
        bands = np.random.default_rng(number).integers(0, 256, (3, side, side), dtype=np.uint8)
        path = tmp_path / f"{number}.tif"
        return write_scene(
            path, bands, transform=Affine(metres, 0, LEFT, 0, -metres, TOP), photometric="RGB"
        ).read_bytes()

    files = [ground(0, 3.0), ground(1, 3.00001)]
    assert seen(tmp_path, *files).metres == 3.0
    assert seen(tmp_path, *files, ground(2, 5.0)).metres is None
    assert seen(tmp_path, *files, noise(40, 40)).metres is None
    assert seen(tmp_path, *files, ground(3, 3.0, side=50)).metres is None
    assert seen(tmp_path, noise(40, 40)).metres is None


def test_near_infrared_that_headers_call_alpha_is_asked_for(tmp_path: Path) -> None:
    """One picture may be full of it by chance, and pass; a single odd mask among many is a fault of its own."""
    four = np.random.default_rng(0).integers(0, 256, (40, 40, 4), dtype=np.uint8)
    full = four.copy()
    full[:, :, 3] = 255
    odd, sound = (tifs.written(each, photometric="rgb", extrasamples=[2]) for each in (four, full))
    with pytest.raises(
        InputError, match=r"^0: expected alpha .* is none \(so in 3 of 4 pictures\)\. Say which is which"
    ):
        seen(tmp_path, odd, odd, odd, sound)
    assert list(seen(tmp_path, odd, *[sound] * 19).broken) == ["0"]
    assert seen(tmp_path, odd, odd, sound, bands=("red", "green", "blue", "nir")).broken == {}
