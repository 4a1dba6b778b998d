"""Looks at a small site, for tests: what a map would say, without a map."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from site_settings import site

from igarape.config.sites import Site, site_text
from igarape.files import digest
from igarape.sites.looks import Facts, add_looks
from igarape.sites.site_folder import SiteFolder

TILES = ("0_0", "0_1", "0_2", "1_0", "1_1", "1_2")
START = date(2024, 1, 1)


def tiles(p: Mapping[str, Sequence[float] | float], names: Sequence[str] = TILES, valid: float = 1.0) -> pd.DataFrame:
    """Give a map's table: probabilities by label; what is not said is a clear sky with nothing below it."""
    columns = {"water": 0.02, "road": 0.02, "cloudy": 0.0, "haze": 0.0} | dict(p)
    table = pd.DataFrame({"tile": list(names), "valid": np.float32(valid)})
    return table.assign(**{f"p_{label}": np.asarray(value, np.float32) for label, value in columns.items()})


def facts(day: int, **changes: Any) -> Facts:
    """Give what is known of a scene that was taken some days after the start."""
    taken = str(START + timedelta(days=day))
    known = {"scene": f"{taken}.tif", "sha256": digest([taken]) * 2, "date": taken, "model": "one", "bundle": "b" * 32}
    return Facts(**({"trusted": True} | known | changes))


def write_site(folder: Path, one: Site | None = None) -> SiteFolder:
    """Write sites/here.yaml below a folder, and read it."""
    sites = folder / "sites"
    sites.mkdir(parents=True, exist_ok=True)
    (sites / "here.yaml").write_text(site_text("here", one or site()), encoding="utf-8")
    return SiteFolder.read("here", sites)


def look(place: SiteFolder, day: int, p: Mapping[str, Sequence[float] | float], **changes: Any) -> bool:
    """Add a look at all tiles of a site."""
    return add_looks(tiles(p), facts(day, **changes), place.looks, site=place.site, known=place.area.known)


def flooded(place: SiteFolder, days: Sequence[int], since: int) -> None:
    """Add looks on some days, of which those from a day on show water in the tile 0_1."""
    for day in days:
        water = np.where((np.arange(len(TILES)) == 1) & (day >= since), 0.97, 0.001)
        look(place, day, {"water": water.tolist()})


def quiet(done: int, total: int, text: str = "") -> None:
    """Report nothing."""
