"""Chips as a project has packed them."""

from pathlib import Path

import pandas as pd
import pytest

from igarape.chips.pictures import Pixels, encode_png
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.serving.holdout import PackedChips


@pytest.fixture
def packed(tmp_path: Path, images: list[Pixels]) -> PackedChips:
    """Pack the pictures, chip-0, chip-1, ...; they are their own near-infrared."""
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        places = [(f"chip-{row}", *shard.add(f"chip-{row}", encode_png(image))) for row, image in enumerate(images)]
    store = Store(tmp_path, pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"]))
    return PackedChips(store, store)
