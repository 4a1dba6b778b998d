"""A sample is drawn by what is known on its day, filled in by people, and read again."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from site_looks import START, flooded, quiet, write_site

from igarape.errors import InputError
from igarape.sites.sampling import judged_table, present, write_sample
from igarape.sites.site_folder import SiteFolder

BEFORE, AFTER = START + timedelta(days=205), START + timedelta(days=300)


@pytest.fixture
def place(tmp_path: Path) -> SiteFolder:
    """Give a site in which water appeared in one of six tiles after the day 200."""
    place = write_site(tmp_path)
    flooded(place, (5, 30, 60, 90, 120, 150, 190, 200, 230, 260, 290), 210)
    place.update(quiet)
    return place


def filled(place: SiteFolder, path: Path, day: date) -> Path:
    """Draw a sample of all tiles, and fill it in as the map has it."""
    write_sample(place, path, label="water", day=day, size=10)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(holds=np.where(table["stratum"] == "present", "yes", "no")).to_csv(path, index=False)
    return path


def test_what_is_known_on_a_day_does_not_know_what_came_later(place: SiteFolder) -> None:
    """One tile of six afterwards, none before, nothing before the first look."""
    assert (present(place, "water", AFTER) > 0.5).tolist() == [False, True, False, False, False, False]
    assert (present(place, "water", BEFORE) < 0.5).all()
    assert np.isnan(present(place, "water", START)).all()


def test_before_and_after_are_compared(place: SiteFolder, tmp_path: Path) -> None:
    """In whatever order the samples are named."""
    samples = [filled(place, tmp_path / "after.csv", AFTER), filled(place, tmp_path / "before.csv", BEFORE)]
    table = judged_table(place, samples)
    assert table["date"].tolist() == [str(BEFORE), str(AFTER), f"{BEFORE} to {AFTER}"]
    assert table["share"].tolist() == pytest.approx([0, 1 / 6, 1 / 6])
    one = judged_table(place, samples[:1])
    assert len(one) == 1
    assert judged_table(place, samples[:1] * 2).equals(one)
    again = filled(place, tmp_path / "again.csv", AFTER)
    assert len(judged_table(place, [samples[0], again])) == 2  # of one day: no change to tell
    text = samples[0].read_text(encoding="utf-8").replace(",", ";").replace("yes", "YES ")
    samples[0].write_text(text, encoding="utf-8-sig")  # a spreadsheet's
    assert judged_table(place, samples[:1]).equals(one)


def test_a_sample_says_where_its_tiles_lie_and_takes_what_people_add(place: SiteFolder, tmp_path: Path) -> None:
    """In degrees, as people look for them on other pictures; their own columns are passed over."""
    path = filled(place, tmp_path / "one.csv", AFTER)
    table = pd.read_csv(path)
    middles = place.area.middles[[place.area.known[tile] for tile in table["tile"]]]
    np.testing.assert_allclose(table[["latitude", "longitude"]], middles, atol=1e-5)
    judged = judged_table(place, [path])
    table.assign(note="seen from the road").drop(columns="latitude").to_csv(path, index=False)
    assert judged_table(place, [path]).equals(judged)


def test_tiles_that_nobody_judged_are_named(place: SiteFolder, tmp_path: Path) -> None:
    """As many as there are of how many."""
    path = tmp_path / "one.csv"
    write_sample(place, path, label="water", day=AFTER, size=10)
    with pytest.raises(InputError, match=r"yes or no in the column holds; 6 of 6 tiles have neither: 0_"):
        judged_table(place, [path])


def test_what_is_no_sample_is_told(place: SiteFolder, tmp_path: Path) -> None:
    """Each in one line that names the file or the option."""
    path = filled(place, tmp_path / "one.csv", AFTER)
    for label, said in (
        (None, "of which label"),
        ("wader", "did you mean water"),
        ("water", "may have been filled in"),
    ):
        with pytest.raises(InputError, match=said):
            write_sample(place, path if label == "water" else tmp_path / "new.csv", label=label, day=AFTER, size=10)
    with pytest.raises(InputError, match="no tile was looked at"):
        write_sample(place, tmp_path / "new.csv", label="water", day=START, size=10)
    for text, said in (("", "not a CSV"), ("a,b\n1,2\n", "expected the columns tile, label")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            judged_table(place, [path])
    with pytest.raises(InputError, match="not found"):
        judged_table(place, [tmp_path / "none.csv"])
