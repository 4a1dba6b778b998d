"""page: what is known of a site, for people. Its looks, alerts and scenes -> sites/NAME/page.html."""

import click

from igarape.errors import InputError, counted
from igarape.files import write_text
from igarape.progress import progress
from igarape.sites.events import with_events
from igarape.sites.looks import list_looks
from igarape.sites.page import site_page
from igarape.sites.site_folder import SiteFolder
from igarape.sites.site_history import replay_looks
from igarape.sites.sources import opener
from igarape.sites.state import Engine
from igarape.workspace import Workspace


def run(workspace: Workspace, name: str) -> None:
    """Write a site's page, and say which scenes are not to be seen on it."""
    place = SiteFolder.read(name, workspace.sites)
    with place.held():
        facts = list_looks(place.looks)
        if not facts:
            raise InputError(f"{place.looks}: no looks yet. First: igarape watch {name} INBOX")
        with progress(f"page: {name}, days", "day") as report:
            _, alerts = place.update(report)
            alerts = with_events(alerts, place.area)
            tiles = sorted({place.area.known[tile] for tile in alerts["tile"]})
            engine, count = Engine.of(place.site), len(place.area.names)
            known = replay_looks(facts, engine, tiles=count, read=place.day, closely=tiles, report=report)
        with progress(f"page: {name}, scenes", "day") as report:
            html, lost = site_page(place, alerts, known, facts, view=opener(place), report=report)
        page = place.folder / "page.html"
        write_text(html, page)
    for reason in lost:
        click.echo(f"page: a scene is not to be seen: {reason}", err=True)
    told = f"{counted(len(alerts), 'alert')} in {counted(alerts['event'].nunique(), 'event')}"
    click.echo(f"{page}: {told}, {counted(len(known.conditions), 'day')}")
