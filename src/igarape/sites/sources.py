"""Where the scenes of a site's looks lie, and how their maps saw them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from igarape.errors import InputError
from igarape.sites.looks import Facts
from igarape.sites.mapping import MAP, read_map
from igarape.sites.page_pictures import Opener
from igarape.sites.scene import identity
from igarape.sites.site_folder import SiteFolder
from igarape.sites.views import View, open_view


def opener(place: SiteFolder) -> Opener:
    """Return what opens the scenes of a day on a site's grid, as their maps saw them."""

    @contextmanager
    def opened(scenes: Sequence[Facts]) -> Iterator[View]:
        with open_view(
            [_source(place.map_of(Path(facts.scene), facts.sha256)) for facts in scenes], place.area.grid
        ) as view:
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
