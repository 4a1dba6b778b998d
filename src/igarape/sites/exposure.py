"""The one stretch of a site's scenes of 16 bits.

Fitted to each scene by itself, a stretch follows the scene's cloud, and the same ground is brighter on one day than on
another. So it is fitted once, and kept in the site's YAML: to the clearest quarter of the scenes of the baseline, which
are the darkest ones, as cloud is bright.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from igarape.config.sites import Line, write_line
from igarape.errors import InputError
from igarape.sites.inbox import Arrival
from igarape.sites.looks import list_looks
from igarape.sites.model import Model
from igarape.sites.raster import on_grid
from igarape.sites.scene import open_scene
from igarape.sites.site_folder import SiteFolder
from igarape.sites.stretch import Stretch, fit
from igarape.sites.windows import sample

CLEAREST = 4  # one scene in so many is fitted to
STEP = 8  # of the pixels that tell of a scene one in so many is kept
FULL = 0.5  # a scene shows at least this share of the ground that the fullest one shows


class Glimpse(NamedTuple):
    """A scene of 16 bits: its name, whether it is of the baseline, pixels (3, n) that hold something."""

    name: str
    baseline: bool
    samples: npt.NDArray[Any]


def exposed(place: SiteFolder, arrivals: Sequence[Arrival], model: Model) -> tuple[SiteFolder, str]:
    """Return a site with its stretch, fitted and written to its YAML where it is missing and needed, and what was done.

    Parameters
    ----------
    place
        The site.
    arrivals
        The scenes that are to be mapped. Those that cannot be read are passed over: their maps say why.
    model
        The stretch is fitted to its training's levels.
    """
    if place.site.stretch is not None:
        return place, ""
    glimpses = list(_glimpses(place, arrivals))
    glimpses = [one for one in glimpses if one.baseline] or glimpses
    if not glimpses:
        return place, ""
    chosen = clearest(glimpses)
    path = place.sites / f"{place.name}.yaml"
    found = fit(np.concatenate([one.samples for one in chosen], axis=1), model.levels, str(path))
    line = Line.model_validate({"gain": found.gain, "offset": found.offset})
    write_line(line, path)
    told = (
        f"{path}: scenes of 16 bits have one stretch now, fitted to {', '.join(one.name for one in chosen)}: the "
        f"clearest of {len(glimpses)}. It is under stretch; null there fits it anew, then watch with --replay"
    )
    if list_looks(place.looks):
        told += ". The looks that are there had a stretch each: watch with --replay, or brightness is taken for change"
    return replace(place, site=place.site.model_copy(update={"stretch": line})), told


def site_stretch(place: SiteFolder) -> Stretch | None:
    """Return the stretch of a site's scenes of 16 bits; None: it has none."""
    line = place.site.stretch
    return Stretch(line.gain, line.offset, of=f"sites/{place.name}.yaml") if line else None


def clearest(glimpses: Sequence[Glimpse]) -> list[Glimpse]:
    """Return the clearest quarter of scenes, at least one, by the brightness of what they show."""
    most = max(one.samples.shape[1] for one in glimpses)
    full = [one for one in glimpses if one.samples.shape[1] >= FULL * most]
    return sorted(full, key=lambda one: (float(one.samples.mean()), one.name))[: max(1, len(full) // CLEAREST)]


def _glimpses(place: SiteFolder, arrivals: Sequence[Arrival]) -> Iterator[Glimpse]:
    """Yield what those scenes look like that have 16 bits and can be read."""
    first, last = place.site.baseline
    bands = place.bands
    for arrival in arrivals:
        try:
            with open_scene(arrival.path, bands=bands or arrival.bands, day=arrival.day) as opened:
                if not opened.deep:
                    continue
                with on_grid(opened, place.area.grid) as raster:
                    samples = sample(raster)[:, ::STEP]
        except (InputError, OSError):
            continue
        if samples.size:
            yield Glimpse(arrival.path.name, first <= opened.date <= last, samples)
