"""Fingerprints: equal for the same pixels, near for a copy that was changed a little, far for everything else."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.fingerprints import (
    BITS,
    COLUMNS,
    SAMPLES,
    SIDES,
    Fingerprint,
    Fingerprints,
    fingerprint,
    fingerprint_table,
    read_fingerprints,
)
from igarape.chips.pictures import Pixels, decode, encode_jpeg, symmetries
from igarape.errors import InputError
from igarape.tables import write_table

BOUND = 40  # split.hamming of params.yaml


def reencoded(rgb: Pixels, quality: int) -> Pixels:
    """Encode and decode again."""
    return decode(encode_jpeg(rgb, quality), "picture")


def brighter(rgb: Pixels, gain: float, offset: float) -> Pixels:
    """Multiply and add, within 0..255."""
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=gain, beta=offset), dtype=np.uint8)


def shifted(rgb: Pixels, right: int, down: int) -> Pixels:
    """Move the content; what comes in at the edge is mirrored."""
    return np.pad(rgb, ((down, 0), (right, 0), (0, 0)), mode="reflect")[: len(rgb), : len(rgb)]


def differing(one: Fingerprint, other: Fingerprint) -> int:
    """Count the bits in which two hashes differ."""
    a, b = (np.frombuffer(each.phash, np.uint8) for each in (one, other))
    return int(np.bitwise_count(a ^ b).sum())


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "re-encoded at 90": lambda rgb: reencoded(rgb, 90),
    "re-encoded at 75": lambda rgb: reencoded(rgb, 75),
    "brighter": lambda rgb: brighter(rgb, 1.0, 12),
    "more contrast": lambda rgb: brighter(rgb, 1.1, 0),
    "a pixel right": lambda rgb: shifted(rgb, 1, 0),
    "two pixels down": lambda rgb: shifted(rgb, 0, 2),
    "a pixel right and one down": lambda rgb: shifted(rgb, 1, 1),
}


@pytest.fixture(scope="module")
def drawn() -> list[Pixels]:
    """Give 16 drawn chips."""
    return [decode(one.chip.origin.read(), one.chip.image_id) for one in draw_chips(range(16), 1, seed=5, size=256)]


@pytest.fixture(scope="module")
def real(planet: Path) -> list[Pixels]:
    """Give 60 real chips."""
    return [decode(path.read_bytes(), path.name) for path in sorted((planet / "train-jpg").iterdir())[:60]]


@given(st.integers(0, 47), st.integers(0, 47), st.integers(0, 2), st.integers(1, 255))
def test_any_change_of_one_pixel_shows(row: int, column: int, channel: int, change: int) -> None:
    """Equal pixels have equal fingerprints; one level more in one channel of one pixel has another."""
    rgb = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    other = rgb.copy()
    assert fingerprint(other) == fingerprint(rgb)
    other[row, column, channel] = (int(rgb[row, column, channel]) + change) % 256
    assert fingerprint(other) != fingerprint(rgb)


def test_it_does_not_matter_how_the_pixels_lie_in_memory() -> None:
    """A view with its own strides has the fingerprint of its copy."""
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert fingerprint(np.rot90(rgb)) == fingerprint(np.rot90(rgb).copy())


@pytest.mark.parametrize("change", CHANGES)
def test_a_drawn_chip_that_was_changed_a_little_has_nearly_the_same_hash(change: str, drawn: list[Pixels]) -> None:
    """Of 256 bits, at most 40 differ."""
    far = [differing(fingerprint(rgb), fingerprint(CHANGES[change](rgb))) for rgb in drawn]
    assert max(far) <= BOUND


@pytest.mark.parametrize("change", CHANGES)
def test_a_real_chip_that_was_changed_a_little_has_nearly_the_same_hash(change: str, real: list[Pixels]) -> None:
    """Of 256 bits, at most 40 differ."""
    far = [differing(fingerprint(rgb), fingerprint(CHANGES[change](rgb))) for rgb in real]
    assert max(far) <= BOUND


def test_real_chips_that_show_different_places_are_far_apart(real: list[Pixels]) -> None:
    """No two of them differ in less than twice the bound; half of the bits is what chance gives."""
    prints = [fingerprint(rgb) for rgb in real]
    far = [differing(one, other) for row, one in enumerate(prints) for other in prints[:row]]
    assert min(far) >= 2 * BOUND
    assert np.mean(far) == pytest.approx(BITS / 2, abs=2)


def test_a_chip_turned_or_mirrored_is_no_near_duplicate(real: list[Pixels]) -> None:
    """It shows another place, as far as a fingerprint can tell."""
    for rgb in real[:20]:
        itself, *others = symmetries(rgb[None])
        far = [differing(fingerprint(itself[0]), fingerprint(other[0])) for other in others]
        assert min(far) > BOUND


def test_where_lightness_rises_evenly_two_neighbours_predict_the_same_border() -> None:
    """On a slope, what goes on beyond the right border is what goes on beyond the left border of the next chip."""
    rise = 2 * (np.arange(64) + np.arange(64)[:, None])
    slope = np.repeat(rise[..., None], 3, axis=2).astype(np.uint8)
    here, right, below = (borders(part) for part in (slope[:32, :32], slope[:32, 32:], slope[32:, :32]))
    assert list(here["right"]) == list(right["left"])
    assert list(here["bottom"]) == list(below["top"])
    assert list(here["bottom"][1::32]) == [62 + 1, 62 + 1 + 32]


@pytest.mark.parametrize("size", [16, 64, 100, 256])
def test_chips_of_any_size_have_fingerprints_of_one_length(size: int) -> None:
    """Hash and borders are 32 and 256 bytes."""
    found = fingerprint(np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8))
    assert (len(found.phash), len(found.borders)) == (32, 256)


def borders(rgb: Pixels) -> dict[str, np.ndarray]:
    """Return the borders of a picture by side, as integers."""
    lines = np.frombuffer(fingerprint(rgb).borders, np.uint8).reshape(len(SIDES), SAMPLES)
    return dict(zip(SIDES, lines.astype(int), strict=True))


def test_a_border_is_read_from_left_to_right_and_from_top_to_bottom() -> None:
    """A white corner stands at that end of the two borders that meet in it, and nowhere else."""
    rgb = np.zeros((128, 128, 3), np.uint8)
    rgb[:32, 96:] = 255
    found = borders(rgb)
    assert found["top"][:48].max() == 0 and found["top"][48:].min() == 255
    assert found["right"][:16].min() == 255 and found["right"][16:].max() == 0
    assert found["left"].max() == 0 and found["bottom"].max() == 0


def test_a_table_of_fingerprints_is_read_as_it_was_written(tmp_path: Path, drawn: list[Pixels]) -> None:
    """In the order that is asked for; chips that are not asked for are left."""
    prints = {f"chip-{row}": fingerprint(rgb) for row, rgb in enumerate(drawn)}
    write_table(fingerprint_table(prints), tmp_path / "fingerprints.parquet")
    image_ids = ["chip-3", "chip-1"]
    read = read_fingerprints(tmp_path / "fingerprints.parquet", image_ids)
    expected = Fingerprints.of({image_id: prints[image_id] for image_id in image_ids})
    assert read.image_ids == expected.image_ids == image_ids
    for column in ("pixels", "phash", "borders"):
        np.testing.assert_array_equal(getattr(read, column), getattr(expected, column))
    assert list(fingerprint_table({}).columns) == COLUMNS


def test_a_chip_without_a_fingerprint_is_an_error(tmp_path: Path, drawn: list[Pixels]) -> None:
    """It names the chip and what to run."""
    path = tmp_path / "fingerprints.parquet"
    with pytest.raises(InputError, match=r"fingerprints\.parquet: not found; an earlier step writes it"):
        read_fingerprints(path, ["chip"])
    write_table(fingerprint_table({"chip": fingerprint(drawn[0])}), path)
    with pytest.raises(InputError, match=r"holds no fingerprint of other\. Run: dvc repro ingest"):
        read_fingerprints(path, ["chip", "other"])


def test_fingerprints_of_another_length_are_an_error(tmp_path: Path) -> None:
    """Those that another version wrote would be compared wrongly."""
    table = pd.DataFrame([["chip", 1, b"1234", b"5678"]], columns=COLUMNS)
    write_table(table, tmp_path / "fingerprints.parquet")
    with pytest.raises(InputError, match=r"phash: expected 32 bytes, found 4\. Run: dvc repro ingest"):
        read_fingerprints(tmp_path / "fingerprints.parquet", ["chip"])


def test_a_fingerprint_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """Columns of bytes are read a part at a time, and checked as the others are."""
    table = pd.DataFrame([["chip", 1, None, b"5678"], ["other", 2, bytes(32), bytes(256)]], columns=COLUMNS)
    write_table(table, tmp_path / "fingerprints.parquet")
    with pytest.raises(InputError, match=r"phash: expected 32 bytes, found 0\. Run: dvc repro ingest"):
        read_fingerprints(tmp_path / "fingerprints.parquet", ["chip"])
