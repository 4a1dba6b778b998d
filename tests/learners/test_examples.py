"""What a learner is taught: the chips of the folds table, in its order, at the learner's size."""

import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import tiny

from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import open_shard
from igarape.config.kinds import Experiment
from igarape.errors import InputError
from igarape.learners.examples import Examples, load_examples, outside
from igarape.tables import write_table
from igarape.workspace import Workspace

LABELS = ("tree", "pond")
GREYS = {"a": 10, "b": 90, "c": 170, "d": 250}
FOLDS = pd.DataFrame({"image_id": ["c", "a", "d", "b"], "fold": [0, 1, -1, 0]})


def experiment(size: int, chips: Literal["raw", "nir"] = "raw") -> Experiment:
    """Make an experiment of a size."""
    return tiny.tiny(size=size, chips=chips)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Pack four grey chips and a test chip without labels; tree: a and c, pond: d."""
    folder = tmp_path / "data" / "ingest"
    places = []
    with open_shard(folder / "shard-00000.tar") as shard:
        for image_id, grey in {**GREYS, "unlabelled": 0}.items():
            places.append(shard.add(image_id, encode_jpeg(np.full((64, 64, 3), grey, dtype=np.uint8), 95)))
    catalog = pd.DataFrame(places, columns=["shard", "offset", "length"])
    catalog.insert(0, "image_id", [*GREYS, "unlabelled"])
    catalog["split"] = ["train"] * 4 + ["test"]
    catalog["group"] = ["north", "north", "south", "south", "none"]
    catalog["y_pond"] = [0, 0, 0, 1, 0]
    catalog["y_tree"] = [1, 0, 1, 0, 0]
    write_table(catalog, folder / "catalog.parquet")
    write_table(FOLDS, tmp_path / "data/split/folds.parquet")
    groups = catalog.loc[catalog["split"] == "train", ["image_id", "group"]]
    write_table(groups, tmp_path / "data/split/groups.parquet")
    return folder


def load(
    store: Path, *, size: int = 32, labels: tuple[str, ...] = LABELS, chips: Literal["raw", "nir"] = "raw"
) -> Examples:
    """Load the examples."""
    workspace = Workspace(store.parents[1])
    return load_examples(workspace, experiment(size, chips), labels=labels, report=lambda *_count: None)


def test_everything_stands_in_the_order_of_the_folds_table(store: Path) -> None:
    """A picture, its truth, its fold and its group are one chip's, whatever the order of the store."""
    examples = load(store)
    assert examples.image_ids == ["c", "a", "d", "b"]
    assert examples.folds.tolist() == [0, 1, -1, 0]
    assert examples.groups == ["south", "north", "south", "north"]
    assert examples.images.mean(axis=(1, 2, 3)).round().tolist() == [GREYS[image_id] for image_id in "cadb"]
    assert examples.y.tolist() == [[True, False], [True, False], [False, True], [False, False]]


def test_the_columns_of_the_truth_are_the_learners_labels(store: Path) -> None:
    """A rare-label learner gets its labels alone, by name, not by place in the catalog."""
    assert load(store, labels=("pond",)).y.tolist() == [[False], [False], [True], [False]]


@pytest.mark.parametrize("size", [32, 96])
def test_pictures_have_the_experiments_size(store: Path, size: int) -> None:
    """Smaller or larger than the chip."""
    images = load(store, size=size).images
    assert images.shape == (4, size, size, 3)
    assert images.dtype == np.uint8


def test_the_rows_outside_a_fold_are_neither_its_own_nor_the_hold_outs(store: Path) -> None:
    """What a model of that fold may learn from."""
    examples = load(store)
    assert outside(examples.folds, 0).tolist() == [1]
    assert outside(examples.folds, 1).tolist() == [0, 3]


def test_a_chip_of_the_folds_that_the_store_lacks_is_named(store: Path) -> None:
    """Folds of another data set do not fit."""
    write_table(
        pd.concat([FOLDS, pd.DataFrame({"image_id": ["z", "y"], "fold": [0, 1]})]),
        store.parent / "split/folds.parquet",
    )
    with pytest.raises(InputError, match=r"ingest: y and 1 more chips of .*split are not in it.*dvc repro"):
        load(store)
    shutil.copytree(store, store.parent / "nir")
    with pytest.raises(InputError, match=r"y and 1 more chips .*needs a TIF of each labelled chip.*faults\.parquet"):
        load(store, chips="nir")


def test_progress_counts_the_chips(store: Path) -> None:
    """Each chip read is reported."""
    heard: list[tuple[int, int]] = []
    load_examples(Workspace(store.parents[1]), experiment(32), labels=LABELS, report=lambda *count: heard.append(count))
    assert heard[-1] == (4, 4)


def test_the_digest_is_that_of_everything_a_learner_is_taught(store: Path) -> None:
    """The same again gives the same; another size, label, fold, group or picture gives another."""
    split = store.parent / "split"
    before = load(store)
    assert before.digest == load(store).digest
    found = [before.digest, load(store, size=64).digest, load(store, labels=("tree",)).digest]
    found.append(load(store, labels=("pond", "tree")).digest)
    write_table(FOLDS.assign(fold=[1, 0, -1, 0]), split / "folds.parquet")
    found.append(load(store).digest)
    write_table(FOLDS, split / "folds.parquet")
    groups = pd.read_parquet(split / "groups.parquet")
    write_table(groups.assign(group="everywhere"), split / "groups.parquet")
    found.append(load(store).digest)
    write_table(groups, split / "groups.parquet")
    catalog = pd.read_parquet(store / "catalog.parquet")
    write_table(catalog.assign(y_tree=[0, 0, 1, 0, 0]), store / "catalog.parquet")
    found.append(load(store).digest)
    places = ["shard", "offset", "length"]
    catalog.loc[[0, 1], places] = catalog.loc[[1, 0], places].to_numpy()
    write_table(catalog, store / "catalog.parquet")
    found.append(load(store).digest)
    assert len(set(found)) == len(found) == 8


def test_pictures_are_shared_by_all_learners_of_a_size(store: Path) -> None:
    """They are mapped from one file, which labels and folds have no part in."""
    load(store)
    write_table(FOLDS.assign(fold=0), store.parent / "split/folds.parquet")
    assert isinstance(load(store, labels=("pond",)).images.base, np.memmap)
    assert len(list((store.parent / ".resized/ingest").glob("*.npy"))) == 1
