"""What the page of the data shows, gathered from tables; tests/stages/test_describe.py looks at the page itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.chips.corrections import correction_table
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.reports.survey import FOUND, gather
from igarape.tables import FAULT, PLACE, write_table
from igarape.workspace import Workspace

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree",), rare=("kiln",))


@pytest.fixture
def there(tmp_path: Path) -> Workspace:
    """Give a project in which four chips were packed, dehazed and dealt, the last one without labels."""
    here = Workspace(tmp_path)
    ids = [f"chip-{row}" for row in range(4)]
    place = pd.DataFrame(dict.fromkeys(PLACE, 0), index=range(4)).assign(image_id=ids, shard="s", group=ids)
    place["split"] = ["train", "train", "holdout", "test"]
    write_table(place.assign(y_tree=[1, 0, 1, 0], y_kiln=[0, 1, 0, 0]), here.catalog())
    write_table(pd.DataFrame({"image_id": ids[:3], "fold": [0, 1, -1]}), here.folds)
    write_table(pd.DataFrame({"image_id": pd.Series([], dtype=str)}), here.aside)
    quality = pd.DataFrame({name: np.linspace(0, 1, 4) for name in FOUND}).assign(image_id=ids)
    write_table(quality[::-1], here.chips("dehazed") / "quality.parquet")
    write_table(pd.DataFrame([("chip-0", "odd", "look", True)], columns=FAULT), here.chips("raw") / "faults.parquet")
    write_table(correction_table({("chip-1", "kiln"): True}), here.applied)
    pairs = [("chip-0", "chip-1", "alike", 2.0), ("chip-0", "chip-3", "alike", 1.0)]
    columns = ["image_id", "other", "kind", "distance"]
    write_table(pd.DataFrame(pairs, columns=columns), here.folder("split") / "pairs.parquet")
    return here


def test_tables_come_in_the_order_of_the_catalog(there: Workspace) -> None:
    """Whatever order they were written in; what the data set holds out is labelled too."""
    found = gather(there, VOCABULARY)
    assert list(found.quality.index) == list(found.catalog.index) == [f"chip-{row}" for row in range(4)]
    assert found.labelled.tolist() == [True, True, True, False]
    assert found.corrected == 1
    assert found.y.tolist() == [[True, False], [False, True], [True, False], [False, False]]


def test_pairs_come_nearest_first_and_lie_apart_only_between_labelled_chips(there: Workspace) -> None:
    """A chip without labels lies in no part of the split."""
    pairs = gather(there, VOCABULARY).pairs
    assert list(zip(pairs["other"], pairs["apart"], strict=True)) == [("chip-3", False), ("chip-1", True)]


def test_a_labelled_chip_without_a_fold_is_an_error(there: Workspace) -> None:
    """It is named, with what to run."""
    write_table(pd.DataFrame({"image_id": ["chip-0", "chip-1"], "fold": [0, 1]}), there.folds)
    with pytest.raises(InputError, match=r"folds\.parquet: chip-2 is labelled, but has no fold\. Run: dvc repro split"):
        gather(there, VOCABULARY)


def test_dehazed_chips_of_another_data_set_are_an_error(there: Workspace) -> None:
    """After `igarape use` by hand: they are told by the first chip that is missed."""
    path = there.chips("dehazed") / "quality.parquet"
    write_table(pd.read_parquet(path).query("image_id != 'chip-1'"), path)
    with pytest.raises(InputError, match=r"quality\.parquet: chip-1 is not in it: .*Run: dvc repro dehaze"):
        gather(there, VOCABULARY)
