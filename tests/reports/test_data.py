"""A look at the data: counts with known answers, a fair choice of chips, and a page that stands alone."""

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from igarape.chips.pictures import decode
from igarape.labels import Vocabulary
from igarape.reports.data import (
    FAULTS,
    SIDE,
    Dehazed,
    Haze,
    Overview,
    Sheet,
    Shown,
    Twins,
    TwinSheet,
    beside,
    choose_dehazed,
    draw_images,
    presences,
    render_overview,
    spread,
    thumbnail,
    together,
)
from igarape.tables import Fault

Browse = Callable[[str], Any]

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree",), rare=("kiln",))
Y = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0]], dtype=np.bool_)
FOLDS = np.array([0, 1, -1, 0])
HOSTILE = "\" onerror='x' ><script>alert('a & b')</script>"
NAMELESS = Shown(HOSTILE, b"", [HOSTILE])


def rng() -> np.random.Generator:
    """Give a generator of fixed seed."""
    return np.random.default_rng(7)


def overview(**changes: Any) -> Overview:
    """Fill in everything the page can show, then replace what the test is about."""
    chip = Shown("chip_1", b"one", ["sun", "tree"])
    level = spread(np.array([0.2, 0.4]), reach=1.0)
    full = Overview(
        dataset="toy",
        note="These chips are a toy.",
        vocabulary=VOCABULARY,
        figures={
            "chips": 4321,
            "labelled": 4,
            "unlabelled": 4317,
            "left_out": 2,
            "reported_faults": 1,
            "corrected": 17,
            "tags_per_chip": 1.5,
            "combinations": 3,
            "mean_t": 0.62,
            "mean_change": 12.3,
            "near_duplicates": 9,
            "near_duplicates_apart": 1,
        },
        presences=presences(Y, FOLDS, labels=VOCABULARY.labels),
        together=together(Y),
        sheets=[Sheet("tree", 2, [chip])],
        hazes=[Haze("all chips", 4, level, spread(np.array([3.0, 4.0]), reach=5.0))],
        reach=5.0,
        dehazed={
            "most": [Dehazed(Shown("chip_2", b"two", ["fog"]), b"clear", (1, 2, 3), 0.41, 33.3)],
            "least": [],
            "drawn": [],
        },
        twins=[TwinSheet("copy", 9, [Twins(chip, Shown("chip_3", b"three", ["sun", "kiln"]), 0.125, apart=True)])],
        faults=[
            Fault("chip_8", "two weathers", "look at it", left_out=False),
            Fault("chip_7", "cannot be read", "replace it", left_out=True),
            Fault("chip_9", "is empty", "replace it", left_out=True),
        ],
    )
    return dataclasses.replace(full, **changes)


def test_a_label_is_compared_over_the_parts() -> None:
    """Tree holds in half of all chips, in all of fold 0 and in none elsewhere; the hold-out comes last."""
    tree = presences(Y, FOLDS, labels=VOCABULARY.labels)[2]
    assert (tree.label, tree.count, tree.share) == ("tree", 2, 0.5)
    assert [(part.name, part.share, part.deviation) for part in tree.parts] == [
        ("fold 0", 1.0, 1.0),
        ("fold 1", 0.0, -1.0),
        ("hold-out", 0.0, -1.0),
    ]
    assert tree.furthest.name == "fold 0"


def test_a_label_that_never_holds_deviates_nowhere() -> None:
    """Nothing is divided by its share of zero."""
    kiln = presences(Y, FOLDS, labels=VOCABULARY.labels)[3]
    assert (kiln.count, kiln.furthest.deviation) == (0, 0.0)


def test_parts_without_a_hold_out_are_only_folds() -> None:
    """No part is shown that has no chip."""
    assert [part.name for part in presences(Y, abs(FOLDS), labels=VOCABULARY.labels)[0].parts] == ["fold 0", "fold 1"]


def test_labels_that_hold_together_are_counted() -> None:
    """Both ways the same; each with itself is its own count."""
    assert together(Y).tolist() == [[3, 0, 2, 0], [0, 1, 0, 0], [2, 0, 2, 0], [0, 0, 0, 0]]


def test_chips_are_drawn_of_each_kind() -> None:
    """Only members, none twice, all where there are few, and the same ones whatever the order of the table."""
    image_ids = [f"chip_{row:03d}" for row in range(300)]
    members = rng().random((300, 3)) < (0.5, 0.01, 0.0)
    drawn = draw_images(image_ids, members, count=12, rng=rng())
    assert [len(kind) for kind in drawn] == [12, members[:, 1].sum(), 0]
    for column, kind in enumerate(drawn):
        assert len(set(kind)) == len(kind)
        assert all(members[image_ids.index(image_id), column] for image_id in kind)
    order = rng().permutation(300)
    assert draw_images([image_ids[row] for row in order], members[order], count=12, rng=rng()) == drawn


@pytest.mark.parametrize("chips", [0, 2, 5, 8, 9, 40])
def test_pairs_are_those_changed_most_least_and_some_between(chips: int) -> None:
    """Three of each, no chip twice; with too few chips, those changed most come first."""
    change = rng().permutation(chips).astype(float)
    quality = pd.DataFrame({"image_id": [f"chip_{row}" for row in range(chips)], "change": change})
    found = choose_dehazed(quality, count=3, rng=rng())
    changes = {reason: [change[int(image_id[5:])] for image_id in image_ids] for reason, image_ids in found.items()}
    ranked = sorted(change)[::-1]
    assert changes["most"] == ranked[:3]
    assert changes["least"] == ranked[3:][::-1][:3]
    assert len(changes["drawn"]) == min(3, max(0, chips - 6))
    every = [image_id for image_ids in found.values() for image_id in image_ids]
    assert len(set(every)) == len(every)


def test_a_spread_has_known_answers() -> None:
    """The highest bar is 1, the quantiles are those of the values; a single value is all of them."""
    found = spread(np.array([0.0] * 10 + [1.0] * 5), reach=1.0)
    assert (found.bars[0], found.bars[-1]) == (1.0, 0.5)
    assert sum(found.bars) == 1.5
    assert (found.low, found.median, found.high) == (0.0, 0.0, 1.0)
    one = spread(np.array([0.3]), reach=1.0)
    assert (one.low, one.median, one.high) == (0.3, 0.3, 0.3)


@pytest.mark.parametrize(("size", "shown"), [(256, SIDE), (64, 64)])
def test_a_thumbnail_is_never_larger_than_the_chip(size: int, shown: int) -> None:
    """A large chip is shrunk, a small one is kept."""
    image = rng().integers(0, 256, (size, size, 3)).astype(np.uint8)
    assert decode(thumbnail(image), "chip").shape == (shown, shown, 3)


def test_the_page_names_everything(browse: Browse) -> None:
    """Each label, chip, figure and fault, the note and the headline can be read there."""
    page = browse(render_overview(overview()))
    named = {
        *("toy", "These chips are a toy.", "4,321 chips, 4 labels", "4,317 without labels", *VOCABULARY.labels),
        *("Exactly one holds", "Common", "Rare", "+100.0 % fold 0", "does not occur"),
        *("chip_1", "1 of 2 chips", "chip_2", "transmission 0.41", "change 33.3", "all chips", "0.30 (0.21 to 0.39)"),
        *("copy 1 of 9 pairs", "chip_3", "distance 0.125", "in two parts of the split"),
        *("17 labels are corrected", "datasets/toy.corrections.csv"),
        *("2 chips were left out; 1 other fault is", "cannot be read", "two weathers", "replace it 2"),
    }
    assert {name for name in named if name not in page.text} == set()
    assert page.open == []


def test_the_page_stands_alone(browse: Browse) -> None:
    """All it loads are the pictures it carries, and its links lead to places that are there."""
    html = render_overview(overview())
    page = browse(html)
    images = [address for address in page.addresses if not address.startswith("#")]
    shown = (b"one", b"two", b"clear", b"one", b"three")
    assert images == ["data:image/jpeg;base64," + base64.b64encode(each).decode() for each in shown]
    assert all(f'id="{address[1:]}"' in html for address in page.addresses if address not in images)
    assert page.tags.isdisjoint({"script", "link", "iframe", "object", "embed", "base"})
    assert not any(word in html for word in ("http:", "https:", "url(", "@import", 'src="//'))


def test_the_same_data_give_the_same_page() -> None:
    """No date and no run stands on it: a page that differs shows other data."""
    assert render_overview(overview()) == render_overview(overview())


def test_the_airlight_is_shown_in_its_colour() -> None:
    """As CSS writes it."""
    assert "background:rgb(1 2 3)" in render_overview(overview())


def test_a_field_of_the_matrix_is_a_share_of_its_row(browse: Browse) -> None:
    """Of the three chips with sun two hold tree, 67 of 100; the two with tree both hold sun."""
    html = render_overview(overview())
    assert 'title="2 of 3 chips with sun hold tree too">67</td>' in html
    assert 'title="2 of 2 chips with tree hold sun too">100</td>' in html


def test_beside_a_label_stand_those_that_it_is_met_with_most_often(browse: Browse) -> None:
    """What the matrix says, for a small screen; labels that never meet are not told, nor is one that never holds."""
    y = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0]], dtype=np.bool_)
    assert beside(together(y), ["a", "b", "c", "d"]) == {
        "a": [("b", 1.0), ("c", 0.5)],
        "b": [("a", 2 / 3), ("c", 1 / 3)],
        "c": [("a", 1.0), ("b", 1.0)],
        "d": [],
    }
    text = browse(render_overview(overview())).text
    assert "sun tree 67 fog alone tree sun 100 kiln alone" in text


def test_tags_that_twins_do_not_share_are_marked() -> None:
    """A twin without labels says nothing about the other's."""
    one, other = Shown("a", b"", ["sun", "tree"]), Shown("b", b"", [])
    html = render_overview(overview(sheets=[]))
    assert '<span class="tag out">tree</span>' in html and '<span class="tag out">kiln</span>' in html
    assert '<span class="tag out">sun</span>' not in html
    html = render_overview(overview(sheets=[], twins=[TwinSheet("copy", 1, [Twins(one, other, 0.0, apart=False)])]))
    assert '<span class="tag out">tree</span>' not in html


def test_chips_that_were_left_out_come_first_and_long_tables_are_cut(browse: Browse) -> None:
    """All are counted, the first ones shown."""
    kept = [Fault(f"kept_{row:04d}", "p", "r", left_out=False) for row in range(FAULTS)]
    text = browse(render_overview(overview(faults=[*kept, Fault("lost", "p", "r", left_out=True)]))).text
    assert text.index("lost") < text.index("kept_0000")
    assert f"The first {FAULTS} of {FAULTS + 1} are shown" in text
    assert f"kept_{FAULTS - 2:04d}" in text and f"kept_{FAULTS - 1:04d}" not in text
    assert f" r {FAULTS + 1} " in text


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"note": ""}, "These chips are a toy."),
        ({"twins": []}, "Near-duplicates"),
        ({"figures": {**overview().figures, "corrected": 0}}, "corrected"),
        ({"faults": []}, "What there is to do"),
        ({"dehazed": {"most": [], "least": [], "drawn": []}}, "Changed most"),
        ({"vocabulary": Vocabulary(exclusive=(), alone=(), common=("sun", "fog", "tree"), rare=("kiln",))}, "Exactly"),
    ],
)
def test_what_is_not_there_leaves_no_trace(browse: Browse, changes: dict[str, Any], gone: str) -> None:
    """The page is whole without a note, twins, faults, pairs or an exclusive group."""
    page = browse(render_overview(overview(**changes)))
    assert gone in browse(render_overview(overview())).text
    assert gone not in page.text
    assert page.open == []


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": HOSTILE},
        {"note": HOSTILE},
        {"presences": presences(Y, FOLDS, labels=[HOSTILE, *VOCABULARY.labels[1:]])},
        {"sheets": [Sheet(HOSTILE, 1, [NAMELESS])]},
        {"dehazed": {"most": [Dehazed(NAMELESS, b"", (0, 0, 0), 0, 0)], "least": [], "drawn": []}},
        {"twins": [TwinSheet(HOSTILE, 1, [Twins(NAMELESS, NAMELESS, 0.0, apart=True)])]},
        {"faults": [Fault(HOSTILE, HOSTILE, HOSTILE, left_out=True)]},
    ],
)
def test_hostile_names_stay_text(browse: Browse, changes: dict[str, Any]) -> None:
    """A name that is a script and breaks out of quotes is shown letter by letter, and opens no tag or attribute."""
    page, harmless = browse(render_overview(overview(**changes))), browse(render_overview(overview()))
    assert HOSTILE in page.text
    assert page.tags <= harmless.tags
    assert page.attributes <= harmless.attributes
    assert page.open == []
