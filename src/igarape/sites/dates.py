"""When a scene was taken: as somebody says, or else as the file or its name does."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from igarape.errors import InputError

SAY = (
    "Say when the scene was taken, by its file's name, such as 2024-05-31_scene.tif; or to igarape map by --date "
    "2024-05-31, to igarape watch by a STAC item"
)
ACQUIRED = "ACQUISITIONDATETIME"  # GDAL's name, in the domain IMAGERY, for what many formats say
FIRST = date(1957, 10, 4)  # of anything that could have looked down


def find_date(said: str | None, where: str, *, name: str, imagery: Mapping[str, str]) -> date:
    """Return the day a scene was taken.

    Parameters
    ----------
    said
        What somebody says, as 2024-05-31; None: nothing.
    where
        What an error begins with.
    name
        The file's, which may hold one such date, also as 20240531.
    imagery
        What the file says of its acquisition, by GDAL's names.

    Raises
    ------
    InputError
        When nothing says it, or it lies in the future.
    """
    if said is not None:
        found = _day(said)
        if found is None:
            raise InputError(f"{where}: {said!r} is no day. {SAY}")
    else:
        found = _day(imagery.get(ACQUIRED, "")[:10]) or _named(name)
        if found is None:
            raise InputError(f"{where}: neither the file nor its name says one date. {SAY}")
    today = datetime.now(UTC).date()
    if not FIRST <= found <= today + timedelta(days=1):  # which has begun in the east
        why = f"lies in the future: this machine's clock says {today}" if found > FIRST else "is too early"
        raise InputError(f"{where}: {found} {why}. {SAY}")
    return found


def _named(name: str) -> date | None:
    """Return the day that stands in a name, where exactly one does."""
    written = re.findall(r"(?<!\d)(\d{4})([-_]?)(\d\d)\2(\d\d)(?!\d)", name)
    days = {day for year, _, month, of_month in written if (day := _day(f"{year}-{month}-{of_month}"))}
    return days.pop() if len(days) == 1 else None


def _day(text: str) -> date | None:
    """Return the day that a text names; None: it names none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
