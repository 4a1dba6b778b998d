"""alerts: what has appeared and vanished on a site."""

from pathlib import Path

import click

from igarape.errors import InputError, counted
from igarape.files import check_place, write_text
from igarape.sites.events import with_events
from igarape.sites.ledger import alert_features, alert_table, read_alerts
from igarape.sites.listing import alert_lines, spare, standing_alerts
from igarape.sites.looks import list_looks
from igarape.sites.outlines import write_geojson
from igarape.sites.site_folder import SiteFolder
from igarape.workspace import Workspace

GEOJSON = '{\n  "type": "FeatureCollection"'  # as write_geojson begins


def run(
    workspace: Workspace, name: str, *, candidates: bool = False, geojson: Path | None = None, csv: Path | None = None
) -> None:
    """Print the alerts of a site that stand, the confirmed ones.

    Parameters
    ----------
    workspace, name
        The project, and the site's name.
    candidates
        Whether those that are not confirmed yet are shown too.
    geojson, csv
        Files, to which all that are shown are written: with their tiles, and with the middles of these.
    """
    place = SiteFolder.read(name, workspace.sites)
    if place.outdated:
        click.echo(
            f"alerts: sites/{name}.yaml, or igarape, has changed since these were written. To have those of now: "
            f"igarape watch {name} INBOX",
            err=True,
        )
    table = with_events(read_alerts(place.alerts, name), place.area)
    shown = standing_alerts(table, candidates=candidates)
    sheet = alert_table(shown, place.area).to_csv(index=False, lineterminator="\n")
    if csv and csv == geojson:
        raise InputError(f"--csv and --geojson: both are {csv}. Name two files")
    for option, file, beginning in (("--geojson", geojson, GEOJSON), ("--csv", csv, sheet.partition("\n")[0])):
        if file:
            check_place(file, f"{option} {file}")
            spare(file, beginning, f"{option} {file}")
    for line in alert_lines(table, candidates=candidates):
        click.echo(line)
    if geojson:
        grid = place.area.grid
        write_geojson(alert_features(shown, place.area), grid.crs, geojson, step=grid.pixel * grid.size)
        click.echo(f"{geojson}: these, with their tiles")
    if csv:
        write_text(sheet, csv)
        click.echo(f"{csv}: {counted(len(shown), 'row')}")
    end = place.site.baseline[1]
    if all(facts.day <= end.toordinal() for facts in list_looks(place.looks)):
        click.echo(f"no scene is of a day after the baseline yet, which ends on {end}")
