"""What each mode costs is told with intervals, and what is reported is what is served."""

import numpy as np
import pytest
from drawing import singly

from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.learners.views import COUNTS, PIPELINE, ByMode, Mode
from igarape.reports.modes import ModeComparison, as_served, compare_modes, mode_lines

WORDS = Vocabulary((), (), ("tree", "pond"), ())
RULE = Rule("fixed", WORDS, 2.0, threshold=0.2)
Y = np.array([[1, 0], [0, 1], [1, 1], [0, 1]], dtype=bool)
DRAWS = singly(Y, resamples=1000, seed=1)
SURE = np.where(Y, 0.9, 0.1).astype(np.float32)


def by_mode(served: Mode = PIPELINE) -> ByMode:
    """Answer rightly, but by one view one label of the last chip."""
    worse = SURE.copy()
    worse[-1] = (0.1, 0.1)
    modes = list(dict.fromkeys([PIPELINE, *(Mode(count, served.precision) for count in COUNTS)]))
    p = {mode: worse if mode.views == 1 else SURE for mode in modes}
    return ByMode(served, np.arange(len(Y)), p, {mode: 10.0 * mode.views for mode in modes})


def compared(served: Mode = PIPELINE) -> ModeComparison:
    """Compare."""
    found = compare_modes(Y, by_mode(served), RULE, DRAWS)
    assert found is not None
    return found


def test_what_one_view_misses_is_told_with_an_interval() -> None:
    """A chip of four has F2 0 in place of 1; two views and four lose nothing."""
    found = compared()
    one, two = Mode(1), Mode(2)
    assert found.f2[one].mean == pytest.approx(-1 / 4)
    assert found.f2[one].low <= found.f2[one].mean <= found.f2[one].high
    assert found.f2[two] == found.f2[Mode(4)] == found.map[two] == (0.0, 0.0, 0.0)
    assert found.figures[PIPELINE]["f2"] == 1.0 and found.figures[one]["f2"] == pytest.approx(0.75)
    told = found.to_json()
    assert set(told) == {"8", "4", "2", "1"} and set(told["8"]) == {"scores"}
    assert told["1"]["f2"]["mean"] == found.f2[one].mean and "ms" not in str(told)


def test_a_terminal_shows_each_choice_and_which_is_served() -> None:
    """Nothing where learners have one view only."""
    lines = mode_lines(compared(Mode(2)))
    assert [line.endswith(", served") for line in lines] == [False, True, False]
    assert lines[2].startswith("views: 1 in place of 8: F2 -0.2500") and "10.0 ms a chip in place of 80.0" in lines[2]
    lines = mode_lines(compared(Mode(8, "int8")))
    assert len(lines) == 4 and lines[0].startswith("views: 8-int8 in place of 8: F2 ") and lines[0].endswith(", served")
    assert mode_lines(None) == [] and compare_modes(Y, None, RULE, DRAWS) is None


def test_what_is_reported_is_what_is_served() -> None:
    """In another mode the bundle's own answers; in the pipeline's, or where there is one only, the pipeline's."""
    for mode in (Mode(1), Mode(8, "int8")):
        asked = by_mode(mode)
        assert as_served(SURE, asked) is asked.p[mode]
    pipelines = SURE.copy()
    assert as_served(pipelines, by_mode()) is pipelines and as_served(pipelines, None) is pipelines
