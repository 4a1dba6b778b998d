"""What lies in an inbox: scenes, and STAC items that name some."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from igarape.errors import InputError, concealed
from igarape.sites.bands import COLOURS, Bands

SCENES = (".tif", ".tiff", ".vrt", ".jp2")
ITEM = ".json"
FILE = "file://"
DATA = "data"  # the role of a STAC asset that is the scene


@dataclass(frozen=True)
class Arrival:
    """A scene in an inbox. day, bands: as a STAC item says them; None: the scene says it itself."""

    path: Path
    day: str | None = None
    bands: Bands | None = None


def list_arrivals(inbox: Path, *, fetched: Callable[[str], Path]) -> tuple[list[Arrival], dict[str, str]]:
    """Return the scenes of a folder and of those below it, in the order of their names, and what is none, and why.

    A scene that a STAC item names is taken as the item says. Where an item cannot be used, the scene beside it of the
    same name waits until it can: taken now, it would have another day, or other bands, and keep them. Of two items that
    name one file, and do not say the same of it, the first counts, and the other cannot be used. The inbox may be one
    scene, or one item, too. fetched: gives the copy of a scene that an item names by an address. Raises InputError when
    there is no such folder, or no scene in it.
    """
    if not inbox.exists():
        raise InputError(f"{inbox}: no such folder; expected one that holds scenes, such as GeoTIFFs, or STAC items")
    files = (
        [inbox]
        if inbox.is_file()
        else sorted(path for path in inbox.rglob("*") if path.is_file() and not path.name.startswith("."))
    )
    taken = [path for path in files if path.suffix.lower() in {*SCENES, ITEM}]
    found, failed, _ = read_arrivals(taken, fetched=fetched)
    if not found and not failed:
        raise no_scene(inbox)
    return found, failed


def read_arrivals(
    files: Sequence[Path], *, fetched: Callable[[str], Path]
) -> tuple[list[Arrival], dict[str, str], list[Path]]:
    """Return the scenes among files as list_arrivals does, and why there is none of some; and what JSON is no item.

    files: scenes, whatever their names are, and STAC items, which end in .json.
    """
    named = {path: None for path in files if path.suffix.lower() == ITEM and path.is_file()}  # in their order
    found = {path.resolve(): Arrival(path) for path in files if path not in named}
    failed: dict[str, str] = {}
    none: list[Path] = []
    items: dict[Path, Path] = {}
    copied = _apart(fetched)
    for path in named:
        try:
            if (arrival := _item(path, copied)) is None:
                none.append(path)
                continue
            place = arrival.path.resolve()
            if place in items:
                _check_same(arrival, found[place], path, items[place])
            found[place], items[place] = arrival, path
        except (InputError, OSError) as error:
            failed[str(path)] = str(error)
            beside = [scene for scene in found if scene.with_suffix("") == path.resolve().with_suffix("")]
            failed |= {str(found.pop(scene).path): f"{scene.name}: waits for its STAC item" for scene in beside}
    return list(found.values()), failed, none


def no_scene(path: Path) -> InputError:
    """Return the error of a place that holds no scene."""
    return InputError(f"{path}: no scene in it; expected files that end in {', '.join(SCENES)}, or STAC items")


def _check_same(one: Arrival, other: Arrival, item: Path, before: Path) -> None:
    """Refuse an item that says something else of a scene than the one before."""
    if replace(one, path=other.path) != other:
        raise InputError(
            f"{item}: names {one.path.name}, as {before.name} does, and says another day or other bands. Keep one of "
            "the two"
        )


def _apart(fetched: Callable[[str], Path]) -> Callable[[str], Path]:
    """Return what fetches scenes, and refuses addresses that differ behind the question mark only.

    Their copies would be one file, and one of two scenes would be lost.
    """
    known: dict[str, str] = {}

    def copied(address: str) -> Path:
        told = address.partition("?")[0]
        if known.setdefault(told, address) != address:
            raise InputError(
                f"{concealed(told)}: is what another item names too, but for what follows the question mark, and "
                "copies of the two would be one file. Fetch each into the inbox, under a name of its own: ./SCENE.tif"
            )
        return fetched(address)

    return copied


def _item(path: Path, fetched: Callable[[str], Path]) -> Arrival | None:
    """Return the scene that a STAC item names; None for a JSON file that is no item.

    Raises InputError where the item cannot be used.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # the latter of what is nested too deeply
        raise InputError(f"{path}: no JSON, or cut short: {error}") from error
    if not isinstance(content, dict) or "stac_version" not in content or content.get("type") != "Feature":
        return None
    try:
        return _named(path, content, fetched)
    except (AttributeError, TypeError) as error:  # something in it is no object, or no list
        raise InputError(f"{path}: no STAC item as its specification has it ({error}). Write it anew") from error


def _named(path: Path, content: Mapping[str, Any], fetched: Callable[[str], Path]) -> Arrival:
    """Return the scene that an item names. Raises InputError where it cannot be used."""
    assets = [asset for asset in content.get("assets", {}).values() if DATA in asset.get("roles", ())]
    if len(assets) != 1:
        raise InputError(f"{path}: expected one asset with the role {DATA}, found {len(assets)}")
    href = str(assets[0].get("href", ""))
    scene = _beside(path.parent, href) if href.startswith(FILE) or "://" not in href else fetched(href)
    if not scene.is_file():
        raise InputError(f"{path}: names {href}, which is not there")
    return Arrival(scene, _day(content.get("properties", {})), _bands(assets[0]))


def _beside(folder: Path, href: str) -> Path:
    """Return the file that an href names from a folder: a path, or an address in which blanks are %20."""
    place = folder / href.removeprefix(FILE)
    return place if place.is_file() else folder / unquote(href.removeprefix(FILE))


def _day(properties: Mapping[str, Any]) -> str | None:
    """Return the day that an item says; without one, that on which it begins and ends."""
    taken, *span = (str(properties.get(name) or "")[:10] for name in ("datetime", "start_datetime", "end_datetime"))
    return taken or (span[0] if len(set(span)) == 1 else "") or None


def _bands(asset: Mapping[str, Any]) -> Bands | None:
    """Return the bands that an asset names, by STAC 1.1 or the extension eo; None where the colours are not named."""
    each = asset.get("bands") or asset.get("eo:bands") or []
    names = [band.get("eo:common_name") or band.get("common_name") or band.get("name") for band in each]
    places = {name: names.index(name) + 1 for name in (*COLOURS, "nir") if names.count(name) == 1}
    return Bands(**places) if set(COLOURS) <= set(places) else None
