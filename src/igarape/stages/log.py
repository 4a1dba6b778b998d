"""log: the condition of a site, date by date, and what a judged sample says of it."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from igarape.errors import InputError, counted
from igarape.files import check_place, write_text
from igarape.progress import progress
from igarape.sites.listing import condition, log_lines, spare
from igarape.sites.sampling import judged_table, write_sample
from igarape.sites.site_folder import SiteFolder
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    name: str,
    *,
    csv: Path | None = None,
    sample: Path | None = None,
    label: str | None = None,
    day: date | None = None,
    size: int = 100,
    judged: Sequence[Path] = (),
) -> None:
    """Print the condition of a site, or draw a sample for people to judge, or print what such samples say.

    Parameters
    ----------
    workspace, name
        The project, and the site.
    csv
        Write the table there in the place of printing it.
    sample
        Write a sample there: of a label, as of a day (None: today), of so many tiles.
    label, day, size
        Of the sample.
    judged
        Samples that people filled in; of two, of different days, the difference is told too.
    """
    if sample and judged:
        raise InputError("--sample draws a sample, --judged reads one: leave one of them out")
    if (label or day) and not sample:
        raise InputError("--label and --date are of a sample: add --sample FILE, or leave them out")
    place = SiteFolder.read(name, workspace.sites)
    if not place.state.exists():
        raise InputError(f"{place.state}: not there yet. Run: igarape watch {name} INBOX")
    if csv:
        check_place(csv, f"--csv {csv}")
    if sample:
        check_place(sample, f"--sample {sample}")
        click.echo(write_sample(place, sample, label=label, day=day or date.today(), size=size))  # noqa: DTZ011
        return
    if judged:
        table = judged_table(place, judged)
    else:
        with progress(f"log: {name}, days", "day") as report:
            table = condition(place.now(report), place.labels)
    if csv:
        text = table.to_csv(index=False, lineterminator="\n")
        spare(csv, text.splitlines()[0], f"--csv {csv}")
        write_text(text, csv)
        click.echo(f"{csv}: {counted(len(table), 'row')}")
        return
    for line in log_lines(table):
        click.echo(line)
