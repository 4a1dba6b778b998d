"""A scene's day is said, or stands in the file or its name; it is never in the future."""

from datetime import UTC, date, datetime, timedelta

import pytest

from igarape.errors import InputError
from igarape.sites.dates import find_date

DAY = date(2024, 5, 31)


@pytest.mark.parametrize(
    "name",
    ["20240531_141100_0e0e_3B.tif", "site-2024-05-31.tif", "S2A_20240531T143751.tif", "2024_05_31.tif"],
)
def test_a_name_may_hold_the_day(name: str) -> None:
    """As Planet's, ESA's and people's do."""
    assert find_date(None, "scene", name=name, imagery={}) == DAY


def test_what_is_said_counts_most_and_then_the_file() -> None:
    """--date, GDAL's acquisition date, the name."""
    taken = {"ACQUISITIONDATETIME": "2024-05-31 14:11:00"}
    assert find_date("2024-05-31", "scene", name="20200101.tif", imagery={}) == DAY
    assert find_date(None, "scene", name="20200101.tif", imagery=taken) == DAY


@pytest.mark.parametrize("name", ["scene.tif", "123456789.tif", "20241331.tif", "20240531_20240601.tif"])
def test_a_day_that_is_missing_is_asked_for(name: str) -> None:
    """Also where the name holds two, or what is none."""
    with pytest.raises(InputError, match=r"^scene: neither the file nor its name says one date.*--date 2024-05-31"):
        find_date(None, "scene", name=name, imagery={})


@pytest.mark.parametrize("said", ["yesterday", "2024-02-30", "31.5.2024", ""])
def test_what_is_no_day_is_refused(said: str) -> None:
    """With what was typed."""
    with pytest.raises(InputError, match=f"{said!r} is no day"):
        find_date(said, "scene", name="20240531.tif", imagery={})


def test_a_day_in_the_future_is_refused() -> None:
    """Nothing was seen then, but that tomorrow has begun in the east; nor was anything before there were satellites."""
    today = datetime.now(UTC).date()
    find_date(str(today + timedelta(days=1)), "scene", name="scene.tif", imagery={})
    later = today + timedelta(days=2)
    with pytest.raises(InputError, match=f"^scene: {later} lies in the future: this machine's clock says {today}"):
        find_date(str(later), "scene", name="scene.tif", imagery={})
    with pytest.raises(InputError, match="1900-01-01 is too early"):
        find_date("1900-01-01", "scene", name="scene.tif", imagery={})
