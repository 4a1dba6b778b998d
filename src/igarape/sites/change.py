"""What is there, and what has changed since the baseline: a hidden Markov model in continuous time for each tile.

A label is there or not, comes at one rate and goes at another (Abercrombie and Friedl 2016; Reis and others 2020).
Looks come at any dates. What is known of a tile and a label are NODES x 2 x 2 numbers, which sum to 1: the ground's
effect, whether the label was there when the baseline ended, whether it is there now. A tile begins as likely with it as
a chip of the training. With each change of the ground, of this label or of any other kind, its effect is drawn anew:
what looks like a label that the model knows badly may be something else that is new. A tile that is not looked at does
not change, but for the time that passes until its next look.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from igarape.sites.evidence import CHANGED, NODES, WEIGHTS, Floats

Integers = npt.NDArray[np.int64]

YEAR = 365.25  # days
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Rates:
    """How often labels are there, come and go, each of shape (labels,).

    begins: the share of tiles that hold a label at first. appears, vanishes: expected changes a year, where it can come
    or go. other: how often the ground changes in a way that is not the label's.
    """

    begins: Floats
    appears: Floats
    vanishes: Floats
    other: float

    def of(self, label: int) -> "Rates":
        """Return those of one label, by its number."""
        return Rates(self.begins[[label]], self.appears[[label]], self.vanishes[[label]], self.other)

    def moves(self, days: Floats) -> Floats:
        """Return the chances (2 from, 2 to, ..., labels) of a change in some days (...,)."""
        total = self.appears + self.vanishes
        mixed = -np.expm1(-total * days[..., None] / YEAR)
        come, go = self.appears / total * mixed, self.vanishes / total * mixed
        return np.array([[1 - come, come], [go, 1 - go]])

    def stays(self, days: Floats) -> Floats:
        """Return the chances (2, ..., labels) that a label that is not there, or is, does not change for some days."""
        lasting = (np.exp(-rate * days[..., None] / YEAR) for rate in (self.appears, self.vanishes))
        return np.stack(list(lasting))

    def rests(self, days: Floats) -> Floats:
        """Return the chances (...,) that the ground does not change in any other way for some days."""
        return np.asarray(np.exp(-self.other * days / YEAR), np.float64)


@dataclass
class Belief:
    """What is known of all tiles after some looks.

    chances: of shape (NODES, 2, 2, tiles, labels): the ground's effect; there when the baseline ended; there now. Until
    it has ended, the last two are the same. seen: the day of each tile's newest look, (tiles,); NEVER without one.
    """

    chances: Floats
    seen: Integers

    @classmethod
    def begin(cls, tiles: int, *, rates: Rates) -> "Belief":
        """Return what is known before any look."""
        chances = np.zeros((NODES, 2, 2, tiles, len(rates.begins)))
        weights = WEIGHTS[:, None, None]
        chances[:, 0, 0], chances[:, 1, 1] = weights * (1 - rates.begins), weights * rates.begins
        return cls(chances, np.full(tiles, NEVER))

    def look(self, rows: Integers, day: int, log: Floats, *, rates: Rates, baseline: int) -> Floats:
        """Take in the looks of a day.

        Parameters
        ----------
        rows
            The tiles that were looked at.
        day
            Of the look; not before those that were taken in already.
        log
            What evidence says of them, of shape (NODES, 2, rows, labels).
        rates
            Of the changes.
        baseline
            The day on which it ends.

        Returns
        -------
        array
            How likely the looks are by what was known before, of shape (rows, labels).
        """
        chances = passed(self.chances[..., rows, :], self.seen[rows], day, rates=rates, baseline=baseline)
        chances *= np.exp(log)[:, None]
        total = np.asarray(chances.sum(axis=(0, 1, 2)))
        self.chances[..., rows, :] = chances / total
        self.seen[rows] = day
        return total

    def present(self) -> Floats:
        """Return the probability that each label is there at each tile's newest look, (tiles, labels)."""
        return np.asarray(self.chances[:, :, 1].sum(axis=(0, 1)))

    def changed(self, rows: Integers) -> Floats:
        """Return the probability that labels have appeared, and vanished, since the baseline: (2, rows, labels)."""
        of = self.chances[..., rows, :]
        return np.stack([of[:, 0, 1].sum(axis=0), of[:, 1, 0].sum(axis=0)])


def passed(chances: Floats, since: Integers, day: int | Integers, *, rates: Rates, baseline: int) -> Floats:
    """Return chances (NODES, 2, 2, tiles, labels) as they are when time has passed.

    Parameters
    ----------
    chances
        At the days since, as Belief has them.
    since
        A day for each tile; NEVER: without a look, which holds until the baseline ends.
    day
        Until when, for all tiles or for each.
    rates
        Of the changes.
    baseline
        The day on which it ends: until then both states are one.
    """
    since = np.where(since == NEVER, np.minimum(day, baseline), since)  # before its first look a tile is as it begins
    before = np.maximum(np.minimum(day, baseline) - since, 0).astype(np.float64)
    after = np.maximum(day - np.maximum(since, baseline), 0).astype(np.float64)
    both = _moved(np.stack([chances[:, 0, 0], chances[:, 1, 1]], axis=1), before, rates)
    moved = chances.copy()
    moved[:, 0, 0], moved[:, 1, 1] = both[:, 0], both[:, 1]
    return np.stack([_moved(moved[:, state], after, rates) for state in (0, 1)], axis=1)


def _moved(chances: Floats, days: Floats, rates: Rates) -> Floats:
    """Return chances (NODES, 2 there or not, tiles, labels) as they are some days (tiles,) later.

    Where nothing has changed, the ground's effect is what it was; where anything has, it is drawn anew.
    """
    same = rates.stays(days) * rates.rests(days)[:, None]
    total = chances.sum(axis=0)
    changed = np.einsum("stl,sutl->utl", total, rates.moves(days)) - total * same
    return np.asarray(chances * same + CHANGED[..., None, None] * np.maximum(changed, 0), np.float64)
