"""What share of a site holds a label, as a judged sample says: the map's errors are in its interval.

Tiles are drawn at random within strata, which are what the map says of them: the label is there, it is not, nothing was
seen. What people find in those tiles corrects the map's own count (Olofsson and others 2013, 2014). Intervals are made
of Clopper and Pearson's for each stratum (Zou and Donner 2008): a good map's strata show no error in a sample, but may
hold some. Wilson's are about as wide, and do not hold what a map seldom misses: one find in a hundred rules it out.

sample.csv    tile, label, date, stratum; of: how many tiles it was drawn from; holds: yes or no, which people fill in;
              latitude, longitude: where the tile's middle lies; columns that people add are passed over
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from igarape.errors import InputError, counted, some
from igarape.labels import Booleans
from igarape.sites.evidence import Floats

SAMPLE = ["tile", "label", "date", "stratum", "of", "holds"]
PRESENT, ABSENT = "present", "absent"
HOLDS = {"yes": True, "no": False}


class Share(NamedTuple):
    """The share of tiles that hold a label, its 95 % interval; mapped: what the map alone says. n: judged tiles."""

    share: float
    low: float
    high: float
    mapped: float
    n: int


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
        How many; fewer only where no more were looked at. Where one half is too small, the other has the more.
    seed
        Of the draw.
    """
    rng, strata = np.random.default_rng(seed), _strata(present)
    there, elsewhere = (int(held.sum()) for held in strata.values())
    half = min(max(size // 2, size - elsewhere), there)
    wanted = {PRESENT: half, ABSENT: size - half}
    rows = []
    for stratum, held in strata.items():
        places = np.flatnonzero(held)
        chosen = rng.choice(places, min(wanted[stratum], len(places)), replace=False)
        rows += [(names[place], label, day, stratum, len(places), "") for place in np.sort(chosen).tolist()]
    return pd.DataFrame(rows, columns=SAMPLE)


def judged_share(sample: pd.DataFrame, present: Floats, names: Sequence[str], where: str) -> Share:
    """Return the share of the tiles that hold a label, by a sample that people judged.

    Of a stratum h that was a share W_h of the tiles when it was drawn, and of which p_h of the judged tiles hold the
    label, the share is sum W_h p_h. Its interval reaches as far as the strata's, l_h to u_h, do together: down by the
    root of sum W_h^2 (p_h - l_h)^2, and up alike.

    Parameters
    ----------
    sample
        Fields as text.
    present
        As of draw_sample, of the same day, by what is known now.
    names
        Of the tiles.
    where
        What an error begins with.

    Raises
    ------
    InputError
        For a sample that is not filled in, that names tiles twice or of elsewhere, or has a stratum of less than two.
    """
    _check_sample(sample, names, where)
    strata = {str(stratum): rows for stratum, rows in sample.groupby("stratum")}
    sizes = {stratum: int(rows["of"].iloc[0]) for stratum, rows in strata.items()}
    now = {stratum: int(held.sum()) for stratum, held in _strata(present).items()}
    if not sum(now.values()):
        raise InputError(f"{where}: no tile was looked at by the day of the sample: its looks are gone")
    if len(strata) < len(now) and sum(sizes.values()) < sum(now.values()):
        raise InputError(f"{where}: holds {next(iter(strata))} tiles only, of others there are. Bring all of its rows")
    share = down = up = 0.0
    for stratum, rows in strata.items():
        weight, judged = sizes[stratum] / sum(sizes.values()), len(rows)
        if judged < min(2, sizes[stratum]):
            raise InputError(f"{where}: expected at least two judged tiles that are {stratum}, found {judged}")
        part = float(rows["holds"].map(HOLDS).mean())
        # Where all were judged, nothing is left to chance.
        held = binomtest(int(rows["holds"].map(HOLDS).sum()), judged).proportion_ci(method="exact")
        low, high = held if judged < sizes[stratum] else (part, part)
        share += weight * part
        down += (weight * (part - low)) ** 2
        up += (weight * (high - part)) ** 2
    mapped = now[PRESENT] / sum(now.values())
    return Share(share, max(share - down**0.5, 0.0), min(share + up**0.5, 1.0), mapped, len(sample))


def difference(before: Share, after: Share) -> tuple[float, float, float]:
    """Return how much a share has risen between two independent samples, with the 95 % interval."""
    change = after.share - before.share
    down = math.hypot(after.share - after.low, before.high - before.share)
    up = math.hypot(after.high - after.share, before.share - before.low)
    return change, change - down, change + up


def _check_sample(sample: pd.DataFrame, names: Sequence[str], where: str) -> None:
    """Refuse a sample that people did not fill in, and rows that are not those that were drawn."""
    if not len(sample):
        raise InputError(f"{where}: no row is left in it. Draw a sample, and judge its tiles")
    if open_ones := list(sample.loc[~sample["holds"].isin(HOLDS), "tile"]):
        raise InputError(
            f"{where}: expected yes or no in the column holds; {len(open_ones)} of {counted(len(sample), 'tile')} have "
            f"neither: {some(open_ones)}. Fill them in, or remove rows that nobody can judge"
        )
    if twice := list(sample.loc[sample["tile"].duplicated(), "tile"]):
        raise InputError(f"{where}: stand twice: {some(twice)}. Keep one row of each tile")
    if strange := list(sample.loc[~sample["tile"].isin(names), "tile"]):
        raise InputError(f"{where}: are no tiles of this site: {some(strange)}. Name a sample that was drawn of it")
    for stratum, rows in sample.groupby("stratum"):
        sizes = sorted(set(rows["of"]))
        drawn = stratum in {PRESENT, ABSENT} and len(sizes) == 1 and sizes[0].isdecimal()
        if not drawn or int(sizes[0]) < len(rows):
            found = f"{len(rows)} rows of {stratum!r} with {some(sizes)}"
            raise InputError(f"{where}: expected stratum and of as they were drawn, found {found}")


def _strata(present: Floats) -> Mapping[str, Booleans]:
    """Return which tiles are in which stratum; those that were never looked at are in none."""
    seen = ~np.isnan(present)
    there = seen & (np.nan_to_num(present) >= 0.5)
    return {PRESENT: there, ABSENT: seen & ~there}
