"""ingest: a folder or drawn chips in, packed chips with a catalog and a table of faults out."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifs
import yaml
from toy_dataset import drawn, write_dataset

from igarape.chips.pictures import Resize, decode, encode_jpeg, to_size
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.files import write_text
from igarape.stages import code, ingest, split
from igarape.tables import FAULT, read_catalog, read_table, truth
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": ["kiln"]}
HOW: tuple[Resize, ...] = ("fit", "crop", "pad")
NAMES = ["sun", "fog", "tree", "kiln"]
FOLDER = {"kind": "folder", "images": "toy/train", "tags": "toy/tags.csv", "unlabelled": "toy/test", "nir": []}
REFUSED = "data/ingest-faults.parquet"
ROWS = ["a,sun tree", "b,fog", "c,sun kiln kiln"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project whose data set lies in a folder: three labelled chips and one without labels."""
    here = Workspace(tmp_path)
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    settings(here, FOLDER, size=16, faults=0)
    rng = np.random.default_rng(0)
    for name in ("train/a", "train/b", "train/c", "test/t"):
        put(here, f"{name}.jpg", encode_jpeg(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8), 90))
    tag(here, *ROWS)
    return here


def settings(
    here: Workspace, source: dict[str, Any], *, size: int, faults: int, labels: dict[str, Any] | None = None
) -> None:
    """Write params.yaml and the data set."""
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for name, value in (("dataset", "toy"), ("  faults", str(faults))):
        params = re.sub(f"(?m)^{name}: \\S+", f"{name}: {value}", params)
    here.params.write_text(params, encoding="utf-8")
    write_dataset(here, source, labels or LABELS, size=size)


def put(here: Workspace, name: str, data: bytes) -> None:
    """Write a file of the data set."""
    path = here.root / "chips/toy" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def tag(here: Workspace, *rows: str) -> None:
    """Write the CSV."""
    put(here, "tags.csv", "\n".join(["image_name,tags", *rows, ""]).encode())


def faults(here: Workspace, path: str = "data/ingest/faults.parquet") -> pd.DataFrame:
    """Read the faults table."""
    return read_table(here.root / path, FAULT, key=("image_id", "problem"))


def test_a_folder_is_packed_and_listed(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes unchanged, labels as booleans, the unlabelled chip as a test chip; nothing is at fault."""
    ingest.run(project)
    catalog = read_catalog(project.catalog(), NAMES)
    assert list(catalog["image_id"]) == ["a", "b", "c", "t"]
    assert list(catalog["split"]) == ["train", "train", "train", "test"]
    assert truth(catalog, NAMES).astype(int).tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]]
    store = Store(project.chips("raw"), catalog)
    assert store.bytes("b") == (project.root / "chips/toy/train/b.jpg").read_bytes()
    assert store.bytes("t") == (project.root / "chips/toy/test/t.jpg").read_bytes()
    assert len(faults(project)) == 0
    assert "ingest: 4 chips packed, 0 left out, 0 other faults reported" in capsys.readouterr().out


def test_the_same_source_gives_the_same_bytes(project: Workspace) -> None:
    """DVC would rerun all that follows otherwise."""
    found = []
    for _ in range(2):
        ingest.run(project)
        found.append({path.name: path.read_bytes() for path in (project.root / "data/ingest").iterdir()})
    assert found[0] == found[1] and set(found[0]) == {
        "catalog.parquet",
        "corrections.parquet",
        "faults.parquet",
        "fingerprints.parquet",
        *(f"shard-0000{number}.tar" for number in range(4)),
    }


def test_what_an_earlier_run_left_is_gone(project: Workspace) -> None:
    """A shard more would be packed with the data set."""
    (project.root / "data/ingest").mkdir(parents=True)
    (project.root / "data/ingest/shard-00009.tar").write_bytes(b"old")
    ingest.run(project)
    assert not (project.root / "data/ingest/shard-00009.tar").exists()


def spoil(here: Workspace) -> None:
    """Put one fault of each kind beside the three sound chips: eight are left out, two are only reported."""
    rng = np.random.default_rng(1)
    sound = encode_jpeg(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8), 90)
    put(here, "train/truncated.jpg", sound[: len(sound) // 2])
    put(here, "train/text.jpg", b"no picture")
    put(here, "train/flat.jpg", encode_jpeg(np.full((16, 16, 3), 7, np.uint8), 90))
    put(here, "train/large.jpg", encode_jpeg(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), 90))
    put(here, "train/untagged.jpg", sound)
    put(here, "train/misspelt.jpg", sound)
    put(here, "train/torn.jpg", sound)
    put(here, "test/dark.jpg", encode_jpeg(np.zeros((16, 16, 3), np.uint8), 90))
    rows = [f"{name},sun" for name in ("truncated", "text", "flat", "large", "gone")]
    tag(here, *ROWS, *rows, "misspelt,sum", "torn,sun fog", "a,tree sun")


LEFT_OUT = {"truncated", "text", "flat", "large", "untagged", "gone", "misspelt", "dark"}


def test_faults_that_are_borne_are_reported_and_the_rest_is_packed(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unsound chips are left out; a chip that breaks the weather's rules, or stands twice, is kept."""
    spoil(project)
    settings(project, FOLDER, size=16, faults=8)
    ingest.run(project)
    catalog = read_catalog(project.catalog(), NAMES)
    assert set(catalog["image_id"]) == {"a", "b", "c", "t", "torn"}
    table = faults(project)
    assert set(table.loc[table["left_out"], "image_id"]) == LEFT_OUT
    kept = dict(table.loc[~table["left_out"], ["image_id", "problem"]].to_numpy().tolist())
    assert kept == {
        "torn": "exactly one of sun, fog should hold, found fog, sun",
        "a": "stands twice in tags.csv, with the same tags",
    }
    assert (table[["problem", "remedy"]] != "").all(axis=None)
    assert "5 chips packed, 8 left out, 2 other faults reported" in capsys.readouterr().out


def test_chips_of_the_same_pixels_are_reported_and_kept(project: Workspace) -> None:
    """Whatever their files are called, and whichever set they belong to."""
    twin = (project.root / "chips/toy/train/a.jpg").read_bytes()
    put(project, "train/z.jpg", twin)
    put(project, "test/u.jpg", twin)
    tag(project, *ROWS, "z,fog")
    ingest.run(project)
    assert len(read_catalog(project.catalog(), NAMES)) == 6
    table = faults(project)
    assert list(table["image_id"]) == ["z", "u"] and not table["left_out"].any()
    assert set(table["problem"]) == {"shows the same pixels as a"}


def test_more_faults_than_are_borne_stop_the_step(project: Workspace) -> None:
    """The error lists them and says both ways out; the faults table stands beside, until a run is not refused."""
    spoil(project)
    settings(project, FOLDER, size=16, faults=7)
    with pytest.raises(InputError) as caught:
        ingest.run(project)
    message = str(caught.value)
    assert message.startswith(f"{project.folder('ingest')}: 8 chips left out, at most 7 may be\n")
    for image_id in LEFT_OUT:
        assert re.search(rf"\n  (\S+, )*{image_id}(, \S+)*: ", message)
    assert "  large: expected 16 x 16, found 32 x 32; " in message and "did you mean sun?" in message
    assert "That is no fault of single chips: 5 of 13 can be used." in message and "raise ingest.faults" not in message
    assert set(faults(project, REFUSED)["image_id"]) == {*LEFT_OUT, "torn", "a"}
    assert not project.catalog().exists()
    settings(project, FOLDER, size=16, faults=8)
    ingest.run(project)
    assert project.catalog().exists() and not (project.root / REFUSED).exists()


def test_what_was_packed_outlives_a_source_that_has_lost_its_pictures(project: Workspace) -> None:
    """A run that is refused takes nothing away."""
    ingest.run(project)
    before = {path.name: path.read_bytes() for path in project.folder("ingest").iterdir()}
    for name in "ab":
        (project.root / f"chips/toy/train/{name}.jpg").unlink()
    with pytest.raises(InputError, match="2 chips left out, at most 0 may be"):
        ingest.run(project)
    assert {path.name: path.read_bytes() for path in project.folder("ingest").iterdir()} == before
    assert len(faults(project, REFUSED)) == 2


def test_tags_that_are_separated_otherwise_stop_the_step_before_any_chip_is_left_out(project: Workspace) -> None:
    """With the key to write; written, they are read."""
    tag(project, 'a,"sun,tree"', "b,fog", "c,sun")
    with pytest.raises(InputError, match=r"under labels, separator: comma$"):
        ingest.run(project)
    settings(project, FOLDER, size=16, faults=0, labels=LABELS | {"separator": "comma"})
    ingest.run(project)
    catalog = read_catalog(project.catalog(), NAMES)
    assert truth(catalog, NAMES).astype(int).tolist()[0] == [1, 0, 1, 0]


def test_what_a_foreign_exception_says_is_the_same_in_each_run(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an object's address nor the machine's folders get into what is hashed."""
    put(project, "train/header.png", b"\x89PNG\r\n\x1a\n")
    put(project, "train/tif.tif", b"II*\0")
    put(project, "test/a.jpg", (project.root / "chips/toy/train/a.jpg").read_bytes())
    tag(project, *ROWS, "header,sun", "tif,sun")
    settings(project, FOLDER, size=16, faults=3)
    tables = []
    shutil.copytree(project.root / "chips", project.root / "elsewhere")
    for folder in ("chips", "elsewhere"):
        monkeypatch.setenv("IGARAPE_DATA", str(project.root / folder))
        ingest.run(project)
        tables.append((project.root / "data/ingest/faults.parquet").read_bytes())
    assert tables[0] == tables[1]
    assert not any(word in text for text in faults(project)["problem"] for word in ("0x", str(project.root)))


def test_chips_of_several_sizes_are_resized_where_the_data_set_says_how(project: Workspace) -> None:
    """They are packed as PNG; those of the right size as they are."""
    large = encode_jpeg(np.random.default_rng(3).integers(0, 256, (24, 40, 3), dtype=np.uint8), 90)
    put(project, "train/c.jpg", large)
    for how in HOW:
        settings(project, FOLDER | {"resize": how}, size=16, faults=0)
        ingest.run(project)
        store = Store(project.chips("raw"), read_catalog(project.catalog(), NAMES))
        assert (store.rgb("c") == to_size(decode(large, "c"), 16, resize=how)).all()
        assert store.bytes("c").startswith(b"\x89PNG") and store.bytes("a").startswith(b"\xff\xd8")


def deep(here: Workspace, most: int) -> None:
    """Write the labelled chips anew as TIFs of 16 bits and of four bands, blue first, that nobody names."""
    rng = np.random.default_rng(5)
    for name in "abc":
        (here.root / f"chips/toy/train/{name}.jpg").unlink(missing_ok=True)
        put(here, f"train/{name}.tif", tifs.written(rng.integers(0, most, (16, 16, 4), dtype=np.uint16)))


def test_reflectances_need_a_white_and_bands_need_names(project: Workspace) -> None:
    """Each stops the step with what to write; as written, the chips are as bright as they should be."""
    deep(project, 3000)
    with pytest.raises(InputError, match=r"nothing says which of them is red.*source\.bands(.|\n)*1 of 4 can be used"):
        ingest.run(project)
    named = FOLDER | {"bands": ["blue", "green", "red", "nir"]}
    settings(project, named, size=16, faults=0)
    with pytest.raises(InputError, match=r"3 chips of 16 bits, nearly black.*source, white: 3\d\d\d;"):
        ingest.run(project)
    settings(project, named | {"white": 3000}, size=16, faults=0)
    ingest.run(project)
    store = Store(project.chips("raw"), read_catalog(project.catalog(), NAMES))
    data = (project.root / "chips/toy/train/a.tif").read_bytes()
    assert (store.rgb("a") == decode(data, "a", bands=named["bands"], white=3000)).all() and store.rgb("a").max() > 250
    assert not (project.root / "data/ingest/levels.parquet").exists()


def test_labels_may_be_called_as_columns_and_hold_any_letters(project: Workspace) -> None:
    """Through ingest and split; the columns of the program stay what they are."""
    odd = ["water", "image", "image_id", "length", "group", "split", "Floresta densa, úmida"]
    labels = {"separator": "semicolon", "exclusive": [], "alone": [], "common": odd, "rare": []}
    settings(project, FOLDER, size=16, faults=0, labels=labels)
    rng = np.random.default_rng(6)
    for number in range(30):
        put(project, f"train/n{number}.jpg", encode_jpeg(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8), 90))
    rows = [f'n{number},"{odd[number % 7]};{odd[(number + 1) % 7]}"' for number in range(30)]
    tag(project, *rows, *[f"{name},water" for name in "abc"])
    ingest.run(project)
    split.run(project)
    catalog = read_catalog(project.catalog(), odd)
    assert catalog["image_id"].iloc[3] == "n0" and set(catalog["split"]) == {"train", "test"}
    assert truth(catalog, odd)[3].tolist() == [True, True, *[False] * 5]
    assert len(read_table(project.folds, ["image_id", "fold"])) == 33


def test_chips_that_break_the_rules_do_not_stop_the_step(project: Workspace) -> None:
    """None is left out, so none has to be borne."""
    tag(project, "a,sun fog", "b,fog tree", "c,")
    ingest.run(project)
    assert list(faults(project)["image_id"]) == ["a", "b", "c"] and not faults(project)["left_out"].any()
    assert len(read_catalog(project.catalog(), NAMES)) == 4


def test_corrections_change_the_catalog_and_nothing_else(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures stay, byte for byte; a chip that keeps the rules again is no fault; an empty list is none."""
    tag(project, "a,sun tree", "b,fog tree", "c,sun kiln")
    packed: list[dict[str, bytes]] = []
    listed = project.corrections("toy")
    for text in ("", "image_id,label,from,to\nc,tree,0,1\nb,tree,1,0\n", "image_id,label,from,to\n"):
        if text:
            listed.write_text(text, encoding="utf-8")
        ingest.run(project)
        packed.append({path.name: path.read_bytes() for path in project.folder("ingest").iterdir()})
        if len(packed) == 2:
            catalog = read_catalog(project.catalog(), NAMES)
            assert truth(catalog, NAMES).astype(int).tolist()[:3] == [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 1]]
            assert faults(project).empty and f"2 labels corrected: {listed}" in capsys.readouterr().out
        else:
            assert list(faults(project)["image_id"]) == ["b"]
    assert packed[0] == packed[2]
    changed = {name for name, data in packed[1].items() if data != packed[0][name]}
    assert changed == {"catalog.parquet", "faults.parquet", "corrections.parquet"}


def test_a_list_that_changes_while_dvc_is_at_work_is_told(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC knows the list that the step code saw: it would keep the chips of the new one as those of that."""
    monkeypatch.setenv("DVC_STAGE", "ingest")
    for path in (project.corrections("toy"), project.code("corrections")):
        write_text("image_id,label,from,to\n", path)
    ingest.run(project)
    write_text("image_id,label,from,to\nc,tree,0,1\n", project.corrections("toy"))
    with pytest.raises(InputError, match=r"toy\.corrections\.csv: has changed since dvc repro began"):
        ingest.run(project)


def test_a_correction_that_the_source_contradicts_stops_the_step(project: Workspace) -> None:
    """What was packed stays; so does one of a chip that is gone. Both name the list and what to do."""
    ingest.run(project)
    before = project.catalog().read_bytes()
    listed = project.corrections("toy")
    for row, message in (
        ("a,tree,0,1", r"the source says by itself what 1 of 1 corrections should change\. Remove .*\n  a, tree$"),
        ("z,tree,0,1", "unknown chip 'z'"),
    ):
        listed.write_text(f"image_id,label,from,to\n{row}\n", encoding="utf-8")
        with pytest.raises(InputError, match=rf"toy\.corrections\.csv: {message}"):
            ingest.run(project)
    assert project.catalog().read_bytes() == before


def test_a_data_set_without_a_sound_labelled_chip_is_an_error(project: Workspace) -> None:
    """However many faults are borne: there is nothing to learn from."""
    for name in "abc":
        put(project, f"train/{name}.jpg", b"text")
    settings(project, FOLDER, size=16, faults=100)
    with pytest.raises(InputError, match=r"no labelled chip is left; 3 faults: see \S+/data/ingest-faults\.parquet"):
        ingest.run(project)
    assert len(faults(project, REFUSED)) == 3


def test_without_its_source_the_step_stops_before_it_touches_anything(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IGARAPE_DATA not set, its folder gone, or the data set's folder gone: what was packed before still stands."""
    ingest.run(project)
    before = (project.root / "data/ingest/catalog.parquet").read_bytes()
    settings(project, FOLDER | {"images": "elsewhere"}, size=16, faults=0)
    with pytest.raises(InputError, match="no pictures found; looked for elsewhere"):
        ingest.run(project)
    monkeypatch.setenv("IGARAPE_DATA", str(project.root / "gone"))
    with pytest.raises(InputError, match=r"IGARAPE_DATA=.*gone: no such folder"):
        ingest.run(project)
    monkeypatch.delenv("IGARAPE_DATA")
    with pytest.raises(InputError, match="IGARAPE_DATA is not set"):
        ingest.run(project)
    assert (project.root / "data/ingest/catalog.parquet").read_bytes() == before


def test_chips_that_have_changed_since_are_told_by_the_first_step(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what to write; once it is written, or without the chips, or before they are packed, nothing is said."""
    shutil.copytree(ROOT / "experiments", project.experiments)

    def told() -> str:
        capsys.readouterr()
        code.run(project)
        return capsys.readouterr().err

    assert told() == ""
    ingest.run(project)
    assert told() == ""
    tag(project, *ROWS[:-1], "c,tree kiln")
    put(project, "train/d.jpg", b"more")
    changed = (
        "toy/tags.csv is not what it was; toy/train holds 4 files, it held 3. The stream goes on with what was packed."
    )
    assert changed in told()
    monkeypatch.delenv("IGARAPE_DATA")
    assert told() == ""
    monkeypatch.setenv("IGARAPE_DATA", str(project.root / "chips"))
    assert f"write version: 2 below source: in {project.datasets}/toy.yaml, and type again: dvc repro" in told()
    settings(project, FOLDER | {"version": 2}, size=16, faults=1)
    assert told() == ""
    ingest.run(project)
    assert told() == ""


def test_a_csv_without_the_columns_stops_the_step(project: Workspace) -> None:
    """The error names the file."""
    put(project, "tags.csv", b"name,label\na,sun\n")
    with pytest.raises(InputError, match=r"toy/tags\.csv: expected the columns image_name, tags, found name, label"):
        ingest.run(project)


def test_drawn_chips_are_packed_with_the_truth_about_their_haze(project: Workspace) -> None:
    """They need no IGARAPE_DATA; a row of haze for each chip, in the same order."""
    labels = yaml.safe_load((ROOT / "datasets/drawn.yaml").read_text(encoding="utf-8"))["labels"]
    write_dataset(project, drawn(20), labels, size=32)
    ingest.run(project)
    catalog = read_catalog(project.catalog(), labels["exclusive"])
    haze = read_table(project.root / "data/ingest/haze.parquet", ["image_id", "t_00", "t_33", "airlight_r"])
    assert list(haze["image_id"]) == list(catalog["image_id"]) and len(catalog) == 20
    assert Store(project.chips("raw"), catalog).rgb(str(catalog["image_id"][19])).shape == (32, 32, 3)
    assert (catalog.groupby("group").size() == 4).all()
    clear = haze["image_id"].isin(catalog.loc[catalog["y_haze"] == 0, "image_id"])
    assert (haze.loc[clear, "t_00"] == 1).all()


@pytest.mark.thorough
def test_a_killed_step_goes_on_where_it_stopped(project: Workspace) -> None:
    """Whenever it is killed, and however often: the bytes are those of a run that nobody disturbed."""
    labels = yaml.safe_load((ROOT / "datasets/drawn.yaml").read_text(encoding="utf-8"))["labels"]
    write_dataset(project, drawn(96), labels, size=32)
    words = [sys.executable, "-c", "from igarape.cli import main; main()", "ingest"]
    folder, notes = project.root / "data/ingest", project.root / "data/.unfinished/ingest"
    finished = 0
    for least in (1, 4, 9):
        with subprocess.Popen(words, cwd=project.root, env=os.environ | {"IGARAPE_WORKERS": "2"}) as running:
            while len(list(notes.glob("*/notes/shard-*"))) < least:
                time.sleep(0.01)
            running.kill()
        assert not folder.exists()
        assert len(list(notes.glob("*/notes/shard-*"))) > finished
        finished = least
    ingest.run(project)
    disturbed = {path.name: path.read_bytes() for path in folder.iterdir()}
    ingest.run(project)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == disturbed
