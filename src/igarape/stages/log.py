"""log: the condition of a site, date by date."""

from pathlib import Path

import click

from igarape.config.schema import check_name
from igarape.errors import InputError
from igarape.files import write_text
from igarape.sites.listing import condition, log_lines
from igarape.sites.site_folder import SiteFolder
from igarape.sites.state import State
from igarape.workspace import Workspace


def run(workspace: Workspace, name: str, *, csv: Path | None = None) -> None:
    """Print the condition of a site: tiles seen, and the expected share that holds each label; csv: write it there."""
    place = SiteFolder.read(check_name(name, "my_site"), workspace.sites)
    if not place.state.exists():
        raise InputError(f"{place.state}: not there yet. Run: igarape watch {name} INBOX")
    table = condition(State.load(place.state), place.labels)
    if csv:
        write_text(table.to_csv(index=False, lineterminator="\n"), csv)
        click.echo(f"{csv}: {len(table)} dates")
        return
    for line in log_lines(table):
        click.echo(line)
