"""What is known of a site follows from its looks alone, whatever order they came in."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from site_looks import flooded, look, quiet, write_site
from site_settings import CONTENT, site

from igarape.errors import InputError
from igarape.sites.alerts import Status
from igarape.sites.site_folder import SiteFolder
from igarape.sites.state import Engine, State

DAYS = (5, 30, 60, 90, 120, 150, 200, 230, 260, 290)
SINCE = 210


def files(place: SiteFolder) -> dict[str, bytes]:
    """Return what follows from the looks, as bytes."""
    return {path.name: path.read_bytes() for path in (place.state, place.alerts)}


def test_dates_in_any_order_leave_the_same_bytes(tmp_path: Path) -> None:
    """All at once, one after the other, backwards, shuffled: state and alerts are the same files."""
    shuffled = tuple(np.random.default_rng(1).permutation(DAYS).tolist())
    found = []
    for number, (order, each) in enumerate([(DAYS, False), (DAYS, True), (shuffled, True)]):
        place = write_site(tmp_path / str(number))
        for day in order:
            flooded(place, [day], SINCE)
            if each:
                place.update(quiet)
        place.update(quiet)
        found.append(files(place))
    assert all(one == found[0] for one in found)


def test_a_new_date_is_one_step_and_an_older_one_replays_all(tmp_path: Path) -> None:
    """As is told by the days that are read; so do other settings."""
    place = write_site(tmp_path)
    done: list[int] = []
    for days, expected in ((DAYS[:8], 8), (DAYS[9:], 1), (DAYS[8:9], 10)):
        flooded(place, days, SINCE)
        place.update(lambda _, total: done.append(total))
        assert done[-1] == len(done) == expected
        done.clear()
    other = write_site(tmp_path, site(evidence=CONTENT["evidence"] | {"bound": 3.0}))
    other.update(lambda _, total: done.append(total))
    assert len(done) == 10


def test_what_appeared_is_confirmed_and_dated(tmp_path: Path) -> None:
    """Once, in its tile, and nowhere else."""
    place = write_site(tmp_path)
    flooded(place, DAYS, SINCE)
    state, table = place.update(quiet)
    confirmed = [event for event in state.events if event.status == Status.CONFIRMED]
    assert [(event.tile, event.label, event.direction) for event in confirmed] == [(1, 0, 0)]
    assert table["id"].tolist() == ["here:0_1:water:appeared:1"]
    assert State.load(place.state).belief.chances.tobytes() == state.belief.chances.tobytes()


def test_other_looks_at_the_same_scenes_leave_nothing_of_those_before(tmp_path: Path) -> None:
    """As a replay by another model, or with another stretch, writes them: the tables are called as before."""
    place = write_site(tmp_path)
    flooded(place, DAYS, SINCE)
    assert len(place.update(quiet)[1]) == 1
    before = [facts.name for facts in place.listed()]
    shutil.rmtree(place.looks)
    flooded(place, DAYS, SINCE + 1000)
    assert [facts.name for facts in place.listed()] == before
    assert not len(place.update(quiet)[1])


def test_looks_before_the_baseline_begins_do_not_count(tmp_path: Path) -> None:
    """They are kept, and listed; the state is as it was."""
    place = write_site(tmp_path)
    look(place, -20, {"water": 0.99})
    state, _ = place.update(quiet)
    assert [(day.seen, day.known) for day in state.days] == [(6, 0)]
    untouched = State.begin(6, Engine.of(place.site))
    np.testing.assert_array_equal(state.belief.chances, untouched.belief.chances)


def test_a_state_that_is_cut_short_is_told(tmp_path: Path) -> None:
    """And what to do."""
    place = write_site(tmp_path)
    flooded(place, DAYS[:2], SINCE)
    place.update(quiet)
    for content in (place.state.read_bytes()[:-50], b""):
        place.state.write_bytes(content)
        with pytest.raises(InputError, match=r"state.npz: is no state of a site.*Remove it"):
            place.update(quiet)
