"""Large arrays inside a page: as differences, compressed, as text; and which days of many a page has room for."""

import base64
import gzip

import numpy as np
import numpy.typing as npt

from igarape.sites.site_history import SiteHistory

LEVEL = 9  # of gzip: a page is written once and opened often


def packed(values: npt.NDArray[np.uint8]) -> str:
    """Return bytes as base64 text of a gzip stream, which is the same for the same bytes."""
    return base64.b64encode(gzip.compress(values.tobytes(), LEVEL, mtime=0)).decode("ascii")


def present_text(history: SiteHistory, days: npt.NDArray[np.intp]) -> str:
    """Pack what was known on some days: label by label, the steps that each day is above the one before, modulo 256."""
    steps = np.moveaxis(history.present[days], 2, 0)
    return packed(np.diff(steps, axis=1, prepend=np.uint8(0)))


def seen_text(history: SiteHistory, days: npt.NDArray[np.intp]) -> str:
    """Pack which tiles were looked at on some days: a bit each, the first one the highest of its byte."""
    return packed(np.packbits(history.seen[days], axis=1))


def places_text(places: npt.NDArray[np.int64]) -> str:
    """Pack places on a grid: four bytes each, the lowest one first."""
    return packed(np.frombuffer(places.astype("<u4").tobytes(), dtype=np.uint8))


def days_that_fit(history: SiteHistory, most: int) -> npt.NDArray[np.intp]:
    """Return the days that a page of at most so many bytes of them can show: all, or each n-th and the newest."""
    count = len(history.conditions)
    every = 1
    while True:
        days = np.arange(count - 1, -1, -every)[::-1]
        if len(days) <= 1 or len(present_text(history, days)) + len(seen_text(history, days)) <= most:
            return days
        every += 1
