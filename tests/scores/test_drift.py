"""Scenes like the training's are in range however many tiles they have; a shifted sensor is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igarape.labels import Booleans, Vocabulary
from igarape.scores.drift import IN_RANGE, UNLIKE, DriftReference, fit_drift_reference, measure_drift
from igarape.tables import Probabilities

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=(), common=("tree", "pond", "road"), rare=("kiln",))
SCENES = 240


def answers(rng: np.random.Generator, tiles: int, *, moved: float = 0.0, fog: float = 0.3) -> Probabilities:
    """Draw the answers to one scene: its own mean, its tiles around it, and what fog does to all of them."""
    ground = rng.normal(0, 1, 4) + rng.normal(0, 0.7, (tiles, 4)) + moved
    foggy = rng.random(tiles) < fog
    ground[foggy] -= 2
    p = 1 / (1 + np.exp(-ground))
    weather = np.where(foggy[:, None], [0.1, 0.9], [0.9, 0.1])
    return np.concatenate([weather, p], axis=1).astype(np.float32)


def training(seed: int = 0, tiles: int = 4) -> tuple[Probabilities, list[str], Booleans]:
    """Draw the chips of scenes, of which a quarter is held out."""
    rng = np.random.default_rng(seed)
    scenes = [answers(rng, tiles) for _ in range(SCENES)]
    names = [f"scene_{number}" for number in range(SCENES) for _ in range(tiles)]
    return np.concatenate(scenes), names, np.repeat(np.arange(SCENES) % 4 == 0, tiles)


@pytest.fixture(scope="module")
def usual() -> DriftReference:
    """Give what is usual of these scenes."""
    found = fit_drift_reference(*training(), VOCABULARY)
    assert found is not None and found.groups == SCENES // 4
    return found


def chances(usual: DriftReference, tiles: int, **how: float) -> list[float]:
    """Return the chances of a hundred scenes."""
    rng = np.random.default_rng(1)
    found = [measure_drift(usual, answers(rng, tiles, **how), VOCABULARY) for _ in range(100)]
    return [each.chance for each in found if each is not None]


@pytest.mark.parametrize("tiles", [4, 40, 2000])
def test_a_scene_like_the_trainings_is_in_range(usual: DriftReference, tiles: int) -> None:
    """Some five in a hundred are unusual, of a few tiles or of thousands: scenes are compared, never tiles."""
    found = np.array(chances(usual, tiles))
    assert (found < 0.05).mean() <= 0.12 and 0.35 < found.mean() < 0.65


@pytest.mark.parametrize("tiles", [40, 2000])
def test_a_sensor_that_moves_every_answer_is_found(usual: DriftReference, tiles: int) -> None:
    """All logits by three of the scenes' own deviations."""
    assert np.mean(np.array(chances(usual, tiles, moved=3.0)) < 0.01) > 0.95


@settings(max_examples=10)
@given(st.floats(0, 1))
def test_weather_is_no_drift(fog: float) -> None:
    """A scene that is foggy all over is judged as foggy chips are."""
    found = fit_drift_reference(*training(), VOCABULARY)
    assert found is not None and np.mean(np.array(chances(found, 60, fog=fog)) < 0.05) <= 0.15


def test_by_chips_every_scene_would_drift() -> None:
    """Where groups are made of chips of anywhere, most scenes like the training's are called strange."""
    p, names, held = training()
    rng = np.random.default_rng(5)
    shuffled = [names[place] for place in rng.permutation(len(names))]
    found = fit_drift_reference(p, shuffled, np.isin(shuffled, [f"scene_{n}" for n in range(0, SCENES, 4)]), VOCABULARY)
    assert found is not None
    assert np.mean(np.array(chances(found, 2000)) < 0.01) > 0.5
    assert held.any()


def test_the_strangest_tile_lies_farthest(usual: DriftReference) -> None:
    """And tiles that were not looked at lie nowhere."""
    p = answers(np.random.default_rng(3), 30, fog=0.0)
    p[7, 2:] = 0.999
    p[7, 3] = 0.001
    p[11] = np.nan
    found = measure_drift(usual, p, VOCABULARY)
    assert found is not None and np.nanargmax(found.far) == 7 and np.isnan(found.far[11])


def test_clouds_say_nothing(usual: DriftReference) -> None:
    """A scene of which no ground was seen has no verdict.

    Too few scenes, labels without ground, and answers that are all alike have no usual.
    """
    cloudy = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond", "road"), rare=("kiln",))
    foggy = answers(np.random.default_rng(0), 20, fog=1.0)
    assert measure_drift(usual, foggy, cloudy) is None
    p, names, held = training()
    assert fit_drift_reference(p[:80], names[:80], held[:80], VOCABULARY) is None
    assert fit_drift_reference(p, [str(n) for n in range(len(p))], held, VOCABULARY) is None
    assert fit_drift_reference(p[:, :2], names, held, Vocabulary(("sun", "fog"), (), (), ())) is None
    assert fit_drift_reference(np.full_like(p, 0.3), names, held, VOCABULARY) is None


def test_verdicts_have_their_words(usual: DriftReference) -> None:
    """In range, unusual, not like training."""
    rng = np.random.default_rng(2)
    one, other = (
        measure_drift(usual, answers(rng, 200), VOCABULARY),
        measure_drift(usual, answers(rng, 200, moved=6), VOCABULARY),
    )
    assert one is not None and one.verdict == IN_RANGE
    assert other is not None and other.verdict == UNLIKE
