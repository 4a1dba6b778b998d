"""Dehazing: haze of which the truth is known is taken away, what is no haze is left alone."""

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import literal
import numpy as np
import numpy.typing as npt
import pytest

from igarape.chips import dehaze as module
from igarape.chips.dehaze import dehaze, guided_filter
from igarape.chips.drawn.drawing import draw_chips, lay_haze
from igarape.chips.drawn.drawing import transmission as field
from igarape.chips.pictures import Pixels, decode
from igarape.config.params import read_params
from igarape.errors import InputError

SIZE = 256
LIGHT = (0.8, 0.8, 0.82)
KNOBS: dict[str, Any] = read_params(Path(__file__).parents[2] / "params.yaml").dehaze.model_dump(exclude={"quality"})


def psnr(one: Pixels, other: Pixels) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def hazed(rgb: Pixels, t: npt.NDArray[np.float32]) -> Pixels:
    """Lay haze on a picture."""
    return np.round(lay_haze((rgb / 255).astype(np.float32), t, LIGHT) * 255).astype(np.uint8)


def blocks(plane: npt.NDArray[Any], side: int) -> npt.NDArray[np.float32]:
    """Return the means of a plane's blocks."""
    height, width = plane.shape
    return np.asarray(plane.reshape(height // side, side, width // side, side).mean(axis=(1, 3)), np.float32)


def filtered(
    guide: npt.NDArray[np.uint8],
    small: npt.NDArray[np.uint8],
    plane: npt.NDArray[np.float32],
    *,
    radius: int,
    epsilon: float,
) -> npt.NDArray[np.float32]:
    """Return the guided filter's output, in memory of its own."""
    out = (np.empty(guide.shape, np.float32), np.empty(guide.shape, np.float32))
    return guided_filter(guide, small, plane, radius=radius, epsilon=epsilon, out=out)


def even(t: float) -> npt.NDArray[np.float32]:
    """Return a map of one transmission."""
    return np.full((SIZE, SIZE), t, np.float32)


@pytest.fixture(scope="module")
def clear() -> list[Pixels]:
    """Draw twelve clear chips."""
    chips = (one.chip for one in draw_chips(range(1000), 1, seed=11, size=SIZE))
    return [
        decode(chip.origin.read(), chip.image_id) for chip in islice((c for c in chips if c.tags[0] == "clear"), 12)
    ]


@pytest.fixture(scope="module")
def real(planet: Path) -> dict[str, list[Pixels]]:
    """Give the real chips by their weather."""
    with (planet / "train_subset.csv").open(encoding="utf-8") as file:
        tags = {row["image_name"]: row["tags"].split() for row in csv.DictReader(file)}
    found: dict[str, list[Pixels]] = {}
    for image_id, labels in tags.items():
        data = (planet / f"train-jpg/{image_id}.jpg").read_bytes()
        for weather in {"clear", "cloudy", "haze"} & set(labels):
            found.setdefault(weather, []).append(decode(data, image_id))
    return found


@pytest.mark.parametrize(("low", "high"), [(0.35, 0.7), (0.5, 0.5), (0.75, 0.75)])
def test_haze_that_is_known_is_taken_away(clear: list[Pixels], low: float, high: float) -> None:
    """Uneven or even: on average the dehazed chip is far nearer to the clear one than the hazy one is."""
    rng = np.random.default_rng(0)
    gains = []
    for rgb in clear:
        hazy = hazed(rgb, field(rng.uniform(low, high, (4, 4)).astype(np.float32), SIZE))
        gains.append(psnr(dehaze(hazy, **KNOBS)[0], rgb) - psnr(hazy, rgb))
    assert np.mean(gains) > 2


def test_haze_laid_on_real_chips_is_taken_away(real: dict[str, list[Pixels]]) -> None:
    """On average at each level, from a breath of haze to a thick one."""
    for t in (0.9, 0.75, 0.6, 0.45):
        gains = [
            psnr(dehaze(hazed(rgb, even(t)), **KNOBS)[0], rgb) - psnr(hazed(rgb, even(t)), rgb)
            for rgb in real["clear"][::4]
        ]
        assert np.mean(gains) > 1


def test_clear_chips_are_left_nearly_alone(clear: list[Pixels], real: dict[str, list[Pixels]]) -> None:
    """Bright soil, sand and roofs are no haze: the mean change is below 2 of 255."""
    assert np.mean([dehaze(rgb, **KNOBS)[1].change for rgb in clear]) < 1
    assert np.mean([dehaze(rgb, **KNOBS)[1].change for rgb in real["clear"]]) < 2


def test_hazy_chips_are_changed_and_lose_light(real: dict[str, list[Pixels]]) -> None:
    """Those that people called hazy change ten times as much as those that they called clear."""
    change = {weather: np.mean([dehaze(rgb, **KNOBS)[1].change for rgb in chips]) for weather, chips in real.items()}
    assert change["haze"] > 10 * change["clear"]
    assert np.mean([dehaze(rgb, **KNOBS)[0].mean() < rgb.mean() for rgb in real["haze"]]) > 0.9


def test_a_cloud_is_not_torn_apart(real: dict[str, list[Pixels]]) -> None:
    """A closed white deck stays as it is, and grain on it is never blown up by more than 1 / floor."""
    deck = (235 + np.random.default_rng(0).integers(0, 12, (SIZE, SIZE, 1)) + np.zeros(3)).astype(np.uint8)
    assert dehaze(deck, **KNOBS)[1].change < 1
    for rgb in real["cloudy"]:
        assert dehaze(rgb, **KNOBS)[0].std() < rgb.std() / KNOBS["floor"]


def test_more_haze_is_found_where_more_was_laid(clear: list[Pixels]) -> None:
    """The mean transmission falls with the truth."""
    found = [np.mean([dehaze(hazed(rgb, even(t)), **KNOBS)[1].mean_t for rgb in clear]) for t in (0.9, 0.65, 0.4)]
    assert found[0] > found[1] > found[2]


def test_it_does_what_its_definition_says(clear: list[Pixels], real: dict[str, list[Pixels]]) -> None:
    """The same as in double precision at full size: within 1.5 grey levels on average over chips of all kinds."""
    exact = {name: value for name, value in KNOBS.items() if name != "subsample"}
    chips = [*(hazed(rgb, even(0.6)) for rgb in clear[:3]), *(rgb for some in real.values() for rgb in some[:5])]
    apart = [np.abs(dehaze(rgb, **KNOBS)[0].astype(int) - literal.dehaze(rgb, **exact)).mean() for rgb in chips]
    assert np.mean(apart) < 1.5


@pytest.mark.parametrize("shape", [(256, 256), (64, 64), (50, 61), (3, 5), (1, 1)])
def test_any_size_goes(shape: tuple[int, int]) -> None:
    """Also one that the subsampling does not divide, or that is smaller than all windows."""
    rgb = np.random.default_rng(0).integers(120, 200, (*shape, 3), dtype=np.uint8)
    assert dehaze(rgb, **KNOBS)[0].shape == rgb.shape


def test_a_flat_chip_is_returned_as_it_is() -> None:
    """There is nothing to see in it, with haze or without."""
    for colour in ((0, 0, 0), (255, 255, 255), (90, 120, 80), (170, 172, 170)):
        rgb = np.full((SIZE, SIZE, 3), colour, np.uint8)
        result, quality = dehaze(rgb, **KNOBS)
        assert (result == rgb).all() and result is not rgb
        assert quality.change == 0 and quality.mean_t == 1


def test_quality_says_what_was_found_and_done(clear: list[Pixels]) -> None:
    """Change is the mean over channels in grey levels; the input stays; the same chip gives the same result."""
    hazy = hazed(clear[0], even(0.5))
    before = hazy.copy()
    result, quality = dehaze(hazy, **KNOBS)
    assert (hazy == before).all() and result.shape == hazy.shape and result.dtype == np.uint8
    assert quality.change == pytest.approx(np.abs(result.astype(float) - hazy).mean())
    assert KNOBS["floor"] <= quality.mean_t < 1
    again, same = dehaze(hazy, **KNOBS)
    assert (again == result).all() and same == quality


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"patch": 0}, "patch  should be at least 1 (got 0)"),
        ({"floor": 0.0}, "floor  should be greater than 0 (got 0.0)"),
        ({"clear": 1.0}, "clear  should be less than 1 (got 1.0)"),
        ({"subsample": 2.5}, "subsample  should be a valid integer (got 2.5)"),
        ({"darkest": 0.9, "brightest": 0.5}, "the file  darkest should be at most brightest"),
    ],
)
def test_a_knob_out_of_its_range_is_refused(knobs: dict[str, Any], said: str) -> None:
    """As in params.yaml, which has the same bounds: something would come out all the same."""
    with pytest.raises(InputError, match=f"^dehaze: 1 problem\n  {re.escape(said)}$"):
        dehaze(np.zeros((32, 32, 3), np.uint8), **KNOBS | knobs)


def test_transmission_never_falls_below_the_floor(clear: list[Pixels]) -> None:
    """Where hardly anything but haze is seen, noise is not blown up by more than 1 / floor."""
    hazy = hazed(clear[1], even(0.3))
    result, quality = dehaze(hazy, **KNOBS | {"floor": 0.5})
    light = 255 * np.array(quality.airlight)
    assert 0.5 <= quality.mean_t < 1
    assert (np.abs(result - light) <= np.abs(hazy - light) / 0.5 + 0.51).all()


def test_threads_do_not_disturb_one_another(clear: list[Pixels]) -> None:
    """Each works in memory of its own, and what was returned stays when the next chip is dehazed."""
    hazy = [hazed(rgb, even(0.5)) for rgb in clear]
    alone = [dehaze(rgb, **KNOBS)[0].copy() for rgb in hazy]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda rgb: dehaze(rgb, **KNOBS)[0], hazy * 4))
    assert all((one == other).all() for one, other in zip(together, alone * 4, strict=True))


def test_memory_is_kept_for_chips_of_one_size_and_not_for_large_pictures() -> None:
    """The same planes as long as the size is the same; a scene that is dehazed once does not stay in memory."""
    kept = module._Kept()
    planes = kept.sized(8, 6)
    assert planes.floats[0].shape == (8, 6) and kept.sized(8, 6) is planes
    assert kept.sized(module.KEPT // 8, 9).shape == (module.KEPT // 8, 9)
    assert kept.sized(8, 6) is planes
    assert kept.sized(6, 8) is not planes


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 8])
def test_a_picture_is_shrunk_to_the_least_and_the_mean_of_blocks(factor: int) -> None:
    """The same as of its blocks, the mean within half a grey level for each halving; at the border none is lost."""
    rgb = np.random.default_rng(0).integers(0, 256, (48, 72, 3), dtype=np.uint8)
    least, mean = module._shrunk(rgb, factor, np.empty_like(rgb))
    blocks = rgb.reshape(48 // factor, factor, 72 // factor, factor, 3)
    assert (least == blocks.min(axis=(1, 3))).all()
    assert np.abs(mean - blocks.mean(axis=(1, 3))).max() <= 0.5 * max(1, np.log2(factor))
    cut = rgb[:47, :71].copy()
    assert module._shrunk(cut, factor, np.empty_like(cut))[0].shape == (-(-47 // factor), -(-71 // factor), 3)


@pytest.mark.parametrize("subsample", [1, 4])
def test_the_guided_filter_keeps_what_follows_the_guide(subsample: int) -> None:
    """A constant stays; a line in the guide stays; noise that the guide does not show is smoothed away."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[0:64, 0:96] / 96
    guide = np.rint(255 * (0.5 * down + 0.5 * across)).astype(np.uint8)

    def enlarged(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        small = np.rint(blocks(guide, subsample)).astype(np.uint8)
        return filtered(guide, small, blocks(plane, subsample), radius=16 // subsample, epsilon=1e-6)

    constant = np.full(guide.shape, 0.3, np.float32)
    assert enlarged(constant) == pytest.approx(constant, abs=1e-4)
    line = (0.2 + 0.6 * guide / 255).astype(np.float32)
    assert np.abs(enlarged(line) - line).max() < 0.01
    noise = rng.normal(0, 0.1, guide.shape).astype(np.float32)
    assert np.abs(enlarged(line + noise) - line).mean() < 0.25 * np.abs(noise).mean()


def test_the_guided_filter_keeps_an_edge_of_the_guide() -> None:
    """A plain mean would blur it over 33 pixels."""
    guide = np.zeros((64, 64), np.uint8)
    guide[:, 32:] = 255
    plane = (1 - guide / 255).astype(np.float32)
    assert np.abs(filtered(guide, guide, plane, radius=16, epsilon=1e-4) - plane).max() < 0.01
