"""The past of a site is what its state was after each day."""

from pathlib import Path

import numpy as np
import pytest
from site_days import CHANGED, CLOUDY, watched_site

from igarape.sites.looks import list_looks
from igarape.sites.site_history import STEPS, replay_looks
from igarape.sites.state import Engine


def test_the_past_ends_with_the_state_and_knows_nothing_of_later_days(tmp_path: Path) -> None:
    """Its last day is the state; its first days are those of a site that was watched no longer; looks are as given."""
    place = watched_site(tmp_path, days=CHANGED + 4)
    facts, engine = list_looks(place.looks), Engine.of(place.site)
    done: list[tuple[int, ...]] = []

    def report(*now: int) -> None:
        done.append(now)

    tile = place.area.known["1_1"]
    whole = replay_looks(facts, engine, tiles=6, read=place.day, closely=[tile], report=report)
    part = replay_looks(facts[:5], engine, tiles=6, read=place.day, closely=[], report=report)
    state, _ = place.update(lambda *_: None)
    assert np.abs(whole.present[-1] / STEPS - state.belief.present()).max() <= 0.5 / STEPS + 1e-9
    assert np.array_equal(whole.present[:5], part.present)
    assert np.array_equal(whole.seen[:5], part.seen)
    assert (~whole.seen[CLOUDY[0]]).sum() == 4 and whole.seen[0].all()
    days, p, hazy = whole.looks[tile]
    assert days.tolist() == [day for day in range(CHANGED + 4) if day not in CLOUDY]
    assert p[-1] == pytest.approx(place.day(facts[-1:]).p[tile])
    assert hazy.tolist() == [place.day(facts[day : day + 1]).hazy[tile] for day in days]
    assert p[0][0] < 0.1
    assert p[-1][0] > 0.9
    assert done[CHANGED + 3] == (CHANGED + 4, CHANGED + 4)
