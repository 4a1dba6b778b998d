"""dehaze_quality: known haze laid on real clear chips by I = J t + A (1 - t), and what dehazing makes of it.

The chips are those of ucmerced, none of which is hazy, and those of planet that are tagged clear.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from real import chips
from skimage.metrics import structural_similarity

from igarape.chips.dehaze import dehaze
from igarape.config.params import read_params

SETS = ("ucmerced", "planet")
LEVELS = (0.9, 0.75, 0.6, 0.45)
LIGHTS = ((0.70, 0.72, 0.76), (0.76, 0.76, 0.78), (0.80, 0.82, 0.85), (0.84, 0.86, 0.90))
SAMPLE = 100  # chips of each set
SEED = 0

Pixels = npt.NDArray[np.uint8]
Method = Callable[[Pixels], Pixels]
Change = dict[str, dict[str, float]]


def run() -> dict[str, object]:
    """Return the mean PSNR (dB) after and before, the share of chips made worse, and the change of clear chips."""
    table, change = measure({"ours": ours()})
    after, before = float(table["psnr_after"].mean()), float(table["psnr_before"].mean())
    row = {"ours": after, "peer": before, "ratio": after / before, "unit": "dB", "n": len(table)}
    return row | {"worse": float(table["worse"].mean()), "change_of_clear_chips": change["ours"]}


def ours() -> Method:
    """Return the kernel with the knobs of params.yaml."""
    knobs: dict[str, Any] = read_params(Path("params.yaml")).dehaze.model_dump(exclude={"quality"})
    return lambda rgb: dehaze(rgb, **knobs)[0]


def measure(methods: Mapping[str, Method], *, sample: int = SAMPLE) -> tuple[pd.DataFrame, Change]:
    """Return a row for each method and hazy chip, and by how many grey levels each method changes clear chips.

    That change is the mean over each set, by method and set.
    """
    cv2.setNumThreads(1)
    rows: list[dict[str, object]] = []
    for facts, clear, hazy in hazy_chips(SEED, sample=sample):
        before = _scores(clear, hazy, "before")
        for name, method in methods.items():
            rows.append({"method": name} | facts | before | _scores(clear, method(hazy), "after"))
    table = pd.DataFrame(rows)
    table["worse"] = table["psnr_after"] < table["psnr_before"]
    change = {name: {one: changed(method, clear_chips(one)) for one in SETS} for name, method in methods.items()}
    return table, change


def changed(method: Method, images: Sequence[Pixels]) -> float:
    """Return by how many grey levels a method changes pictures, on average."""
    return float(np.mean([cv2.norm(rgb, method(rgb), cv2.NORM_L1) / rgb.size for rgb in images]))


def clear_chips(name: str) -> list[Pixels]:
    """Return a set's chips without haze."""
    return [rgb for tags, rgb in chips(name).values() if name == "ucmerced" or "clear" in tags]


def hazy_chips(seed: int, *, sample: int = SAMPLE) -> Iterator[tuple[dict[str, object], Pixels, Pixels]]:
    """Give, for a sample of each set, level and kind of haze: what was laid, the clear chip, and the hazy one."""
    rng = np.random.default_rng(seed)
    for name in SETS:
        clear = clear_chips(name)
        for number in rng.permutation(len(clear))[:sample]:
            for t in LEVELS:
                for kind in ("uniform", "varying"):
                    hazy = _hazy(clear[number], t, rng, varying=kind == "varying")
                    yield {"set": name, "t": t, "kind": kind}, clear[number], hazy


def _hazy(rgb: Pixels, t: float, rng: np.random.Generator, *, varying: bool) -> Pixels:
    """Lay haze of mean transmission t on a chip; varying: by a tenth to a quarter more and less, smoothly."""
    nodes = np.full((3, 3), t)
    if varying:
        waves = rng.normal(size=(3, 3))
        waves -= waves.mean()
        nodes += waves / np.abs(waves).max() * min(0.25, 0.9 * (1 - t))
    field = np.clip(cv2.resize(nodes, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC), 0.2, 1)[:, :, None]
    light = np.array(LIGHTS[rng.integers(len(LIGHTS))])
    return np.rint(rgb * field + 255 * light * (1 - field)).astype(np.uint8)


def _scores(clear: Pixels, image: Pixels, when: str) -> dict[str, object]:
    """Return PSNR (dB) and SSIM of a picture against the clear chip."""
    similarity = structural_similarity(clear, image, channel_axis=2)  # type: ignore[no-untyped-call]
    return {f"psnr_{when}": float(cv2.PSNR(clear, image)), f"ssim_{when}": float(similarity)}


def main() -> None:
    """Print the table."""
    table, change = measure({"ours": ours()})
    table = table.drop(columns="method")
    print(table.groupby(["set", "t", "kind"]).mean().round(3).to_string())
    print(table.drop(columns=["set", "kind", "t"]).mean().round(3).to_string())
    for name, levels in change["ours"].items():
        print(f"mean change of {name}'s clear chips: {levels:.2f} of 255")


if __name__ == "__main__":
    main()
