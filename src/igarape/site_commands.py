"""Commands for scenes and sites: from a map to the alerts that follow from many."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from igarape.commands import from_here, run_stage

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--bands", metavar="r=N,g=N,b=N[,nir=N]", help="Which band is which, where the file does not say it.")
@click.option("--date", metavar="DAY", help="When it was taken, as 2024-05-31, where neither file nor name say it.")
@click.option("--stride", type=click.IntRange(min=1), help="Pixels from one tile to the next; half a tile without it.")
@click.option(
    "--stretch",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Of another map.json or a site's YAML: its stretch.",
)
@click.option("--gpkg", is_flag=True, help="Write the tags of each map as a GeoPackage too.")
@click.option("--model", metavar="URI", help="Such as models:/igarape-drawn@champion, the default; student; a folder.")
@click.option("--out", default="maps", show_default=True, type=click.Path(path_type=Path), help="The folder of maps.")
def map(scenes: tuple[Path, ...], out: Path, stretch: Path | None, **options: Any) -> None:  # noqa: A001
    """Map GeoTIFFs of any size: what the model says of each tile. A killed run goes on where it was."""
    found = [from_here(scene) for scene in scenes]
    run_stage("map", found, out=from_here(out), stretch=from_here(stretch), **options)


@click.group()
def site() -> None:
    """Describe places that are watched."""


@site.command("add")
@click.argument("name")
@click.option("--scene", required=True, type=click.Path(path_type=Path), help="One of the site: its grid is taken.")
@click.option("--baseline", required=True, nargs=2, metavar="DAY DAY", type=DAY, help="Its first day, and its last.")
@click.option("--labels", metavar="NAMES", help="Those that are watched, such as water,road; all without it.")
@click.option("--polygon", metavar="FILE", type=click.Path(path_type=Path), help="GeoJSON: watch only what lies in it.")
@click.option("--bands", metavar="r=N,g=N,b=N[,nir=N]", help="Which band is which, where scenes do not say it.")
@click.option("--stride", type=click.IntRange(min=1), help="Pixels from one tile to the next; half a tile without it.")
@click.option("--model", metavar="URI", help="As of igarape map.")
@click.option("--force", is_flag=True, help="Write sites/NAME.yaml anew where it is there already.")
def add_site(name: str, baseline: tuple[datetime, datetime], **found: Any) -> None:
    """Write sites/NAME.yaml: where, what and from when on."""
    found |= {key: from_here(found[key]) for key in ("scene", "polygon")}
    run_stage("site", name, baseline=(baseline[0].date(), baseline[1].date()), **found)


@click.command()
@click.argument("name")
@click.argument("inbox")
@click.option("--model", metavar="URI", help="As of igarape map; looks of two models are not mixed.")
@click.option("--replay", is_flag=True, help="Map all scenes anew, such as by another model.")
def watch(name: str, inbox: str, **options: Any) -> None:
    """Map what is new of a site, and write its alerts. INBOX: a folder of scenes and STAC items, or s3://BUCKET/PREFIX."""
    run_stage("watch", name, inbox if inbox.startswith("s3://") else from_here(Path(inbox)), **options)


@click.command()
@click.argument("name")
@click.option("--csv", metavar="FILE", type=click.Path(path_type=Path), help="Write the table there.")
@click.option("--sample", metavar="FILE", type=click.Path(path_type=Path), help="Draw tiles for people to judge.")
@click.option("--label", help="Which one the sample is of.")
@click.option("--date", "day", metavar="DAY", type=DAY, help="As of when; today without it.")
@click.option("--size", default=100, show_default=True, type=click.IntRange(min=4), help="Tiles of the sample.")
@click.option("--judged", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="A sample, filled in.")
def log(name: str, judged: tuple[Path, ...], day: datetime | None, **options: Any) -> None:
    """Show the condition of a site, date by date. Draws samples too, and shows what the judged ones say."""
    options |= {key: from_here(options[key]) for key in ("csv", "sample")}
    run_stage("log", name, judged=[from_here(path) for path in judged], day=day and day.date(), **options)


@click.command()
@click.argument("name")
@click.option("--candidates", is_flag=True, help="Those too that are not confirmed.")
def alerts(name: str, candidates: bool) -> None:
    """Show what has appeared and vanished on a site."""
    run_stage("alerts", name, candidates=candidates)


@click.command()
@click.argument("name")
def page(name: str) -> None:
    """Write a site's page for people. What is known, its alerts, and how it looks before and after."""
    run_stage("page", name)


@click.command()
@click.argument("alert")
@click.argument("verdict", type=click.Choice(["yes", "no"]))
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept.")
def judge(alert: str, verdict: str, reason: str) -> None:
    """Say whether an alert is right. One judged no counts no more, nor after a replay."""
    run_stage("judge", alert, verdict, reason=reason)


# In the order in which they are used.
SITE_COMMANDS = (map, site, watch, log, alerts, page, judge)
