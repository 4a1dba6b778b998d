"""The page of a search: every trial has its line and its row, at the right place, and the page stands alone."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny

from igarape.config.hyperparameters import NetworkValues
from igarape.config.spaces import Choice, Range, Space
from igarape.reports.trials import height, render_comparison, text

Browse = Callable[[str], Any]

RATE = Range(low=0.001, high=0.1, scale="log")
LOSS = Choice(choice=("bce", "focal", "asl"))
HYPERPARAMETERS = Space[NetworkValues](
    **tiny.HYPERPARAMETERS | {"learning_rate": RATE, "loss": LOSS, "tta": Choice(choice=(False, True))}
)
HOSTILE = "<script>alert('a & b')</script>"


def table(**changes: Any) -> pd.DataFrame:
    """Make the rows of three trials, of which the second failed."""
    rows = {
        "trial": ["trial-0", "trial-1", "trial-2"],
        "status": ["FINISHED", "FAILED", "FINISHED"],
        "score": [0.25, np.nan, 0.75],
        "seconds": [10.0, 20.0, 30.0],
        "memory_mb": [500.0, 700.0, 600.0],
        "epochs": [3, 3, 3],
        "error": ["", f"ValueError: {HOSTILE}", ""],
        **{name: [value] * 3 for name, value in tiny.HYPERPARAMETERS.items()},
        "learning_rate": [0.001, 0.01, 0.1],
        "loss": ["bce", "asl", "focal"],
        "tta": [True, False, True],
    }
    return pd.DataFrame(rows | changes)


def render(trials: pd.DataFrame, hyperparameters: Space[NetworkValues] = HYPERPARAMETERS) -> str:
    """Render a page on which trial-2 is the best."""
    best = trials["trial"].iloc[-1]
    return render_comparison(trials, hyperparameters, experiment="tiny", objective="f2", tuner="random", best=best)


@pytest.mark.parametrize(
    ("value", "hyperparameter", "expected"),
    [
        (0.001, RATE, 0.0),
        (0.01, RATE, 0.5),
        (0.1, RATE, 1.0),
        (0.3, Range(low=0.1, high=0.5, scale="linear"), 0.5),
        ("bce", LOSS, 0.0),
        ("focal", LOSS, 0.5),
        (True, Choice(choice=(False, True)), 1.0),
    ],
)
def test_a_value_stands_at_its_height(value: Any, hyperparameter: Choice | Range, expected: float) -> None:
    """A range on its scale, a choice at its place."""
    assert height(value, hyperparameter) == pytest.approx(expected)


@pytest.mark.parametrize(("value", "expected"), [(True, "true"), ("asl", "asl"), (0.0123456, "0.01235"), (3, "3")])
def test_a_value_is_written_as_in_yaml(value: Any, expected: str) -> None:
    """To four digits."""
    assert text(value) == expected


def test_each_trial_is_a_line_across_all_axes_in_the_order_of_its_score() -> None:
    """The best is drawn last, on top; a failed one goes on to a place below the score's axis.

    On a small screen it is the same drawing, turned: the axes lie one below the other, and go from left to right.
    """
    drawn = re.findall(r'<g class="line(.*?)".*?<title>(trial-\d).*?<path d="M(.*?)"/>', render(table()), re.DOTALL)
    lines, turned = drawn[:3], drawn[3:]
    assert [line[:2] for line in turned] == [line[:2] for line in lines]
    assert [(kind.strip(), name) for kind, name, _ in lines] == [
        ("lost", "trial-1"),
        ("", "trial-0"),
        ("best", "trial-2"),
    ]
    points, small = (
        {name: [tuple(map(float, point.split())) for point in path.split("L")] for _, name, path in some}
        for some in (lines, turned)
    )
    xs, ys = zip(*points["trial-2"], strict=True)
    assert list(xs) == pytest.approx(np.linspace(xs[0], xs[-1], 4).tolist(), abs=0.1)
    low, high = points["trial-0"][0][1], points["trial-2"][0][1]  # the learning rate's ends
    assert ys == pytest.approx([high, (low + high) / 2, high, high])
    assert points["trial-1"][0][1] == pytest.approx((low + high) / 2)
    assert points["trial-1"][-1][1] > low
    left, right = small["trial-0"][0][0], small["trial-2"][0][0]
    xs, ys = zip(*small["trial-2"], strict=True)
    assert list(ys) == pytest.approx(np.linspace(ys[0], ys[-1], 4).tolist())
    assert xs == pytest.approx([right, (left + right) / 2, right, right])
    assert small["trial-1"][-1][0] < left < right


def test_the_page_tells_what_was_found_and_what_it_took(browse: Browse) -> None:
    """In words and figures; the table begins with the best and ends with what failed, and why."""
    page = browse(render(table()))
    assert "3 trials, the best with F2 0.7500" in page.text
    assert "2 finished, 1 failed, by random" in page.text
    assert "at most 700 MB" in page.text
    assert page.text.index("trial-2 best") < page.text.index("trial-0 0.2500") < page.text.index("trial-1 failed")
    assert HOSTILE in page.text
    assert "warm_up 0.1" in page.text


def test_the_page_stands_alone(browse: Browse) -> None:
    """No script runs, nothing is loaded."""
    page = browse(render(table()))
    assert page.addresses == []
    assert "script" not in page.tags


def test_epochs_have_an_axis_where_they_differ() -> None:
    """As with Hyperband."""
    assert ">epochs</text>" not in render(table())
    assert ">epochs</text>" in render(table(epochs=[1, 3, 9]))


def test_one_trial_of_fixed_knobs_has_a_page_too(browse: Browse) -> None:
    """An experiment without a search."""
    page = browse(render(table().iloc[:1], Space[NetworkValues](**tiny.HYPERPARAMETERS)))
    assert "1 trial, the best with F2 0.2500" in page.text
    assert "none was searched" in page.text
    assert "svg" not in page.tags


def test_equal_scores_have_a_page_too(browse: Browse) -> None:
    """Though there is nothing between the lowest and the best."""
    assert "F2 0.5000" in browse(render(table(score=[0.5, 0.5, 0.5], error=[""] * 3))).text
