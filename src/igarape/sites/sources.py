"""Where the scenes of a site's looks lie, and how their maps saw them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from igarape.errors import InputError
from igarape.sites.looks import Facts
from igarape.sites.mapping import MAP, read_map
from igarape.sites.page_pictures import Opener
from igarape.sites.scene import identity
from igarape.sites.site_folder import SiteFolder
from igarape.sites.views import View, open_view


def opener(place: SiteFolder) -> Opener:
    """Return what opens the scenes of a day on a site's grid, as their maps saw them.

    Of several that lie on one another, the one whose looks count at most tiles is on top.
    """

    @contextmanager
    def opened(scenes: Sequence[Facts]) -> Iterator[View]:
        counted: dict[int, int] = {}
        if len(scenes) > 1:
            day = place.day(scenes)
            order = (-np.bincount(day.scene, minlength=len(scenes))).argsort(kind="stable")
            counted = dict(zip(day.rows.tolist(), order.argsort()[day.scene].tolist(), strict=True))
            scenes = [scenes[number] for number in order]
        sources = [_source(place.map_of(Path(facts.scene), facts.sha256)) for facts in scenes]
        with open_view(sources, place.area.grid, counted) as view:
            yield view

    return opened


def _source(folder: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return where the scene of a map lies, and what its map.json says; refuse another scene in its place."""
    if not (folder / MAP).exists():
        raise InputError(f"{folder}: the scene's map is gone, which says how it was seen. Watch it with --replay")
    told = read_map(folder)
    path = Path(told["path"])
    if not path.is_file():
        raise InputError(f"{path}: not there any more. Watch the folder that it lies in now")
    if identity(path) != told["sha256"]:
        raise InputError(f"{path}: another scene than the one that was watched")
    return path, told
