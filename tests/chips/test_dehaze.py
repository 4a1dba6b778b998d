"""Dehazing: haze of which the truth is known is taken away, and what the method promises holds."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips import dehaze as module
from igarape.chips.dehaze import DARKEST_AIRLIGHT, airlight, dehaze, guided_filter
from igarape.chips.drawn import draw_chips, lay_haze, transmission
from igarape.chips.pictures import Picture, decode

SIZE = 128
LIGHT = (0.8, 0.8, 0.82)
KNOBS: dict[str, Any] = {
    "patch": 9,
    "omega": 0.95,
    "floor": 0.1,
    "top": 0.001,
    "radius": 30,
    "epsilon": 1e-4,
    "subsample": 2,
}


def psnr(one: Picture, other: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def hazed(rgb: Picture, t: npt.NDArray[np.float32]) -> Picture:
    """Lay haze on a picture."""
    return np.round(lay_haze((rgb / 255).astype(np.float32), t, LIGHT) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clear() -> list[Picture]:
    """Draw twelve clear chips."""

    def chips() -> Iterator[Picture]:
        for one in draw_chips(range(1000), 1, seed=11, size=SIZE):
            if one.chip.tags[0] == "clear":
                yield decode(one.chip.origin.read(), one.chip.image)

    return list(islice(chips(), 12))


@pytest.mark.parametrize(("low", "high"), [(0.35, 0.7), (0.5, 0.5)])
def test_haze_that_is_known_is_taken_away(clear: list[Picture], low: float, high: float) -> None:
    """Uneven or even: on average the dehazed chip is far nearer to the clear one than the hazy one is."""
    rng = np.random.default_rng(0)
    gains = []
    for rgb in clear:
        hazy = hazed(rgb, transmission(rng.uniform(low, high, (4, 4)).astype(np.float32), SIZE))
        gains.append(psnr(dehaze(hazy, **KNOBS)[0], rgb) - psnr(hazy, rgb))
    assert np.mean(gains) > 3


def test_more_haze_is_found_where_more_was_laid(clear: list[Picture]) -> None:
    """The mean transmission falls with the truth."""
    found = []
    for t in (0.9, 0.65, 0.4):
        pictures = [hazed(rgb, np.full((SIZE, SIZE), t, np.float32)) for rgb in clear]
        found.append(np.mean([dehaze(picture, **KNOBS)[1].mean_t for picture in pictures]))
    assert found[0] > found[1] > found[2]


def test_a_flat_chip_is_returned_as_it_is() -> None:
    """There is nothing to see in it, with haze or without."""
    for colour in ((0, 0, 0), (255, 255, 255), (90, 120, 80)):
        rgb = np.full((SIZE, SIZE, 3), colour, np.uint8)
        result, quality = dehaze(rgb, **KNOBS)
        assert (result == rgb).all() and result is not rgb
        assert quality.change == 0 and quality.mean_t == 1


def test_quality_says_what_was_found_and_done(clear: list[Picture]) -> None:
    """Change is the mean over channels in grey levels; the input stays; the same chip gives the same result."""
    hazy = hazed(clear[0], np.full((SIZE, SIZE), 0.5, np.float32))
    before = hazy.copy()
    result, quality = dehaze(hazy, **KNOBS)
    assert (hazy == before).all() and result.shape == hazy.shape and result.dtype == np.uint8
    assert quality.change == pytest.approx(np.abs(result.astype(float) - hazy).mean())
    assert KNOBS["floor"] <= quality.mean_t <= 1
    assert quality.airlight == pytest.approx(airlight(hazy, patch=KNOBS["patch"], top=KNOBS["top"]))
    again, same = dehaze(hazy, **KNOBS)
    assert (again == result).all() and same == quality


def test_transmission_never_falls_below_the_floor(clear: list[Picture]) -> None:
    """Where nothing but haze is seen, noise is not blown up by more than 1 / floor."""
    hazy = hazed(clear[1], np.full((SIZE, SIZE), 0.05, np.float32))
    result, quality = dehaze(hazy, **KNOBS | {"floor": 0.5})
    light = 255 * np.array(quality.airlight)
    assert quality.mean_t >= 0.5
    assert (np.abs(result - light) <= np.abs(hazy - light) / 0.5 + 0.51).all()


def test_the_dark_channel_is_the_least_of_a_window_and_of_three_channels() -> None:
    """The same as two plain loops; the window is cut at the border."""
    rgb = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)
    dark = module._darkest([rgb[:, :, channel] for channel in range(3)], 5)
    for row in range(12):
        for column in range(17):
            window = rgb[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
            assert dark[row, column] == window.min()


def test_the_airlight_is_the_colour_of_the_haze() -> None:
    """Found where a whole window is bright: a roof smaller than the window does not pass for haze."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 60, (64, 64, 3), dtype=np.uint8)
    rgb[:24, :24] = (150, 160, 170)
    expected = pytest.approx(np.array([150, 160, 170]) / 255, abs=1e-3)
    assert airlight(rgb, patch=9, top=0.001) == expected
    rgb[40:46, 40:46] = 255
    assert airlight(rgb, patch=9, top=0.001) == expected


def test_the_airlight_is_never_too_dark_to_divide_by() -> None:
    """Black stays black, without a warning from numpy."""
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[4, 4] = 9
    assert airlight(rgb, patch=3, top=0.01) == pytest.approx(DARKEST_AIRLIGHT)
    assert np.isfinite(dehaze(rgb, **KNOBS)[1].mean_t)


@pytest.mark.parametrize("subsample", [1, 4])
def test_the_guided_filter_keeps_what_follows_the_guide(subsample: int) -> None:
    """A constant stays; a line in the guide stays; noise that the guide does not show is smoothed away."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[0:64, 0:96].astype(np.float32) / 96
    guide = (0.5 * down + 0.5 * across).astype(np.float32)
    settings: dict[str, Any] = {"radius": 16, "epsilon": 1e-6, "subsample": subsample}
    constant = np.full_like(guide, 0.3)
    assert guided_filter(guide, constant, **settings) == pytest.approx(constant, abs=1e-4)
    line = (0.2 + 0.6 * guide).astype(np.float32)
    assert np.abs(guided_filter(guide, line, **settings) - line).max() < 0.01
    noise = rng.normal(0, 0.1, guide.shape).astype(np.float32)
    assert np.abs(guided_filter(guide, line + noise, **settings) - line).mean() < 0.25 * np.abs(noise).mean()


def test_the_guided_filter_keeps_an_edge_of_the_guide() -> None:
    """A plain mean would blur it over 33 pixels."""
    guide = np.zeros((64, 64), np.float32)
    guide[:, 32:] = 1
    filtered = guided_filter(guide, 1 - guide, radius=16, epsilon=1e-4, subsample=1)
    assert np.abs(filtered - (1 - guide)).max() < 0.01
