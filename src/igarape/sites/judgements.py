"""What people judged of a site's alerts, and to which alerts of today that applies.

verdicts.csv    a row each time: alert, verdict, reason, who, at; since, until: the days between which the alert lay

An alert's number may be another one after a replay. What was judged is then the alert of the same tile, label and
change whose days meet the judged one's.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from igarape.errors import InputError
from igarape.files import write_text

VERDICTS = YES, NO = "yes", "no"
WORDS = ["alert", "verdict", "reason", "who", "at"]
DAYS = ["since", "until"]  # which tables of before have not
DISMISSED = "dismissed"  # the status of an alert that would stand, had nobody judged it no

Row = Mapping[Any, Any]


def read_verdicts(path: Path) -> list[dict[str, str]]:
    """Return the rows of verdicts.csv, the oldest first; none where there is no such file.

    Raises InputError for a file that is not ours.
    """
    if not path.exists():
        return []
    rows: list[dict[str, str]] | None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows = list(table) if table.fieldnames in (WORDS, WORDS + DAYS) else None
    except (UnicodeDecodeError, csv.Error):  # such as a spreadsheet has written it
        rows = None
    wrong = [
        number
        for number, row in enumerate(rows or [], start=1)
        if list(row) != table.fieldnames or row["verdict"] not in VERDICTS or not _dated(row)
    ]
    if rows is None or wrong:
        where = f"row {wrong[0]} is none: " if wrong else ""
        raise InputError(
            f"{path}: {where}expected a CSV in UTF-8 with the columns {', '.join(WORDS + DAYS)}, a verdict of yes or "
            "no and two days in each row. Mend it, or bring back an older one"
        )
    return rows


def add_verdicts(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Add rows to verdicts.csv."""
    text = io.StringIO()
    table = csv.DictWriter(text, WORDS + DAYS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows([*read_verdicts(path), *rows])
    write_text(text.getvalue(), path)


def span(alert: Row) -> tuple[date, date]:
    """Return the days between which an alert lies: those of its change, and the one on which it was raised."""
    days = [alert[name] for name in ("raised", "first", "last") if isinstance(alert[name], date)]
    return min(days), max(days)


def applied(verdicts: Sequence[Mapping[str, str]], alerts: Sequence[Row]) -> dict[str, Mapping[str, str]]:
    """Return the newest verdict on each alert that was judged, by its id.

    Parameters
    ----------
    verdicts
        Of read_verdicts.
    alerts
        Those of today: id, raised, first, last.
    """
    found = {}
    for verdict in verdicts:
        meant = max(_meant(verdict, alerts), default=None)
        if meant is not None:
            found[meant[-1]] = verdict
    return found


def _meant(verdict: Mapping[str, str], alerts: Sequence[Row]) -> Iterator[tuple[bool, int, str]]:
    """Yield the alerts that may be the judged one: whether by id, for how many days they meet, and the id."""
    kind = _kind(verdict["alert"])
    for alert in alerts:
        same = _kind(alert["id"], numbered=True) == _kind(verdict["alert"], numbered=True)
        if not verdict.get("since"):
            if same:
                yield True, 0, alert["id"]
        elif _kind(alert["id"]) == kind:
            first, last = span(alert)
            since, until = (date.fromisoformat(verdict[name]) for name in DAYS)
            meets = (min(last, until) - max(first, since)).days
            if meets >= 0:
                yield same, meets, alert["id"]


def _kind(alert: str, *, numbered: bool = False) -> str:
    """Return an alert's tile, label and change of its id, and its number where that is asked for.

    Not the site's name: verdicts lie in the site's folder, and go with it where it is called otherwise.
    """
    own = alert.partition(":")[2]
    return own if numbered else own.rpartition(":")[0]


def _dated(row: Mapping[str, str]) -> bool:
    """Say whether a row names two days, or none."""
    told = [row.get(name) or "" for name in DAYS]
    try:
        return told == ["", ""] or len([date.fromisoformat(day) for day in told]) == len(DAYS)
    except ValueError:
        return False
