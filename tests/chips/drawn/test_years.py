"""One ground, many skies: what changes is what was painted, and the clouds are known."""

import numpy as np
import pytest

from igarape.chips.drawn.canvas import Surface
from igarape.chips.drawn.scene import NATIVE
from igarape.chips.drawn.years import PAINT, Change, draw_years, holds

PLACE = (0.5, 0.5)


@pytest.mark.parametrize("label", list(PAINT))
def test_a_label_is_there_from_its_date_on(label: str) -> None:
    """And the ground stays what it is before and after; the same seed draws the same bytes."""
    kind = {"water": Surface.RIVER, "slash_burn": Surface.SCAR, "cultivation": Surface.PLOT}.get(label, Surface.SOIL)
    first, second, third = draw_years(1, 1, 3, [Change(1, label, PLACE)])
    assert holds(second.surface, label) and holds(third.surface, label)
    assert np.count_nonzero(second.surface == kind) > np.count_nonzero(first.surface == kind)
    np.testing.assert_array_equal(second.surface, third.surface)
    again, *_ = draw_years(1, 1, 1, [])
    np.testing.assert_array_equal(again.picture, first.picture)


def test_about_six_in_ten_pixels_are_hidden() -> None:
    """Over many dates; no two dates look alike."""
    sights = list(draw_years(2, 1, 40, []))
    assert 0.4 < np.mean([sight.hidden.mean() for sight in sights]) < 0.75
    assert sights[0].picture.shape == (NATIVE, NATIVE, 3)
    assert len({sight.picture.tobytes() for sight in sights}) == 40
