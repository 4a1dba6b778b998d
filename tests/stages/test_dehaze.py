"""dehaze: every packed chip comes out as a JPEG, under the same name, with what was found in it."""

import re
import shutil
from pathlib import Path
from typing import Any

import clusters
import driven
import numpy as np
import pandas as pd
import pytest
from toy_dataset import drawn, write_dataset

from igarape.chips.catalog import pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.dehaze import dehaze
from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.stages import dehaze as stage
from igarape.tables import read_catalog, read_table, write_table
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS: dict[str, list[str]] = {"exclusive": [], "alone": [], "common": ["tree"], "rare": []}
COUNT = 7


def hazy(seed: int) -> Pixels:
    """Make a picture of noise under a grey veil, with a bright corner; the first one shows two colours only."""
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 90, (32, 32, 3)) // 2 + 100 if seed else np.full((32, 32, 3), 50)
    rgb[:8, :8] = 200
    return rgb.astype(np.uint8)


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Give a project in which ingest has run, over labelled and unlabelled chips."""
    here = Workspace(tmp_path)
    params = re.sub("(?m)^dataset: .*$", "dataset: toy", (ROOT / "params.yaml").read_text(encoding="utf-8"))
    here.params.write_text(params, encoding="utf-8")
    write_dataset(here, drawn(20, side=1), LABELS, size=32)
    chips = [
        Chip(
            image_id=f"chip-{number}",
            split="train" if number % 3 else "test",
            group=f"scene-{number}",
            tags=("tree",) if number % 2 else (),
            origin=Encoded(encode_jpeg(hazy(number), 95)),
        )
        for number in range(COUNT)
    ]
    vocabulary = Vocabulary(**{name: tuple(labels) for name, labels in LABELS.items()})
    parts = []
    for number, some in enumerate((chips[:3], chips[3:6], chips[6:])):
        with open_shard(here.root / f"data/ingest/shard-{number:05d}.tar") as shard:
            parts.append(pack_chips(some, shard, vocabulary=vocabulary, size=32)["catalog"])
    write_table(pd.concat(parts), here.catalog())
    return here


def catalogs(here: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the catalogs of ingest and dehaze."""
    before, after = (
        read_catalog(here.root / "data" / step / "catalog.parquet", ["tree"]) for step in ("ingest", "dehaze")
    )
    return before, after


def test_each_chip_is_the_dehazed_one_of_the_same_name(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the catalog's order, whatever the number of processes: dehazed with the knobs of params.yaml, then encoded."""
    monkeypatch.setenv("IGARAPE_WORKERS", "2")
    stage.run(project)
    before, after = catalogs(project)
    raw, clear = Store(project.chips("raw"), before), Store(project.chips("dehazed"), after)
    knobs = read_params(project.params).dehaze.model_dump()
    quality = knobs.pop("quality")
    assert list(after["image_id"]) == [f"chip-{number}" for number in range(COUNT)]
    for image_id in after["image_id"]:
        assert clear.bytes(image_id) == encode_jpeg(dehaze(raw.rgb(image_id), **knobs)[0], quality)
        assert clear.bytes(image_id)[:2] == b"\xff\xd8"


def test_the_catalog_keeps_all_but_the_places(project: Workspace) -> None:
    """Splits, groups and labels, of test chips too."""
    stage.run(project)
    before, after = catalogs(project)
    same = ["image_id", "split", "group", "y_tree"]
    assert before[same].equals(after[same]) and list(before.columns) == list(after.columns)
    assert (before["length"] != after["length"]).any()


def test_the_quality_table_has_a_row_for_each_chip(project: Workspace) -> None:
    """The airlight's colour and the mean transmission in [0, 1], the change in grey levels."""
    stage.run(project)
    table = read_table(
        project.root / "data/dehaze/quality.parquet", ["airlight_r", "airlight_g", "airlight_b", "mean_t", "change"]
    )
    assert list(table["image_id"]) == [f"chip-{number}" for number in range(COUNT)]
    assert table[["airlight_r", "airlight_g", "airlight_b", "mean_t"]].apply(lambda c: c.between(0, 1)).all(axis=None)
    assert table["change"].between(0, 255).all() and table["change"].max() > 1


def test_the_number_of_workers_changes_no_byte(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a second run, which starts from an empty folder."""
    found = []
    for workers in ("1", "3"):
        monkeypatch.setenv("IGARAPE_WORKERS", workers)
        (project.root / "data/dehaze").mkdir(exist_ok=True)
        (project.root / "data/dehaze/shard-00009.tar").write_bytes(b"old")
        stage.run(project)
        found.append({path.name: path.read_bytes() for path in (project.root / "data/dehaze").iterdir()})
    assert found[0] == found[1] and set(found[0]) == {
        "catalog.parquet",
        "quality.parquet",
        *(f"shard-0000{number}.tar" for number in range(3)),
    }


def test_without_chips_the_error_says_what_to_run(project: Workspace) -> None:
    """The catalog is missing, or a shard is."""
    shard = project.root / "data/ingest/shard-00000.tar"
    shard.unlink()
    with pytest.raises(InputError, match=r"data/ingest/shard-00000\.tar: not found.*dvc repro"):
        stage.run(project)
    assert not (project.root / "data/dehaze/catalog.parquet").exists()
    (project.root / "data/ingest/catalog.parquet").unlink()
    with pytest.raises(InputError, match=r"data/ingest/catalog\.parquet: not found.*dvc repro"):
        stage.run(project)


def pack_many(here: Workspace) -> None:
    """Pack one chip a thousand times, into eight shards: seconds of work for a node."""
    data, rows = encode_jpeg(np.kron(hazy(1), np.ones((8, 8, 1), np.uint8)), 90), list[tuple[Any, ...]]()
    for number in range(8):
        with open_shard(here.chips("raw") / f"shard-{number:05d}.tar") as shard:
            names = [f"chip-{number}-{row}" for row in range(125)]
            rows += [(name, "train", *shard.add(name, data), "", 1) for name in names]
    columns = ["image_id", "split", "shard", "offset", "length", "group", "y_tree"]
    write_table(pd.DataFrame(rows, columns=columns), here.catalog())


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_cluster_changes_no_byte_even_where_a_node_is_removed(project: Workspace, cluster: Any) -> None:
    """Shards of a node that is gone are written by another one."""
    pack_many(project)
    stage.run(project)
    alone = driven.result(project.chips("dehazed"))
    shutil.rmtree(project.chips("dehazed"))
    process = driven.begin("dehaze", folder=project.root, address=cluster.address)
    driven.until(process, lambda: any((project.data / ".unfinished/dehaze").glob("*/result/shard-*.tar")))
    clusters.remove_one(cluster)
    driven.end(process)
    assert driven.result(project.chips("dehazed")) == alone
    assert not list(project.data.rglob(".unfinished-*"))
