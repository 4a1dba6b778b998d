"""Arrays inside a page: what is packed is what was there; and how many days there is room for."""

import base64
import gzip

import numpy as np
import numpy.typing as npt

from igarape.sites.packing import days_that_fit, packed, places_text, present_text, seen_text
from igarape.sites.site_history import SiteHistory
from igarape.sites.state import Condition


def unpacked(text: str) -> npt.NDArray[np.uint8]:
    """Read what packed wrote."""
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=np.uint8)


def some_history(days: int, tiles: int = 40, labels: int = 3) -> SiteHistory:
    """Make a history of noise, which does not compress."""
    rng = np.random.default_rng(1)
    conditions = tuple(Condition(day, tiles, 0, tiles, np.zeros(labels)) for day in range(days))
    present = rng.integers(0, 21, (days, tiles, labels), dtype=np.uint8)
    return SiteHistory(conditions, present, rng.random((days, tiles)) < 0.5, {})


def test_what_is_packed_is_what_was_there() -> None:
    """Also as differences from day to day, of some days, and as bits; the same bytes give the same text."""
    history, days = some_history(9), np.array([0, 4, 8])
    steps = unpacked(present_text(history, days)).reshape(3, 3, 40)  # label, day, tile
    found = np.cumsum(steps, axis=1, dtype=np.uint8)
    assert np.array_equal(found, np.moveaxis(history.present[days], 2, 0))
    bits = np.unpackbits(unpacked(seen_text(history, days)).reshape(3, -1), axis=1)
    assert np.array_equal(bits[:, :40], history.seen[days])
    places = np.array([0, 7, 70_000])
    assert np.array_equal(unpacked(places_text(places)).view("<u4"), places)
    assert packed(history.present) == packed(history.present.copy())


def test_days_are_thinned_evenly_and_the_newest_stays() -> None:
    """All are there where there is room; without any room the newest is."""
    history = some_history(10)
    assert days_that_fit(history, 10**6).tolist() == list(range(10))
    half = len(present_text(history, np.arange(1, 10, 2))) + len(seen_text(history, np.arange(1, 10, 2)))
    assert days_that_fit(history, half).tolist() == [1, 3, 5, 7, 9]
    assert days_that_fit(history, 0).tolist() == [9]
