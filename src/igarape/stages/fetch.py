"""fetch: download a data set's files from Kaggle, through its own client. -> $IGARAPE_DATA/DATASET/."""

import click

from igarape.chips.sources.kaggle import SITE, download, find_client
from igarape.config.datasets import data_root, read_dataset
from igarape.config.schema import check_name
from igarape.errors import InputError
from igarape.workspace import Workspace


def run(workspace: Workspace, dataset: str) -> None:
    """Download the files that datasets/DATASET.yaml lists under fetch; those that are there are kept.

    Each one takes its name when it is whole. Raises InputError that says what to do, and which files can be placed by
    hand.
    """
    wanted = read_dataset(check_name(dataset, "planet"), workspace.datasets).fetch
    if wanted is None:
        raise InputError(
            f"{workspace.datasets}/{dataset}.yaml: has no fetch section, so there is nothing to download; "
            "docs/data.md says which files the data set expects"
        )
    folder = data_root() / dataset
    missing = [name for name in wanted.files if not (folder / name).exists()]
    by_hand = f"Or download {', '.join(missing)} from {SITE}/c/{wanted.competition}/data by hand into {folder}"
    if missing:
        folder.mkdir(exist_ok=True)
        client = find_client(by_hand)
        for name in missing:
            download(client, wanted.competition, name, folder, by_hand)
    click.echo(f"{folder}: {', '.join(wanted.files)} are there, {len(missing)} of them new")
