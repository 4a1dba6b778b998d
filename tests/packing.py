"""Ways to pack a shard that tests of the store's writer hand to other processes, which import them from here."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import Shard, Tables
from igarape.errors import InputError

JPEG = encode_jpeg(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8), 90)


def pack(numbers: range, shard: Shard, *, pause: float = 0.0, mine: Path | None = None) -> Tables:
    """Pack a JPEG under each number as its name; note each shard that is begun in a file `mine`."""
    if mine is not None:
        with mine.open("a", encoding="utf-8") as notes:
            notes.write(f"{shard.name}\n")
    places = []
    for number in numbers:
        time.sleep(pause)
        places.append((f"chip-{number}", *shard.add(f"chip-{number}", JPEG)))
        shard.done()
    odd = pd.DataFrame([(number, number % 4 == 1) for number in numbers if number % 2], columns=["number", "first"])
    return {"catalog": pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"]), "odd": odd}


def fail(numbers: range, shard: Shard) -> Tables:
    """Fail at chip 11, after it was added."""
    tables = pack(numbers, shard)
    if 11 in numbers:
        raise InputError("chip-11: out of luck")
    return tables


def die(numbers: range, shard: Shard) -> Tables:
    """Pack, but kill the process at chip 11, as a full memory would."""
    if 11 in numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return pack(numbers, shard)
