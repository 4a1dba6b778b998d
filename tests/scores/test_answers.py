"""The answers table: it says again what was put into it, and is refused when it is none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streams import LABELS, answers

from igarape.errors import InputError
from igarape.scores.answers import read_answers
from igarape.tables import write_table


def test_it_says_again_what_was_put_into_it(tmp_path: Path) -> None:
    """Labels too that begin as its own columns do; their order stays."""
    stream = replace(answers(), labels=("sun", "p_fog", "y_a_tree", "image_id"))
    write_table(stream.table(), tmp_path / "answers.parquet")
    found = read_answers(tmp_path / "answers.parquet")
    assert (found.dataset, found.labels, found.image_ids) == ("toy", stream.labels, stream.image_ids)
    for name in ("pixels", "folds", "y", "p", "answers"):
        mine, theirs = getattr(stream, name), getattr(found, name)
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs)


Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="pixels"), "expected a column 'pixels'"),
        (
            lambda table: table.drop(columns="a_fog"),
            r"expected the answers to chips, found no column 'a_fog'\. Run: dvc",
        ),
        (lambda table: table.drop(columns=[f"p_{label}" for label in LABELS]), "found 120 chips, 0 labels"),
        (lambda table: table.iloc[:0], "found 0 chips, 4 labels"),
        (lambda table: table.assign(p_fog=np.float32(1.5)), r"probabilities: expected 0\.\.1"),
        (lambda table: table.assign(p_fog="0.5"), r"probabilities: expected 0\.\.1"),
        (lambda table: table.assign(pixels="7"), "pixels: expected whole numbers"),
        (lambda table: table.assign(a_fog=2), "truth and answers: expected 0 or 1"),
        (lambda table: table.assign(dataset=["toy"] * 60 + ["other"] * 60), "dataset: expected one, found other, toy"),
        (lambda table: pd.concat([table, table[:1]]), "chip-000 stands twice"),
    ],
)
def test_what_is_no_answers_table_is_refused(tmp_path: Path, change: Change, message: str) -> None:
    """With the file's name."""
    write_table(change(answers().table()), tmp_path / "answers.parquet")
    with pytest.raises(InputError, match=rf"answers\.parquet: .*{message}"):
        read_answers(tmp_path / "answers.parquet")
