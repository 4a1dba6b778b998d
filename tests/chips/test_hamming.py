"""Pairs of codes: exactly those that comparing all with all finds, whatever the bands, and few of equal codes."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.chips import hamming
from igarape.chips.hamming import Codes, Rows, band_tasks, bands, bands_of, close_pairs
from igarape.errors import InputError
from igarape.executors import Executor, Here, local

Found = set[tuple[int, int, int]]


def all_with_all(codes: Codes, bound: int) -> Found:
    """Compare all with all; of equal codes each is paired with the first, and only the first with others."""
    if not len(codes):
        return set()
    bits = np.bitwise_count(codes[:, None] ^ codes[None]).sum(axis=2)
    first = (bits == 0).argmax(axis=1)
    close = {(int(a), int(b)) for a, b in zip(*np.nonzero(bits <= bound), strict=True) if a < b}
    kept = {(a, b) for a, b in close if first[a] == a and first[b] in {a, b}}
    return {(a, b, int(bits[a, b])) for a, b in kept}


def relatives(count: int, seed: int, size: int = 32) -> Codes:
    """Draw codes, half of them others with a share of their bits changed, some equal to others."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (count, size), dtype=np.uint8)
    half = count // 2
    changed = rng.random((half, 8 * size)) < rng.choice([0, 0.05, 0.15, 0.2], half)[:, None]
    codes[count - half :] = codes[rng.integers(0, count - half, half)] ^ np.packbits(changed, axis=1)
    return codes[rng.permutation(count)]


def close(codes: Codes, bound: int, executor: Executor | None = None) -> tuple[Rows, Rows, Rows]:
    """Find pairs; this process seeks, or an executor does."""
    with TemporaryDirectory() as folder:
        return close_pairs(codes, bound, executor=executor or Here(), folder=Path(folder))


def found(codes: Codes, bound: int) -> Found:
    """Return the pairs as a set."""
    return set(zip(*(side.tolist() for side in close(codes, bound)), strict=True))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 60), st.integers(0, 2**32 - 1), st.sampled_from([0, 7, 40, 64]), st.sampled_from([0, 3, 8, 11]))
def test_any_bands_find_what_comparing_all_with_all_finds(count: int, seed: int, bound: int, width: int) -> None:
    """All pairs within the bound, once each, with their distance."""
    codes = relatives(count, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "bands", lambda *_: bands_of(width, 256, bound))
        assert found(codes, bound) == all_with_all(codes, bound)


@pytest.mark.parametrize("bound", [0, 20, 40])
def test_thousands_of_codes_are_compared_in_bands_and_none_is_missed(bound: int) -> None:
    """At three thousand bands are worth their while, and find what all with all finds."""
    codes = relatives(3000, 1, size=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "COMPARISON", 1000)
        width, _ = bands(len(codes), 64, bound // 4)
        assert width
        assert found(codes, bound // 4) == all_with_all(codes, bound // 4)


def test_equal_codes_make_as_many_pairs_as_there_are_codes() -> None:
    """Ten thousand flat chips have one code: 9,999 pairs, all with the first; one that is near makes one more."""
    codes = np.zeros((10_001, 32), dtype=np.uint8)
    codes[-1, 0] = 1
    first, second, bits = close(codes, 40)
    assert (first == 0).all() and second.tolist() == list(range(1, 10_001))
    assert bits.tolist() == [0] * 9_999 + [1]


def test_pairs_that_no_memory_would_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to set."""
    monkeypatch.setattr(hamming, "MOST", 100)
    codes = np.packbits(np.eye(256, dtype=np.bool_)[:20], axis=1)
    with pytest.raises(InputError, match=r"more than 100 pairs of chips look alike.* Set split\.hamming lower"):
        close(codes, 40)


def test_a_million_codes_are_compared_in_bands_of_which_one_must_be_near() -> None:
    """The pigeonhole principle: where in each band one bit more than its flips differs, more than the bound do."""
    for count in (10, 20_000, 200_000, 1_000_000):
        for bound in (0, 3, 20, 40, 64):
            width, flips = bands(count, 256, bound)
            if width:
                assert sum(most + 1 for most in flips) == bound + 1
                assert len(flips) <= 256 // width
    assert bands_of(20, 256, 40) == (20, (3,) * 5 + (2,) * 7)
    assert bands_of(20, 256, 3) == (20, (0,) * 4)
    assert bands(1_000_000, 256, 40) == (16, (2,) * 9 + (1,) * 7)


def test_processes_find_what_this_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A band is a task; the pairs come in the same order."""
    codes = relatives(3000, 2)
    alone = close(codes, 40)
    monkeypatch.setattr(hamming, "ALONE", 0)
    monkeypatch.setattr(hamming, "bands", lambda *_: bands_of(11, 256, 40))
    assert band_tasks(3000, 256, 40) == 23
    with local(2) as executor:
        for ours, theirs in zip(close(codes, 40, executor), alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(alone[0]) > 100


@pytest.mark.parametrize("processes", [1, 2])
def test_too_many_pairs_are_refused_by_whoever_finds_them(processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bands' pairs are counted together, too."""
    monkeypatch.setattr(hamming, "ALONE", 0)
    monkeypatch.setattr(hamming, "MOST", 100)
    monkeypatch.setattr(hamming, "bands", lambda *_: bands_of(11, 256, 40))
    with local(processes) as executor, pytest.raises(InputError, match=r"more than 100 pairs of chips look alike"):
        close(relatives(3000, 2), 40, executor)
