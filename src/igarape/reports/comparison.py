"""Two finished streams side by side: F2, mAP and each label, what the second has more than the first, as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.errors import InputError
from igarape.reports.pages import render_page
from igarape.scores.answers import Answers
from igarape.scores.comparison import Difference, signed
from igarape.scores.draws import Draws
from igarape.scores.resampling import Paired, compare_answers
from igarape.tables import HOLDOUT
from igarape.tracking.settings import Setting, Settings, differing

Rows = npt.NDArray[np.intp]
SIDES = ("hold-out", "out of fold")
UNKNOWN = "not known of a run in MLflow, nor without a dvc.lock; name a commit instead"
WORDS = {
    "up": "B is better than A",
    "down": "B is worse than A",
    "same": "B scores the same as A",
    "open": "B cannot be told from A",
}


@dataclass(frozen=True)
class Figure:
    """A figure of two streams, a and b, and the difference b - a with its 95 % interval."""

    a: float
    b: float
    difference: Difference


@dataclass(frozen=True)
class LabelRow:
    """A label: on how many chips it holds, and its figures; None where it holds on none."""

    label: str
    chips: int
    f2: Figure | None
    ap: Figure | None


@dataclass(frozen=True)
class Side:
    """What two streams score on the chips of one side, hold-out or out of fold, that lie in so many groups."""

    name: str
    chips: int
    groups: int
    f2: Figure
    map: Figure
    labels: Sequence[LabelRow]


@dataclass(frozen=True)
class Comparison:
    """Two streams, a and b, each named by where it was found.

    left_out: chips that are not compared, by the reason. settings: those that differ; None: not known.
    """

    a: str
    b: str
    dataset: str
    sides: Sequence[Side]
    left_out: Mapping[str, int]
    settings: Sequence[Setting] | None


def compare(
    a: Answers,
    b: Answers,
    *,
    names: tuple[str, str],
    settings: tuple[Settings | None, Settings | None] = (None, None),
    resamples: int,
    seed: int,
) -> Comparison:
    """Compare two streams on the chips that both answered, of which they say the same, on the same side.

    Parameters
    ----------
    a, b
        The streams; differences are b - a.
    names
        What they are called.
    settings
        What each was made with, where that is known.
    resamples, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        When the data sets or the labels differ, or no chip can be compared.
    """
    b = _alike(a, b, names)
    rows, left_out = _common(a, b)
    chance = {"resamples": resamples, "seed": seed}
    sides = [_side(name, a.rows(mine), b.rows(theirs), **chance) for name, (mine, theirs) in rows.items() if len(mine)]
    if not sides:
        raise InputError(
            f"{names[0]}, {names[1]}: no chip of {a.dataset} can be compared: {reasons(left_out)}. Expected two "
            "streams that answer the same chips: was another seed, split or source set?"
        )
    made, other = settings
    known = None if made is None or other is None else differing(made, other)
    return Comparison(*names, a.dataset, sides, left_out, known)


def reasons(left_out: Mapping[str, int]) -> str:
    """Say why chips are not compared, and how many."""
    return ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())


def headline(comparison: Comparison) -> str:
    """Say which stream is better, on the hold-out where it can be compared."""
    first = comparison.sides[0]
    on = "on the hold-out" if first.name == SIDES[0] else SIDES[1]
    return f"{WORDS[first.f2.difference.verdict]}: F2 {signed(first.f2.difference.mean)} {on}"


def in_words(comparison: Comparison) -> str:
    """Lay the comparison out as a terminal shows it."""
    said = [f"A: {comparison.a}", f"B: {comparison.b}"]
    if comparison.left_out:
        said.append(f"not compared: {reasons(comparison.left_out)}")
    said += [headline(comparison), "", *_settings(comparison.settings)]
    width = max(len(row.label) for side in comparison.sides for row in side.labels)
    for side in comparison.sides:
        said += ["", f"{side.name}, {side.chips:,} chips{_together(side)}, B - A with its 95 % interval"]
        said += [f"  {name:<4}{_said(figure)}" for name, figure in (("F2", side.f2), ("mAP", side.map))]
        if all(figure is None or not figure.difference.reach for row in side.labels for figure in (row.f2, row.ap)):
            said.append("  no label's figures differ")
            continue
        said.append(f"  {'label':<{width}} {'chips':>6}  {'F2: A, B, B - A':<52}average precision: A, B, B - A")
        said += [
            f"  {row.label:<{width}} {row.chips:>6,}  {_said(row.f2):<52}{_said(row.ap)}".rstrip()
            for row in side.labels
        ]
    return "\n".join(said)


def render_comparison(comparison: Comparison) -> str:
    """Render reports/compare.html: one page, nothing to load from elsewhere."""
    return render_page(
        "reports/compare.html.jinja",
        comparison=comparison,
        headline=headline(comparison),
        reasons=reasons(comparison.left_out),
        unknown=UNKNOWN,
        reach={side.name: {figure: _reach(side, figure) for figure in ("f2", "ap")} for side in comparison.sides},
        whole=max(figure.difference.reach for side in comparison.sides for figure in (side.f2, side.map)),
    )


def _alike(a: Answers, b: Answers, names: tuple[str, str]) -> Answers:
    """Return b with its labels in the order of a's; raise InputError where data sets or labels differ."""
    if a.dataset != b.dataset:
        raise InputError(
            f"{names[0]} is about the data set {a.dataset}, {names[1]} about {b.dataset}: expected one data set, as "
            "figures of different chips cannot be compared"
        )
    if set(a.labels) != set(b.labels):
        only = [
            f"only {name} has {', '.join(sorted(set(own.labels) - set(other.labels)))}"
            for name, own, other in ((names[0], a, b), (names[1], b, a))
            if set(own.labels) - set(other.labels)
        ]
        raise InputError(
            f"{a.dataset}: {' and '.join(only)}: expected the same labels in both, as means over labels and chips "
            "cannot be compared otherwise"
        )
    return b.arranged(a.labels)


def _common(a: Answers, b: Answers) -> tuple[dict[str, tuple[Rows, Rows]], dict[str, int]]:
    """Return for each side the rows of a and b that are compared, and why how many others are not."""
    at = pd.Index(b.image_ids).get_indexer(pd.Index(a.image_ids))
    both = at >= 0
    mine, theirs = np.flatnonzero(both), at[both]
    pixels = a.pixels[mine] != b.pixels[theirs]
    truth = ~pixels & (a.y[mine] != b.y[theirs]).any(axis=1)
    held, other = a.folds[mine] == HOLDOUT, b.folds[theirs] == HOLDOUT
    strayed = ~pixels & ~truth & (held != other)
    why = {
        "in A only": int((~both).sum()),
        "in B only": len(b.image_ids) - len(theirs),
        "with other pixels under the same name": int(pixels.sum()),
        "with other true labels": int(truth.sum()),
        "in the folds of one and the hold-out of the other": int(strayed.sum()),
    }
    usable = ~(pixels | truth | strayed)
    rows = {name: (mine[usable & on], theirs[usable & on]) for name, on in zip(SIDES, (held, ~held), strict=True)}
    return rows, {reason: count for reason, count in why.items() if count}


def _side(name: str, a: Answers, b: Answers, *, resamples: int, seed: int) -> Side:
    """Compare on the chips of one side, which both have in this order."""
    y, labels = a.y, len(a.labels)
    # Where the two were dealt by other groups, those that hold more chips together: they are more alike than not.
    groups = min(a.groups, b.groups, key=lambda each: len(set(each)))
    draws = Draws(groups, resamples=resamples, seed=seed)
    each = _figures(compare_answers(y, (a.p, a.answers), (b.p, b.answers), draws))
    rows = [LabelRow(label, int(y[:, j].sum()), each[2 + j], each[2 + labels + j]) for j, label in enumerate(a.labels)]
    f2, mean = each[:2]
    if f2 is None or mean is None:
        raise InputError(f"{a.dataset}, {name}: none of {len(y)} chips has any label, so that there is nothing to find")
    return Side(name, len(y), draws.groups, f2, mean, rows)


def _figures(found: Paired) -> list[Figure | None]:
    """Return each figure of the pair, None where it is not known."""
    return [
        None if np.isnan(one) else Figure(float(one), float(two), Difference(float(two - one), float(low), float(high)))
        for one, two, low, high in zip(found.a, found.b, found.low, found.high, strict=True)
    ]


def _settings(differ: Sequence[Setting] | None) -> list[str]:
    """Say which settings differ."""
    if differ is None:
        return [f"settings that differ: {UNKNOWN}"]
    width = max((len(each.name) for each in differ), default=0)
    return [
        "settings that differ" + ("" if differ else ": none"),
        *(f"  {one.name:<{width}}  {one.a} -> {one.b}" for one in differ),
    ]


def _said(figure: Figure | None) -> str:
    """Say a figure: of a, of b, and the difference."""
    return f"{figure.a:.4f}  {figure.b:.4f}  {figure.difference}" if figure else "does not occur"


def _together(side: Side) -> str:
    """Say in how many groups chips lie, where some belong together."""
    return f" in {side.groups:,} group{'s' if side.groups > 1 else ''}" if side.groups < side.chips else ""


def _reach(side: Side, figure: str) -> float:
    """Return how far from 0 the labels' intervals reach: the scale that they are drawn on."""
    found = (getattr(row, figure) for row in side.labels)
    return max((each.difference.reach for each in found if each), default=0.0)
