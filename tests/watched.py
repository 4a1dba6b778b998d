"""A site for the small bundle, and scenes of it, for tests of commands."""

from pathlib import Path
from typing import Any

from conftest import SIZE, draw
from scenes import LEFT, METRES, TOP, mosaic, write_scene
from site_settings import CONTENT

TOY: dict[str, Any] = {
    "bounds": [LEFT, TOP - 2 * SIZE * METRES, LEFT + 3 * SIZE * METRES, TOP],
    "pixel": METRES,
    "size": SIZE,
    "stride": SIZE,
    "bands": "r=1,g=2,b=3",
    "labels": dict.fromkeys(("tree", "kiln"), CONTENT["labels"]["water"]),
    "weather": {"cloud": ["fog"], "haze": [], "alone": True},
}


def write_scenes(inbox: Path) -> None:
    """Write two scenes of that site's ground, of different days."""
    chips = mosaic(draw(6), 3)
    write_scene(inbox / "2024-02-01.tif", chips)
    write_scene(inbox / "2024-03-01.tif", chips[:, ::-1].copy())
