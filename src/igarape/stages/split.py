"""split: deal the labelled chips into folds and a hold-out. data/ingest/ -> data/split/."""

from collections.abc import Sequence

import click
import numpy as np
import pandas as pd

from igarape.chips.corrections import in_source, read_applied
from igarape.chips.fingerprints import read_fingerprints
from igarape.chips.neighbours import KINDS, find_pairs, join, pair_tasks
from igarape.chips.thinning import ASIDE, thinned_folds
from igarape.cluster.spreading import seekers
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.errors import counted
from igarape.files import fresh_folder
from igarape.tables import HOLDOUT, Folds, labelled, read_catalog, truth, write_table
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Stratify by labels, near-duplicates together; by scene, neighbours and the data set's own groups too.

    The labels are those of the source: a corrected one moves no chip to another fold or out of the hold-out.
    """
    params = read_params(workspace.params)
    dataset = read_dataset(params.dataset, workspace.datasets)
    labels = dataset.labels.vocabulary().labels
    catalog = in_source(read_catalog(workspace.catalog(), labels), read_applied(workspace.applied))
    rows = catalog[labelled(catalog)]
    image_ids, scenes = list(rows["image_id"]), params.split.by == "scene"
    tasks = pair_tasks(len(image_ids), hamming=params.split.hamming, borders=scenes)
    with seekers(workspace, "split", tasks=tasks) as (executor, folder):
        pairs = find_pairs(
            read_fingerprints(workspace.chips("raw") / "fingerprints.parquet", image_ids),
            hamming=params.split.hamming,
            ratio=params.split.ratio,
            correlation=params.split.correlation,
            borders=scenes,
            executor=executor,
            folder=folder,
        )
    groups = join(image_ids, pairs, named=list(rows["group"]) if scenes else image_ids)
    target = fresh_folder(workspace.folder("split"))
    write_table(pairs, target / "pairs.parquet")  # first: where no split can be made, they are looked at
    fold = thinned_folds(
        truth(rows, labels),
        groups,
        split=params.split,
        labels=dataset.labels,
        seed=params.seed,
        held=np.asarray(rows["split"] == "holdout", dtype=np.bool_),
    )
    table = pd.DataFrame({"image_id": image_ids, "group": groups, "fold": fold})
    dealt = table[fold != ASIDE]
    write_table(dealt[["image_id", "group"]], target / "groups.parquet")
    write_table(table.loc[fold == ASIDE, ["image_id"]], workspace.aside)
    write_table(dealt[["image_id", "fold"]], workspace.folds)
    _say(dealt["fold"].to_numpy(), list(dealt["group"]), pairs)
    if len(dealt) < len(table):
        aside = counted(len(table) - len(dealt), "chip")
        click.echo(f"split: {aside} set aside, so that labels are as rare as labels.thin asks")
    if (rows["split"] == "holdout").any():
        _say_given(dealt["fold"].to_numpy(), list(dealt["group"]))


def _say_given(fold: Folds, groups: Sequence[str]) -> None:
    """Say that the data set chose the hold-out, and how many of its chips have a near relation in the folds."""
    parts = pd.Series(fold == HOLDOUT).groupby(np.asarray(groups))
    close = int((parts.transform("any") & ~parts.transform("all") & (fold == HOLDOUT)).sum())
    related = f"; {close} of its chips belong together with chips of the folds: their scores are optimistic"
    click.echo(
        "split: the hold-out is what the data set calls test, and split.holdout plays no part"
        f"{related if close else ''}"
    )


def _say(fold: Folds, groups: Sequence[str], pairs: pd.DataFrame) -> None:
    """Print how many chips went where, and what was kept together."""
    sizes = np.bincount(fold[fold != HOLDOUT])
    click.echo(f"split: {counted(int(sizes.sum()), 'chip')} in {len(sizes)} folds, {(fold == HOLDOUT).sum()} held out")
    click.echo(f"split: {', '.join(map(str, sizes))} chips in the folds")
    members = pd.Series(groups).value_counts()
    found = pairs["kind"].value_counts().reindex(list(KINDS), fill_value=0)
    alike, beside = (", ".join(f"{found[kind]} {kind}" for kind in kinds) for kinds in (KINDS[:2], KINDS[2:]))
    click.echo(
        f"split: {counted(len(members), 'group')}, the largest of {counted(int(members.iloc[0]), 'chip')}; "
        f"pairs: {alike}; neighbours: {beside}"
    )
