"""Two streams: the same chips and sides are compared, what is better is called so, and the page stands alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streams import LABELS, answers

from igarape.errors import InputError
from igarape.reports.comparison import Comparison, compare, in_words, render_comparison
from igarape.scores.answers import Answers
from igarape.scores.metrics import average_precision, label_scores, mean_average_precision, sample_f2
from igarape.tracking.settings import Settings

Browse = Callable[[str], Any]
HOSTILE = "\" onerror='x' ><script>alert('a & b')</script>"
POOR, GOOD = answers(noise=0.7), answers(noise=0.3)


def compared(a: Answers, b: Answers, *, names: tuple[str, str] = ("main", "HEAD"), **more: Any) -> Comparison:
    """Compare two streams with few draws."""
    return compare(a, b, names=names, resamples=200, seed=1, **more)


def rows_of(stream: Answers, rows: Any) -> Answers:
    """Return some rows of a stream, in that order."""
    ids = np.array(stream.image_ids)[rows]
    arrays = {name: getattr(stream, name)[rows] for name in ("pixels", "folds", "y", "p", "answers")}
    return replace(stream, image_ids=list(ids), **arrays)


def test_each_side_has_the_figures_of_its_own_chips() -> None:
    """F2, mAP, and F2 and average precision of each label; the hold-out first."""
    found = compared(POOR, GOOD)
    assert [side.name for side in found.sides] == ["hold-out", "out of fold"]
    assert not found.left_out
    for side, rows in zip(found.sides, (GOOD.folds < 0, GOOD.folds >= 0), strict=True):
        assert side.chips == rows.sum()
        for name, stream in (("a", POOR), ("b", GOOD)):
            y, p, answered = stream.y[rows], stream.p[rows], stream.answers[rows]
            assert getattr(side.f2, name) == pytest.approx(sample_f2(y, answered))
            assert getattr(side.map, name) == pytest.approx(mean_average_precision(y, p))
            f2, ap = label_scores(y, answered).f2, average_precision(y, p)
            each = [(row.label, row.chips, getattr(row.f2, name), getattr(row.ap, name)) for row in side.labels]
            expected = zip(LABELS, y.sum(axis=0), f2, ap, strict=True)
            assert each == [(label, count, pytest.approx(x), pytest.approx(z)) for label, count, x, z in expected]
    out_of_fold = found.sides[1]
    assert (out_of_fold.f2.difference.verdict, out_of_fold.map.difference.verdict) == ("up", "up")
    assert compared(GOOD, POOR).sides[1].f2.difference.verdict == "down"
    assert compared(GOOD, GOOD).sides[1].f2.difference.verdict == "same"


def test_chips_that_belong_together_are_drawn_together() -> None:
    """Five copies of each chip are no more than one: intervals say so where one of the streams knows it."""
    few = answers(noise=0.7), answers(noise=0.6, seed=2)
    rows = np.repeat(np.arange(120), 5)
    a, b = (replace(each.rows(rows), image_ids=[str(row) for row in range(600)]) for each in few)
    once, copied = compared(*few).sides[0], compared(a, b).sides[0]
    apart = compared(*(replace(each, groups=each.image_ids) for each in (a, b))).sides[0]
    known = compared(replace(a, groups=a.image_ids), b).sides[0]
    assert (copied.chips, copied.groups, apart.groups) == (5 * once.chips, once.chips, 5 * once.chips)
    assert copied.f2.difference == pytest.approx(once.f2.difference)
    assert known.f2 == copied.f2 and known.map == copied.map
    assert np.ptp(apart.f2.difference[1:]) < 0.6 * np.ptp(copied.f2.difference[1:])
    one = in_words(compared(*(replace(each, groups=["scene"] * 600) for each in (a, b))))
    assert "hold-out, 120 chips in 1 group, B - A" in one


def test_the_order_of_chips_and_labels_does_not_matter() -> None:
    """Chips are met by their names, labels too."""
    order = [2, 0, 3, 1]
    shuffled = rows_of(GOOD, np.random.default_rng(1).permutation(len(GOOD.image_ids)))
    shuffled = replace(
        shuffled,
        labels=tuple(LABELS[k] for k in order),
        y=shuffled.y[:, order],
        p=shuffled.p[:, order],
        answers=shuffled.answers[:, order],
    )
    assert compared(POOR, shuffled) == compared(POOR, GOOD)


def test_only_chips_that_mean_the_same_in_both_are_compared() -> None:
    """Each reason why not is counted once, and said."""
    truth, pixels, folds = GOOD.y.copy(), GOOD.pixels.copy(), GOOD.folds.copy()
    held, inside = np.flatnonzero(folds == -1), np.flatnonzero(folds >= 0)
    truth[inside[:3], 0] ^= True
    pixels[inside[2:4]] += 1  # one of them has other labels too
    folds[held[1]] = 0
    other = rows_of(replace(GOOD, y=truth, pixels=pixels, folds=folds), np.arange(1, 118))
    found = compared(rows_of(POOR, np.arange(119)), other)
    assert found.left_out == {
        "in A only": 2,
        "with other pixels under the same name": 2,
        "with other true labels": 2,
        "in the folds of one and the hold-out of the other": 1,
    }
    assert sum(side.chips for side in found.sides) + sum(found.left_out.values()) == 119
    assert "not compared: 2 in A only, 2 with other pixels under the same name" in in_words(found)


def test_a_side_without_chips_in_common_is_left_out() -> None:
    """Another split: what one held out, the other had in its folds."""
    found = compared(POOR, replace(GOOD, folds=np.where(GOOD.folds == -1, 0, GOOD.folds)))
    assert [side.name for side in found.sides] == ["out of fold"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(GOOD, dataset="planet"), "main is about the data set toy, HEAD about planet: expected one data set"),
        (replace(GOOD, labels=("sun", "fog", "tree", "mine")), "only main has kiln and only HEAD has mine: expected"),
        (
            replace(GOOD, image_ids=[f"x{name}" for name in GOOD.image_ids]),
            "main, HEAD: no chip of toy can be compared: 120 in A only, 120 in B only",
        ),
        (replace(GOOD, pixels=GOOD.pixels + 1), "no chip of toy can be compared: 120 with other pixels under the same"),
    ],
)
def test_what_cannot_be_compared_says_why(other: Answers, message: str) -> None:
    """Another data set, other labels, other names, other pictures."""
    with pytest.raises(InputError, match=message):
        compared(POOR, other)


def test_a_label_that_does_not_occur_has_no_figures() -> None:
    """On that side; it stays in the table."""
    empty = replace(GOOD, y=np.where((GOOD.folds == -1)[:, None] & (np.arange(4) == 3), False, GOOD.y))
    found = compared(replace(POOR, y=empty.y), empty)
    assert (found.sides[0].labels[3].f2, found.sides[0].labels[3].ap) == (None, None)
    assert found.sides[1].labels[3].ap is not None
    assert "does not occur" in in_words(found)
    assert "does not occur" in render_comparison(found)


def test_the_terminal_shows_what_each_is_and_every_label() -> None:
    """The two figures of both sides, then a line for each label."""
    said = in_words(compared(POOR, GOOD)).splitlines()
    assert said[:2] == ["A: main", "B: HEAD"]
    assert said[2].startswith("B is better than A: F2 +0.") and said[2].endswith(" on the hold-out")
    assert said[4].startswith("settings that differ: not known")
    assert said[6] == "hold-out, 24 chips, B - A with its 95 % interval"
    assert [line.split()[0] for line in said[7:14]] == ["F2", "mAP", "label", *LABELS]
    assert max(map(len, said)) <= 120
    same = in_words(compared(POOR, POOR)).splitlines()
    assert same[2] == "B scores the same as A: F2 0.0000 on the hold-out"
    assert same[9] == same[-1] == "  no label's figures differ"


def test_the_page_stands_alone_names_everything_and_trusts_no_name(browse: Browse) -> None:
    """Nothing is loaded; a label, a revision or a setting is text, whatever it holds."""
    streams = [replace(each, labels=("sun", "fog", "tree", HOSTILE)) for each in (POOR, GOOD)]
    settings: tuple[Settings, Settings] = ({"params.yaml": {"note": HOSTILE}}, {"params.yaml": {}})
    page = browse(
        render_comparison(compared(streams[0], streams[1], names=(HOSTILE, "HEAD (1f2e3d4c5)"), settings=settings))
    )
    assert f"params.yaml note {HOSTILE} -" in page.text
    assert not page.addresses and "script" not in page.tags and "onerror" not in page.attributes
    assert not page.open
    assert HOSTILE in page.text and "HEAD (1f2e3d4c5)" in page.text
    assert "Label by label, hold-out" in page.text and "Label by label, out of fold" in page.text
    assert "Both have the same chips" in page.text


def test_the_page_begins_with_what_is_to_be_known(browse: Browse) -> None:
    """Better, worse, or the same."""
    better, worse, same = (compared(*pair) for pair in ((POOR, GOOD), (GOOD, POOR), (GOOD, GOOD)))
    assert 'class="up"' not in render_comparison(same) and 'class="down"' not in render_comparison(same)
    assert "B is better than A: F2 +" in browse(render_comparison(better)).text
    assert "B is worse than A: F2 -" in browse(render_comparison(worse)).text
    assert "B scores the same as A: F2 0.0000" in browse(render_comparison(same)).text
