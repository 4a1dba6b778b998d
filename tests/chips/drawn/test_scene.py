"""Scenes differ, repeat by their seed, and take their themes in the wanted shares."""

from collections import Counter

import numpy as np
import pytest

from igarape.chips.drawn.canvas import Surface
from igarape.chips.drawn.scene import LANDS, NATIVE, SKIES, THEMES, Scene, _deal, draw_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Give one scene of 2 x 2 chips."""
    return draw_scene(3, 2, seed=1)


def test_a_scene_repeats_by_its_seed_and_number(scene: Scene) -> None:
    """And another seed or number gives another."""
    again = draw_scene(3, 2, seed=1)
    assert (again.ground == scene.ground).all() and (again.surface == scene.surface).all()
    for other in (draw_scene(4, 2, seed=1), draw_scene(3, 2, seed=2)):
        assert np.abs(other.ground - scene.ground).mean() > 0.005


def test_a_scene_has_room_for_its_chips(scene: Scene) -> None:
    """Side x side chips; the nodes at the common border of two chips are shared."""
    assert scene.ground.shape == (2 * NATIVE, 2 * NATIVE, 3) and scene.surface.shape == (2 * NATIVE, 2 * NATIVE)
    assert scene.t.shape == (7, 7)
    assert (scene.surface == Surface.CANOPY).any()
    assert scene.ground.min() >= 0 and scene.ground.max() <= 1


@pytest.mark.parametrize("seed", [0, 1, 2019])
def test_themes_and_skies_come_in_their_shares(seed: int) -> None:
    """In 375 scenes each is within a hundredth of its share; in any 40 in a row no theme is missing."""
    dealt = [_deal(number, seed) for number in range(375)]
    for place, shares in enumerate((THEMES, SKIES, LANDS)):
        counts = Counter(one[place] for one in dealt)
        assert {name: counts[name] / 375 for name in shares} == pytest.approx(shares, abs=0.012)
    for start in range(0, 320, 40):
        assert {theme for theme, _, _ in dealt[start : start + 40]} == set(THEMES)


def test_a_theme_does_not_bring_its_own_weather() -> None:
    """Each theme is seen about as often under an open sky as all are."""
    dealt = Counter(_deal(number, 5) for number in range(4000))
    for theme in THEMES:
        under = sum(count for (name, _, _), count in dealt.items() if name == theme)
        dry = sum(count for (name, over, _), count in dealt.items() if (name, over) == (theme, "open"))
        assert dry / under == pytest.approx(SKIES["open"], abs=0.04)


def test_shares_add_up() -> None:
    """Each scene has one theme, one sky, one land."""
    assert [sum(shares.values()) for shares in (THEMES, SKIES, LANDS)] == pytest.approx([1, 1, 1])
