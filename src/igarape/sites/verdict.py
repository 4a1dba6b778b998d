"""Whether a scene is like those of the training: by what is answered to its tiles, and by how far these lie off."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.scores.drift import IN_RANGE, ODD, UNLIKE, Drift, judge
from igarape.serving.answers import FAR
from igarape.sites.model import Model

STRANGEST = 10
# The share of tiles that are farther from the training's than FAR of the hold-out: one in 200 is usual.
MOST, SOME = 0.5, 0.1
ORDER = (IN_RANGE, ODD, UNLIKE)


def drift(tiles: pd.DataFrame, model: Model) -> Mapping[str, Any]:
    """Return what map.json says of drift, from the columns tile, p_<label>... and ood of tiles.parquet.

    verdict: in range, unusual, not like training; None where nobody can tell, which why says. chance: of the scenes
    like the training's so many are as far off; None without a verdict on the answers. far: the share of tiles that lie
    far from the training's; None where the model does not know. strangest: of all tiles, by the answers, else by ood.
    """
    vocabulary, usual = model.bundle.vocabulary, model.usual
    p = tiles[[f"p_{label}" for label in vocabulary.labels]].to_numpy(dtype=np.float32)
    found = judge(usual, p, vocabulary) if usual else None
    ood = tiles["ood"].to_numpy(dtype=np.float64)
    known = ood[~np.isnan(ood)]
    far = float((known > FAR).mean()) if len(known) else None
    said = [found.verdict] if found else []
    said += [] if far is None else [UNLIKE] if far >= MOST else [ODD] if far >= SOME else []
    answer: dict[str, Any] = {
        "verdict": max(said, key=ORDER.index) if said else None,
        "chance": round(found.chance, 6) if found else None,
        "far": None if far is None else round(far, 4),
        "strangest": _strangest(tiles["tile"].tolist(), found, ood),
    }
    if not said:
        answer["why"] = (
            "no ground was seen" if usual else "the model's training names too few scenes to say what is usual"
        )
    return answer


def _strangest(names: list[str], found: Drift | None, ood: npt.NDArray[np.float64]) -> list[Mapping[str, Any]]:
    """Return the tiles that lie farthest off, with how far: those that were looked at."""
    far = found.far if found else ood
    seen = np.flatnonzero(~np.isnan(far))
    order = seen[np.argsort(-far[seen], kind="stable")][:STRANGEST]
    return [{"tile": names[row], "far": round(float(far[row]), 3)} for row in order.tolist()]
