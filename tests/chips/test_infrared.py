"""Near-infrared, packed: planes without loss, where they lie, and what is wrong with the TIFs that cannot be used."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifs

from igarape.chips.chip import Encoded
from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.infrared import ALIGNMENT, no_planes, pack_planes
from igarape.chips.nir import planes
from igarape.chips.pictures import bands, decode, encode_jpeg
from igarape.chips.shards import Tables, open_shard
from igarape.chips.store import Store
from igarape.tables import FAULT

SIDE, MARGIN, WHITE = 96, 12, 12800
SHIFTS = {"here": (0, 0), "near": (1, -1), "off": (5, -4), "left": (-9, 0), "other": (0, 0)}
BROKEN = ("three", "short", "cut")


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[bytes, bytes]]:
    """Draw chips: each one's JPEG and its TIF, which is shifted, or another chip's, or spoiled."""
    found = {}
    names = (*SHIFTS, *BROKEN)
    for name, one in zip(names, draw_chips(range(len(names)), 1, seed=4, size=SIDE + 2 * MARGIN), strict=True):
        dx, dy = SHIFTS.get(name, (0, 0))
        rgb, laid = tifs.cut(decode(one.chip.origin.read(), "scene"), margin=MARGIN, dx=dx, dy=dy)
        found[name] = (encode_jpeg(rgb, 90), tifs.written(laid, compression="deflate"))
        sound = laid
    spoiled = {
        "other": found["here"][1],
        "three": tifs.written(sound[:, :, :3]),
        "short": tifs.written(sound[:80]),
        "cut": found["cut"][1][:2000],
    }
    return {name: (jpeg, spoiled.get(name, tif)) for name, (jpeg, tif) in found.items()}


@pytest.fixture
def chips(pairs: dict[str, tuple[bytes, bytes]], tmp_path: Path) -> pd.DataFrame:
    """Pack the pictures, and give their catalog with the origins of their bands."""
    with open_shard(tmp_path / "raw/shard-00000.tar") as shard:
        places = [(name, *shard.add(name, jpeg)) for name, (jpeg, _) in pairs.items()]
    catalog = pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"])
    catalog.insert(1, "y_tree", 1)
    return catalog.assign(tif=pd.Series([Encoded(tif) for _, tif in pairs.values()], dtype=object))


def packed(chips: pd.DataFrame, folder: Path) -> tuple[Tables, int]:
    """Pack the planes of chips; return the tables, and how many chips were said to be done."""
    done = []
    with open_shard(folder / "nir/shard-00000.tar", lambda: done.append(1)) as shard:
        how: dict[str, Any] = {"white": WHITE, "shift": 2.0, "response": 0.15}
        tables = pack_planes(chips, shard, source=folder / "raw", names=(), **how)
    return tables, len(done)


def test_planes_are_packed_without_loss_and_the_catalog_says_where(
    chips: pd.DataFrame, pairs: dict[str, tuple[bytes, bytes]], tmp_path: Path
) -> None:
    """In the catalog's order and with its columns; a chip whose TIF is left out is done with, too."""
    tables, done = packed(chips, tmp_path)
    catalog = tables["catalog"]
    assert list(catalog["image_id"]) == list(SHIFTS) and done == len(chips)
    assert list(catalog.columns) == list(chips.columns.drop("tif"))
    store = Store(tmp_path / "nir", catalog)
    for name in SHIFTS:
        assert (store.rgb(name) == planes(bands(pairs[name][1], "tif"), white=WHITE)).all()


def test_the_shift_of_each_is_measured_and_those_out_of_place_are_flagged(chips: pd.DataFrame, tmp_path: Path) -> None:
    """By more pixels than are borne, or because the TIF shows another chip; they are packed all the same."""
    table = packed(chips, tmp_path)[0]["alignment"].set_index("image_id")
    assert list(table.index) == list(SHIFTS)
    for name, (dx, dy) in SHIFTS.items():
        row = table.loc[name]
        if name == "other":
            assert row["response"] < 0.15
        else:
            assert np.hypot(row["dx"] - dx, row["dy"] - dy) < 0.5 and row["response"] > 0.5
    assert list(table.index[table["flagged"]]) == ["off", "left", "other"]


def test_a_tif_that_cannot_be_used_is_a_fault(chips: pd.DataFrame, tmp_path: Path) -> None:
    """Three bands, fewer rows than the chip, cut short: told apart, left out, with a remedy."""
    table = packed(chips, tmp_path)[0]["faults"].set_index("image_id")
    assert list(table.index) == list(BROKEN) and table["left_out"].all()
    bands_short, rows_short, cut_short = table["problem"]
    assert bands_short.startswith("its TIF: expected a TIF of four bands") and bands_short.endswith("found 3")
    assert rows_short == "its TIF: expected 96 x 96 as the chip has, found 96 x 80"
    assert cut_short.startswith("its TIF: the picture is damaged or cut short")
    assert (table["remedy"] != "").all()


def test_a_set_without_near_infrared_has_empty_tables_of_the_same_columns(chips: pd.DataFrame) -> None:
    """So that what reads them needs to know no more."""
    catalog = chips.drop(columns="tif")
    tables = no_planes(catalog)
    assert {name: len(table) for name, table in tables.items()} == {"catalog": 0, "alignment": 0, "faults": 0}
    assert list(tables["catalog"].columns) == list(catalog.columns)
    assert list(tables["alignment"].columns) == list(ALIGNMENT) and list(tables["faults"].columns) == FAULT
