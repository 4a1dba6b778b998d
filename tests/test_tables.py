"""The tables between the steps: each read checks them, and says where the fault is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.errors import InputError
from igarape.tables import PLACE, labelled, read_catalog, read_folds, read_groups, read_table, truth, write_table

FOLDS = pd.DataFrame({"image_id": ["a", "b", "c", "d"], "fold": [0, 1, 0, -1]})
LABELS = ("sun", "tree")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a table's file."""
    return tmp_path / "data" / "table.parquet"


def catalog(**columns: object) -> pd.DataFrame:
    """Make a catalog of two chips, with some columns replaced."""
    usual = {name: ["x", "y"] for name in PLACE} | {"image_id": ["a", "b"], "y_sun": [0, 1], "y_tree": [1, 1]}
    return pd.DataFrame(usual | columns)


def test_a_table_is_read_as_it_was_written(path: Path) -> None:
    """The rows, their order and their types survive."""
    table = catalog(p_sun=np.array([0.25, 1], dtype=np.float32))
    write_table(table, path)
    pd.testing.assert_frame_equal(read_table(path, ["image_id"]), table)


def test_a_missing_table_says_what_to_run(path: Path) -> None:
    """A step that comes too early names the file and the command."""
    with pytest.raises(InputError, match=r"table\.parquet: not found.*dvc repro"):
        read_table(path, ["image_id"])


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_a_table_that_is_cut_short_says_what_to_run(path: Path, content: bytes) -> None:
    """No traceback of the library that reads it."""
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"no Parquet, or cut short: .*Remove it, then: dvc repro"):
        read_table(path, ["image_id"])


def test_a_missing_column_is_named(path: Path) -> None:
    """The error shows what was expected and what was found."""
    write_table(FOLDS, path)
    with pytest.raises(InputError, match=r"table\.parquet: expected a column 'group', found image_id, fold"):
        read_table(path, ["image_id", "group"])


def test_a_hole_is_found_with_its_row(path: Path) -> None:
    """No NaN passes a read, in whatever column it stands."""
    write_table(FOLDS.assign(extra=[1.0, 2.0, np.nan, 4.0]), path)
    with pytest.raises(InputError, match="c: column 'extra' holds no value"):
        read_table(path, ["image_id"])


def test_a_row_twice_is_found(path: Path) -> None:
    """A chip stands once in a catalog or in the folds, and once for each learner in predictions."""
    write_table(pd.concat([FOLDS, FOLDS.iloc[[1]]]), path)
    with pytest.raises(InputError, match="b stands twice"):
        read_folds(path)


def test_a_catalog_holds_each_label_as_0_or_1(path: Path) -> None:
    """Truth is nothing in between."""
    write_table(catalog(), path)
    assert list(read_catalog(path, LABELS)["y_tree"]) == [1, 1]
    write_table(catalog(y_tree=[0, 2]), path)
    with pytest.raises(InputError, match="column 'y_tree' should hold 0 or 1"):
        read_catalog(path, LABELS)


def test_a_catalog_of_another_vocabulary_is_refused(path: Path) -> None:
    """Chips that were packed for other labels are not read as if they had these."""
    write_table(catalog(), path)
    with pytest.raises(InputError, match=r"expected a column 'y_pond', found .*Run: dvc repro$"):
        read_catalog(path, [*LABELS, "pond"])


def test_a_label_may_be_called_as_a_catalogs_own_column(path: Path) -> None:
    """Labels have a name space of their own: y_<label>."""
    write_table(catalog(image_id=["a", "b"], y_group=[0, 1], y_image_id=[1, 0]), path)
    found = read_catalog(path, ["group", "image_id"])
    assert list(found["group"]) == ["x", "y"] and list(found["image_id"]) == ["a", "b"]
    assert truth(found, ["group", "image_id"]).tolist() == [[False, True], [True, False]]


def test_chips_carry_labels_unless_they_are_test_chips() -> None:
    """A chip that the data set holds out is labelled too."""
    assert labelled(pd.DataFrame({"split": ["train", "holdout", "test"]})).tolist() == [True, True, False]


def test_folds_are_numbered_from_0_and_the_hold_out_is_minus_1(path: Path) -> None:
    """Another negative fold is a mistake."""
    write_table(FOLDS, path)
    pd.testing.assert_frame_equal(read_folds(path), FOLDS)
    write_table(FOLDS.assign(fold=[0, 1, -2, -1]), path)
    with pytest.raises(InputError, match="fold -2"):
        read_folds(path)


def test_groups_are_those_of_the_images_that_are_asked_for(path: Path) -> None:
    """In their order; a chip without one was not dealt."""
    write_table(pd.DataFrame({"image_id": ["a", "b", "c"], "group": ["a", "b", "a"]}), path)
    assert read_groups(path, ["c", "b"]) == ["a", "b"]
    with pytest.raises(InputError, match=r"holds no group of d\. Run: dvc repro split"):
        read_groups(path, ["a", "d"])
