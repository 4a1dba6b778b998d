"""dehaze_quality: known haze laid on real clear chips by I = J t + A (1 - t), and what dehazing makes of it.

The chips are those of ucmerced, none of which is hazy, and those of planet that are tagged clear.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from real import chips
from skimage.metrics import structural_similarity

from igarape.chips.dehaze import dehaze
from igarape.params import read_params

LEVELS = (0.9, 0.75, 0.6, 0.45)
LIGHTS = ((0.70, 0.72, 0.76), (0.76, 0.76, 0.78), (0.80, 0.82, 0.85), (0.84, 0.86, 0.90))
SAMPLE = 100  # chips of each set
SEED = 0

Picture = npt.NDArray[np.uint8]


def run() -> dict[str, object]:
    """Return the mean PSNR (dB) after and before, the share of chips made worse, and the change of clear chips."""
    table, change = measure()
    ours, peer = float(table["psnr_after"].mean()), float(table["psnr_before"].mean())
    worse = float((table["psnr_after"] < table["psnr_before"]).mean())
    row = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "dB", "n": len(table)}
    return row | {"worse": worse, "change_of_clear_chips": change}


def measure() -> tuple[pd.DataFrame, dict[str, float]]:
    """Return a row for each hazy chip, and by how many grey levels clear chips are changed, on average, in each set."""
    cv2.setNumThreads(1)
    knobs: dict[str, Any] = read_params().dehaze.model_dump(exclude={"quality"})
    rng = np.random.default_rng(SEED)
    rows: list[dict[str, object]] = []
    change: dict[str, float] = {}
    for name in ("ucmerced", "planet"):
        clear = [rgb for tags, rgb in chips(name).values() if name == "ucmerced" or "clear" in tags]
        change[name] = float(np.mean([dehaze(rgb, **knobs)[1].change for rgb in clear]))
        for number in rng.permutation(len(clear))[:SAMPLE]:
            for t in LEVELS:
                for kind in ("uniform", "varying"):
                    hazy = _hazy(clear[number], t, rng, varying=kind == "varying")
                    rows.append(
                        {"set": name, "t": t, "kind": kind} | _scores(clear[number], hazy, dehaze(hazy, **knobs)[0])
                    )
    return pd.DataFrame(rows), change


def _hazy(rgb: Picture, t: float, rng: np.random.Generator, *, varying: bool) -> Picture:
    """Lay haze of mean transmission t on a chip; varying: by a tenth to a quarter more and less, smoothly."""
    nodes = np.full((3, 3), t)
    if varying:
        waves = rng.normal(size=(3, 3))
        waves -= waves.mean()
        nodes += waves / np.abs(waves).max() * min(0.25, 0.9 * (1 - t))
    field = np.clip(cv2.resize(nodes, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC), 0.2, 1)[:, :, None]
    light = np.array(LIGHTS[rng.integers(len(LIGHTS))])
    return np.rint(rgb * field + 255 * light * (1 - field)).astype(np.uint8)


def _scores(clear: Picture, hazy: Picture, dehazed: Picture) -> dict[str, object]:
    """Return PSNR (dB) and SSIM of both against the clear chip."""
    scores: dict[str, object] = {}
    for when, picture in (("before", hazy), ("after", dehazed)):
        scores[f"psnr_{when}"] = float(cv2.PSNR(clear, picture))
        scores[f"ssim_{when}"] = float(structural_similarity(clear, picture, channel_axis=2))  # type: ignore[no-untyped-call]
    return scores


def main() -> None:
    """Print the table."""
    table, change = measure()
    table["worse"] = table["psnr_after"] < table["psnr_before"]
    print(table.groupby(["set", "t", "kind"]).mean().round(3).to_string())
    print(table.drop(columns=["set", "kind", "t"]).mean().round(3).to_string())
    for name, levels in change.items():
        print(f"mean change of {name}'s clear chips: {levels:.2f} of 255")


if __name__ == "__main__":
    main()
