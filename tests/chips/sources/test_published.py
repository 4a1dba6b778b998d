"""A published split: the forms that it comes in, and what is wrong with one, in one line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from igarape.chips.sources.published import Published, read_split
from igarape.errors import InputError

SPLIT = Published(train=("a", "b", "c"), test=("d", "e"))
TABLES = {
    "a column split": "image_name,split\na,train\nb,val\nc,train\nd,test\ne,test\n",
    "a column part": "image,part\na,train\nb,validation\nc,training\nd,test\ne,TEST\n",
    "tags beside it": 'tags,image_name,split\n"clear primary",a,train\n,b,val\nx,c,train\ny,d,test\nz,e,test\n',
    "fields apart by semicolons": "image_name;split\na;train\nb;dev\nc;train\nd;test\ne;test\n",
    "names with folders and suffixes": "image_name,split\nx/a.jpg,train\nb.tif,val\nc,train\ny\\d.jpg,test\ne,test\n",
    "blanks, and no last line end": "image_name, split\n a , train\nb,val \n\nc,train\nd,test\ne,test",
}
HEAD = "IMAGE\\LABEL\tclear\tprimary\n"


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_a_table_has_a_column_of_the_parts(tmp_path: Path, text: str) -> None:
    """What is to validate on has been seen by whoever validates, so it counts as training; labels are not read."""
    path = tmp_path / "split.csv"
    path.write_text(text, encoding="utf-8")
    assert read_split(path) == SPLIT


@pytest.mark.parametrize("named", ["planetuas_train.csv", "planetuas_val.csv", "planetuas_test.csv"])
@pytest.mark.parametrize("head", [HEAD, HEAD.replace("IMAGE\\LABEL", "image")])
def test_aitlas_has_a_table_of_labels_for_each_part(tmp_path: Path, named: str, head: str) -> None:
    """Each is separated by tabs; whichever of the three is named, all are read."""
    for part, names in {"train": "ac", "val": "b", "test": "de"}.items():
        rows = "".join(f"{name}\t1\t0\n" for name in names)
        (tmp_path / f"planetuas_{part}.csv").write_text(head + rows, encoding="utf-8")
    found = read_split(tmp_path / named)
    assert set(found.train) == set(SPLIT.train) and found.test == SPLIT.test


def test_the_table_that_the_page_makes_of_aitlas_files_is_the_same_split(tmp_path: Path) -> None:
    """docs/verdict.md says how; `igarape add` takes that table with the labels in it."""
    for part, names in {"train": "ac", "val": "b", "test": "de"}.items():
        rows = "".join(f"{name}\t1\t0\n" for name in names)
        (tmp_path / f"planetuas_{part}.csv").write_text(HEAD + rows, encoding="utf-8")
    page = (Path(__file__).parents[3] / "docs/verdict.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "planetuas.csv").read_text().splitlines()[0] == "IMAGE\\LABEL,clear,primary,split"
    assert read_split(tmp_path / "planetuas.csv") == read_split(tmp_path / "planetuas_test.csv")


def test_lists_of_names_need_no_head(tmp_path: Path) -> None:
    """A name a line, with a head or without; a part for validation is not needed."""
    (tmp_path / "train.txt").write_text("a.jpg\nb.jpg\nc.jpg\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("image\nd\ne\n", encoding="utf-8")
    assert read_split(tmp_path / "test.txt") == SPLIT


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("image_name,split\na,train\na,test\n", "a stands twice: in train and in test"),
        ("image_name,split\na,train\na.jpg,train\nb,test\n", "a stands twice: in train and in train"),
        ("image_name,split\na,train\nb,tset\n", "b: expected train, val or test, found 'tset'"),
        ("image_name,split\na,train\n,test\n", "row 2 names no chip"),
        ("image_name,split\na,train\nb,val\n", "names 2 chips to train on and 0 to test on; expected some of both"),
        ("image_name,split\na,test\n", "names 0 chips to train on and 1 to test on"),
        ("name,split\na,train\n", "expected a column image_name or image, found name, split"),
        (
            "image_name,tags\na,clear\n",
            "expected a column split or part of train, val and test; or a file for each part",
        ),
        ("", "not a CSV that can be read"),
    ],
)
def test_what_is_no_split_is_refused_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """It names the file."""
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=problem) as caught:
        read_split(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_part_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Scores on a test whose training nobody knows would prove nothing."""
    path = tmp_path / "x_test.csv"
    with pytest.raises(InputError, match=r"x_test\.csv: cannot be read"):
        read_split(path)
    path.write_text("image\na\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"x_test\.csv: expected x_train\.csv beside it, found none"):
        read_split(path)
