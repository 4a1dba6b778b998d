"""split: deal the labelled chips into folds and a hold-out. data/ingest/catalog.parquet -> data/split/folds.parquet."""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from igarape.chips.split import make_folds
from igarape.files import fresh_folder
from igarape.params import read_dataset, read_params
from igarape.tables import HOLDOUT, read_catalog, write_table

FOLDER = Path("data/split")


def run() -> None:
    """Stratify by labels; by scene, chips of one group stay together."""
    params = read_params()
    labels = list(read_dataset(params.dataset).labels.vocabulary().labels)
    catalog = read_catalog(Path("data/ingest/catalog.parquet"), labels)
    rows = catalog[catalog["split"] == "train"]
    fold = make_folds(
        rows[labels].to_numpy().astype(np.bool_),
        list(rows["group"] if params.split.by == "scene" else rows["image"]),
        folds=params.split.folds,
        holdout=params.split.holdout,
        seed=params.seed,
    )
    fresh_folder(FOLDER)
    write_table(pd.DataFrame({"image": rows["image"].to_numpy(), "fold": fold}), FOLDER / "folds.parquet")
    click.echo(f"split: {(fold >= 0).sum()} chips in {params.split.folds} folds, {(fold == HOLDOUT).sum()} held out")
