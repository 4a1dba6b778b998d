"""dehaze_rivals: other published ways to remove haze from one picture, on dehaze_quality's measure and chips.

Each stands as published; tuned: with our airlight and floor, and two constants of its own that give the highest PSNR;
guarded: with those that do so among all that change clear chips by at most 2 of 255 grey levels, as ours must. They are
sought on chips other than those that are measured: `python bench/dehaze_rivals.py tune`. Ours, tuned, is without its
guard in the same way. All share our guided filter on a picture four times smaller; the rest is written plainly, at full
size: read their times as upper bounds.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from dehaze_kernel import ROUNDS, milliseconds
from dehaze_quality import SEED, SETS, Method, Pixels, changed, hazy_chips, measure, ours

from igarape.chips.dehaze import dehaze, guided_filter
from igarape.chips.haze import Light, Plane, airlight
from igarape.config.params import read_params

SUBSAMPLE = 4
RADIUS = 60 // SUBSAMPLE
SAMPLE = 40  # chips of each set: fewer than dehaze_quality takes, as there are nine methods
TIMED = 8  # chips of each set, under each haze
OTHER_SEED = 1
TRIED = 300  # hazy chips that constants are tuned on
NEARLY_ALONE = 2.0  # grey levels of 255, on average over a set's clear chips


def run() -> dict[str, object]:
    """Return the mean PSNR (dB) of ours and of the best rival that is guarded, and all figures of each method."""
    table = compared()
    psnr = {str(name): float(value) for name, value in table["psnr"].items()}
    mine, best = psnr["ours"], max(value for name, value in psnr.items() if name.endswith("guarded"))
    row = {"ours": mine, "peer": best, "ratio": mine / best, "unit": "dB", "n": int(table["n"].iloc[0])}
    return row | {"methods": table.drop(columns="n").to_dict("index")}


def compared() -> pd.DataFrame:
    """Return a row for each method: PSNR before and after, SSIM, share made worse, change of clear chips, time."""
    methods = {"ours": ours()} | RIVALS
    table, change = measure(methods, sample=SAMPLE)
    groups = table.groupby("method", sort=False)
    means = groups[["psnr_before", "psnr_after", "ssim_after", "worse"]].mean()
    means.columns = pd.Index(["before", "psnr", "ssim", "worse"])
    hazy = [image for _, _, image in hazy_chips(SEED, sample=TIMED)]
    rounds = pd.DataFrame([{name: milliseconds(one, hazy) for name, one in methods.items()} for _ in range(ROUNDS)])
    return means.assign(ms=rounds.min(), n=groups.size()).join(pd.DataFrame(change).T.add_prefix("change_"))


def dark_channel_prior(rgb: Pixels) -> Pixels:
    """He, Sun, Tang, TPAMI 2011, with its values: patch 15, omega 0.95, airlight of the top 0.1 %, floor 0.1."""
    small = _small(rgb)
    channels = cv2.split(rgb)
    dark = np.asarray(_least(_lowest(channels), 15), np.uint8)
    light = airlight(small, dark, top=0.001, darkest=0.01, brightest=1, tint=1)
    relative = [channel * np.float32(1 / (255 * value)) for channel, value in zip(channels, light, strict=True)]
    rough = np.asarray(1 - np.float32(0.95) * _least(_lowest(relative), 15), np.float32)
    return _recovered(rgb, _refined(rgb, small, rough, 1e-4), light, 0.1)


def colour_attenuation_prior(rgb: Pixels) -> Pixels:
    """Zhu, Mai, Shao, TIP 2015, with the paper's values: beta 1, t within 0.1 and 0.9.

    The airlight is the brightest of the 0.1 % of pixels that lie deepest.
    """
    small = _small(rgb)
    depth = _depth(rgb)
    deepest = small[depth >= np.quantile(depth, 0.999)]
    red, green, blue = (float(level) / 255 for level in deepest[deepest.sum(axis=1, dtype=int).argmax()])
    t = np.minimum(np.exp(-_refined(rgb, small, depth, 1e-3)), np.float32(0.9))
    return _recovered(rgb, t, (red, green, blue), 0.1)


def tuned_colour_attenuation_prior(rgb: Pixels, *, beta: float, ground: float) -> Pixels:
    """Do the same with our airlight and floor; ground: the depth that a picture without haze shows."""
    small = _small(rgb)
    depth = np.maximum(_depth(rgb) - np.float32(ground), 0)
    t = np.exp(np.float32(-beta) * _refined(rgb, small, depth, 1e-3))
    return _recovered(rgb, t, _bounded_airlight(rgb, small), KNOBS["floor"])


def haze_thickness_map(rgb: Pixels) -> Pixels:
    """Makarau, Richter, Mueller, Reinartz, TGRS 2014: from each band goes what its darkest pixels around show.

    The haze thickness map holds the blue band's minima in windows that do not overlap; a band's share of it is the
    slope of the band's minima over it. What the clearest window shows is ground, and stays.
    """
    least = _least_of_windows(rgb, 16)
    blue = least[:, :, 2]
    thickness = blue - blue.min()
    spread = float(np.square(thickness - thickness.mean()).sum())
    shares = [
        float(np.clip(((thickness - thickness.mean()) * least[:, :, band]).sum() / spread, 0, 1.5)) if spread else 0.0
        for band in range(3)
    ]
    full = cv2.resize(thickness, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    bands = zip(cv2.split(rgb), shares, strict=True)
    return _merged([cv2.addWeighted(band, 1, full, -share, 0, dtype=cv2.CV_8U) for band, share in bands])


def tuned_haze_thickness_map(rgb: Pixels, *, side: float, ground: float) -> Pixels:
    """Take the map for the veil A (1 - t), so that contrast is restored too; ground: the map of a chip without haze.

    The map is the least of all bands in windows of `side` pixels, our airlight is A, the map is refined as ours is.
    """
    small = _small(rgb)
    light = _bounded_airlight(rgb, small)
    least = _least_of_windows(rgb, round(side)).min(axis=2) / np.float32(255 * np.mean(light))
    veil = cv2.resize(np.maximum(least - np.float32(ground), 0), small.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    rough = np.asarray(1 - veil / np.float32(1 - ground), np.float32)
    return _recovered(rgb, _refined(rgb, small, rough, KNOBS["epsilon"]), light, KNOBS["floor"])


def tuned_ours(rgb: Pixels, *, colour: float, clear: float) -> Pixels:
    """Dehaze with less regard for what may be no haze."""
    return dehaze(rgb, **KNOBS | {"colour": colour, "clear": clear})[0]


def _small(rgb: Pixels) -> Pixels:
    """Return the picture four times smaller."""
    half = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _lowest(channels: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the least of three channels."""
    red, green, blue = channels
    return np.asarray(cv2.min(cv2.min(red, green), blue))


def _least(plane: npt.NDArray[Any], patch: int) -> npt.NDArray[Any]:
    """Return the minimum over windows of patch x patch pixels, at every fourth pixel."""
    least = cv2.erode(plane, np.ones((patch, patch), np.uint8))
    return np.ascontiguousarray(least[SUBSAMPLE // 2 :: SUBSAMPLE, SUBSAMPLE // 2 :: SUBSAMPLE])


def _least_of_windows(rgb: Pixels, side: int) -> Plane:
    """Return each band's least in windows that do not overlap, float32 (rows, columns, 3)."""
    least = cv2.erode(rgb, np.ones((side, side), np.uint8), anchor=(0, 0))[::side, ::side]
    return least.astype(np.float32)


def _depth(rgb: Pixels) -> Plane:
    """Return the depth by equation 8 of Zhu, Mai, Shao, the least over windows of 15 pixels."""
    channels = cv2.split(rgb.astype(np.float32) * np.float32(1 / 255))
    value, least = cv2.max(cv2.max(channels[0], channels[1]), channels[2]), _lowest(channels)
    saturation = (value - least) / np.maximum(value, np.float32(1e-6))
    depth = np.float32(0.121779) + np.float32(0.959710) * value - np.float32(0.780245) * saturation
    return np.asarray(_least(depth, 15), np.float32)


def _bounded_airlight(rgb: Pixels, small: Pixels) -> Light:
    """Return the airlight by our bounds."""
    bounds = {name: KNOBS[name] for name in ("top", "darkest", "brightest", "tint")}
    return airlight(small, np.asarray(_least(_lowest(cv2.split(rgb)), KNOBS["patch"]), np.uint8), **bounds)


def _refined(rgb: Pixels, small: Pixels, plane: Plane, epsilon: float) -> Plane:
    """Enlarge a plane by the guided filter that ours uses."""
    guide, shrunk = (np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.uint8) for one in (rgb, small))
    out = (np.empty(guide.shape, np.float32), np.empty(guide.shape, np.float32))
    return guided_filter(guide, shrunk, plane, radius=RADIUS, epsilon=epsilon, out=out)


def _recovered(rgb: Pixels, t: Plane, light: Light, floor: float) -> Pixels:
    """Return (I - A) / t + A."""
    gain = 1 / np.clip(t, np.float32(floor), 1)
    lit = (cv2.multiply(channel, gain, dtype=cv2.CV_32F) for channel in cv2.split(rgb))
    return _merged(
        [
            cv2.addWeighted(one, 1, gain, -255 * value, 255 * value, dtype=cv2.CV_8U)
            for one, value in zip(lit, light, strict=True)
        ]
    )


def _merged(bands: list[Any]) -> Pixels:
    """Lay bands together."""
    return np.asarray(cv2.merge(bands), np.uint8)


KNOBS: dict[str, Any] = read_params(Path("params.yaml")).dehaze.model_dump(exclude={"quality"})
RIVALS: dict[str, Method] = {
    "dark channel prior": dark_channel_prior,
    "colour attenuation prior": colour_attenuation_prior,
    "colour attenuation prior, tuned": partial(tuned_colour_attenuation_prior, beta=1.0, ground=0.05),
    "colour attenuation prior, guarded": partial(tuned_colour_attenuation_prior, beta=0.8, ground=0.3),
    "haze thickness map": haze_thickness_map,
    "haze thickness map, tuned": partial(tuned_haze_thickness_map, side=64, ground=0.16),
    "haze thickness map, guarded": partial(tuned_haze_thickness_map, side=32, ground=0.45),
    "ours, tuned": partial(tuned_ours, colour=1.0, clear=0.1),
}
GRIDS: tuple[tuple[Callable[..., Pixels], dict[str, tuple[float, ...]]], ...] = (
    (
        tuned_colour_attenuation_prior,
        {"beta": (0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 2.5), "ground": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5)},
    ),
    (
        tuned_haze_thickness_map,
        {"side": (16, 32, 64, 96, 128), "ground": (0.04, 0.08, 0.12, 0.16, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5)},
    ),
    (tuned_ours, {"colour": (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5), "clear": (0.04, 0.06, 0.08, 0.1, 0.14)}),
)


def tune() -> None:
    """Print the points of each grid of the highest mean PSNR (dB), among all and among those that leave clear chips."""
    cv2.setNumThreads(1)
    measured = {clear.tobytes() for _, clear, _ in hazy_chips(SEED)}
    others = [(facts, clear, hazy) for facts, clear, hazy in hazy_chips(OTHER_SEED) if clear.tobytes() not in measured]
    untouched = {(facts["set"], clear.tobytes()): clear for facts, clear, _ in others}
    tried = [others[place] for place in np.random.default_rng(0).permutation(len(others))[:TRIED]]
    for method, grid in GRIDS:
        rows: list[dict[str, float]] = []
        for values in product(*grid.values()):
            point = dict(zip(grid, values, strict=True))
            tuned = partial(method, **point)
            psnr = float(np.mean([cv2.PSNR(clear, tuned(hazy)) for _, clear, hazy in tried]))
            left = {name: changed(tuned, [rgb for (one, _), rgb in untouched.items() if one == name]) for name in SETS}
            rows.append(point | {"psnr": psnr} | left)
        table = pd.DataFrame(rows).sort_values("psnr", ascending=False)
        alone = table[(table[list(SETS)] <= NEARLY_ALONE).all(axis=1)]
        print(f"{method.__name__}\n{table.head(3).round(2)}\nthose that leave clear chips\n{alone.head(3).round(2)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["tune"]:
        tune()
    else:
        print(compared().round(3).to_string())
