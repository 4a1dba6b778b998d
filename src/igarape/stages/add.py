"""add: look at chips that nobody has described yet, and write their data set. -> datasets/NAME.yaml."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from igarape.chips.sources.discovery import discover, findings
from igarape.chips.sources.drafting import draft_dataset, list_draft
from igarape.config.drafts import draft_text, locate
from igarape.config.schema import check_name
from igarape.errors import InputError
from igarape.files import write_text
from igarape.workspace import Workspace

SHOWN = 5


def run(
    workspace: Workspace,
    name: str,
    *,
    images: Path,
    tags: Path | None,
    labels: str | None = None,
    group: str | None = None,
    split: str | None = None,
    bands: str | None = None,
    size: int | None = None,
    force: bool = False,
) -> None:
    """Write datasets/NAME.yaml, and say what was taken for granted.

    Parameters
    ----------
    workspace, name
        The project, and the name of the data set.
    images, tags
        Where the pictures and their table lie; no tags where the folders of the pictures name the labels.
    labels, group, split, bands, size
        Columns of the table, names of the TIFs' bands with commas in between, side of a chip in pixels; None: they are
        found out.
    force
        Write over an existing file.
    """
    path = workspace.datasets / f"{check_name(name, 'my_chips')}.yaml"
    if path.exists() and not force:
        raise InputError(f"{path}: is there already. Take another name, or add --force to write it anew")
    root, (shown, *rest) = locate(name, [images, *([tags] if tags else [])])
    table = rest[0] if rest else None
    named = [band.strip() for band in bands.split(",")] if bands else []
    spool = workspace.spool.with_name("spool-add")
    found = discover(
        root,
        images=shown,
        tags=table,
        labels=labels,
        group=group,
        split=split,
        bands=named,
        size=size,
        spool=spool,
        report=_quietly,
    )
    experiments = sorted(file.stem for file in workspace.experiments.glob("*.yaml"))
    draft = draft_dataset(found, name, images=shown, tags=table, bands=named, experiments=experiments)
    listing = list_draft(draft, root, where=str(path), spool=spool, report=_quietly)
    lost = [(fault.image_id, fault.problem) for fault in listing.faults if fault.left_out]
    listed = {chip.image_id for chip in listing.chips}
    lost += [(image_id, problem) for image_id, problem in found.looks.broken.items() if image_id in listed]
    draft.params["ingest"]["faults"] = len(lost)
    write_text(draft_text(draft), path)
    _tell([*listing.used, *findings(found)], lost)
    first = [] if os.environ.get("IGARAPE_DATA") else [f"export IGARAPE_DATA='{root}'"]
    click.echo("\n".join([f"{path} is written. Read it, then type:", *first, f"igarape use {name}", "make repro"]))


def _tell(lines: Sequence[str], lost: Sequence[tuple[str, str]]) -> None:
    """Say what was found, and which chips are left out: the name of each, and why."""
    shown = [f"left out: {image_id}: {problem}" for image_id, problem in lost[:SHOWN]]
    for line in [*lines, *shown]:
        click.echo(f"add: {line}")
    if lost:
        click.echo(f"add: {len(lost)} left out, as params.ingest.faults allows. reports/data.html will list them")


def _quietly(done: int, total: int) -> None:
    """Report to nobody."""
