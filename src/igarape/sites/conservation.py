"""What share of a site holds a label, as a judged sample says: the map's errors are in its interval.

Tiles are drawn at random within strata, which are what the map says of them: the label is there, it is not, nothing was
seen. What people find in those tiles corrects the map's own count (Olofsson and others 2013, 2014).

sample.csv    tile, label, date, stratum, and holds: yes or no, which people fill in
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from igarape.errors import InputError
from igarape.labels import Booleans
from igarape.sites.evidence import Floats

SAMPLE = ["tile", "label", "date", "stratum", "holds"]
PRESENT, ABSENT = "present", "absent"
REACH = float(norm.ppf(0.975))  # standard errors from a share to the ends of its interval
HOLDS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Share:
    """The share of tiles that hold a label, its standard error; mapped: what the map alone says. n: judged tiles."""

    share: float
    error: float
    mapped: float
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval."""
        return max(self.share - REACH * self.error, 0.0), min(self.share + REACH * self.error, 1.0)


def draw_sample(present: Floats, names: Sequence[str], *, label: str, day: str, size: int, seed: int) -> pd.DataFrame:
    """Draw tiles for people to judge, about half from those that the map says hold the label, none twice.

    Parameters
    ----------
    present
        The probability that each tile holds the label, of shape (tiles,); NaN where it was never looked at.
    names
        Of the tiles.
    label, day
        What is judged, and as of when.
    size
        How many.
    seed
        Of the draw.
    """
    rng, strata = np.random.default_rng(seed), _strata(present)
    half = min(size // 2, int(strata[PRESENT].sum()))
    wanted = {PRESENT: half, ABSENT: size - half}
    rows = []
    for stratum, held in strata.items():
        places = np.flatnonzero(held)
        chosen = rng.choice(places, min(wanted[stratum], len(places)), replace=False)
        rows += [(names[place], label, day, stratum, "") for place in np.sort(chosen).tolist()]
    return pd.DataFrame(rows, columns=SAMPLE)


def judged_share(sample: pd.DataFrame, present: Floats, where: str) -> Share:
    """Return the share of the tiles that hold a label, by a sample that people judged.

    Of a stratum h that is a share W_h of the tiles, and of which p_h of n_h judged tiles hold the label, the share is
    sum W_h p_h, and its variance sum W_h^2 p_h (1 - p_h) / (n_h - 1). present: as of draw_sample, of the same day.
    Raises InputError that begins with where, for a sample that is not filled in, or has a stratum of less than two.
    """
    if list(sample.columns) != SAMPLE or not sample["holds"].isin(HOLDS).all():
        raise InputError(f"{where}: expected the columns {', '.join(SAMPLE)}, and yes or no in each row of holds")
    strata = _strata(present)
    total = sum(int(held.sum()) for held in strata.values())
    share, variance = 0.0, 0.0
    for stratum, held in strata.items():
        if not held.any():
            continue
        found = sample.loc[sample["stratum"] == stratum, "holds"].map(HOLDS).to_numpy(dtype=np.float64)
        weight = held.sum() / total
        if len(found) == held.sum():  # all were judged: nothing is left to chance
            share += weight * found.mean()
            continue
        if len(found) < 2:
            raise InputError(f"{where}: expected at least two judged tiles that are {stratum}, found {len(found)}")
        share += weight * found.mean()
        variance += weight**2 * found.mean() * (1 - found.mean()) / (len(found) - 1)
    return Share(float(share), float(np.sqrt(variance)), float(strata[PRESENT].sum() / total), len(sample))


def difference(before: Share, after: Share) -> tuple[float, float, float]:
    """Return how much a share has risen between two independent samples, with the 95 % interval."""
    change = after.share - before.share
    reach = REACH * float(np.hypot(before.error, after.error))
    return change, change - reach, change + reach


def _strata(present: Floats) -> Mapping[str, Booleans]:
    """Return which tiles are in which stratum; those that were never looked at are in none."""
    seen = ~np.isnan(present)
    there = seen & (np.nan_to_num(present) >= 0.5)
    return {PRESENT: there, ABSENT: seen & ~there}
