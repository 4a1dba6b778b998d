"""Drafting: from what was discovered to a data set, and a trial of it before anybody uses it."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from igarape.chips.sources.discovery import Discovery
from igarape.chips.sources.listing import Listing, open_source
from igarape.config.datasets import Dataset, FolderSource
from igarape.config.drafts import Draft, draft_text, suitable_params
from igarape.config.schema import validate
from igarape.errors import InputError
from igarape.progress import Report


def draft_dataset(
    found: Discovery, name: str, *, images: str, tags: str | None, bands: Sequence[str], experiments: Sequence[str]
) -> Draft:
    """Put together what was found.

    Parameters
    ----------
    found
        What was discovered of pictures and table.
    name
        Of the data set.
    images, tags
        Where both lie, from the root of data sets on; no tags where folders name the labels.
    bands
        What the user calls those of TIFs.
    experiments
        The names of those that there are.
    """
    vocabulary, looks = found.vocabulary, found.looks
    params = suitable_params(
        experiments=experiments,
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
        spellings=found.spellings,
        bands=bands,
        white=looks.white,
        resize=looks.resize,
        size=looks.size,
        resolution=looks.metres,
        exclusive=vocabulary.exclusive,
        alone=vocabulary.alone,
        common=vocabulary.common,
        rare=vocabulary.rare,
        params=params,
    )


def list_draft(draft: Draft, root: Path, *, where: str, spool: Path, report: Report) -> Listing:
    """List the chips of a draft as ingest will.

    Parameters
    ----------
    draft
        The data set.
    root
        Of data sets' paths.
    where
        What an error about the draft begins with.
    spool, report
        As open_source takes them.

    Raises
    ------
    InputError
        When more is left over than fits together, and as open_source does.
    """
    dataset = validate(Dataset, yaml.safe_load(draft_text(draft)), where)
    source = dataset.source
    if not isinstance(source, FolderSource):
        raise TypeError(source)
    listing = open_source(
        root,
        images=source.images,
        tags=source.tags,
        unlabelled=(),
        vocabulary=dataset.labels.vocabulary(),
        columns=source.columns.model_dump(),
        separator=dataset.labels.separator,
        spellings=dataset.labels.spellings,
        spool=spool,
        report=report,
    )
    lost = [fault for fault in listing.faults if fault.left_out]
    if len(lost) > len(listing.chips):
        one = f"{lost[0].image_id}: {lost[0].problem}"
        raise InputError(
            f"{len(lost)} rows and pictures are left over, {len(listing.chips)} fit together. The first: {one}. "
            "Pictures without a row may lie in a folder of their own, which source.unlabelled names"
        )
    return listing
