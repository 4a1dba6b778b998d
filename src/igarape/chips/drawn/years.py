"""One drawn ground under many skies, with changes painted in at known dates: labels, dates and clouds are all known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from igarape.chips.drawn import landuse, scenery, sky
from igarape.chips.drawn.canvas import Canvas, Points, blank
from igarape.chips.drawn.drawing import LABELS, OPAQUE, lay_haze
from igarape.chips.drawn.scene import NATIVE
from igarape.chips.pictures import Pixels
from igarape.labels import Booleans

# What is under the sky on a date, as shares of the dates: about 60 % of the ground is hidden.
SKIES = {"overcast": 0.45, "broken": 0.25, "hazy": 0.08, "open": 0.22}
COVER = (0.2, 0.7)  # share of the ground that broken clouds cover


@dataclass(frozen=True)
class Change:
    """What is painted on a date, counted from 0: a label that appears around a place, as shares of the edge (x, y)."""

    date: int
    label: str
    place: tuple[float, float]


@dataclass(frozen=True)
class Sight:
    """A drawn date. picture: RGB (edge, edge, 3). hidden: where cloud hides the ground, (edge, edge).

    surface: what is on the ground, seen or not, (edge, edge).
    """

    picture: Pixels
    hidden: Booleans
    surface: npt.NDArray[np.uint8]


def draw_years(seed: int, side: int, dates: int, changes: Sequence[Change]) -> Iterator[Sight]:
    """Draw a ground of side x side chips on some dates; a change is there from its date on.

    Parameters
    ----------
    seed
        Of all that is drawn by chance.
    side
        Of the ground, in chips.
    dates
        How many.
    changes
        What is painted when.
    """
    canvas = blank(np.random.default_rng([seed, 0]), side * NATIVE)
    scenery.forest(canvas)
    scenery.river(canvas, width=20, muddy=False)
    for date in range(dates):
        for number, change in enumerate(changes):
            if change.date == date:
                canvas.rng = np.random.default_rng([seed, 1, number])
                PAINT[change.label](canvas, np.array(change.place) * canvas.edge)
        above = replace(canvas, rng=np.random.default_rng([seed, 2, date]))
        yield _sight(above)


def _sight(canvas: Canvas) -> Sight:
    """Show a canvas under the sky of a date, as its chances have it."""
    over = str(canvas.rng.choice(list(SKIES), p=list(SKIES.values())))
    ground, clouds = sky.sensed(canvas), sky.no_clouds(canvas)
    if over == "overcast":
        clouds = sky.overcast(canvas)
    elif over == "broken":
        clouds = sky.broken_clouds(canvas, cover=float(canvas.rng.uniform(*COVER)))
    elif over == "hazy":
        t = float(canvas.rng.uniform(0.45, 0.7))
        ground = lay_haze(ground, np.full(ground.shape[:2], t, np.float32), sky.airlight(canvas.rng))
    seen = np.round(np.clip(clouds.over(ground), 0, 1) * 255).astype(np.uint8)
    return Sight(seen, np.asarray(clouds.alpha > OPAQUE), canvas.surface.copy())


def holds(surface: npt.NDArray[np.uint8], label: str) -> bool:
    """Say whether a piece of ground holds a label: whether a person would see it there without clouds."""
    kind, least = LABELS[label]
    return bool(np.count_nonzero(surface == kind) >= least)


def _lake(canvas: Canvas, place: Points) -> None:
    """Paint a lake."""
    scenery.lake(canvas, radius=45, place=place)


def _burn(canvas: Canvas, place: Points) -> None:
    """Paint a clearing after the fire."""
    landuse.burn(canvas, place, radius=45)


def _plots(canvas: Canvas, place: Points) -> None:
    """Paint small plots."""
    landuse.plots(canvas, place, count=8)


def _soil(canvas: Canvas, place: Points) -> None:
    """Paint bare ground."""
    scenery.bare_slope(canvas, radius=50, place=place)


PAINT: Mapping[str, Callable[[Canvas, Points], None]] = {
    "water": _lake,
    "slash_burn": _burn,
    "cultivation": _plots,
    "bare_ground": _soil,
}
