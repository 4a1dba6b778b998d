"""Neighbours: what shows the same place or lies side by side is found, and nothing else is."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.chips import borders, hamming
from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.fingerprints import Fingerprints, fingerprint
from igarape.chips.neighbours import KINDS, find_pairs, join, pair_tasks
from igarape.chips.pictures import Pixels, decode, encode_jpeg
from igarape.executors import Executor, Here, local

KNOBS: dict[str, Any] = {"hamming": 40, "ratio": 0.7, "correlation": 0.5, "borders": True}
SIZE = 96
SIDE = 5
Found = set[tuple[str, str, str]]


def terrain(seed: int, edge: int) -> Pixels:
    """Make a landscape with features of all sizes, RGB of shape (edge, edge, 3)."""
    rng = np.random.default_rng(seed)
    ground = np.zeros((edge, edge))
    for width in (1, 2, 4, 8, 16, 32):
        ground += width * cv2.GaussianBlur(rng.normal(size=(edge, edge)), (0, 0), width)
    ground = 128 + 30 * ground / ground.std()
    colour = ground[..., None] * np.array([0.9, 1.0, 0.8])
    return np.asarray(np.clip(np.round(colour), 0, 255), dtype=np.uint8)


def cut(image: Pixels, size: int) -> dict[tuple[int, int], Pixels]:
    """Cut a picture into chips by row and column, each encoded by itself."""
    places = [(row, column) for row in range(len(image) // size) for column in range(len(image) // size)]
    parts = [image[row * size :, column * size :][:size, :size] for row, column in places]
    return {place: decode(encode_jpeg(part, 90), "chip") for place, part in zip(places, parts, strict=True)}


def mosaic(name: str, chips: Mapping[tuple[int, int], Pixels]) -> dict[str, Pixels]:
    """Name the chips of a mosaic name-ROWCOLUMN."""
    return {f"{name}-{row}{column}": chip for (row, column), chip in chips.items()}


def truth(names: Mapping[str, Any]) -> Found:
    """Return which of the chips that mosaic named lie side by side."""
    pairs = set()
    for one in names:
        name, (row, column) = one[:-2], map(int, one[-2:])
        pairs |= {("right", one, f"{name}{row}{column + 1}"), ("below", one, f"{name}{row + 1}{column}")}
    return {pair for pair in pairs if pair[2] in names}


def prints(images: Mapping[str, Pixels]) -> Fingerprints:
    """Take fingerprints."""
    return Fingerprints.of({name: fingerprint(image) for name, image in images.items()})


def found(pairs: pd.DataFrame) -> Found:
    """Return pairs without their distances."""
    return set(zip(pairs["kind"], pairs["image_id"], pairs["other"], strict=True))


def find(prints: Fingerprints, executor: Executor | None = None, **knobs: Any) -> pd.DataFrame:
    """Find pairs; this process does all, or an executor the tasks."""
    with TemporaryDirectory() as folder:
        return find_pairs(prints, **KNOBS | knobs, executor=executor or Here(), folder=Path(folder))


@pytest.fixture(scope="module")
def land() -> dict[str, Pixels]:
    """Give a landscape in 5 x 5 chips."""
    return mosaic("land", cut(terrain(1, SIDE * SIZE), SIZE))


def test_all_neighbours_in_a_landscape_are_found_and_no_others(land: dict[str, Pixels]) -> None:
    """Of 25 chips 40 pairs lie side by side; other landscapes beside them change nothing."""
    others = {f"away{seed}-{place}": terrain(seed, SIZE) for seed in range(2, 8) for place in ("00",)}
    pairs = find(prints(land | others))
    assert found(pairs) == truth(land)
    assert len(pairs) == 2 * SIDE * (SIDE - 1)
    assert (pairs["distance"] < 10).all()


def test_the_order_of_the_chips_does_not_matter(land: dict[str, Pixels]) -> None:
    """The same pairs in the same order."""
    first = find(prints(land))
    names = np.random.default_rng(0).permutation(list(land))
    pd.testing.assert_frame_equal(find(prints({name: land[name] for name in names})), first)


def test_without_borders_only_duplicates_are_looked_for(land: dict[str, Pixels]) -> None:
    """A split by chip does not ask for neighbours."""
    pairs = find(prints(land | {"again": land["land-22"]}), borders=False)
    assert found(pairs) == {("same", "again", "land-22")}


def test_chips_with_the_same_pixels_are_paired_with_the_first_of_them(land: dict[str, Pixels]) -> None:
    """Three of one kind make two pairs, at no distance; one level in one pixel makes them alike."""
    chip = land["land-22"]
    touched = chip.copy()
    touched[5, 5, 1] += 1
    pairs = find(prints({"c": chip, "a": chip, "b": chip, "d": touched}))
    assert found(pairs) == {("same", "a", "b"), ("same", "a", "c"), ("alike", "a", "d")}
    assert (pairs["distance"] == 0).all()


def test_a_near_duplicate_is_found_and_a_mirrored_chip_is_none(land: dict[str, Pixels]) -> None:
    """Re-encoded, brighter, or moved by a pixel: alike. The bound is the number of bits that may differ."""
    chip = land["land-22"]
    copies = {
        "encoded": decode(encode_jpeg(chip, 70), "chip"),
        "brighter": np.asarray(cv2.convertScaleAbs(chip, alpha=1.05, beta=6), dtype=np.uint8),
        "moved": np.roll(chip, 1, axis=1),
        "mirrored": np.ascontiguousarray(chip[:, ::-1]),
    }
    pairs = find(prints({"chip": chip} | copies), borders=False)
    assert {name for _, one, other in found(pairs) for name in (one, other)} == {"chip", *copies} - {"mirrored"}
    assert set(pairs["kind"]) == {"alike"}
    assert pairs["distance"].max() <= KNOBS["hamming"]
    farthest = int(pairs["distance"].max())
    assert len(find(prints({"chip": chip} | copies), hamming=farthest - 1)) < len(pairs)


def test_a_chip_that_is_there_twice_still_finds_its_neighbours(land: dict[str, Pixels]) -> None:
    """Its border stands twice, yet fits: only the first of the two is compared, and the pair connects the other."""
    copy = {"land-22-again": decode(encode_jpeg(land["land-22"], 70), "chip")}
    pairs = find(prints(land | copy))
    assert found(pairs) == truth(land) | {("alike", "land-22", "land-22-again")}


def test_a_border_that_fits_two_chips_is_paired_with_neither(land: dict[str, Pixels]) -> None:
    """Two other chips that begin as the right neighbour does: nobody can say which one it is."""
    twin = terrain(9, SIZE)
    twin[:, :12] = land["land-23"][:, :12]
    pairs = found(find(prints(land | {"twin": twin})))
    assert truth(land) - pairs == {("right", "land-22", "land-23")}
    assert pairs <= truth(land)


@pytest.mark.parametrize("kind", ["water", "cloud", "grain", "forest"])
def test_chips_without_distinctive_borders_do_not_chain(kind: str) -> None:
    """Forty chips of one tone, of soft cloud, of sensor noise, or of even forest: hardly a pair, and no large group."""
    rng = np.random.default_rng(4)
    chips = {}
    for number in range(40):
        smooth = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), {"cloud": 30, "forest": 1.5}.get(kind, 1))
        grey = {
            "water": np.full((SIZE, SIZE), 60) + (rng.random((SIZE, SIZE)) < 0.001),
            "cloud": 215 + 300 * smooth,
            "grain": 90 + rng.normal(0, 2, (SIZE, SIZE)),
            "forest": 70 + 20 * smooth,
        }[kind]
        chips[f"{kind}-{number}"] = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    pairs = find(prints(chips))
    sizes = pd.Series(join(list(chips), pairs, named=list(chips))).value_counts()
    assert len(pairs) <= 1 and sizes.max() <= 2


def test_drawn_scenes_are_put_together_again() -> None:
    """Each of six scenes of 2 x 2 chips is found whole, by its borders alone."""
    drawn = [one.chip for one in draw_chips(range(24), 2, seed=0, size=256)]
    image_ids = [chip.image_id for chip in drawn]
    pairs = find(prints({chip.image_id: decode(chip.origin.read(), chip.image_id) for chip in drawn}))
    groups = join(image_ids, pairs, named=image_ids)
    assert pd.Series(groups).groupby([chip.group for chip in drawn]).nunique().max() == 1
    assert len(set(groups)) == 6


def test_real_chips_cut_in_four_are_put_together_again(planet: Path) -> None:
    """Of the true pairs three in four are found, although borders are half as long; of those found, 99 in 100 are true.

    Cloud, water and even forest keep the rest apart, and they should.
    """
    parts: dict[str, Pixels] = {}
    for path in sorted((planet / "train-jpg").iterdir()):
        parts |= mosaic(path.stem, cut(decode(path.read_bytes(), path.name), 128))
    pairs = found(find(prints(parts)))
    assert len(pairs & truth(parts)) >= 0.75 * len(truth(parts))
    assert len(pairs & truth(parts)) >= 0.99 * len(pairs)


def test_three_real_chips_of_one_mine_are_found(planet: Path) -> None:
    """They lie side by side, and no two others of the 169 do."""
    chips = {path.stem: decode(path.read_bytes(), path.name) for path in sorted((planet / "train-jpg").iterdir())}
    expected = {("right", "train_9833", "train_5793"), ("below", "train_5865", "train_9833")}
    assert found(find(prints(chips))) == expected


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_chips_have_no_neighbours(count: int) -> None:
    """Distinctive means nearer than the second best, and there is none."""
    pairs = find(prints({f"chip-{seed}": terrain(seed, SIZE) for seed in range(count)}))
    assert list(pairs.columns) == ["image_id", "other", "kind", "distance"] and pairs.empty


@given(st.data())
def test_groups_are_what_pairs_and_names_connect(data: st.DataObject) -> None:
    """Two chips are of one group if a way of pairs and common names leads from one to the other; its first names it."""
    image_ids = [f"chip-{row:02d}" for row in data.draw(st.permutations(range(12)))]
    links = data.draw(st.lists(st.tuples(st.sampled_from(image_ids), st.sampled_from(image_ids)), max_size=10))
    named = data.draw(st.lists(st.sampled_from("abcdefghijkl"), min_size=12, max_size=12))
    pairs = pd.DataFrame(links, columns=["image_id", "other"])
    expected = {image_id: {image_id} for image_id in image_ids}
    same_name = [
        (a, b) for a, x in zip(image_ids, named, strict=True) for b, y in zip(image_ids, named, strict=True) if x == y
    ]
    for one, other in [*links, *same_name]:
        together = expected[one] | expected[other]
        expected |= dict.fromkeys(together, together)
    assert join(image_ids, pairs, named=named) == [min(expected[image_id]) for image_id in image_ids]


def test_the_kinds_of_pairs_are_listed(land: dict[str, Pixels]) -> None:
    """What find_pairs writes is one of KINDS."""
    again = {"z": land["land-00"], "zz": np.roll(land["land-11"], 1, axis=0)}
    assert list(dict.fromkeys(find(prints(land | again))["kind"])) == list(KINDS)


def test_processes_find_the_pairs_that_this_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all kinds, in the same order; borders are dealt, and bands are, however few chips there are."""
    images = {f"chip-{seed}": terrain(seed, SIZE) for seed in range(30)} | mosaic("land", cut(terrain(1, 480), SIZE))
    images |= {"again": images["land-22"], "moved": np.roll(images["land-11"], 1, axis=1)}
    alone = find(prints(images))
    monkeypatch.setattr(borders, "TASK", 9)
    monkeypatch.setattr(hamming, "ALONE", 0)
    monkeypatch.setattr(hamming, "bands", lambda *_: hamming.bands_of(16, 256, 40))
    with local(2) as executor:
        pd.testing.assert_frame_equal(find(prints(images), executor), alone)
    assert set(alone["kind"]) == set(KINDS)


def test_so_few_chips_are_no_task_for_others() -> None:
    """A few thousand are one task, and so are hundreds of thousands by chip; a million are many in either case."""
    assert [pair_tasks(count, hamming=40, borders=True) for count in (0, 5_000, 100_000, 1_000_000)] == [1, 1, 4, 31]
    assert [pair_tasks(count, hamming=40, borders=False) for count in (5_000, 200_000, 1_000_000)] == [1, 1, 16]
