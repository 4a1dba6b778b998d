"""nir: each chip that has a TIF gets its planes, and a row that says how well they lie over it."""

import re
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import py7zr
import pytest
import tifs
from toy_dataset import drawn, write_dataset

from igarape.chips.catalog import pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.nir import planes
from igarape.chips.pictures import bands, decode, encode_jpeg
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.stages import nir as stage
from igarape.tables import FAULT, read_catalog, read_table, write_table
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS: dict[str, list[str]] = {"exclusive": [], "alone": [], "common": ["tree"], "rare": []}
SIDE, MARGIN = 96, 12
SHIFTS = {0: (0, 0), 1: (1, -1), 2: (5, -4), 3: (-9, 0), 7: (0, 1), 8: (0, 0)}  # of the chips that have a sound TIF
ALIGNMENT = ["image_id", "dx", "dy", "response", "flagged"]
Pairs = dict[int, tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Draw nine chips: each one's JPEG and its TIF, which is shifted, or the first chip's, or spoiled."""
    found = {}
    for number, one in enumerate(draw_chips(range(9), 1, seed=4, size=SIDE + 2 * MARGIN)):
        dx, dy = SHIFTS.get(number, (0, 0))
        rgb, laid = tifs.cut(decode(one.chip.origin.read(), "scene"), margin=MARGIN, dx=dx, dy=dy)
        found[number] = (encode_jpeg(rgb, 90), tifs.written(laid, compression="deflate"))
        sound = laid
    spoiled = {4: tifs.written(sound[:, :, :3]), 5: tifs.written(sound[:80]), 6: found[6][1][:2000], 8: found[0][1]}
    return {number: (jpeg, spoiled.get(number, tif)) for number, (jpeg, tif) in found.items()}


@pytest.fixture
def project(pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project in which ingest has packed nine chips and one more, without a TIF, into three shards."""
    here = Workspace(tmp_path)
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    params = re.sub("(?m)^dataset: .*$", "dataset: toy", (ROOT / "params.yaml").read_text(encoding="utf-8"))
    here.params.write_text(params, encoding="utf-8")
    name_tifs(here, ["toy/tifs"])
    (here.root / "chips/toy/tifs").mkdir(parents=True)
    for number, (_, tif) in pairs.items():
        (here.root / f"chips/toy/tifs/chip-{number}.tif").write_bytes(tif)
    chips = [
        Chip(
            image_id=f"chip-{number}",
            split="train" if number % 4 else "test",
            group=f"scene-{number}",
            tags=("tree",) if number % 2 else (),
            origin=Encoded(jpeg),
        )
        for number, (jpeg, _) in (pairs | {9: pairs[1]}).items()
    ]
    vocabulary = Vocabulary(**{name: tuple(labels) for name, labels in LABELS.items()})
    parts = []
    for number, some in enumerate((chips[:4], chips[4:7], chips[7:])):
        with open_shard(here.root / f"data/ingest/shard-{number:05d}.tar") as shard:
            parts.append(pack_chips(some, shard, vocabulary=vocabulary, size=SIDE)["catalog"])
    write_table(pd.concat(parts), here.catalog())
    return here


def name_tifs(here: Workspace, sets: list[Any] | None, bands: list[str] | None = None) -> None:
    """Write the data set: chips in folders that go with these sets of TIFs, or drawn chips."""
    folder = {
        "kind": "folder",
        "images": "toy/train",
        "tags": "toy/tags.csv",
        "unlabelled": [],
        "nir": sets,
        "bands": bands or [],
    }
    write_dataset(here, drawn(20, side=1) if sets is None else folder, LABELS, size=SIDE)


def catalogs(here: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the catalogs of ingest and nir."""
    before, after = (
        read_catalog(here.root / "data" / step / "catalog.parquet", ["tree"]) for step in ("ingest", "nir")
    )
    return before, after


def alignment(here: Workspace) -> pd.DataFrame:
    """Read how the bands lie."""
    return read_table(here.root / "data/nir/alignment.parquet", ALIGNMENT).set_index("image_id")


def faults(here: Workspace) -> pd.DataFrame:
    """Read the faults."""
    return read_table(here.root / "data/nir/faults.parquet", FAULT, key=FAULT)


def written(project: Workspace) -> dict[str, bytes]:
    """Return the bytes of all files that the step wrote."""
    return {path.name: path.read_bytes() for path in (project.root / "data/nir").iterdir()}


def test_each_chip_with_a_sound_tif_gets_its_planes(
    project: Workspace, pairs: Pairs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without loss, of the TIF of its name, in the catalog's order; everything else in the catalog stays."""
    stage.run(project)
    before, after = catalogs(project)
    assert list(after["image_id"]) == [f"chip-{number}" for number in SHIFTS]
    store = Store(project.chips("nir"), after)
    for number in SHIFTS:
        packed = store.rgb(f"chip-{number}")
        assert (packed == planes(bands(pairs[number][1], "tif"), white=read_params(project.params).nir.white)).all()
        assert store.bytes(f"chip-{number}").startswith(b"\x89PNG")
    same = ["image_id", "split", "group", "y_tree"]
    kept = before[before["image_id"].isin(after["image_id"])]
    assert kept[same].reset_index(drop=True).equals(after[same])
    assert list(after.columns) == list(before.columns) and (after.dtypes == before.dtypes).all()
    out = capsys.readouterr().out
    assert "nir: TIFs: 9 in" in out
    assert "nir: 6 chips packed, 3 of them flagged as out of place, 3 TIFs left out, 1 chip without a TIF" in out


def test_the_bands_are_what_the_data_set_calls_them_or_the_header(project: Workspace, pairs: Pairs) -> None:
    """Red first, as NAIP's are: told by the header, or by the data set, the planes are those of blue first."""
    stage.run(project)
    before = Store(project.chips("nir"), catalogs(project)[1]).rgb("chip-0")
    red_first = bands(pairs[0][1], "tif")[:, :, [2, 1, 0, 3]]
    for how, names in (({"photometric": "rgb", "extrasamples": [0]}, None), ({}, ["red", "green", "blue", "nir"])):
        for path in (project.root / "chips/toy/tifs").iterdir():
            path.unlink()
        (project.root / "chips/toy/tifs/chip-0.tif").write_bytes(tifs.written(red_first, **how))
        name_tifs(project, ["toy/tifs"], bands=names)
        stage.run(project)
        assert (Store(project.chips("nir"), catalogs(project)[1]).rgb("chip-0") == before).all()


def test_of_two_tifs_with_one_name_the_first_is_used_and_those_of_no_chip_are_not(project: Workspace) -> None:
    """The second one is a fault; what was left out by ingest may have a TIF."""
    (project.root / "chips/toy/tifs/chip-0.tiff").write_bytes(b"")
    (project.root / "chips/toy/tifs/nobody.tif").write_bytes(b"")
    stage.run(project)
    assert set(faults(project)["image_id"]) == {"chip-0.tiff", "chip-4", "chip-5", "chip-6"}
    assert "chip-0" in alignment(project).index and len(alignment(project)) == len(SHIFTS)


def test_neither_workers_nor_another_run_change_a_byte(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier run left there is gone; another white is another set."""
    found = []
    for workers in ("2", "1"):
        monkeypatch.setenv("IGARAPE_WORKERS", workers)
        (project.root / "data/nir").mkdir(exist_ok=True)
        (project.root / "data/nir/shard-00009.tar").write_bytes(b"old")
        stage.run(project)
        found.append(written(project))
    assert found[0] == found[1] and set(found[0]) == {
        *(f"{name}.parquet" for name in ("alignment", "catalog", "faults")),
        *(f"shard-0000{number}.tar" for number in range(3)),
    }
    text = project.params.read_text(encoding="utf-8")
    project.params.write_text(re.sub("(?m)^  white: .*$", "  white: 9000", text), encoding="utf-8")
    stage.run(project)
    assert written(project)["shard-00000.tar"] != found[0]["shard-00000.tar"]


def test_an_archive_of_tifs_is_unpacked_once_and_removed(project: Workspace) -> None:
    """The competition's .tar.7z gives the planes that the folder gives; nothing of it stays."""
    stage.run(project)
    folder = written(project)
    with tarfile.open(project.root / "tifs.tar", "w") as tar:
        tar.add(project.root / "chips/toy/tifs", "train-tif-v2")
    with py7zr.SevenZipFile(project.root / "chips/toy/tifs.tar.7z", "w") as archive:
        archive.write(project.root / "tifs.tar", "tifs.tar")
    name_tifs(project, [["toy/nowhere", "toy/tifs.tar.7z"]])
    stage.run(project)
    assert written(project) == folder
    assert (
        not (project.root / "data/.unfinished/nir").exists()
        and not (project.root / "data/.unfinished/spool-nir").exists()
    )


@pytest.mark.parametrize("sets", [None, []])
def test_a_data_set_without_tifs_gives_empty_tables(
    project: Workspace, sets: list[Any] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the right columns, a line that says so, and no need for IGARAPE_DATA where nothing lies there."""
    monkeypatch.delenv("IGARAPE_DATA")
    name_tifs(project, sets)
    stage.run(project)
    before, after = catalogs(project)
    assert len(after) == len(alignment(project)) == len(faults(project)) == 0
    assert list(after.columns) == list(before.columns)
    assert "nir: the data set names no TIFs" in capsys.readouterr().out


def test_tifs_that_are_named_but_not_there_are_looked_for_aloud(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """So whoever put them elsewhere sees where they should be."""
    name_tifs(project, [["toy/nowhere", "toy/nowhere.tar.7z"]])
    stage.run(project)
    assert len(alignment(project)) == 0
    out = capsys.readouterr().out
    assert "nir: TIFs: none; looked for toy/nowhere, toy/nowhere.tar.7z" in out
    assert "nir: 0 chips packed" in out and "10 chips without a TIF" in out


def test_when_no_tif_can_be_used_the_tables_can_still_be_read(project: Workspace) -> None:
    """Every TIF is a fault, no chip is packed."""
    for path in (project.root / "chips/toy/tifs").iterdir():
        path.write_bytes(b"no picture")
    stage.run(project)
    before, after = catalogs(project)
    assert len(after) == len(alignment(project)) == 0 and list(after.columns) == list(before.columns)
    assert len(faults(project)) == 9


def test_without_chips_the_error_says_what_to_run(project: Workspace) -> None:
    """The catalog of ingest is missing."""
    (project.root / "data/ingest/catalog.parquet").unlink()
    with pytest.raises(InputError, match=r"data/ingest/catalog\.parquet: not found.*dvc repro"):
        stage.run(project)
