"""What people should know after a watch: of looks whose scenes were replaced or corrected since, and what to label."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from igarape.errors import InputError
from igarape.sites.advice import labelling_advice
from igarape.sites.inbox import Arrival
from igarape.sites.looks import Facts, list_looks
from igarape.sites.mapping import MAP, read_map
from igarape.sites.scene import open_scene
from igarape.sites.site_folder import SiteFolder


def remarks(place: SiteFolder, found: Mapping[str, Arrival], *, new: bool) -> list[str]:
    """Return what people should know after a watch, and do; found: of watch.identified. new: whether looks are."""
    looks, advice = list_looks(place.looks), labelling_advice(place) if new else ""
    return [*_replaced(place, looks, found), *_redated(place, looks, found), *([advice] if advice else [])]


def _replaced(place: SiteFolder, looks: Sequence[Facts], found: Mapping[str, Arrival]) -> list[str]:
    """Say which looks are of files in whose place others of the same day lie now: they count beside those of these."""
    days = {str(found[facts.sha256].path.resolve()): facts.date for facts in looks if facts.sha256 in found}
    lines = []
    for facts in looks:
        folder = place.map_of(Path(facts.scene), facts.sha256)
        if facts.sha256 in found or not (folder / MAP).exists():
            continue
        path = str(read_map(folder)["path"])
        if days.get(path) == facts.date:
            lines.append(
                f"{path}: is another file now, and the look of the one before still counts, beside its own. To take "
                f"that back, remove {place.looks / facts.name}, then watch once more"
            )
    return lines


def _redated(place: SiteFolder, looks: Sequence[Facts], found: Mapping[str, Arrival]) -> list[str]:
    """Say which scenes are of another day now than their looks, as when a name or an item was corrected.

    Those that no item dates, and that are called as when they were watched, are not opened.
    """
    lines = []
    for facts in looks:
        arrival = found.get(facts.sha256)
        if arrival is None or (arrival.day is None and arrival.path.name == facts.scene):
            continue
        try:
            with open_scene(arrival.path, bands=place.bands or arrival.bands, day=arrival.day) as opened:
                day = opened.date.isoformat()
        except InputError:  # says no day any more, which corrects none
            continue
        if day != facts.date:
            lines.append(
                f"{arrival.path}: is of {day} now, and its look still counts on {facts.date}. To correct that, remove "
                f"{place.looks / facts.name}, then watch once more"
            )
    return lines
