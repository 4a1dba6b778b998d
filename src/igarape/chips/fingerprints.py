"""Fingerprints: what is kept of a picture to recognise it again, and to find the chips that lie beside it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.tables import read_table, stored

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


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of many pictures, a column each: of a million chips some 300 MB.

    image_ids: (n,). pixels: uint32 (n,). phash: uint8 (n, BITS / 8). borders: uint8 (n, SIDES, SAMPLES).
    """

    image_ids: Sequence[str]
    pixels: npt.NDArray[np.uint32]
    phash: npt.NDArray[np.uint8]
    borders: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, prints: Mapping[str, Fingerprint]) -> "Fingerprints":
        """Put single fingerprints together."""
        phash, borders = (
            np.frombuffer(b"".join(getattr(one, name) for one in prints.values()), np.uint8).reshape(-1, length)
            for name, length in LENGTHS.items()
        )
        pixels = np.array([one.pixels for one in prints.values()], dtype=np.uint32)
        return cls(list(prints), pixels, phash, borders.reshape(len(prints), len(SIDES), SAMPLES))

    def __len__(self) -> int:
        return len(self.image_ids)

    def take(self, rows: npt.NDArray[np.intp]) -> "Fingerprints":
        """Return some of them."""
        names = np.asarray(self.image_ids, dtype=object)[rows].tolist()
        return Fingerprints(names, self.pixels[rows], self.phash[rows], self.borders[rows])


def fingerprint(rgb: Pixels) -> Fingerprint:
    """Take the fingerprint of a square picture, RGB of shape (size, size, 3)."""
    grey: Grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return Fingerprint(pixels=zlib.crc32(np.ascontiguousarray(rgb).data), phash=_phash(grey), borders=_borders(grey))


def fingerprint_table(found: Mapping[str, Fingerprint]) -> pd.DataFrame:
    """Tabulate the fingerprints of image_ids: image_id, pixels, phash, borders."""
    return pd.DataFrame([{"image_id": image_id} | asdict(one) for image_id, one in found.items()], columns=COLUMNS)


def read_fingerprints(path: Path, image_ids: Sequence[str]) -> Fingerprints:
    """Read the fingerprints of the image_ids, in their order.

    Raises InputError when an image has none, or when the fingerprints are not of this version's lengths.
    """
    table = read_table(path, COLUMNS, only=COLUMNS[:2])
    row = pd.Index(table["image_id"]).get_indexer(pd.Index(image_ids))
    if (row < 0).any():
        raise InputError(f"{path}: holds no fingerprint of {image_ids[int(row.argmin())]}. Run: dvc repro ingest")
    phash, borders = (_read_bytes(path, column, row) for column in LENGTHS)
    pixels = table["pixels"].to_numpy(dtype=np.uint32)[row]
    return Fingerprints(list(image_ids), pixels, phash, borders.reshape(len(row), len(SIDES), SAMPLES))


def _read_bytes(path: Path, column: str, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
    """Read rows of a column of bytes, uint8 (rows, length): as numbers, for each object would cost as much again."""
    length, parts = LENGTHS[column], [np.empty((0, LENGTHS[column]), np.uint8)]
    for cells in stored(path, column):
        odd = pc.filter(cells, pc.not_equal(pc.fill_null(pc.binary_length(cells), 0), length))
        if len(odd):
            found = len(odd[0].as_py() or b"")
            raise InputError(f"{path}: {column}: expected {length} bytes, found {found}. Run: dvc repro ingest")
        parts.append(np.frombuffer(b"".join(cells.to_pylist()), np.uint8).reshape(-1, length))
    whole = np.concatenate(parts)
    return whole if np.array_equal(rows, np.arange(len(whole))) else whole[rows]


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
