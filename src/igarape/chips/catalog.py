"""The catalog: every chip checked, packed, and listed with where it lies and which labels hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from igarape.chips.chip import Chip
from igarape.chips.faults import contradictions, fault_table, unusable
from igarape.chips.fingerprints import Fingerprint, fingerprint, fingerprint_table
from igarape.chips.pictures import Pixels, Resize, decode, encode_png, is_deep, is_flat, to_size
from igarape.chips.shards import Shard, Tables
from igarape.chips.tif import is_tif
from igarape.errors import InputError, counted
from igarape.labels import Vocabulary
from igarape.tables import LABELLED, PLACE, Fault, label_columns

BRIGHT = 0.99  # of a chip's values, and of a set's chips: a few may glint
QUARTER = 64  # of 255


def pack_chips(
    chips: Iterable[Chip],
    shard: Shard,
    *,
    vocabulary: Vocabulary,
    size: int,
    resize: Resize = "refuse",
    bands: Sequence[str] = (),
    white: int | None = None,
) -> Tables:
    """Pack the chips into a shard, bytes unchanged where nothing below asks for more.

    A chip that cannot be read or decoded, is refused for its size, or shows one colour only is left out. One that
    breaks the vocabulary's rules is kept.

    Parameters
    ----------
    chips
        The chips of one shard, which are read one after the other.
    shard
        Takes their bytes, and hears of each chip that is done with.
    vocabulary
        The labels that the catalog has columns of.
    size
        Side of a chip in pixels.
    resize
        What becomes of a chip of another size: refuse, or how pictures.to_size brings it to this one, packed as PNG.
    bands
        Names of a TIF's bands, in its order; where they tell other colours than the file alone would, it is packed as
        PNG.
    white
        Of 16 bits, the value that becomes 255; None: 65535. Where it is given, such a chip is packed as PNG.

    Returns
    -------
    Tables
        Rows of catalog, fingerprints, faults and levels: how bright a chip of 16 bits is, by image_id.
    """
    rows: list[dict[str, Any]] = []
    prints: dict[str, Fingerprint] = {}
    faults: list[Fault] = []
    levels: dict[str, int] = {}
    for chip in chips:
        found = _read(chip, size, resize=resize, bands=bands, white=white)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            rows.append(_row(chip, shard.add(chip.image_id, found.data), vocabulary))
            prints[chip.image_id] = fingerprint(found.image)
            if chip.split in LABELLED:
                faults += contradictions(chip.image_id, vocabulary.encode(chip.tags), vocabulary)
            if found.deep:
                levels[chip.image_id] = int(np.quantile(found.image[::4, ::4], BRIGHT))
        shard.done()
    return {
        "catalog": pd.DataFrame(rows, columns=[*PLACE, *label_columns(vocabulary.labels)]),
        "fingerprints": fingerprint_table(prints),
        "faults": fault_table(faults),
        "levels": pd.DataFrame({"image_id": list(levels), "bright": list(levels.values())}),
    }


def check_levels(levels: pd.DataFrame, white: int | None) -> None:
    """Raise InputError when the chips of 16 bits use less than a quarter of the range that becomes 0..255."""
    bright = int(levels["bright"].quantile(BRIGHT)) if len(levels) else QUARTER
    if bright < QUARTER:
        full = white or 65535
        raise InputError(
            f"{counted(len(levels), 'chip')} of 16 bits, nearly black: the brightest values are about "
            f"{bright * full // 255} to {(bright + 1) * full // 255} of {full}. Write in the data set's YAML, under "
            f"source, white: {max(1, (bright + 1) * full // 255)}; or let igarape add measure it"
        )


def _row(chip: Chip, place: tuple[str, int, int], vocabulary: Vocabulary) -> dict[str, Any]:
    """Lay out a row of the catalog."""
    lies = dict(zip(("shard", "offset", "length"), place, strict=True))
    flags = dict(zip(label_columns(vocabulary.labels), vocabulary.encode(chip.tags).astype(int), strict=True))
    return {"image_id": chip.image_id, "split": chip.split, "group": chip.group} | lies | flags


@dataclass(frozen=True)
class _Found:
    """What is packed of a chip, what it shows, and whether its file has 16 bits."""

    data: bytes
    image: Pixels
    deep: bool


def _read(chip: Chip, size: int, *, resize: Resize, bands: Sequence[str], white: int | None) -> _Found | Fault:
    """Return a chip's bytes and what they show, or why it has to be left out."""
    try:
        data = chip.origin.read()
        image = decode(data, chip.image_id, bands=bands, white=white)
    except InputError as error:
        return unusable(chip.image_id, error, origin=chip.origin, remedy="replace the file, or remove it")
    deep = is_deep(data)
    try:
        sized = to_size(image, size, resize=resize, where=chip.image_id)
    except InputError as error:
        remedy = "cut it to size, or set source.resize (fit, crop, pad) or size in the data set's YAML"
        return unusable(chip.image_id, error, origin=chip.origin, remedy=remedy)
    if is_flat(sized):
        return Fault(chip.image_id, "shows one colour only", "fetch the file again, or remove it", left_out=True)
    converted = (deep and white is not None) or (bool(bands) and is_tif(data))
    return _Found(encode_png(sized) if converted or sized is not image else data, sized, deep)
