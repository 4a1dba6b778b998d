"""add: look at chips that nobody has described yet, and write their data set. -> datasets/NAME.yaml."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from igarape.chips.sources.discovery import Discovery, discover, findings
from igarape.chips.sources.listing import Listing, open_source
from igarape.config.datasets import Dataset, FolderSource
from igarape.config.drafts import Draft, check_name, draft_text, locate, suitable_params
from igarape.config.schema import validate
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
    group: str | None = None,
    split: str | None = None,
    bands: str | None = None,
    size: int | None = None,
    force: bool = False,
) -> None:
    """Write datasets/NAME.yaml, and say what was taken for granted; an existing file is kept unless force is given."""
    path = workspace.datasets / f"{check_name(name)}.yaml"
    if path.exists() and not force:
        raise InputError(f"{path}: is there already. Take another name, or add --force to write it anew")
    root, (shown, *table) = locate(name, [images, *([tags] if tags else [])])
    named = [band.strip() for band in bands.split(",")] if bands else []
    found = discover(
        root,
        images=shown,
        tags=table[0] if table else None,
        group=group,
        split=split,
        bands=named,
        size=size,
        spool=workspace.spool.with_name("spool-add"),
        report=_quietly,
    )
    draft = _draft(workspace, name, shown, tags=table[0] if table else None, found=found, bands=named)
    listing = _listed(workspace, root, draft)
    lost = [fault for fault in listing.faults if fault.left_out]
    if len(lost) > len(listing.chips):
        one = f"{lost[0].image_id}: {lost[0].problem}"
        raise InputError(
            f"{len(lost)} rows and pictures are left over, {len(listing.chips)} fit together. The first: {one}. "
            "Pictures without a row may lie in a folder of their own, which source.unlabelled names"
        )
    draft.params["ingest"]["faults"] = len(lost)
    write_text(draft_text(draft), path)
    for line in [*listing.used, *findings(found)]:
        click.echo(f"add: {line}")
    for fault in lost[:SHOWN]:
        click.echo(f"add: left out: {fault.image_id}: {fault.problem}")
    if lost:
        click.echo(f"add: {len(lost)} are left out in all; params.ingest.faults bears as many")
    first = [] if os.environ.get("IGARAPE_DATA") else [f"export IGARAPE_DATA='{root}'"]
    click.echo("\n".join([f"{path} is written. Read it, then type:", *first, f"igarape use {name}", "make repro"]))


def _quietly(done: int, total: int) -> None:
    """Report to nobody."""


def _draft(
    workspace: Workspace, name: str, images: str, *, tags: str | None, found: Discovery, bands: Sequence[str]
) -> Draft:
    """Put together what was found."""
    vocabulary, looks = found.vocabulary, found.looks
    params = suitable_params(
        experiments=sorted(path.stem for path in workspace.experiments.glob("*.yaml")),
        rare=bool(vocabulary.rare),
        units=len(found.groups) or found.chips,
        largest=max(found.groups.values(), default=1) / found.chips,
        scenes=bool(found.groups),
    )
    return Draft(
        name=name,
        images=images,
        tags=tags,
        columns=found.survey.columns,
        separator=found.survey.separator,
        bands=bands,
        white=looks.white,
        resize=looks.resize,
        size=looks.size,
        exclusive=vocabulary.exclusive,
        alone=vocabulary.alone,
        common=vocabulary.common,
        rare=vocabulary.rare,
        params=params,
    )


def _listed(workspace: Workspace, root: Path, draft: Draft) -> Listing:
    """List the chips as ingest will."""
    dataset = validate(Dataset, yaml.safe_load(draft_text(draft)), f"{workspace.datasets}/{draft.name}.yaml")
    source = dataset.source
    if not isinstance(source, FolderSource):
        raise TypeError(source)
    return open_source(
        root,
        images=source.images,
        tags=source.tags,
        unlabelled=(),
        vocabulary=dataset.labels.vocabulary(),
        columns=source.columns.model_dump(),
        separator=dataset.labels.separator,
        spool=workspace.spool.with_name("spool-add"),
        report=_quietly,
    )
