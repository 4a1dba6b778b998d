"""params.yaml and datasets/: what they may hold, and the machine's facts in environment variables."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.configuration import validate
from igarape.errors import InputError
from igarape.params import Dataset, FolderSource, Params, data_root, read_dataset, read_params, workers

ROOT = Path(__file__).parents[1]
PARAMS: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": []}
DRAWN = {"source": {"kind": "drawn", "chips": 40, "side": 2}, "note": "", "size": 64, "labels": LABELS, "params": {}}
FOLDER: dict[str, Any] = {"kind": "folder", "images": "a", "tags": "b", "unlabelled": None, "nir": []}


def test_params_are_read_from_the_folder_we_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the error says where to go."""
    monkeypatch.chdir(ROOT)
    assert read_params().split.folds == PARAMS["split"]["folds"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"params\.yaml: not found in .*Run igarape in the project's folder"):
        read_params()


def test_faults_of_several_sections_come_together(tmp_path: Path) -> None:
    """Unknown keys, values out of bounds and wrong types are one error."""
    path = tmp_path / "params.yaml"
    bad = {"split": PARAMS["split"] | {"folds": 1, "shufle": True}, "stack": PARAMS["stack"] | {"use": "median"}}
    path.write_text(yaml.safe_dump(PARAMS | bad | {"sede": 3}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_params(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: 4 problems\n")
    assert "split.folds   should be at least 2 (got 1)" in text
    assert "split.shufle  is not known" in text
    assert "stack.use     should be 'best', 'mean' or 'xgboost' (got 'median')" in text
    assert "sede          is not known; did you mean seed?" in text


@pytest.mark.parametrize("section", [name for name, value in PARAMS.items() if isinstance(value, dict)])
def test_no_default_stands_in_code(section: str) -> None:
    """A knob left out is a fault: its value stands in params.yaml, and there only."""
    for knob in PARAMS[section]:
        less = {name: value for name, value in PARAMS[section].items() if name != knob}
        with pytest.raises(InputError, match=rf"{section}\.{knob}  is missing"):
            validate(Params, PARAMS | {section: less}, "params.yaml")


def test_an_experiment_is_listed_once() -> None:
    """The same learner twice would be two DVC stages of one name."""
    with pytest.raises(InputError, match="should name each experiment once"):
        validate(Params, PARAMS | {"experiments": ["plain", "plain"]}, "params.yaml")


@pytest.mark.parametrize("name", ["../plain", "Plain", "a b", ""])
def test_a_name_cannot_leave_its_folder(name: str) -> None:
    """Names of experiments and data sets become paths and DVC stages."""
    with pytest.raises(InputError, match="should match"):
        validate(Params, PARAMS | {"dataset": name}, "params.yaml")


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
        ({"labels": LABELS | {"rare": ["two words"]}}, "labels.rare.0  should match"),
        ({"labels": LABELS | {"rare": [""]}}, "labels.rare.0  should match"),
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
    with pytest.raises(InputError, match=r"ucmerzed\.yaml: not found; did you mean ucmerced\?"):
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
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"IGARAPE_DATA=.*gone: no such folder"):
        data_root()


def test_workers_are_igarape_workers_or_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number is a fact of the machine, never a parameter."""
    monkeypatch.setenv("IGARAPE_WORKERS", "3")
    assert workers() == 3
    monkeypatch.delenv("IGARAPE_WORKERS")
    assert workers() >= 1


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", ""])
def test_workers_are_a_whole_number_of_at_least_1(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Anything else is refused."""
    monkeypatch.setenv("IGARAPE_WORKERS", value)
    with pytest.raises(InputError, match=f"IGARAPE_WORKERS={value}: expected a whole number"):
        workers()
