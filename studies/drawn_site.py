"""Does a watched site find what has changed on it? A drawn ground, whose labels, dates and clouds are all known.

Run in a project whose stream has run on drawn chips, so that data/evaluate holds a bundle (`make sites` does):

python studies/drawn_site.py --seed 3

Draws one ground under two years of skies, with changes painted in in the second year, as GeoTIFFs in data/drawn_site;
adds the site, watches it, writes its page, and prints its alerts and how they compare with the truth. --sites N does so
with as many seeds, for bench/drawn_sites.py; --changing 0.05 paints on fewer of the tiles. --deep writes 16 bits, as
dark as those of PlanetScope.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import click
import numpy as np
import pandas as pd
import rasterio
from rasterio import Affine

from igarape.chips.drawn.scene import NATIVE
from igarape.chips.drawn.years import PAINT, Change, Sight, draw_years, holds
from igarape.files import fresh_folder
from igarape.sites.ledger import read_alerts
from igarape.sites.site_folder import SiteFolder
from igarape.stages import alerts, log, page, site, watch
from igarape.workspace import Workspace

HERE = Workspace(Path())
NAME = "drawn"
SIDE, DATES, EVERY = 4, 73, 10  # chips along the ground's edge; dates, and the days between them
START, BASELINE = date(2024, 1, 1), (date(2024, 1, 1), date(2024, 12, 31))
CRS, LEFT, TOP, METRES = "EPSG:32718", 500_000.0, 9_080_000.0, 3.0
YEAR = 365
DARK = (2500, 55)  # of 16 bits: that of black, and what a step of 8 bits is


@click.command()
@click.option("--seed", default=3, show_default=True)
@click.option("--model", default="data/evaluate/bundle", show_default=True, help="As of igarape map.")
@click.option("--sites", default=1, show_default=True, help="How many, of seeds from --seed on.")
@click.option("--changing", default=0.5, show_default=True, help="Share of the tiles on which something is painted.")
@click.option("--deep", is_flag=True, help="Write 16 bits.")
def main(*, seed: int, model: str, sites: int, changing: float, deep: bool) -> None:
    """Draw sites, watch them, and print what came of each."""
    folder = fresh_folder(HERE.data / "drawn_site")
    for number in range(sites):
        name = f"{NAME}-{seed + number}" if number else NAME
        inbox = fresh_folder(folder / name)
        truth = _lay_out(inbox, seed + number, changing, deep=deep)
        truth.to_csv(folder / f"{name}.csv", index=False)
        shutil.rmtree(HERE.sites / name, ignore_errors=True)
        scene, labels = min(inbox.glob("*.tif")), ",".join(PAINT)
        site.run(HERE, name, scene=scene, labels=labels, baseline=BASELINE, stride=NATIVE, model=model, force=True)
        watch.run(HERE, name, inbox, model=model)
        log.run(HERE, name)
        alerts.run(HERE, name)
        page.run(HERE, name)
        print("\n".join(_judged(SiteFolder.read(name, HERE.sites), truth)))


def _lay_out(inbox: Path, seed: int, changing: float, *, deep: bool) -> pd.DataFrame:
    """Draw the scenes; return the first date on which each tile holds each label: tile, label, since."""
    since: dict[tuple[str, str], date] = {}
    for number, sight in enumerate(draw_years(seed, SIDE, DATES, list(_changes(seed, changing)))):
        taken = START + timedelta(days=EVERY * number)
        _write(inbox / f"{taken}.tif", sight, deep=deep)
        for tile, label in _there(sight):
            since.setdefault((tile, label), taken)
    return pd.DataFrame([(*key, taken) for key, taken in since.items()], columns=["tile", "label", "since"])


def _changes(seed: int, changing: float) -> Iterator[Change]:
    """Deal a change to this share of the tiles, in the second year, from two months after the baseline on."""
    rng = np.random.default_rng([seed, 3])
    first, last = (YEAR + 60) // EVERY, DATES - YEAR // EVERY // 3
    for row, column in np.argwhere(rng.random((SIDE, SIDE)) < changing).tolist():
        place = ((column + 0.5) / SIDE, (row + 0.5) / SIDE)
        yield Change(int(rng.integers(first, last)), str(rng.choice(list(PAINT))), place)


def _there(sight: Sight) -> Iterator[tuple[str, str]]:
    """Yield which tile holds which label, seen or not."""
    for row in range(SIDE):
        for column in range(SIDE):
            part = sight.surface[row * NATIVE : (row + 1) * NATIVE, column * NATIVE : (column + 1) * NATIVE]
            yield from ((f"{row}_{column}", label) for label in PAINT if holds(part, label))


def _write(path: Path, sight: Sight, *, deep: bool) -> None:
    """Write a date as a GeoTIFF of 8 or 16 bits."""
    bands = np.moveaxis(sight.picture, -1, 0)
    if deep:
        bands = (DARK[0] + DARK[1] * bands.astype(np.uint16)).astype(np.uint16)
    profile = {"driver": "GTiff", "count": 3, "dtype": bands.dtype, "crs": CRS, "photometric": "RGB"}
    side = len(sight.picture)
    transform = Affine(METRES, 0, LEFT, 0, -METRES, TOP)
    with rasterio.open(path, "w", width=side, height=side, transform=transform, compress="DEFLATE", **profile) as file:
        file.write(bands)


def _judged(place: SiteFolder, truth: pd.DataFrame) -> list[str]:
    """Return a table of labels: changes, those found, the median delay, false alerts, and the model's AUC."""
    table = read_alerts(place.alerts, place.name)
    end = START + timedelta(days=EVERY * (DATES - 1))
    lines = [
        "| label | AUC | changes | found | median delay, days | false | tile-years |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, watched in place.site.labels.items():
        rows = truth[(truth["label"] == label) & (truth["since"] > BASELINE[1])]
        changed: dict[str, date] = dict(zip(rows["tile"], rows["since"], strict=True))
        some = table[table["label"] == label]
        days = [_confirmed(str(history)) for history in some["history"]]
        told = [(*each, day) for *each, day in zip(some["tile"], some["change"], days, strict=True) if day]
        right = {tile: day for tile, change, day in told if change == "appeared" and day >= changed.get(tile, end)}
        delays = [(day - changed[tile]).days for tile, day in right.items() if tile in changed]
        years = len(place.area.names) * (end - BASELINE[1]).days / YEAR
        median = f"{np.median(delays):.0f}" if delays else "-"
        lines.append(
            f"| {label} | {watched.auc:.3f} | {len(changed)} | {len(delays)} | {median} | {len(told) - len(delays)} | "
            f"{years:.0f} |"
        )
    return lines


def _confirmed(history: str) -> date | None:
    """Return the day on which an alert was confirmed; None: never."""
    days = [event["date"] for event in json.loads(history) if event["status"] == "confirmed"]
    return date.fromisoformat(days[0]) if days else None


if __name__ == "__main__":
    main()
