"""Label noise, as the report shows it: the most doubted first, the hold-out apart, what people are asked to fill in."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.chips.pictures import Pixels
from igarape.chips.review import read_review
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.reports.noise import SHOWN, Noise, find_noise

VOCABULARY = Vocabulary(exclusive=(), alone=(), common=("tree", "pond, or lake"), rare=("kiln",))
N = 60
WRONG = {(3, 0): 0.97, (3, 1): 0.91, (7, 2): 0.99, (50, 0): 0.95}  # of a chip and a label, the doubt


def picture(image_id: str) -> Pixels:
    """Draw a chip."""
    return np.full((256, 256, 3), int(image_id[-2:]), dtype=np.uint8)


@pytest.fixture(scope="module")
def noise() -> Noise:
    """Give what is found where models are right about all labels but for four, one of them on the hold-out."""
    rng = np.random.default_rng(0)
    true = rng.random((N, 3)) < (0.5, 0.4, 0.2)
    p = np.where(true, 0.85, 0.15)
    y = true.copy()
    for place, doubt in WRONG.items():
        y[place] = not true[place]
        p[place] = doubt if true[place] else 1 - doubt
    return find_noise(
        [f"chip-{row:02d}" for row in range(N)],
        np.where(np.arange(N) < 48, np.arange(N) % 3, -1),
        y=y,
        p=p.astype(np.float32),
        vocabulary=VOCABULARY,
        corrections={("chip-00", "tree"): True, ("chip-59", "tree"): False, ("chip-55", "kiln"): False},
        picture=picture,
    )


def test_the_table_lists_the_most_doubted_first(noise: Noise) -> None:
    """Each with what is given, what is suggested, and how probable that is; the review is left to people."""
    table = noise.table
    assert list(table["image_id"]) == ["chip-07", "chip-03", "chip-50", "chip-03"]
    assert list(table["label"]) == ["kiln", "tree", "tree", "pond, or lake"]
    assert list(table["part"]) == ["fold 1", "fold 0", "hold-out", "fold 0"]
    assert list(table["doubt"]) == [0.99, 0.97, 0.95, 0.91]
    assert (table["suggested"] == 1 - table["given"]).all() and (table["review"] == "").all()
    assert np.allclose(table["doubt"], np.where(table["given"], 1 - table["probability"], table["probability"]))


def test_the_table_can_be_reviewed_as_it_is_written(noise: Noise, tmp_path: Path) -> None:
    """Nothing is changed before somebody writes into it."""
    path = tmp_path / "doubts.csv"
    path.write_text(noise.table.to_csv(index=False), encoding="utf-8")
    with pytest.raises(InputError, match="no row says change"):
        read_review(path)
    read = pd.read_csv(io.StringIO(path.read_text(encoding="utf-8")), keep_default_na=False)
    read["review"] = ["change", "keep", "", "change"]
    read.to_csv(path, index=False)
    review = read_review(path)
    wanted = {(row.image_id, row.label): bool(row.suggested) for row in read.iloc[[0, 3]].itertuples()}
    assert (dict(review.changes), len(review.kept), review.open) == (wanted, 1, 1)


def test_estimates_are_of_the_folds(noise: Noise) -> None:
    """The doubt on the hold-out is listed and not counted; how many labels have been corrected already is told."""
    doubted = {label.label: label.added + label.removed for label in noise.labels}
    assert doubted == {"tree": 1, "pond, or lake": 1, "kiln": 1}
    assert noise.wrong == pytest.approx(3) and noise.given == 48 * 3
    assert all(0.9 < label.known < 1 for label in noise.labels)
    assert (noise.doubted, noise.held_out, noise.corrected, noise.corrected_held_out) == (3, 1, 3, 2)


def test_chips_are_shown_once_with_all_that_is_doubted_of_them(noise: Noise) -> None:
    """In the order of their worst label, with a small picture."""
    assert [chip.image_id for chip in noise.chips] == ["chip-07", "chip-03", "chip-50"]
    chip = noise.chips[1]
    assert {*chip.added, *chip.removed} == {"tree", "pond, or lake"} and not {"tree", "pond, or lake"} & set(chip.sure)
    assert chip.part == "fold 0" and noise.chips[2].part == "hold-out"
    assert all(chip.image.startswith(b"\xff\xd8") and len(chip.image) < 5000 for chip in noise.chips)


def test_no_more_chips_are_shown_than_the_page_bears() -> None:
    """All are in the table; no picture is decoded in vain."""
    y = np.arange(200)[:, None] % 2 == 0
    p = np.where(y, 0.9, 0.1).astype(np.float32)
    y[:60] = ~y[:60]
    seen: list[str] = []

    def look(image_id: str) -> Pixels:
        seen.append(image_id)
        return picture(image_id)

    found = find_noise(
        [f"chip-{row:03d}" for row in range(200)],
        np.arange(200) % 2,
        y=y,
        p=p,
        vocabulary=Vocabulary(exclusive=(), alone=(), common=("tree",), rare=()),
        corrections={},
        picture=look,
    )
    assert len(found.table) == found.doubted == 60 and len(found.chips) == SHOWN
    assert sorted(seen) == sorted(found.table["image_id"])


def test_where_models_agree_with_the_labels_nothing_is_doubted() -> None:
    """The table has its columns all the same."""
    y = np.arange(20)[:, None] % 2 == 0
    found = find_noise(
        [f"chip-{row:02d}" for row in range(20)],
        np.arange(20) % 2,
        y=y,
        p=np.where(y, 0.9, 0.1).astype(np.float32),
        vocabulary=Vocabulary(exclusive=(), alone=(), common=("tree",), rare=()),
        corrections={},
        picture=picture,
    )
    assert found.table.to_csv(index=False) == "image_id,part,label,given,suggested,probability,doubt,review\n"
    assert (found.wrong, found.chips, found.doubted) == (0, [], 0)
