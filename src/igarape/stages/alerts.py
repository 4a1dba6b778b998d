"""alerts: what has appeared and vanished on a site."""

from pathlib import Path

import click

from igarape.sites.ledger import alert_features, read_alerts
from igarape.sites.listing import alert_lines, standing_alerts
from igarape.sites.looks import list_looks
from igarape.sites.outlines import write_geojson
from igarape.sites.site_folder import SiteFolder
from igarape.workspace import Workspace


def run(workspace: Workspace, name: str, *, candidates: bool = False, geojson: Path | None = None) -> None:
    """Print the alerts of a site that stand, the confirmed ones.

    Parameters
    ----------
    workspace, name
        The project, and the site's name.
    candidates
        Whether those that are not confirmed yet are shown too.
    geojson
        A file, to which all that are shown are written with their tiles.
    """
    place = SiteFolder.read(name, workspace.sites)
    if place.outdated:
        click.echo(
            f"alerts: sites/{name}.yaml, or igarape, has changed since these were written. To have those of now: "
            f"igarape watch {name} INBOX",
            err=True,
        )
    table = read_alerts(place.alerts, name)
    for line in alert_lines(table, candidates=candidates):
        click.echo(line)
    if geojson:
        grid = place.area.grid
        features = alert_features(standing_alerts(table, candidates=candidates), place.area)
        write_geojson(features, grid.crs, geojson, step=grid.pixel * grid.size)
        click.echo(f"{geojson}: these, with their tiles")
    end = place.site.baseline[1]
    if all(facts.day <= end.toordinal() for facts in list_looks(place.looks)):
        click.echo(f"no scene is of a day after the baseline yet, which ends on {end}")
