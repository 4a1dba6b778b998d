"""ingest: check and pack the data set's chips. The source that the data set names -> data/ingest/."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pandas as pd

from igarape.chips.catalog import build_catalog, fault_table
from igarape.chips.chip import Chip
from igarape.chips.drawn import DrawnChip, draw_chips, haze_table
from igarape.chips.sources import open_folder
from igarape.errors import InputError
from igarape.files import fresh_folder
from igarape.params import Dataset, DrawnSource, FolderSource, data_root, read_dataset, read_params, workers
from igarape.progress import progress
from igarape.tables import Fault, write_table

FOLDER = Path("data/ingest")
FAULTS = FOLDER / "faults.parquet"
SHOWN = 10


def run() -> None:
    """Pack all chips; stop when more had to be left out than ingest.faults bears."""
    params = read_params()
    dataset = read_dataset(params.dataset)
    if isinstance(dataset.source, DrawnSource):
        catalog, faults = _pack_drawn(dataset, dataset.source, params.seed)
    else:
        catalog, faults = _pack_folder(dataset, dataset.source)
    write_table(fault_table(faults), FAULTS)
    _bear(faults, params.ingest.faults)
    if not (catalog["split"] == "train").any():
        raise InputError(f"{FOLDER}: no labelled chip is left; {len(faults)} faults stand in {FAULTS}")
    write_table(catalog, FOLDER / "catalog.parquet")
    left_out = sum(fault.left_out for fault in faults)
    reported = len(faults) - left_out
    click.echo(f"ingest: {len(catalog)} chips packed, {left_out} left out, {reported} other faults reported")


def _pack_drawn(dataset: Dataset, source: DrawnSource, seed: int) -> tuple[pd.DataFrame, list[Fault]]:
    """Draw the chips, and keep the truth about their haze in haze.parquet."""
    drawn: list[DrawnChip] = []

    def chips() -> Iterator[Chip]:
        for one in draw_chips(source.chips, source.side, seed=seed, size=dataset.size, workers=workers()):
            drawn.append(one)
            yield one.chip

    with progress("ingest: drawing chips", "chip") as report:
        packed = _pack(chips(), source.chips, dataset, report)
    write_table(haze_table(drawn), FOLDER / "haze.parquet")
    return packed


def _pack_folder(dataset: Dataset, source: FolderSource) -> tuple[pd.DataFrame, list[Fault]]:
    """Pack the chips of a folder."""
    root = data_root()
    found = open_folder(
        root / source.images,
        root / source.tags,
        unlabelled=None if source.unlabelled is None else root / source.unlabelled,
        vocabulary=dataset.labels.vocabulary(),
    )
    with progress("ingest: packing chips", "chip") as report:
        catalog, faults = _pack(found.chips(), len(found), dataset, report)
    return catalog, [*found.faults, *faults]


def _pack(
    chips: Iterator[Chip], count: int, dataset: Dataset, report: Callable[[int, int], None]
) -> tuple[pd.DataFrame, list[Fault]]:
    """Pack chips into data/ingest, which is emptied first."""
    fresh_folder(FOLDER)
    return build_catalog(
        chips,
        FOLDER,
        vocabulary=dataset.labels.vocabulary(),
        size=dataset.size,
        report=lambda done: report(done, count),
    )


def _bear(faults: Sequence[Fault], most: int) -> None:
    """Refuse more left-out chips than params.yaml bears; the error lists the first of them."""
    left_out = [fault for fault in faults if fault.left_out]
    if len(left_out) <= most:
        return
    lines = [f"  {fault.image}: {fault.problem}; {fault.remedy}" for fault in left_out[:SHOWN]]
    more = [f"  and {len(left_out) - SHOWN} more, in {FAULTS}"] if len(left_out) > SHOWN else []
    advice = f"Mend the source, or raise ingest.faults in params.yaml to {len(left_out)}. Then: dvc repro ingest"
    raise InputError("\n".join([f"{FOLDER}: {len(left_out)} chips left out, {most} are borne", *lines, *more, advice]))
