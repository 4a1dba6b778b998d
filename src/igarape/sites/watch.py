"""Watch a site: map what is new in an inbox, and add its looks."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from igarape.errors import InputError, counted, some
from igarape.files import atomic_path, sha256, write_json
from igarape.progress import DetailedReport
from igarape.scores.drift import ODD, UNLIKE
from igarape.sites.exposure import site_stretch
from igarape.sites.inbox import Arrival
from igarape.sites.looks import Facts, add_looks, list_looks
from igarape.sites.mapping import MAP, TILES, MapOptions, read_map
from igarape.sites.model import Model
from igarape.sites.scene import identity
from igarape.sites.scene_list import Job, Mappers, map_scenes
from igarape.sites.site_folder import SiteFolder
from igarape.sites.tiles import Grid


class NewScene(NamedTuple):
    """A scene that has to be mapped, and the SHA-256 of its file."""

    arrival: Arrival
    sha256: str


# From scenes to what map.json says of each, as of scene_list.map_scenes.
MapScenes = Callable[[Sequence[NewScene]], Iterator[Future[Mapping[str, Any]]]]


@dataclass
class Outcome:
    """What became of scenes: those that are looks now, why others failed, and how many are of each drift verdict."""

    new: list[Facts] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    drift: Counter[str] = field(default_factory=Counter)

    @property
    def figures(self) -> dict[str, float]:
        """Return what MLflow keeps of it."""
        odd = {"unusual": self.drift[ODD], "not_like_training": self.drift[UNLIKE]}
        return {"scenes": len(self.new), "failed": len(self.failed), **odd}


def outcome_line(outcome: Outcome, *, known: int, copies: int) -> str:
    """Return the numbers of new and known scenes, and of files with the bytes of another, as one line.

    And how many new ones are not like the training data.
    """
    also = f" ({counted(copies, 'file')} with the bytes of another)" if copies else ""
    odd = outcome.drift[UNLIKE]
    strange = f"; {counted(odd, 'scene')} not like training: such a scene confirms nothing" if odd else ""
    return f"{counted(len(outcome.new), 'new scene')}, {known} known{also}{strange}"


def check_model(place: SiteFolder, model: Model) -> None:
    """Refuse a model that did not make the looks that are there: a change between them might be the model's.

    And a grid that they do not lie on.
    """
    others = {facts.model for facts in place.listed() if facts.bundle != model.digest}
    if others:
        before = [f"{one} as it was then" if one == model.address else one for one in sorted(others)]
        raise InputError(
            f"{place.looks}: its looks are those of {some(before)}, not of {model.address}. Models err in ways of "
            "their own, so looks of two are not mixed. Name that one by --model; or watch with --replay, which maps "
            "all scenes anew; or copy the site's YAML to another name, which begins a new log"
        )


def identified(
    arrivals: Sequence[Arrival], hashed: Callable[[Path], str] = sha256
) -> tuple[dict[str, Arrival], dict[str, str]]:
    """Return scenes by what scene.identity says of them, each once, and of those that cannot be read, why.

    Of two copies of a scene that one counts of which a STAC item tells more than it says itself. hashed: returns the
    SHA-256 of a file.
    """
    found: dict[str, Arrival] = {}
    failed: dict[str, str] = {}
    for arrival in sorted(arrivals, key=lambda each: each.day is None):  # else in their order
        try:
            found.setdefault(identity(arrival.path, hashed), arrival)
        except OSError as error:
            failed[str(arrival.path)] = f"{arrival.path}: cannot be read: {error.strerror}"
    return found, failed


def unmapped_scenes(place: SiteFolder, found: Mapping[str, Arrival], *, replay: bool) -> list[NewScene]:
    """Return the scenes that have to be mapped: those without looks, or all with replay.

    Raises InputError when all are, and a scene that has looks was not found. found: of identified.
    """
    looks = {facts.sha256: facts for facts in list_looks(place.looks)}
    if replay:
        if lost := [facts for sha256, facts in looks.items() if sha256 not in found]:
            raise InputError(
                f"{place.looks}: --replay maps all scenes anew, and the inbox lacks "
                f"{some([one.scene for one in lost])} as watched. Put that back into it; or, where its look may go, "
                f"remove there {some([one.name for one in lost])}"
            )
        looks = {}
    return [NewScene(arrival, each) for each, arrival in found.items() if each not in looks]


def update_moved(place: SiteFolder, found: Mapping[str, Arrival], hashed: Callable[[Path], str] = sha256) -> None:
    """Write where scenes lie now into the maps of those that have moved: a page reads them there.

    Something else may lie where they were. A map that was removed is left so. found, hashed: of identified.
    """
    for facts in list_looks(place.looks):
        folder = place.map_of(Path(facts.scene), facts.sha256)
        if facts.sha256 not in found or not (folder / MAP).exists():
            continue
        content = read_map(folder)
        before, now = Path(content["path"]), found[facts.sha256].path.resolve()
        if before != now and not (before.is_file() and identity(before, hashed) == facts.sha256):
            write_json({**content, "path": str(now)}, folder / MAP)


def mapper(place: SiteFolder, by: Mappers, *, commit: str, report: DetailedReport) -> MapScenes:
    """Return what maps scenes on a site's own grid.

    Parameters
    ----------
    place, by
        The site, and who maps.
    commit
        The project's, which is recorded.
    report
        Told how far all of them are.
    """
    asked = MapOptions(bands=place.bands, grid=place.area.grid, stretch=site_stretch(place))

    def mapped(scenes: Sequence[NewScene]) -> Iterator[Future[Mapping[str, Any]]]:
        jobs = [Job.of(arrival, place.map_of(arrival.path, known_by), asked) for arrival, known_by in scenes]
        return map_scenes(jobs, by=by, commit=commit, report=report)

    return mapped


def map_new(place: SiteFolder, scenes: Sequence[NewScene], mapped: MapScenes, looks: Path) -> Outcome:
    """Map scenes, and add their looks. A scene that fails costs no other one its look.

    Parameters
    ----------
    place
        The site.
    scenes
        Those that are new.
    mapped
        Maps them.
    looks
        The folder of the looks.
    """
    outcome = Outcome()
    for (arrival, known_by), future in zip(scenes, mapped(scenes), strict=True):
        out = place.map_of(arrival.path, known_by)
        try:
            content = future.result()
            facts = scene_facts(content)
            add_looks(pd.read_parquet(out / TILES), facts, looks, site=place.site, known=place.area.known)
        except (InputError, OSError) as error:
            outcome.failed[str(arrival.path)] = str(error)
        else:
            outcome.new.append(facts)
            outcome.drift[str(content["drift"]["verdict"])] += 1
    return outcome


def map_again(place: SiteFolder, scenes: Sequence[NewScene], mapped: MapScenes) -> Outcome:
    """Map all scenes anew, and put their looks in the place of those that are there.

    Raises InputError, and leaves the looks as they were, when a scene that has some fails: they would be lost.
    """
    seen = {facts.sha256 for facts in list_looks(place.looks)}
    with atomic_path(place.looks) as unfinished:
        unfinished.mkdir()
        outcome = map_new(place, scenes, mapped, unfinished)
        paths = [str(arrival.path) for arrival, known_by in scenes if known_by in seen]
        if lost := [path for path in paths if path in outcome.failed]:
            raise InputError(
                f"{place.looks}: stays as it was: {len(lost)} of the {len(paths)} scenes that have looks failed, "
                f"{lost[0]} first: {outcome.failed[lost[0]]}. Mend that scene; then watch with --replay once more"
            )
        shutil.rmtree(place.looks, ignore_errors=True)
    return outcome


def scene_facts(content: Mapping[str, Any]) -> Facts:
    """Return what looks say of their scene, from map.json."""
    names = ("scene", "sha256", "date", "model", "bundle")
    known = {name: content[name] for name in names}
    return Facts(**known, trusted=content["drift"]["verdict"] != UNLIKE, grid=Grid(**content["grid"]).hash)
