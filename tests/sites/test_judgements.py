"""What was judged is found again after a replay, where the same alert comes back."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from igarape.errors import InputError
from igarape.sites.judgements import add_verdicts, applied, read_verdicts, span

NO = {"verdict": "no", "reason": "a flood", "who": "ana", "at": "2024-12-01T00:00:00Z"}


def alert(number: int, *days: int, tile: str = "0_1", change: str = "appeared") -> dict[str, Any]:
    """Give an alert of water: raised on a day of 2024, and the first and the last day of its change."""
    raised, first, last = (date.fromordinal(date(2024, 1, 1).toordinal() + day) for day in (*days, *days, *days)[:3])
    name = f"here:{tile}:water:{change}:{number}"
    return {"id": name, "raised": raised, "first": first, "last": last}


def verdict(number: int, first: int, last: int) -> dict[str, str]:
    """Give a verdict of no on an alert of those days."""
    since, until = span(alert(number, last, first, last))
    return NO | {"alert": alert(number, 0)["id"], "since": str(since), "until": str(until)}


def test_an_alert_of_another_number_but_the_same_days_is_the_judged_one() -> None:
    """Of two that meet it the one that was judged, else the one that meets it for longer; others are not."""
    judged = [verdict(1, 100, 130)]
    assert list(applied(judged, [alert(1, 40), alert(2, 120, 90, 125)])) == ["here:0_1:water:appeared:2"]
    both = [alert(1, 130, 125, 160), alert(2, 120, 90, 125)]
    assert list(applied(judged, both)) == ["here:0_1:water:appeared:1"]
    assert list(applied([verdict(7, 100, 130)], both)) == ["here:0_1:water:appeared:2"]
    assert applied(judged, [alert(1, 200, 150, 210), alert(1, 120, tile="0_2"), alert(1, 120, change="vanished")]) == {}


def test_an_alert_that_was_withdrawn_lies_where_it_was_raised() -> None:
    """As its change has no date."""
    one = alert(1, 120) | {"first": None, "last": None}
    assert span(one) == (one["raised"], one["raised"])
    assert applied([verdict(1, 100, 130)], [one])


def test_verdicts_of_tables_without_days_are_kept(tmp_path: Path) -> None:
    """They are those of the alert of their id; new rows get days. A spreadsheet may have set its mark before."""
    path = tmp_path / "verdicts.csv"
    path.write_text("\ufeffalert,verdict,reason,who,at\nhere:0_1:water:appeared:1,yes,,,\n", encoding="utf-8")
    add_verdicts(path, [verdict(2, 1, 9)])
    rows = read_verdicts(path)
    assert [(row["alert"][-1], row["since"]) for row in rows] == [("1", ""), ("2", "2024-01-02")]
    assert list(applied(rows, [alert(1, 300), alert(2, 5)])) == [alert(1, 0)["id"], alert(2, 0)["id"]]


def test_what_was_judged_goes_with_a_site_that_is_called_otherwise() -> None:
    """Its folder is renamed, with the verdicts in it; alerts are of the new name, an old table's verdicts too."""
    judged = verdict(1, 100, 130)
    renamed = alert(1, 120, 90, 125) | {"id": "there:0_1:water:appeared:1"}
    for each in (judged, judged | {"since": "", "until": ""}):
        assert list(applied([each], [renamed])) == [renamed["id"]]
        assert not applied([each], [renamed | {"id": "there:0_1:water:vanished:1"}])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x,no,why,me,now,2024-01-01,2024-01-02\n",
        "alert,verdict\nx,maybe\n",
        "alert,verdict,reason,who,at,since,until\nx,no,,,,5,6\n",
        "alert,\xe9\n",
    ],
)
def test_a_table_of_something_else_is_told(tmp_path: Path, text: str) -> None:
    """Nothing, no head, other columns, no days, or not in UTF-8: the next verdict would lose those before."""
    path = tmp_path / "verdicts.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="expected a CSV in UTF-8 with the columns alert, verdict"):
        read_verdicts(path)


def test_the_row_that_is_none_is_told(tmp_path: Path) -> None:
    """Such as one that somebody cut short."""
    path = tmp_path / "verdicts.csv"
    add_verdicts(path, [verdict(1, 1, 9), verdict(2, 1, 9)])
    path.write_text(path.read_text(encoding="utf-8") + "here:0_1", encoding="utf-8")
    with pytest.raises(InputError, match="row 3 is none"):
        read_verdicts(path)
