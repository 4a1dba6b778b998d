"""Fingerprints: what is kept of a picture to recognise it again, and to find the chips that lie beside it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.tables import read_table

Grey = npt.NDArray[np.uint8]

SIDES = ("top", "bottom", "left", "right")
SAMPLES = 64  # of each border
SMALL = 64  # pixels a side of the picture that is hashed
FREQUENCIES = 16  # a side
BITS = FREQUENCIES**2
COLUMNS = ["image_id", "pixels", "phash", "borders"]
LENGTHS = {"phash": BITS // 8, "borders": len(SIDES) * SAMPLES}


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a picture; the same pixels give equal fingerprints, and no others are met in practice.

    pixels: the CRC-32 of the RGB values, which any change of one pixel changes.
    phash: the perceptual hash, BITS bits in bytes.
    borders: the picture's lightness as it goes on beyond each of SIDES, SAMPLES bytes each, from left to right and
    from top to bottom.
    """

    pixels: int
    phash: bytes
    borders: bytes


def fingerprint(rgb: Pixels) -> Fingerprint:
    """Take the fingerprint of a square picture, RGB of shape (size, size, 3)."""
    grey: Grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return Fingerprint(pixels=zlib.crc32(np.ascontiguousarray(rgb).data), phash=_phash(grey), borders=_borders(grey))


def fingerprint_table(found: Mapping[str, Fingerprint]) -> pd.DataFrame:
    """Tabulate the fingerprints of image_ids: image_id, pixels, phash, borders."""
    return pd.DataFrame([{"image_id": image_id} | asdict(one) for image_id, one in found.items()], columns=COLUMNS)


def read_fingerprints(path: Path, image_ids: Sequence[str]) -> dict[str, Fingerprint]:
    """Read the fingerprints of the image_ids, in their order.

    Raises InputError when an image has none, or when the fingerprints are not of this version's lengths.
    """
    table = read_table(path, COLUMNS).set_index("image_id")
    missing = pd.Index(image_ids).difference(table.index)
    if len(missing):
        raise InputError(f"{path}: holds no fingerprint of {missing[0]}. Run: dvc repro ingest")
    for column, length in LENGTHS.items():
        found = set(table[column].map(len))
        if found - {length}:
            raise InputError(f"{path}: {column}: expected {length} bytes, found {min(found)}. Run: dvc repro ingest")
    rows = table.loc[list(image_ids), COLUMNS[1:]].itertuples(index=False, name=None)
    return {image_id: Fingerprint(*row) for image_id, row in zip(image_ids, rows, strict=True)}


def _phash(grey: Grey) -> bytes:
    """Hash what a picture shows: the signs of the lowest frequencies of its discrete cosine transform.

    After Zauner (Implementation and benchmarking of perceptual image hash functions, 2010), with 16 x 16 frequencies in
    place of 8 x 8, and 0 in place of the median: clouds and forests share their lowest frequencies with many others.
    """
    # Fractions of a grey level count: rounded, all chips of open water would be one and the same.
    small = cv2.resize(grey.astype(np.float32), (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    return np.packbits(cv2.dct(small)[:FREQUENCIES, :FREQUENCIES] > 0).tobytes()


def _borders(grey: Grey) -> bytes:
    """Predict the line of pixels that lies just outside each border, and take means of it.

    The two outermost lines are extrapolated, as for jigsaw puzzles (Pomeranz, Shemesh, Ben-Shahar, A fully automated
    greedy square jigsaw puzzle solver, CVPR 2011), by half a pixel: that is where two neighbours meet.
    """
    outer = np.stack([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    inner = np.stack([grey[1], grey[-2], grey[:, 1], grey[:, -2]])
    lines = cv2.addWeighted(outer, 1.5, inner, -0.5, 0)
    return cv2.resize(lines, (SAMPLES, len(SIDES)), interpolation=cv2.INTER_AREA).tobytes()
