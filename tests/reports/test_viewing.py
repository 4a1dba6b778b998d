"""What fewer views cost is told with intervals, and what is reported is what is served."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from igarape.config.params import Serve, read_params
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.learners.views import COUNTS, ByViews
from igarape.reports.viewing import Viewing, as_served, compare_views, in_words

PARAMS = read_params(Path(__file__).parents[2] / "params.yaml")
WORDS = Vocabulary((), (), ("tree", "pond"), ())
RULE = Rule("fixed", WORDS, 2.0, threshold=0.2)
Y = np.array([[1, 0], [0, 1], [1, 1], [0, 1]], dtype=bool)
SURE = np.where(Y, 0.9, 0.1).astype(np.float32)


def by_views(last: float = 0.1) -> ByViews:
    """Answer rightly, but by one view one label of the last chip: so probable."""
    worse = SURE.copy()
    worse[-1] = (0.1, last)
    p = dict.fromkeys(COUNTS, SURE) | {1: worse}
    return ByViews(np.arange(len(Y)), p, {8: 80.0, 4: 40.0, 2: 20.0, 1: 10.0})


def compared(served: Literal[8, 4, 2, 1] = 8) -> Viewing:
    """Compare."""
    found = compare_views(Y, by_views(), RULE, PARAMS.model_copy(update={"serve": Serve(views=served)}))
    assert found is not None
    return found


def test_what_one_view_misses_is_told_with_an_interval() -> None:
    """A chip of four has F2 0 in place of 1; two views and four lose nothing."""
    found = compared()
    assert found.f2[1].mean == pytest.approx(-1 / 4)
    assert found.f2[1].low <= found.f2[1].mean <= found.f2[1].high
    assert found.f2[2] == found.f2[4] == found.map[2] == (0.0, 0.0, 0.0)
    assert found.figures[8]["f2"] == 1.0 and found.figures[1]["f2"] == pytest.approx(0.75)
    told = found.to_json()
    assert set(told) == {"8", "4", "2", "1"} and set(told["8"]) == {"scores"}
    assert told["1"]["f2"]["mean"] == found.f2[1].mean and "ms" not in str(told)


def test_a_terminal_shows_each_choice_and_which_is_served() -> None:
    """Nothing where learners have one view only."""
    lines = in_words(compared(served=2))
    assert [line.endswith(", served") for line in lines] == [False, True, False]
    assert lines[2].startswith("views: 1 in place of 8: F2 -0.2500") and "10.0 ms a chip in place of 80.0" in lines[2]
    assert in_words(None) == [] and compare_views(Y, None, RULE, PARAMS) is None


def test_what_is_reported_is_what_is_served() -> None:
    """By fewer views the bundle's own answers; by all of them, or where there is one only, the pipeline's."""
    asked = by_views()
    np.testing.assert_array_equal(as_served(SURE, asked, 1), asked.p[1])
    assert as_served(SURE, asked, 8) is SURE and as_served(SURE, None, 1) is SURE
