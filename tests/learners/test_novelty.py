"""What is far from the training data is found, however it is turned; what is usual is not."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from igarape.chips.pictures import Pixels, symmetries
from igarape.errors import InputError
from igarape.learners.novelty import Novelty, sampled
from igarape.learners.trees.statistics import statistics

SIZE = 64


@pytest.fixture(scope="module")
def chips() -> list[Pixels]:
    """Paint some: spots of light and shade on greens and browns."""
    rng = np.random.default_rng(3)
    return [paint(rng) for _ in range(96)]


def paint(rng: np.random.Generator) -> Pixels:
    """Paint a chip."""
    spots = rng.normal(0, rng.uniform(5, 25), (8, 8))
    light = np.asarray(cv2.resize(spots, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC))[:, :, None]
    colour = rng.uniform((40, 70, 30), (110, 130, 70))
    return np.clip(colour + light + rng.normal(0, 4, (SIZE, SIZE, 1)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def usual(chips: list[Pixels]) -> Novelty:
    """Learn what is usual from most of them, with a hold-out of 20."""
    return Novelty.fit(chips[:60], chips[60:80])


def test_other_pictures_are_far_and_chips_are_not(usual: Novelty, chips: list[Pixels]) -> None:
    """Noise, one colour, colours upside down; of fresh chips about as many as of the hold-out."""
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    odd = [noise, np.full_like(noise, 128), np.zeros_like(noise), 255 - chips[0]]
    assert list(usual.ood(odd)) == [1.0] * len(odd)
    fresh = usual.ood(chips[80:])
    assert 0.2 < fresh.mean() < 0.8


def test_the_hold_out_is_the_scale(usual: Novelty, chips: list[Pixels]) -> None:
    """Each of its chips has its own rank, so that none of them is beyond all."""
    assert sorted(usual.ood(chips[60:80])) == pytest.approx([rank / 20 for rank in range(20)])


def test_a_picture_has_its_answer_alone_and_from_all_sides(usual: Novelty, chips: list[Pixels]) -> None:
    """To the last bit: neither its turn nor its company counts."""
    together = usual.ood(chips[80:84])
    assert [usual.ood([chip])[0] for chip in chips[80:84]] == list(together)
    for view in symmetries(np.stack(chips[80:84])):
        np.testing.assert_array_equal(usual.ood(list(np.ascontiguousarray(view))), together)


def test_pictures_of_any_size_are_taken(usual: Novelty, chips: list[Pixels]) -> None:
    """They are looked at at one size; no picture gives no answer."""
    large = [chip.repeat(2, axis=0).repeat(2, axis=1) for chip in chips[80:84]]
    np.testing.assert_array_equal(usual.ood(large), usual.ood(chips[80:84]))
    assert usual.ood([]).shape == (0,)


def test_a_step_counts_by_how_dense_the_place_is(chips: list[Pixels]) -> None:
    """The same step leads farther from chips that are nearly equal than from chips that differ."""
    rng = np.random.default_rng(0)
    alike = [np.clip(chips[0] + rng.integers(-2, 3, chips[0].shape), 0, 255).astype(np.uint8) for _ in range(20)]
    usual = Novelty.fit([*alike, *chips[1:40]], chips[60:80])
    moved = [np.clip(chip.astype(int) + 6, 0, 255).astype(np.uint8) for chip in (alike[0], chips[5])]
    dense, loose = usual.scores(statistics(moved))
    assert dense > 1.2 * loose


def test_it_is_kept_to_the_bit(usual: Novelty, chips: list[Pixels], tmp_path: Path) -> None:
    """The file gives the same answers, and the same bytes when it is written again."""
    usual.save(tmp_path / "one.npz")
    read = Novelty.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(read.ood(chips), usual.ood(chips))
    read.save(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_too_few_chips_and_other_files_are_one_error(usual: Novelty, chips: list[Pixels], tmp_path: Path) -> None:
    """They say what is there and what to do."""
    with pytest.raises(InputError, match="at least 2 chips of the folds and 1 of the hold-out, found 1 and 0"):
        Novelty.fit(chips[:1], [])
    (tmp_path / "torn.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"torn\.npz: does not say what is usual.*dvc repro evaluate"):
        Novelty.load(tmp_path / "torn.npz")
    usual.save(tmp_path / "old.npz")
    with np.load(tmp_path / "old.npz") as arrays:
        np.savez(tmp_path / "old.npz", **{**arrays, "statistics": np.array(["mean"])})
    with pytest.raises(InputError, match=r"old\.npz: expected the statistics that this igarape takes"):
        Novelty.load(tmp_path / "old.npz")


def test_two_chips_are_enough(chips: list[Pixels]) -> None:
    """Even where they are the same picture."""
    usual = Novelty.fit([chips[0], chips[0]], [chips[1]])
    assert list(usual.ood([chips[0]])) == [0.0] and usual.ood([chips[2]])[0] in {0.0, 1.0}


def test_of_many_chips_some_are_taken_evenly() -> None:
    """The first and the last among them; of few all."""
    names = [str(number) for number in range(10)]
    assert sampled(names, 20) == names and sampled([], 3) == []
    assert sampled(names, 4) == ["0", "3", "6", "9"]
