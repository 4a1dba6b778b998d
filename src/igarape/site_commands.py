"""Commands for scenes and sites: from a map to the alerts that follow from many."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from igarape.commands import PLACE, from_here, run_stage

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=PLACE)
@click.option("--bands", metavar="r=N,g=N,b=N[,nir=N]", help="Which band is which, where the file does not say.")
@click.option(
    "--date", metavar="DAY", help="The day it was taken, as 2024-05-31, where neither the file nor its name says."
)
@click.option("--stride", type=click.IntRange(min=1), help="Pixels from one tile to the next; half a tile without it.")
@click.option(
    "--stretch",
    metavar="FILE",
    type=PLACE,
    help="A map.json or a site's YAML whose stretch to 8 bits is taken.",
)
@click.option("--gpkg", is_flag=True, help="Write the tags of each map as a GeoPackage too.")
@click.option(
    "--model",
    metavar="URI",
    help="student, a bundle's folder, or such as models:/igarape-drawn/3; the champion without it.",
)
@click.option("--out", default="maps", show_default=True, type=PLACE, help="The folder of maps.")
def map(scenes: tuple[Path, ...], **options: Any) -> None:  # noqa: A001
    """Map GeoTIFFs of any size: what the model says of each tile. SCENES: files that GDAL reads, STAC items.

    A run that was killed goes on where it was, when the same command is typed again.
    """
    run_stage("map", list(scenes), **options)


@click.group()
def site() -> None:
    """Describe places that are watched."""


@site.command("add")
@click.argument("name")
@click.option(
    "--scene",
    required=True,
    type=PLACE,
    help="A GeoTIFF of the site, or a STAC item of one, whose area and grid are taken.",
)
@click.option(
    "--baseline",
    required=True,
    nargs=2,
    metavar="DAY DAY",
    type=DAY,
    help="First and last day, as 2024-05-31, of the time that changes are measured from.",
)
@click.option("--labels", metavar="NAMES", help="The labels to watch, such as water,road; all without it.")
@click.option("--polygon", metavar="FILE", type=PLACE, help="A GeoJSON file; only tiles in it are watched.")
@click.option("--bands", metavar="r=N,g=N,b=N[,nir=N]", help="Which band is which, where scenes do not say.")
@click.option("--stride", type=click.IntRange(min=1), help="Pixels from one tile to the next; half a tile without it.")
@click.option("--model", metavar="URI", help="As for igarape map.")
@click.option("--force", is_flag=True, help="Write sites/NAME.yaml anew where it is there already.")
def add_site(name: str, baseline: tuple[datetime, datetime], **found: Any) -> None:
    """Write sites/NAME.yaml: where the site is, what is watched, and from when on."""
    run_stage("site", name, baseline=(baseline[0].date(), baseline[1].date()), **found)


@click.command()
@click.argument("name")
@click.argument("inbox")
@click.option("--model", metavar="URI", help="As for igarape map; the looks of two models are not mixed.")
@click.option("--replay", is_flag=True, help="Map all scenes of the inbox anew, such as with another model.")
def watch(name: str, inbox: str, **options: Any) -> None:
    """Map what is new of a site, and write its alerts.

    NAME: a YAML in sites/. INBOX: a folder of scenes and STAC items, one of these, or s3://BUCKET/PREFIX.
    """
    run_stage("watch", name, inbox if inbox.startswith("s3://") else from_here(Path(inbox)), **options)


@click.command()
@click.argument("name")
@click.option("--csv", metavar="FILE", type=PLACE, help="Write the table there, in place of printing it.")
@click.option(
    "--sample",
    metavar="FILE",
    type=PLACE,
    help="Draw tiles at random, and write them there for people to judge.",
)
@click.option("--label", metavar="NAME", help="The label that the sample is of.")
@click.option("--date", "day", metavar="DAY", type=DAY, help="The day that the sample is of; today without it.")
@click.option(
    "--size", default=100, show_default=True, type=click.IntRange(min=4), help="How many tiles the sample has."
)
@click.option(
    "--judged",
    metavar="FILE",
    multiple=True,
    type=PLACE,
    help="A sample that people have filled in; may be given several times.",
)
def log(name: str, day: datetime | None, **options: Any) -> None:
    """Show the condition of a site, date by date. NAME: a YAML in sites/.

    It also draws samples of tiles (--sample), and tells what the judged ones say of the whole site (--judged).
    """
    run_stage("log", name, day=day and day.date(), **options)


@click.command()
@click.argument("name")
@click.option("--candidates", is_flag=True, help="Show those too that are not confirmed yet.")
@click.option("--geojson", type=PLACE, metavar="FILE", help="Write them with their tiles too, for QGIS or a web map.")
@click.option("--csv", type=PLACE, metavar="FILE", help="Write them as a table too, for a spreadsheet.")
def alerts(name: str, **options: Any) -> None:
    """Show what has appeared and vanished on a site. NAME: a YAML in sites/."""
    run_stage("alerts", name, **options)


@click.command()
@click.argument("name")
def page(name: str) -> None:
    """Write a site's page for people. NAME: a YAML in sites/. It shows a map, alerts, and cuts of before and after."""
    run_stage("page", name)


@click.command()
@click.argument("alert")
@click.argument("verdict", type=click.Choice(["yes", "no"]))
@click.option("--reason", required=True, metavar="TEXT", help="Why you think so; it is kept.")
@click.option("--event", is_flag=True, help="Say the same of all alerts of its event, those of one change.")
def judge(alert: str, verdict: str, **options: Any) -> None:
    """Say whether an alert is right. ALERT: its name, as igarape alerts lists it.

    One that is judged no is not counted any more, also not after a replay.
    """
    run_stage("judge", alert, verdict, **options)


# In the order in which they are used.
SITE_COMMANDS = (map, site, watch, log, alerts, page, judge)
