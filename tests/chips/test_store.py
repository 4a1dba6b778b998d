"""The store: one seek gives a chip back."""

import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.errors import InputError

Chips = dict[str, bytes]


@pytest.fixture(scope="module")
def chips() -> Chips:
    """Make ten pictures of different lengths, a PNG and one of a very long name among them."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16 + row, 16 + row, 3), dtype=np.uint8) for row in range(10)]
    made = {f"chip-{row}": encode_jpeg(image, 90) for row, image in enumerate(images)}
    buffer = io.BytesIO()
    Image.fromarray(images[3]).save(buffer, "PNG")
    return made | {"chip-3": buffer.getvalue(), f"long-{'x' * 150}": made["chip-0"]}


def pack(folder: Path, chips: Chips) -> pd.DataFrame:
    """Write the chips, four to a shard, and return their catalog."""
    rows = []
    for start in range(0, len(chips), 4):
        with open_shard(folder / f"shard-{start // 4:05d}.tar") as shard:
            rows += [
                (image_id, *shard.add(image_id, data)) for image_id, data in list(chips.items())[start : start + 4]
            ]
    return pd.DataFrame(rows, columns=["image_id", "shard", "offset", "length"])


def test_one_seek_gives_the_original_bytes(tmp_path: Path, chips: Chips) -> None:
    """By the store, or by hand: open the shard, seek, read."""
    catalog = pack(tmp_path, chips)
    store = Store(tmp_path, catalog)
    for row in catalog.itertuples():
        with (tmp_path / str(row.shard)).open("rb") as file:
            file.seek(int(str(row.offset)))
            assert file.read(int(str(row.length))) == chips[str(row.image_id)] == store.bytes(str(row.image_id))


def test_a_chip_that_cannot_be_read_is_an_error_that_says_why(tmp_path: Path, chips: Chips) -> None:
    """Not in the catalog, its shard gone, or its shard cut short."""
    catalog = pack(tmp_path, chips)
    store = Store(tmp_path, catalog)
    with pytest.raises(InputError, match=r"holds no chip 'nobody'; its catalog lists 11 others"):
        store.bytes("nobody")
    path = tmp_path / "shard-00000.tar"
    path.write_bytes(path.read_bytes()[: int(catalog["offset"][1]) + 10])
    assert store.bytes("chip-0") == chips["chip-0"]
    with pytest.raises(InputError, match=r"shard-00000\.tar: cut short, chip-1 should end at"):
        store.bytes("chip-1")
    path.unlink()
    with pytest.raises(InputError, match=r"shard-00000\.tar: not found.*dvc repro"):
        Store(tmp_path, catalog).bytes("chip-0")


def test_some_chips_travel_without_the_others(tmp_path: Path, chips: Chips) -> None:
    """Another process reads them by the same path; an open file stays where it was opened."""
    store = Store(tmp_path, pack(tmp_path, chips))
    store.bytes("chip-9")
    some = pickle.loads(pickle.dumps(store.only(["chip-9", "chip-2"])))  # noqa: S301 - our own
    assert (some.bytes("chip-2"), some.bytes("chip-9")) == (chips["chip-2"], chips["chip-9"])
    with pytest.raises(InputError, match="holds no chip 'chip-3'; its catalog lists 2 others"):
        some.bytes("chip-3")
    whole = pickle.loads(pickle.dumps(store))  # noqa: S301 - our own
    assert whole.bytes("chip-3") == store.bytes("chip-3")
