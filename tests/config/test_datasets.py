"""datasets/: what a data set's YAML may hold, and where its chips are looked for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.config.datasets import Dataset, FolderSource, data_root, read_dataset
from igarape.config.schema import validate
from igarape.errors import InputError

LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": []}
DRAWN = {
    "source": {"kind": "drawn", "chips": 40, "side": 2},
    "note": "",
    "resolution": None,
    "size": 64,
    "labels": LABELS,
    "params": {},
}
FOLDER: dict[str, Any] = {"kind": "folder", "images": "a", "tags": "b", "unlabelled": None, "nir": []}


def test_a_data_set_gives_the_vocabulary() -> None:
    """Column order is exclusive, common, rare."""
    vocabulary = validate(Dataset, DRAWN, "datasets/toy.yaml").labels.vocabulary()
    assert vocabulary.labels == ("sun", "fog", "tree")
    assert vocabulary.alone == ("fog",)


@pytest.mark.parametrize(
    ("nir", "sets"),
    [([], ()), (None, ()), ("tifs", (("tifs",),)), (["a", ["b", "c.tar.7z"]], (("a",), ("b", "c.tar.7z")))],
)
def test_the_sets_of_tifs_are_one_path_or_several_to_choose_from(nir: Any, sets: tuple[tuple[str, ...], ...]) -> None:
    """As those of unlabelled pictures; drawn chips have none."""
    assert validate(Dataset, DRAWN | {"source": FOLDER | {"nir": nir}}, "datasets/toy.yaml").tifs == sets
    assert validate(Dataset, DRAWN, "datasets/toy.yaml").tifs == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": {"kind": "drwan"}}, "kind should be drawn or folder"),
        ({"source": {"kind": "drawn", "chips": 40, "sid": 2}}, "source.sid   is not known; did you mean source.side"),
        ({"source": {"kind": "folder", "images": "a", "tags": "b", "nir": []}}, "source.unlabelled  is missing"),
        ({"source": {"kind": "folder", "images": "a", "tags": "b", "unlabelled": []}}, "source.nir  is missing"),
        ({"source": FOLDER | {"images": []}}, "source.images  should hold at least 1 values"),
        ({"source": FOLDER | {"images": "/a"}}, "source.images.0  should be a path from IGARAPE_DATA on"),
        ({"source": FOLDER | {"tags": ["b", "a/../../b"]}}, "source.tags.1  should be a path from IGARAPE_DATA on"),
        ({"source": FOLDER | {"unlabelled": [["c", 3]]}}, "source.unlabelled.0.1  should be a valid string"),
        ({"source": FOLDER | {"nir": ["/tifs"]}}, "source.nir.0.0  should be a path from IGARAPE_DATA on"),
        ({"fetch": {"competition": "c", "files": ["../a"]}}, "fetch.files.0  should match"),
        ({"labels": LABELS | {"rare": ["tree"]}}, "should hold each label once; tree stands twice"),
        ({"labels": {name: [] for name in LABELS}}, "should hold at least one label"),
        ({"labels": LABELS | {"alone": ["tree"]}}, "alone should be a part of exclusive"),
        (
            {"labels": LABELS | {"thin": {"tre": 5}}},
            "thin should name labels of these lists; tre is none; did you mean tree?",
        ),
        (
            {"labels": LABELS | {"spellings": {"Tree": "tre"}}},
            "spellings should name labels of these lists; tre is none",
        ),
        (
            {"labels": LABELS | {"spellings": {"fog": "tree"}}},
            "spellings should be of no label; fog stands in these lists too",
        ),
        ({"labels": LABELS | {"thin": {"tree": 1}}}, "labels.thin.tree  should be at least 2"),
        (
            {"labels": LABELS | {"rare": ["two words"]}},
            "separator should be one that no label holds; 'two words' holds a blank",
        ),
        ({"labels": LABELS | {"rare": [""]}}, "labels.rare.0  should match"),
        ({"labels": LABELS | {"rare": [" a"]}}, "labels.rare.0  should match"),
        ({"labels": LABELS | {"rare": ["a\nb"]}}, "labels.rare.0  should match"),
        ({"labels": LABELS | {"separator": ";"}}, "labels.separator  should be 'blank', 'comma', 'semicolon'"),
        ({"source": FOLDER | {"bands": ["red", "green"]}}, "source.bands  should name red, green and blue once each"),
        ({"source": FOLDER | {"white": 0}}, "source.white  should be at least 1"),
        ({"source": FOLDER | {"resize": "stretch"}}, "source.resize  should be 'fit', 'crop', 'pad' or 'refuse'"),
        ({"source": FOLDER | {"columns": {"scene": "x"}}}, "source.columns.scene  is not known"),
        ({"labels": LABELS | {"rare": [True]}}, "labels.rare.0  should be a valid string"),
        ({"size": 8}, "size  should be at least 16"),
        ({"sise": 8}, "sise  is not known; did you mean size"),
    ],
)
def test_a_faulty_data_set_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """Each fault names its place in the data set's YAML."""
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(DRAWN | changes), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_dataset("toy", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'toy.yaml'}: ")
    assert words in str(caught.value)


def test_how_pictures_are_read_has_defaults_that_change_nothing() -> None:
    """No band is named, 16 bits are taken whole, and other sizes are refused; drawn chips are the same."""
    plain = {"resize": "refuse", "bands": (), "white": None}
    assert validate(Dataset, DRAWN, "toy").reading == plain
    assert validate(Dataset, DRAWN | {"source": FOLDER}, "toy").reading == plain
    told = FOLDER | {"resize": "fit", "bands": ["blue", "green", "red"], "white": 3000, "tags": None}
    dataset = validate(Dataset, DRAWN | {"source": told}, "toy")
    assert dataset.reading == {"resize": "fit", "bands": ("blue", "green", "red"), "white": 3000}
    assert isinstance(dataset.source, FolderSource) and dataset.source.tags == ()


def test_labels_hold_any_letters_that_do_not_separate_them() -> None:
    """BigEarthNet's hold blanks and commas."""
    labels = LABELS | {"separator": "semicolon", "rare": ["Land principally occupied by agriculture, with água"]}
    assert validate(Dataset, DRAWN | {"labels": labels}, "toy").labels.vocabulary().rare[0].endswith("água")


@pytest.mark.parametrize(
    ("written", "unlabelled"),
    [
        ({"images": "a", "tags": "b", "unlabelled": None}, ()),
        ({"images": ["a"], "tags": ["b"], "unlabelled": "c"}, (("c",),)),
        ({"images": ["a"], "tags": ["b"], "unlabelled": ["c", ["d", "e"]]}, (("c",), ("d", "e"))),
    ],
)
def test_one_path_may_stand_where_several_can(written: dict[str, Any], unlabelled: tuple[tuple[str, ...], ...]) -> None:
    """Then it is the only one that is looked for; null is no set of unlabelled chips."""
    source = validate(Dataset, DRAWN | {"source": {"kind": "folder", "nir": []} | written}, "datasets/toy.yaml").source
    assert isinstance(source, FolderSource)
    assert (source.images, source.tags, source.unlabelled) == (("a",), ("b",), unlabelled)


def test_an_unknown_data_set_suggests_a_known_one(tmp_path: Path) -> None:
    """A misspelled name meets the files that are there."""
    (tmp_path / "ucmerced.yaml").write_text(yaml.safe_dump(DRAWN), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"ucmerzed\.yaml: not found; did you mean ucmerced\?.* igarape add ucmerzed --images"
    ):
        read_dataset("ucmerzed", tmp_path)


def test_the_data_root_is_igarape_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of chips is a fact of the machine."""
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path))
    assert data_root() == tmp_path


def test_without_igarape_data_the_error_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not set, or set to nothing, is the same."""
    monkeypatch.delenv("IGARAPE_DATA", raising=False)
    with pytest.raises(InputError, match=r"IGARAPE_DATA is not set.*export IGARAPE_DATA="):
        data_root()
    monkeypatch.setenv("IGARAPE_DATA", "")
    with pytest.raises(InputError, match="IGARAPE_DATA is not set"):
        data_root()


def test_igarape_data_has_to_be_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder is named with the variable."""
    for name in ("gone", "gone" * 150):
        monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / name))
        with pytest.raises(InputError, match=r"IGARAPE_DATA=.*gone: no such folder"):
            data_root()
