"""What to say, and what to label next, where scenes are unlike those of the training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from igarape.scores.drift import ODD, UNLIKE
from igarape.sites.looks import list_looks
from igarape.sites.mapping import MAP, read_map
from igarape.sites.site_folder import SiteFolder

LATELY = 3  # scenes in a row that are unusual, or worse
NAMED = 5  # tiles of each


def drift_line(drift: Mapping[str, Any]) -> str:
    """Return what people should know of a scene's drift, of map.json; nothing where it is in range, or unknown."""
    if drift["verdict"] not in {ODD, UNLIKE}:
        return ""
    far = "" if drift["far"] is None else f" ({drift['far']:.0%} of its tiles lie far from the training's)"
    trust = "do not rely on its tags" if drift["verdict"] == UNLIKE else "rely on its tags less"
    tiles = ", ".join(str(each["tile"]) for each in drift["strangest"][:NAMED])
    return f"is {drift['verdict']}{far}: {trust}. Look at these tiles first: {tiles}"


def labelling_advice(place: SiteFolder) -> str:
    """Return which tiles to look at and to label first, where the newest scenes are all unusual; else nothing.

    A map that was removed says nothing, so that nothing is advised.
    """
    newest = list_looks(place.looks)[-LATELY:]
    named = []
    for facts in newest:
        folder = place.map_of(Path(facts.scene), facts.sha256)
        drift = read_map(folder).get("drift") or {} if (folder / MAP).exists() else {}
        if drift.get("verdict") not in {ODD, UNLIKE}:
            return ""
        tiles = [str(each["tile"]) for each in drift["strangest"][:NAMED]]
        named.append(f"{facts.scene} ({drift['verdict']}): {', '.join(tiles)}")
    if len(named) < LATELY:
        return ""
    return (
        f"the newest {LATELY} scenes are not as the training's. Look at these tiles, and label chips of such ground, "
        f"the strangest first: {'; '.join(named)}"
    )
