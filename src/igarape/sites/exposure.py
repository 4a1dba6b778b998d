"""The contrast stretch that all scenes of 16 bits of a site share.

Fitted to each scene by itself, a stretch follows the scene's cloud, and the same ground is brighter on one day than on
another. So it is fitted once, and kept in the site's YAML. It is fitted to the scenes of the baseline that show as much
cloud as the training's chips do: cloud is bright, so these are the darkest ones, and as many of them as make their
percentiles lie on a line with the training's. Clear forest alone would be stretched until it is as bright as cloud.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from igarape.sites.stretch import STRAIGHT, Stretch, fit, straightness
from igarape.sites.windows import sample

STEP = 64  # of the pixels that tell of a scene one in so many is kept
FULL = 0.5  # a scene shows at least this share of the ground that the fullest one shows


class SceneSample(NamedTuple):
    """A scene of 16 bits: its name, whether it is of the baseline, pixels (3, n) that hold something."""

    name: str
    baseline: bool
    pixels: npt.NDArray[Any]


def with_stretch(place: SiteFolder, arrivals: Sequence[Arrival], model: Model) -> tuple[SiteFolder, str]:
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
    scenes = list(_sample_scenes(place, arrivals))
    scenes = [one for one in scenes if one.baseline] or scenes
    if not scenes:
        return place, ""
    chosen = most_similar(scenes, model.levels)
    path = place.sites / f"{place.name}.yaml"
    found = fit(np.concatenate([one.pixels for one in chosen], axis=1), model.levels, str(path))
    line = Line.model_validate({"gain": found.gain, "offset": found.offset})
    write_line(line, path)
    told = (
        f"{path}: scenes of 16 bits have one stretch now, fitted to {', '.join(one.name for one in chosen)}: the "
        f"darkest of {len(scenes)}. It is under stretch; null there fits it anew, then watch with --replay"
    )
    if found.straight is not None and found.straight < STRAIGHT:
        told += (
            f". It fits badly ({found.straight:.3f}; {STRAIGHT} is well), so the ground may be far too bright or too "
            "dark: fit it to more days of the baseline, some of them with a little cloud"
        )
    if list_looks(place.looks):
        told += ". The looks that are there had a stretch each: watch with --replay, or brightness is taken for change"
    return replace(place, site=place.site.model_copy(update={"stretch": line})), told


def site_stretch(place: SiteFolder) -> Stretch | None:
    """Return the stretch of a site's scenes of 16 bits; None: it has none."""
    line = place.site.stretch
    return Stretch(line.gain, line.offset, of=f"sites/{place.name}.yaml") if line else None


def most_similar(scenes: Sequence[SceneSample], levels: Mapping[str, Sequence[float]]) -> list[SceneSample]:
    """Return those darkest scenes that together are most like the training's: levels, as of stretch.fit."""
    most = max(one.pixels.shape[1] for one in scenes)
    full = [one for one in scenes if one.pixels.shape[1] >= FULL * most]
    full.sort(key=lambda one: (float(one.pixels.mean()), one.name))
    parts = [full[:count] for count in range(1, len(full) + 1)]
    return max(parts, key=lambda part: straightness(np.concatenate([one.pixels for one in part], axis=1), levels))


def _sample_scenes(place: SiteFolder, arrivals: Sequence[Arrival]) -> Iterator[SceneSample]:
    """Yield what those scenes look like that have 16 bits and can be read."""
    first, last = place.site.baseline
    bands = place.bands
    for arrival in arrivals:
        try:
            with open_scene(arrival.path, bands=bands or arrival.bands, day=arrival.day) as opened:
                if not opened.deep:
                    continue
                pixels = opened.units.meant(sample(on_grid(opened, place.area.grid))[:, ::STEP])
        except (InputError, OSError):
            continue
        if pixels.size:
            yield SceneSample(arrival.path.name, first <= opened.date <= last, pixels)
