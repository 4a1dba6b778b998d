"""add: chips of one's own by one command; what it writes, `use`, ingest and split take as it is."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifs

from igarape.chips.pictures import encode_jpeg
from igarape.config.datasets import FolderSource, read_dataset
from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.stages import add, ingest, split, use
from igarape.tables import HOLDOUT, read_catalog, read_folds, truth
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
COUNT = 40


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project; 40 chips lie in IGARAPE_DATA/mine/a."""
    here = Workspace(tmp_path)
    for part in ("datasets", "experiments"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    for number in range(COUNT):
        put(here, f"a/c_{number}.jpg", picture(number))
    return here


def picture(seed: int, height: int = 32, width: int = 32) -> bytes:
    """Encode a picture of noise."""
    return encode_jpeg(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8), 90)


def put(here: Workspace, name: str, data: bytes) -> None:
    """Write a file of the data set."""
    path = here.root / "chips/mine" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def tags(number: int) -> list[str]:
    """Return a chip's labels."""
    return ["Floresta densa", *(["água"] if number % 2 else []), *(["estrada"] if number % 3 else [])]


def run(here: Workspace, **how: Any) -> str:
    """Add the chips, use them, and pack and split them; return the data set's YAML."""
    add.run(here, "mine", images=here.root / "chips/mine/a", **how)
    use.run(here, "mine")
    ingest.run(here)
    split.run(here)
    return (here.root / "datasets/mine.yaml").read_text(encoding="utf-8")


def packed(here: Workspace) -> list[list[bool]]:
    """Return the truth of the packed chips in the order of their numbers, for the labels of tags()."""
    labels = read_dataset("mine", here.datasets).labels.vocabulary().labels
    catalog = read_catalog(here.catalog(), labels).set_index("image_id")
    found = truth(catalog.loc[[f"c_{number}" for number in range(COUNT)]], labels)
    return [[bool(row[labels.index(label)]) for label in ("Floresta densa", "água", "estrada")] for row in found]


EXPECTED = [[True, number % 2 > 0, number % 3 > 0] for number in range(COUNT)]
TABLES = {
    "semicolons": ["image_name,tags", *[f"c_{n}.jpg,{'; '.join(tags(n))}" for n in range(COUNT)]],
    "commas": ["file;labels", *[f"c_{n};{','.join(tags(n))}" for n in range(COUNT)]],
    "lists": ["name,classes", *[f'c_{n}.tif,"{tags(n)}"' for n in range(COUNT)]],
    "a row for each label": ["image,label", *[f"c_{n},{tag}" for n in range(COUNT) for tag in tags(n)]],
    "one-hot": [
        "image,Floresta densa,água,estrada",
        *[f"c_{n},1,{n % 2},{int(n % 3 > 0)}" for n in range(COUNT)],
    ],
}


@pytest.mark.parametrize("table", TABLES)
def test_whatever_the_table_looks_like_the_same_chips_are_packed(
    project: Workspace, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One command writes the data set, the next uses it, and the stream's first steps run."""
    put(project, "t.csv", "\n".join(TABLES[table]).encode())
    run(project, tags=project.root / "chips/mine/t.csv")
    assert packed(project) == EXPECTED
    params = read_params(project.params)
    assert params.dataset == "mine" and params.split.by == "chip" and "tabular" in params.experiments
    out = capsys.readouterr().out
    assert (
        "3 labels on 40 chips" in out
        and "datasets/mine.yaml is written" in out
        and "igarape use mine\nmake repro" in out
    )


def test_a_file_in_cocos_format_is_a_table_too(project: Workspace) -> None:
    """With pictures that say where they lie."""
    names = ["Floresta densa", "água", "estrada"]
    content = {
        "images": [{"id": n, "file_name": f"a/c_{n}.jpg", "scene": f"s{n // 4}"} for n in range(COUNT)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": 0, "image_id": n, "category_id": names.index(tag)} for n in range(COUNT) for tag in tags(n)
        ],
    }
    put(project, "coco.json", json.dumps(content).encode())
    run(project, tags=project.root / "chips/mine/coco.json")
    assert packed(project) == EXPECTED and read_params(project.params).split.by == "scene"


def test_a_folder_for_each_label_needs_no_table(project: Workspace) -> None:
    """The labels exclude each other."""
    for number in range(COUNT):
        kind = ("Annual Crop", "River")[number % 2]
        (project.root / f"chips/mine/a/{kind}").mkdir(exist_ok=True)
        (project.root / f"chips/mine/a/c_{number}.jpg").rename(project.root / f"chips/mine/a/{kind}/c_{number}.jpg")
    run(project, tags=None)
    assert read_dataset("mine", project.datasets).labels.exclusive == ("Annual Crop", "River")
    assert len(read_folds(project.folds)) == COUNT


def test_scenes_stay_together_and_the_tables_test_rows_are_held_out(project: Workspace) -> None:
    """Where the table has such columns."""
    part = ["train", "train", "val", "test"]
    rows = [f"c_{n},{';'.join(tags(n))},{n // 4},{part[n // 4 % 4]}" for n in range(COUNT)]
    put(project, "t.csv", "\n".join(["image_name,tags,scene,split", *rows]).encode())
    run(project, tags=project.root / "chips/mine/t.csv")
    folds = read_folds(project.folds).set_index("image_id")["fold"]
    held = {f"c_{n}" for n in range(COUNT) if n // 4 % 4 == 3}
    assert set(folds.index[folds == HOLDOUT]) == held
    assert all(folds[[f"c_{n}" for n in range(4 * scene, 4 * scene + 4)]].nunique() == 1 for scene in range(10))


def test_what_has_no_partner_is_told_and_borne(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """So that the first step does not stop at what was said already."""
    rows = [f"c_{n},{';'.join(tags(n))}" for n in range(2, COUNT)]
    put(project, "t.csv", "\n".join(["image_name,tags", *rows, "gone,estrada"]).encode())
    run(project, tags=project.root / "chips/mine/t.csv")
    assert read_params(project.params).ingest.faults == 3
    assert "left out: gone: has tags in t.csv, but no picture in a" in capsys.readouterr().out


def test_what_a_row_or_a_picture_lacks_is_told_as_ingest_will_tell_it(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flag that is none, a file that is no picture, one of one colour: ingest leaves out as many as are borne."""
    rows = TABLES["one-hot"][1:]
    put(project, "t.csv", "\n".join([TABLES["one-hot"][0], *rows[:7], "c_7,1,2,1", *rows[8:]]).encode())
    put(project, "a/c_8.jpg", b"text")
    put(project, "a/c_9.jpg", encode_jpeg(np.zeros((32, 32, 3), np.uint8), 90))
    run(project, tags=project.root / "chips/mine/t.csv")
    assert read_params(project.params).ingest.faults == 3
    out = capsys.readouterr().out
    assert "left out: c_7: column água holds '2', expected 0 or 1" in out
    assert "left out: c_8: expected a JPEG" in out and "left out: c_9: shows one colour only" in out
    assert "add: 3 left out, as" in out and "37 chips packed, 3 left out" in out


def test_a_blank_in_the_column_of_a_split_is_not_passed_over(project: Workspace) -> None:
    """It would be dealt to wherever chance has it, and all others with it."""
    rows = [f"c_{n},{';'.join(tags(n))},{'' if n == 5 else 'test' if n % 4 == 0 else 'train'}" for n in range(COUNT)]
    put(project, "t.csv", "\n".join(["image_name,tags,split", *rows]).encode())
    with pytest.raises(InputError, match=r"t\.csv: split: c_5: expected train, val or test, found ''"):
        run(project, tags=project.root / "chips/mine/t.csv")
    assert not (project.datasets / "mine.yaml").exists()


def test_sizes_bands_and_reflectances_are_found_out(project: Workspace) -> None:
    """Two sizes, four bands that the user names, 3,000 of 65,535."""
    shutil.rmtree(project.root / "chips/mine/a")
    rng = np.random.default_rng(2)
    for number in range(COUNT):
        side = 40 if number % 5 else 48
        put(project, f"a/c_{number}.tif", tifs.written(rng.integers(0, 3000, (side, side, 4), dtype=np.uint16)))
    put(project, "t.csv", "\n".join(TABLES["semicolons"]).encode())
    with pytest.raises(InputError, match=r"source\.bands"):
        run(project, tags=project.root / "chips/mine/t.csv")
    run(project, tags=project.root / "chips/mine/t.csv", bands="blue, green,red,nir")
    dataset = read_dataset("mine", project.datasets)
    assert isinstance(dataset.source, FolderSource) and dataset.size == 40
    assert (dataset.source.resize, dataset.source.bands) == ("fit", ("blue", "green", "red", "nir"))
    assert dataset.source.white is not None and abs(dataset.source.white - 3000) < 100


def test_a_data_set_is_not_overwritten_unless_told(project: Workspace) -> None:
    """Somebody may have changed it."""
    put(project, "t.csv", "\n".join(TABLES["semicolons"]).encode())
    how: dict[str, Any] = {"images": project.root / "chips/mine/a", "tags": project.root / "chips/mine/t.csv"}
    (project.root / "datasets/mine.yaml").write_text("# mine\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"datasets/mine\.yaml: is there already\. .*--force"):
        add.run(project, "mine", **how)
    assert (project.root / "datasets/mine.yaml").read_text(encoding="utf-8") == "# mine\n"
    add.run(project, "mine", **how, force=True)
    assert read_dataset("mine", project.datasets).size == 32


def test_without_igarape_data_the_line_to_type_is_printed(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typed, all goes on."""
    monkeypatch.delenv("IGARAPE_DATA")
    put(project, "t.csv", "\n".join(TABLES["semicolons"]).encode())
    add.run(project, "mine", images=project.root / "chips/mine/a", tags=project.root / "chips/mine/t.csv")
    typed = re.search("export IGARAPE_DATA='(.*)'", capsys.readouterr().out)
    assert typed and typed[1] == str(project.root / "chips/mine")
    monkeypatch.setenv("IGARAPE_DATA", typed[1])
    use.run(project, "mine")
    ingest.run(project)
    assert packed(project) == EXPECTED
