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
    groups = [str(row // 4) for row in range(120)]
    stream = replace(answers(), labels=("sun", "p_fog", "y_a_tree", "image_id"), groups=groups)
    write_table(stream.table(), tmp_path / "answers.parquet")
    found = read_answers(tmp_path / "answers.parquet")
    assert (found.dataset, found.labels, found.image_ids) == ("toy", stream.labels, stream.image_ids)
    for name in ("pixels", "folds", "y", "p", "answers"):
        mine, theirs = getattr(stream, name), getattr(found, name)
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs)
    assert found.groups == groups and found.rows(np.array([9, 3])).groups == ["2", "0"]


def test_chips_of_a_table_without_groups_are_each_alone(tmp_path: Path) -> None:
    """As those that an older igarape has written."""
    write_table(answers().table().drop(columns="group"), tmp_path / "answers.parquet")
    assert read_answers(tmp_path / "answers.parquet").groups == answers().image_ids


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


def test_the_hold_out_is_what_lies_in_no_fold() -> None:
    """Every fifth chip of the stream, with all that it says of them; rows are named by places or by a mask."""
    stream = answers()
    held = stream.holdout
    assert held.image_ids == stream.image_ids[::5] and (held.folds == -1).all()
    places = stream.rows(np.arange(0, 120, 5))
    for name in ("pixels", "y", "p", "answers"):
        assert np.array_equal(getattr(held, name), getattr(stream, name)[::5])
        assert np.array_equal(getattr(held, name), getattr(places, name))


def test_columns_go_with_their_labels() -> None:
    """Into another order, and back."""
    stream = answers()
    turned = stream.arranged(LABELS[::-1])
    assert turned.labels == LABELS[::-1] and np.array_equal(turned.p, stream.p[:, ::-1])
    assert np.array_equal(turned.arranged(LABELS).y, stream.y)


def test_a_digest_is_of_the_chips_and_of_what_holds() -> None:
    """Whatever is answered, and in whatever order; another name, another picture or another truth is another one."""
    stream = answers()
    same = stream.digest()
    for alike in (stream.rows(np.arange(120)[::-1]), stream.arranged(LABELS[::-1]), replace(stream, p=1 - stream.p)):
        assert alike.digest() == same
    names = [*stream.image_ids[:-1], "other"]
    pixels, truth = stream.pixels.copy(), stream.y.copy()
    pixels[3] += 1
    truth[5, 2] ^= True
    changed = (
        replace(stream, image_ids=names),
        replace(stream, pixels=pixels),
        replace(stream, y=truth),
        stream.rows(np.arange(119)),
        replace(stream, labels=("sun", "fog", "tree", "oven")),
    )
    assert len({same, *(each.digest() for each in changed)}) == 6
