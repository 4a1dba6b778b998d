"""A site that was watched: scenes on disk, their maps, looks, and what follows from them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rasterio import Affine
from scenes import write_scene
from site_settings import site

from igarape.config.sites import site_text
from igarape.sites.looks import Facts, add_looks
from igarape.sites.site_folder import SiteFolder

FIRST, EVERY, DAYS = date(2024, 1, 5), 16, 24
CHANGED = 14  # the day from which on water is in the tile 1_1
CLOUDY = (3, 9, 16)  # days under cloud, but for the first column
FOREST, WATER, CLOUD = (34, 92, 51), (40, 74, 120), (232, 235, 236)


def watched_site(root: Path, *, days: int = DAYS) -> SiteFolder:
    """Make sites/here.yaml with looks at six tiles of 64 m: in the tile 1_1 water appears, some days are cloudy."""
    sites = root / "sites"
    sites.mkdir(parents=True)
    (sites / "here.yaml").write_text(site_text("here", site()), encoding="utf-8")
    place = SiteFolder.read("here", sites)
    for number in range(days):
        _watch(place, root / "inbox", number)
    return place


def _watch(place: SiteFolder, inbox: Path, number: int) -> None:
    """Write the scene of a day, its map and its looks."""
    cloudy = number in CLOUDY
    day = (FIRST + timedelta(days=EVERY * number)).isoformat()
    ground = np.empty((128, 192, 3), dtype=np.uint8)
    ground[:] = FOREST
    if number >= CHANGED:
        ground[64:, 64:128] = WATER
    if cloudy:
        ground[:, 64:] = CLOUD
    ground[::16] += 9  # so that one sees where one is
    grid = place.area.grid
    path = write_scene(
        inbox / f"scene_{day}.tif",
        np.moveaxis(ground, -1, 0),
        crs=grid.crs,
        transform=Affine(*grid.transform),
        names=("red", "green", "blue"),
    )
    facts = Facts(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), day, "model 1", "bundle", trusted=True)
    told = {
        "path": str(path),
        "sha256": facts.sha256,
        "date": day,
        "bands": {"red": 1, "green": 2, "blue": 3, "nir": None},
        "stretch": {"gain": None, "offset": None},
    }
    folder = place.map_of(path, facts.sha256)
    folder.mkdir(parents=True)
    (folder / "map.json").write_text(json.dumps(told), encoding="utf-8")
    add_looks(
        _tiles(place.area.names, number, cloudy=cloudy), facts, place.looks, site=place.site, known=place.area.known
    )


def _tiles(names: Sequence[str], number: int, *, cloudy: bool) -> pd.DataFrame:
    """Return what the map of a day says of each tile."""
    rng = np.random.default_rng(number)
    rows: list[Mapping[str, object]] = []
    for name in names:
        water = 0.95 if number >= CHANGED and name == "1_1" else 0.02
        covered = cloudy and not name.endswith("_0")
        seen = {"p_water": water + rng.uniform(0, 0.02), "p_road": rng.uniform(0.01, 0.05)}
        said = dict.fromkeys(seen, np.nan) if covered else seen
        rows.append({"tile": name, "valid": 1.0, **said, "p_cloudy": 0.98 if covered else 0.01, "p_haze": 0.01})
    return pd.DataFrame(rows)
