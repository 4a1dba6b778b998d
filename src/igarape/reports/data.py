"""A look at the data, for people: what is counted, which chips are shown, and the page that shows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.pictures import Pixels, encode_jpeg, resize
from igarape.labels import Booleans, Vocabulary
from igarape.reports.pages import render_page
from igarape.tables import HOLDOUT, Fault

SIDE = 192  # pixels of a picture on the page
JPEG_QUALITY = 80
BARS = 40  # of a histogram
FAULTS = 200  # rows of the table, at most

Reals = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A fold, or the hold-out: the share of its chips that hold a label.

    deviation: that share against the label's share of all chips; 0.1 is a tenth too many, -1 is none at all.
    """

    name: str
    share: float
    deviation: float


@dataclass(frozen=True)
class Presence:
    """How many labelled chips hold a label, which share of them all, and which share of each part."""

    label: str
    count: int
    share: float
    parts: tuple[Part, ...]

    @property
    def furthest(self) -> Part:
        """Return the part that deviates most."""
        return max(self.parts, key=lambda part: abs(part.deviation))


@dataclass(frozen=True)
class Shown:
    """A chip on the page: its picture as JPEG bytes, and its tags."""

    image_id: str
    image: bytes
    tags: Sequence[str]


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: some of the count chips that a title stands for."""

    title: str
    count: int
    chips: Sequence[Shown]


@dataclass(frozen=True)
class Dehazed:
    """A chip before dehazing, its picture after, and what was found: the airlight as (red, green, blue) of 255."""

    before: Shown
    after: bytes
    airlight: tuple[int, int, int]
    mean_t: float
    change: float


@dataclass(frozen=True)
class Spread:
    """How a figure is spread over chips: a histogram, its highest bar 1, and the 5 %, 50 % and 95 % quantiles."""

    bars: tuple[float, ...]
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Haze:
    """What dehazing found in the count chips of one kind."""

    title: str
    count: int
    mean_t: Spread
    change: Spread


@dataclass(frozen=True)
class Twins:
    """Two chips that look alike or lie beside each other, how far from each other, and whether the split parts them."""

    one: Shown
    other: Shown
    distance: float
    apart: bool


@dataclass(frozen=True)
class TwinSheet:
    """Some of the count pairs of one kind."""

    title: str
    count: int
    pairs: Sequence[Twins]


@dataclass(frozen=True)
class Overview:
    """Everything the page shows, as plain values.

    note: what a reader must know about the data set first; may be empty. figures: chips, labelled, unlabelled,
    left_out, reported_faults, corrected (labels), tags_per_chip, combinations, mean_t, mean_change, near_duplicates
    (pairs), near_duplicates_apart. presences: one a label. together: (labels, labels) counts. reach: where the scale of
    the change ends. dehazed: pairs by what they were chosen for. twins: empty where nobody looked for them.
    """

    dataset: str
    note: str
    vocabulary: Vocabulary
    figures: Mapping[str, float]
    presences: Sequence[Presence]
    together: Counts
    sheets: Sequence[Sheet]
    hazes: Sequence[Haze]
    reach: float
    dehazed: Mapping[str, Sequence[Dehazed]]
    twins: Sequence[TwinSheet]
    faults: Sequence[Fault]


def presences(y: Booleans, folds: npt.NDArray[np.int64], *, labels: Sequence[str]) -> list[Presence]:
    """Compare how often each label holds in each part with how often it holds in all chips.

    y: (chips, labels). folds: (chips,), where -1 is the hold-out, which comes last.
    """
    share = y.mean(axis=0)
    names = {int(fold): f"fold {fold}" for fold in np.unique(folds) if fold != HOLDOUT}
    names |= {HOLDOUT: "hold-out"} if (folds == HOLDOUT).any() else {}
    of_part = {name: y[folds == fold].mean(axis=0) for fold, name in names.items()}
    return [
        Presence(
            label=label,
            count=int(y[:, column].sum()),
            share=float(share[column]),
            parts=tuple(
                Part(name, float(own[column]), float(own[column] / share[column] - 1) if share[column] else 0.0)
                for name, own in of_part.items()
            ),
        )
        for column, label in enumerate(labels)
    ]


def together(y: Booleans) -> Counts:
    """Count the chips that hold two labels, for each pair: (labels, labels), on the diagonal those that hold one."""
    counted = y.astype(np.int64)
    return counted.T @ counted


def beside(counts: Counts, labels: Sequence[str]) -> dict[str, list[tuple[str, float]]]:
    """Return for each label the others that hold on some of its chips, with that share, those most often first.

    counts: as `together` gives them. A label that no chip holds has none beside it.
    """
    return {
        label: [
            (labels[other], float(row[other] / row[column]))
            for other in np.argsort(-row, kind="stable").tolist()
            if other != column and row[other]
        ]
        for column, (label, row) in enumerate(zip(labels, counts, strict=True))
    }


def draw_images(
    image_ids: Sequence[str], members: Booleans, *, count: int, rng: np.random.Generator
) -> list[list[str]]:
    """Draw images of each kind, sorted; the same images in another order give the same draw.

    Parameters
    ----------
    image_ids
        The images' names.
    members
        What each image belongs to, of shape (image_ids, kinds).
    count
        How many of each kind, at most.
    rng
        Draws them.
    """
    order = np.argsort(np.asarray(image_ids, dtype=np.str_))
    names = np.asarray(image_ids, dtype=np.str_)[order]
    drawn = []
    for member in members[order].T:
        carriers = names[member]
        drawn.append(sorted(rng.choice(carriers, min(count, len(carriers)), replace=False).tolist()))
    return drawn


def choose_dehazed(quality: pd.DataFrame, *, count: int, rng: np.random.Generator) -> dict[str, list[str]]:
    """Choose count images that dehazing changed most, count that it changed least, and count of the others by lot.

    quality: image_id, change. No image is chosen twice; where there are too few, those changed most come first.
    """
    ranked = quality.sort_values(["change", "image_id"], ascending=[False, True])["image_id"].tolist()
    most, rest = ranked[:count], ranked[count:]
    least, rest = rest[::-1][:count], rest[: max(0, len(rest) - count)]
    (drawn,) = draw_images(rest, np.ones((len(rest), 1), dtype=np.bool_), count=count, rng=rng)
    return {"most": most, "least": least, "drawn": drawn}


def spread(values: Reals, *, reach: float) -> Spread:
    """Sum up at least one value in a histogram from 0 to reach, and in quantiles."""
    bars, _ = np.histogram(values, bins=BARS, range=(0, reach))
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return Spread(tuple((bars / max(1, bars.max())).tolist()), low, median, high)


def thumbnail(rgb: Pixels) -> bytes:
    """Shrink a picture to what the page shows, as JPEG bytes."""
    return encode_jpeg(resize(rgb, min(SIDE, len(rgb))), JPEG_QUALITY)


def render_overview(overview: Overview) -> str:
    """Render reports/data.html: one page, nothing to load from elsewhere."""
    parts = [(label, part) for label in overview.presences for part in label.parts]
    return render_page(
        "reports/data.html.jinja",
        overview=overview,
        figures=overview.figures,
        furthest=max(parts, key=lambda pair: abs(pair[1].deviation), default=None),
        beside=beside(overview.together, [presence.label for presence in overview.presences]),
        # Faults that cost a chip come first; a stable sort keeps the order of the table otherwise.
        faults=sorted(overview.faults, key=lambda fault: not fault.left_out)[:FAULTS],
        remedies=Counter(fault.remedy for fault in overview.faults).most_common(),
    )
