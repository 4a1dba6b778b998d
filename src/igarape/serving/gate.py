"""The gate: what a challenger has to hold against the champion on the same hold-out chips before it takes its place.

Figures of both, and their difference by paired bootstrap (scores.draws), stand in a table, one row a check:

F2                  not worse: the interval begins at -margin or above (a test of non-inferiority); or better: above 0
mAP                 not worse, by a margin of its own
AP of a rare label  no collapse: that is where more than `collapse` is lost, and the whole interval lies below 0
Brier score         not worse: the interval ends at its margin or below (Brier, 1950); the mean over labels
ms a chip           refused where it is certainly more than `slower` times the champion's, over pictures
MB                  at most `larger` times the champion's
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from igarape.config.params import Promote
from igarape.labels import Booleans
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.metrics import Floats
from igarape.scores.resampling import Paired, compare_answers
from igarape.tables import Probabilities

Spread = tuple[float, float, float]

F2, MAP, BRIER, SPEED, SIZE = "F2", "mAP", "Brier score", "ms a chip", "MB"
COLUMNS = ("check", "champion", "challenger", "difference", "passes where", "")


@dataclass(frozen=True)
class Side:
    """What one version answers to the hold-out's chips, and what it costs.

    p, answers: probabilities, and whether a label is answered, both (n, labels). milliseconds: of each picture that was
    timed, (pictures,); both versions have the same ones. size: of its bundle, in MB.
    """

    p: Probabilities
    answers: Booleans
    milliseconds: Floats
    size: float


@dataclass(frozen=True)
class Check:
    """One row of the verdict: the figures of both, challenger - champion with its 95 % interval, and what was asked.

    Figures are NaN, and the difference is None, where the hold-out has no chip to tell by.
    """

    name: str
    champion: float
    challenger: float
    difference: Spread | None
    asked: str
    passed: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """Return the row as texts, under COLUMNS."""
        digits = 1 if self.name in {SPEED, SIZE} else 4
        if self.difference is None:
            return (self.name, "-", "-", "no chip has it", self.asked, "not judged")
        mean, low, high = (f"{value:+.{digits}f}" for value in self.difference)
        spread = mean if self.name == SIZE else f"{mean} [{low}, {high}]"
        figures = (f"{value:.{digits}f}" for value in (self.champion, self.challenger))
        return (self.name, *figures, spread, self.asked, "passes" if self.passed else "FAILS")


def check_challenger(
    y: Booleans,
    champion: Side,
    challenger: Side,
    *,
    labels: Sequence[str],
    rare: Sequence[str],
    limits: Promote,
    draws: Draws,
) -> tuple[Check, ...]:
    """Compare two versions on the same chips.

    Parameters
    ----------
    y
        Truth, of shape (n, labels).
    champion, challenger
        What both answer.
    labels, rare
        The columns, and those of them that may not collapse.
    limits
        What is borne.
    draws
        Of these chips. Pictures that are timed are drawn one by one, as often.

    Raises
    ------
    InputError
        When the two do not answer the same chips.
    """
    found = compare_answers(y, (champion.p, champion.answers), (challenger.p, challenger.answers), draws)
    places = {F2: 0, MAP: 1} | {f"AP of {label}": 2 + len(labels) + labels.index(label) for label in rare}
    return (
        *(_scored(name, _figures(found, at), limits) for name, at in places.items()),
        _calibrated(y, champion, challenger, limits=limits, draws=draws),
        _timed(champion, challenger, limits=limits, draws=draws.alone(len(champion.milliseconds))),
        _sized(champion, challenger, limits=limits),
    )


def _figures(found: Paired, at: int) -> tuple[float, float, Spread | None]:
    """Return one figure of both, and the difference; None where no chip has the label."""
    one, two = float(found.a[at]), float(found.b[at])
    return one, two, None if np.isnan(one) else (two - one, float(found.low[at]), float(found.high[at]))


def _scored(name: str, figures: tuple[float, float, Spread | None], limits: Promote) -> Check:
    """Check a score that should be high."""
    margin = {F2: limits.margin, MAP: limits.margin_map}.get(name)
    difference = figures[2]
    if difference is None:
        return Check(name, *figures, "no collapse", passed=True)
    mean, low, high = difference
    if margin is None:
        collapsed = mean < -limits.collapse and high < 0
        return Check(name, *figures, f"no sure loss over {limits.collapse:g}", passed=not collapsed)
    if name == F2 and limits.require == "better":
        return Check(name, *figures, "interval above 0", passed=low > 0)
    return Check(name, *figures, f"interval from {-margin:g} up", passed=low >= -margin)


def _calibrated(y: Booleans, champion: Side, challenger: Side, *, limits: Promote, draws: Draws) -> Check:
    """Check the Brier score: a mean over chips, each of which has its mean over labels."""
    one, two = (((side.p.astype(np.float64) - y) ** 2).mean(axis=1) for side in (champion, challenger))
    difference = paired_bootstrap(two, one, draws)
    asked = f"interval up to {limits.margin_brier:g}"
    passed = difference[2] <= limits.margin_brier
    return Check(BRIER, float(one.mean()), float(two.mean()), difference, asked, passed)


def _timed(champion: Side, challenger: Side, *, limits: Promote, draws: Draws) -> Check:
    """Check the time that a chip takes. It counts against a version where it is more than borne beyond doubt."""
    one, two = champion.milliseconds, challenger.milliseconds
    difference = paired_bootstrap(two, one, draws)
    _, low, _ = paired_bootstrap(two, limits.slower * one, draws)
    asked = f"not surely over {limits.slower:g} times"
    return Check(SPEED, float(one.mean()), float(two.mean()), difference, asked, low <= 0)


def _sized(champion: Side, challenger: Side, *, limits: Promote) -> Check:
    """Check the size of the bundle."""
    gap = challenger.size - champion.size
    asked = f"at most {limits.larger:g} times"
    passed = challenger.size <= limits.larger * champion.size
    return Check(SIZE, champion.size, challenger.size, (gap, gap, gap), asked, passed)
