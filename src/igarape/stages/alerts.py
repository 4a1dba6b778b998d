"""alerts: what has appeared and vanished on a site."""

import click

from igarape.sites.ledger import read_alerts
from igarape.sites.listing import alert_lines
from igarape.sites.looks import list_looks
from igarape.sites.site_folder import SiteFolder
from igarape.workspace import Workspace


def run(workspace: Workspace, name: str, *, candidates: bool = False) -> None:
    """Print the alerts of a site that stand, confirmed ones, and with candidates those too."""
    place = SiteFolder.read(name, workspace.sites)
    if place.outdated:
        click.echo(
            f"alerts: sites/{name}.yaml, or igarape, has changed since these were written. To have those of now: "
            f"igarape watch {name} INBOX",
            err=True,
        )
    for line in alert_lines(read_alerts(place.alerts, name), candidates=candidates):
        click.echo(line)
    end = place.site.baseline[1]
    if all(facts.day <= end.toordinal() for facts in list_looks(place.looks)):
        click.echo(f"no scene is of a day after the baseline yet, which ends on {end}")
