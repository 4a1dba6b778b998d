"""Reviews and the list of corrections: each row means one thing, and a row that means none is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.chips.review import (
    correction_text,
    read_corrections,
    read_review,
    revise,
    write_corrections,
)
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import label_columns

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=("kiln",))
HEAD = "image_id,label,given,review"
SOURCE = pd.DataFrame({"image_id": list("abt"), "split": ["train", "train", "test"]})
SOURCE[label_columns(VOCABULARY.labels)] = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])

Listed = dict[tuple[str, str], bool]


def review(folder: Path, *rows: str, head: str = HEAD) -> Path:
    """Write a review."""
    path = folder / "review.csv"
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return path


def revised(path: Path, listed: Listed, *, undo: bool = False) -> tuple[Listed, tuple[tuple[str, str], ...]]:
    """Bring a review into a list."""
    found = revise(listed, read_review(path), SOURCE, vocabulary=VOCABULARY, undo=undo, where="review.csv")
    return dict(found.corrections), found.idle


def test_change_turns_a_label_round_and_nothing_else_does(tmp_path: Path) -> None:
    """Kept and open rows are counted; other columns, capitals and blanks do not matter."""
    path = review(
        tmp_path, "a,kiln,0,0.9, Change ", "a,tree,1,0.2,keep", "b,fog,1,0.3,", head=HEAD.replace("given", "given,p")
    )
    found = read_review(path)
    assert (found.changes, found.kept, found.open) == ({("a", "kiln"): True}, {("a", "tree"): True}, 1)


def test_what_a_spreadsheet_makes_of_it_is_read(tmp_path: Path) -> None:
    """A mark at the start, semicolons, quotes, decimal commas, rows of nothing."""
    path = tmp_path / "review.csv"
    head, row = b'\xef\xbb\xbf"image_id";"label";"given";p;"review"', b'"a";"kiln";"0";0,93;"change"'
    path.write_bytes(b"\r\n".join([head, row, b";;;;", b" ; ;;;", b""]))
    assert read_review(path).changes == {("a", "kiln"): True}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a,kiln,0,changed"], r"a, kiln: Write into .* nobody looked\. Found 'changed'; did you mean change\?$"),
        (["a,kiln,0,1"], "a, kiln: Write into .*Found '1'; known are: change, keep"),
        (["a,kiln,maybe,change"], "a, kiln: column given: expected 0 or 1, found 'maybe'"),
        (["a,kiln,0,change", "a,kiln,0,keep"], "a, kiln: one row says that it holds, another that it does not"),
        (["a,kiln,0,change", "a,kiln,1,change"], "a, kiln: one row says that it holds"),
        (["a,kiln,0,keep", "a,tree,1,"], "no row says change. Write into the column review"),
        ([], "no row says change"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    """With the file, the chip and the label."""
    path = review(tmp_path, *rows)
    with pytest.raises(InputError, match=message) as caught:
        read_review(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_file_that_is_no_review_is_refused(tmp_path: Path) -> None:
    """One that is not there, is a folder, is no text, or has other columns."""
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read: No such file"):
        read_review(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_review(tmp_path)
    with pytest.raises(InputError, match="expected the columns image_id, label, given, review, found image_id, label"):
        read_review(review(tmp_path, "a,kiln", head="image_id,label"))
    (tmp_path / "odd.csv").write_bytes(b"image_id,label,given,review\n\xff,a,0,change\n")
    with pytest.raises(InputError, match=r"odd\.csv: not a CSV that can be read"):
        read_review(tmp_path / "odd.csv")


def test_a_review_is_brought_in_and_undone(tmp_path: Path) -> None:
    """What was listed before stays; the second time nothing changes, which is told; undone, the list is as before."""
    path = review(tmp_path, "a,kiln,0,change", "a,tree,1,change", "a,kiln,0,change")
    listed = {("b", "sun"): True, ("b", "fog"): False}
    after, idle = revised(path, listed)
    assert after == listed | {("a", "kiln"): True, ("a", "tree"): False} and not idle
    assert revised(path, after) == (after, (("a", "kiln"), ("a", "tree")))
    assert revised(path, after, undo=True) == (listed, ())
    assert revised(path, listed, undo=True) == (listed, (("a", "kiln"), ("a", "tree")))


def test_a_label_that_is_changed_back_is_corrected_no_more(tmp_path: Path) -> None:
    """A later table gives it as corrected; a row of an old one, which the source has followed since, is told."""
    assert revised(review(tmp_path, "a,kiln,1,change"), {("a", "kiln"): True}) == ({}, ())
    assert revised(review(tmp_path, "a,tree,0,change"), {}) == ({}, (("a", "tree"),))


def test_what_is_kept_and_is_another_one_by_now_is_told(tmp_path: Path) -> None:
    """Two people reviewed, or the table is an old one: a label that somebody vouched for is not passed over."""
    path = review(tmp_path, "a,kiln,0,change", "a,tree,1,keep")
    assert revised(path, {}) == ({("a", "kiln"): True}, ())
    with pytest.raises(InputError, match=r"a, tree: keep says 1, but it is 0 by now.* change with 0 under given"):
        revised(path, {("a", "tree"): False})
    assert revised(path, {("a", "kiln"): True, ("a", "tree"): False}, undo=True)[0] == {("a", "tree"): False}
    with pytest.raises(InputError, match=r"unknown label 'tre'"):
        revised(review(tmp_path, "a,kiln,0,change", "a,tre,1,keep"), {})


@pytest.mark.parametrize("undo", [False, True])
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("z,kiln,0,change", "^review.csv: unknown chip 'z'"),
        ("a,killn,0,change", r"^review.csv: a: unknown label 'killn'; did you mean kiln\?"),
        ("t,kiln,0,change", "^review.csv: t is a chip without labels"),
    ],
)
def test_chips_and_labels_have_to_be_known(tmp_path: Path, row: str, message: str, undo: bool) -> None:
    """To be corrected, and to be undone."""
    with pytest.raises(InputError, match=message):
        revised(review(tmp_path, row), {}, undo=undo)


def test_labels_that_exclude_each_other_are_changed_together(tmp_path: Path) -> None:
    """One alone is refused, with what to add; a chip that broke the rules before may do so."""
    with pytest.raises(
        InputError, match=r"a: its labels would break .*exactly one of sun, fog should hold, found none"
    ):
        revised(review(tmp_path, "a,sun,1,change"), {})
    with pytest.raises(InputError, match=r"a: .*fog rules out every other label, found tree"):
        revised(review(tmp_path, "a,sun,1,change", "a,fog,0,change"), {})
    whole = review(tmp_path, "a,sun,1,change", "a,fog,0,change", "a,tree,1,change")
    after, _ = revised(whole, {})
    assert after == {("a", "sun"): False, ("a", "fog"): True, ("a", "tree"): False}
    with pytest.raises(InputError, match="break the rules"):
        revised(review(tmp_path, "a,sun,1,change"), after, undo=True)
    broken = SOURCE.assign(y_fog=1)
    found = revise(
        {}, read_review(review(tmp_path, "a,kiln,0,change")), broken, vocabulary=VOCABULARY, undo=False, where=""
    )
    assert found.corrections == {("a", "kiln"): True}


def test_the_list_is_written_sorted_and_an_empty_one_is_no_file(tmp_path: Path) -> None:
    """It reads as it was written; a list that is not there corrects nothing."""
    path = tmp_path / "toy.corrections.csv"
    corrections = {("b", "sun"): True, ("a", "tree"): False}
    write_corrections(corrections, path)
    assert path.read_text(encoding="utf-8") == "image_id,label,from,to\na,tree,1,0\nb,sun,0,1\n"
    assert read_corrections(path) == corrections
    assert correction_text(dict(reversed(corrections.items()))) == path.read_text(encoding="utf-8")
    write_corrections({}, path)
    assert not path.exists() and read_corrections(path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,label,to\na,sun,1\n", "expected the columns image_id, label, from, to, found"),
        ("image_id,label,from,to\na,sun,1,1\n", "a, sun: expected from and to to differ"),
        ("image_id,label,from,to\na,sun,1,no\n", "a, sun: column to: expected 0 or 1, found 'no'"),
        ("image_id,label,from,to\na,sun,1,0\na,sun,1,0\n", "a, sun: stands twice"),
        ("", "not a CSV that can be read"),
    ],
)
def test_a_list_that_was_spoiled_by_hand_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Before anything is packed."""
    path = tmp_path / "toy.corrections.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_corrections(path)


def test_a_review_of_another_data_set_is_refused(tmp_path: Path) -> None:
    """Two data sets may call their chips alike. A review that names none, as people write them, is of any."""
    path = review(tmp_path, "a,kiln,0,change,toy", "b,kiln,0,change,", head=f"{HEAD},dataset")
    assert len(read_review(path, "toy").changes) == len(read_review(path).changes) == 2
    with pytest.raises(InputError, match=r"review of mine, .* names toy\. .*igarape use toy, then dvc repro ingest"):
        read_review(path, "mine")
    assert read_review(review(tmp_path, "a,kiln,0,change"), "mine").changes == {("a", "kiln"): True}
