"""Drawn chips: the same seed gives the same bytes, tags say what is seen, haze has a right answer."""

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.drawn import drawing as drawn
from igarape.chips.drawn import sky
from igarape.chips.drawn.canvas import Floats, Surface
from igarape.chips.drawn.drawing import DrawnChip, draw_chips, haze_table, lay_haze, pack_drawn, transmission
from igarape.chips.drawn.scene import NATIVE, Scene, draw_scene
from igarape.chips.pictures import decode, encode_jpeg
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset

VOCABULARY = read_dataset("drawn", Path(__file__).parents[3] / "datasets").labels.vocabulary()
SIDE = 2
SEED = 2019


@pytest.fixture(scope="module")
def chips() -> list[DrawnChip]:
    """Draw a hundred chips."""
    return list(draw_chips(range(100), SIDE, seed=SEED, size=NATIVE))


def image(chip: DrawnChip) -> Floats:
    """Return a chip's picture in [0, 1]."""
    return np.asarray(decode(chip.chip.origin.read(), chip.chip.image_id) / 255, np.float32)


def scene_of(surface: Surface, pixels: int, *, cloud: float, t: float) -> Scene:
    """Return a scene of one chip: forest, with so many pixels of a surface, under a cloud and a haze."""
    ground = np.full((NATIVE, NATIVE), Surface.CANOPY, np.uint8)
    ground.reshape(-1)[:pixels] = surface
    rgb = np.zeros((NATIVE, NATIVE, 3), np.float32)
    alpha = np.full((NATIVE, NATIVE), cloud, np.float32)
    clouds = sky.Clouds(alpha=alpha, colour=rgb, shadow=np.zeros_like(alpha))
    return Scene(ground=rgb, surface=ground, clouds=clouds, t=np.full((4, 4), t, np.float32), airlight=(1, 1, 1))


def test_the_same_seed_gives_the_same_bytes_whichever_chips_are_drawn_with_them() -> None:
    """All at once or some at a time, cut through a scene or not; another seed gives others."""
    every = list(draw_chips(range(7), 2, seed=5, size=32))
    apart = [chip for part in (range(3), range(3, 7)) for chip in draw_chips(part, 2, seed=5, size=32)]
    assert [chip.chip for chip in every] == [chip.chip for chip in apart]
    assert (haze_table(every) == haze_table(apart)).all(axis=None)
    other = next(draw_chips(range(1), 2, seed=6, size=32))
    assert other.chip.origin.read() != every[0].chip.origin.read()


def test_chips_come_one_by_one_as_they_are_drawn() -> None:
    """The first of a million is there at once."""
    first = list(islice(draw_chips(range(1_000_000), 1, seed=0, size=64), 2))
    assert [chip.chip.image_id for chip in first] == ["drawn_00000", "drawn_00001"]


def test_packed_they_bring_the_truth_about_their_haze(tmp_path: Path) -> None:
    """A row for each chip, in the catalog's order; the bytes are those that were drawn."""
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        tables = pack_drawn(range(2, 6), shard, side=2, seed=5, vocabulary=VOCABULARY, size=32)
    expected = list(draw_chips(range(2, 6), 2, seed=5, size=32))
    assert list(tables["catalog"]["image_id"]) == [one.chip.image_id for one in expected]
    assert tables["haze"].equals(haze_table(expected)) and len(tables["faults"]) == 0
    store = Store(tmp_path, tables["catalog"])
    assert all(store.bytes(one.chip.image_id) == one.chip.origin.read() for one in expected)


def test_names_and_groups_say_where_a_chip_comes_from(chips: list[DrawnChip]) -> None:
    """A scene's four chips stand together; all are for training; the size is the one asked for."""
    assert [chip.chip.image_id for chip in chips] == [f"drawn_{number:05d}" for number in range(100)]
    assert [chip.chip.group for chip in chips] == [f"scene_{number // 4:04d}" for number in range(100)]
    assert {chip.chip.split for chip in chips} == {"train"}
    assert {image(chip).shape for chip in chips[::10]} == {(NATIVE, NATIVE, 3)}
    assert image(next(draw_chips(range(1), 1, seed=0, size=48))).shape == (48, 48, 3)


def test_tags_keep_the_rules_of_the_data_set(chips: list[DrawnChip]) -> None:
    """Exactly one weather, cloudy alone, no tag unknown, none twice."""
    for chip in chips:
        assert VOCABULARY.contradiction(VOCABULARY.encode(chip.chip.tags)) is None
        assert len(set(chip.chip.tags)) == len(chip.chip.tags)


def test_labels_are_about_as_frequent_as_in_truth_and_rare_ones_frequent_enough_to_learn(
    chips: list[DrawnChip],
) -> None:
    """A hundred chips show every label of the data set, each in a share near its own."""
    shares = Counter(tag for chip in chips for tag in chip.chip.tags)
    assert set(shares) == set(VOCABULARY.labels)
    bounds = {"primary": (80, 99), "clear": (55, 80), "agriculture": (20, 45), "road": (12, 36), "water": (8, 32)}
    for label, share in shares.items():
        low, high = bounds.get(label, (1, 30))
        assert low <= share <= high, label


@pytest.mark.parametrize("label", drawn.LABELS)
def test_a_label_holds_from_so_many_pixels_on_as_a_person_can_see(label: str) -> None:
    """One pixel less, and the chip does not carry it."""
    surface, least = drawn.LABELS[label]
    rest = Surface.OTHER if surface == Surface.CANOPY else surface
    pixels = NATIVE**2 - least if surface == Surface.CANOPY else least
    seen = drawn.tags(scene_of(rest, pixels, cloud=0, t=1), (0, 0))
    unseen = drawn.tags(scene_of(rest, pixels + (1 if surface == Surface.CANOPY else -1), cloud=0, t=1), (0, 0))
    assert label in seen and label not in unseen


def test_what_a_cloud_hides_has_no_tag() -> None:
    """Under a closed deck a chip is cloudy and nothing else; under a thin veil of haze all is seen."""
    assert drawn.tags(scene_of(Surface.ROAD, 5000, cloud=0.9, t=1), (0, 0)) == ("cloudy",)
    assert drawn.tags(scene_of(Surface.ROAD, 5000, cloud=0, t=0.6), (0, 0)) == ("haze", "primary", "road")
    scene = scene_of(Surface.ROAD, 5000, cloud=0, t=1)
    scene.clouds.alpha[:40] = 1
    assert drawn.tags(scene, (0, 0)) == ("partly_cloudy", "primary")


def test_what_is_seen_is_seen_in_the_picture(chips: list[DrawnChip]) -> None:
    """Chips under clouds hold white, cloudy ones no green; forest is dark; roofs make a chip's brightest pixels."""
    by_tag = {
        tag: np.stack([image(chip) for chip in chips if tag in chip.chip.tags])
        for tag in ("cloudy", "partly_cloudy", "clear", "haze")
    }
    darkest = {tag: float(np.median(images.min(axis=(1, 2, 3)))) for tag, images in by_tag.items()}
    brightest = {tag: float(np.median(images.min(axis=3).max(axis=(1, 2)))) for tag, images in by_tag.items()}
    assert brightest["partly_cloudy"] > 0.6 > brightest["haze"]
    assert min(darkest["cloudy"], darkest["haze"]) > 0.1 > darkest["clear"]


def test_only_hazy_chips_carry_haze(chips: list[DrawnChip]) -> None:
    """It is clearly there, mean t between 0.35 and 0.75, or not at all: t is 1 exactly."""
    for chip in chips:
        if "haze" in chip.chip.tags:
            assert 0.35 <= chip.haze.t.mean() <= 0.75 and max(chip.haze.airlight) < 1
        else:
            assert (chip.haze.t == 1).all()


def test_the_clear_picture_comes_back_from_the_hazy_one(chips: list[DrawnChip]) -> None:
    """J = (I - A (1 - t)) / t, within what JPEG rounds off, magnified by 1 / t."""
    index = next(number for number, chip in enumerate(chips) if "haze" in chip.chip.tags)
    scene = draw_scene(index // SIDE**2, SIDE, seed=SEED)
    row, column = divmod(index % SIDE**2, SIDE)
    clear = scene.ground[row * NATIVE : (row + 1) * NATIVE, column * NATIVE : (column + 1) * NATIVE]
    truth = chips[index].haze
    t = transmission(truth.t, NATIVE)[..., None]
    hazy = image(chips[index])
    back = (hazy - np.array(truth.airlight) * (1 - t)) / t
    assert np.abs(back - clear).mean() < 0.015
    assert np.abs(hazy - clear).mean() > 0.1


def test_laying_haze_follows_the_model() -> None:
    """T = 1 leaves the picture, t = 0 leaves the airlight, between them it is linear; and it can be undone."""
    clear = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    light = (0.6, 0.7, 0.8)
    assert lay_haze(clear, np.ones((8, 8), np.float32), light) == pytest.approx(clear)
    assert lay_haze(clear, np.zeros((8, 8), np.float32), light) == pytest.approx(np.broadcast_to(light, (8, 8, 3)))
    half = lay_haze(clear, np.full((8, 8), 0.5, np.float32), light)
    assert half == pytest.approx((clear + np.array(light)) / 2, abs=1e-6)


def test_transmission_passes_through_its_nodes_and_joins_its_neighbours() -> None:
    """A plane stays a plane; nothing leaves the range of the nodes; both sides of a common border agree."""
    plane = np.add.outer(np.arange(4), 2 * np.arange(4)).astype(np.float32)
    smooth = transmission(plane, 60)
    assert np.diff(smooth, axis=0) == pytest.approx(3 / 60, abs=1e-5)
    assert np.diff(smooth, axis=1) == pytest.approx(6 / 60, abs=1e-5)
    nodes = np.random.default_rng(1).random((4, 7)).astype(np.float32)
    left, right = transmission(nodes[:, :4], 256), transmission(nodes[:, 3:], 256)
    assert left.min() >= nodes.min() and left.max() <= nodes.max()
    assert np.abs(left[:, -1] - right[:, 0]).max() < 0.02


def test_the_haze_table_holds_every_chips_truth(chips: list[DrawnChip]) -> None:
    """A row for each chip: image_id, t_00..t_33, the airlight."""
    table = haze_table(chips)
    assert list(table.columns[:3]) == ["image_id", "t_00", "t_01"]
    assert list(table.columns[-4:]) == ["t_33", "airlight_r", "airlight_g", "airlight_b"]
    assert len(table.columns) == 20 and list(table["image_id"]) == [chip.chip.image_id for chip in chips]
    index = next(number for number, chip in enumerate(chips) if "haze" in chip.chip.tags)
    assert table.iloc[index, 1:17].to_numpy(np.float32) == pytest.approx(chips[index].haze.t.ravel())
    assert table.iloc[index, 17:].to_numpy(np.float32) == pytest.approx(np.array(chips[index].haze.airlight))


def test_neighbours_share_their_border(chips: list[DrawnChip]) -> None:
    """The last column of a chip looks like the first of its right neighbour, and not like that of another scene."""
    seams, strangers = [], []
    for scene in range(24):
        left, right, stranger = (image(chips[4 * scene + step]) for step in (0, 1, 5 if scene < 23 else -91))
        seams.append(np.abs(left[:, -1] - right[:, 0]).mean())
        strangers.append(np.abs(left[:, -1] - stranger[:, 0]).mean())
    assert np.median(seams) < 0.3 * np.median(strangers)


def test_encoding_is_a_plain_jpeg_of_high_quality(chips: list[DrawnChip]) -> None:
    """Encoding a chip's picture again changes it by less than a hundredth."""
    for chip in chips[:20:5]:
        again = decode(encode_jpeg(decode(chip.chip.origin.read(), "chip"), drawn.QUALITY), "again") / 255
        assert chip.chip.origin.read()[:2] == b"\xff\xd8" and np.abs(again - image(chip)).mean() < 0.01
