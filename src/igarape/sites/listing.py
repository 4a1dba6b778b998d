"""A site as people read it on a terminal, and as a CSV: its condition by date, and its alerts."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from igarape.errors import InputError, counted, some
from igarape.files import begins
from igarape.sites.events import CANDIDATE, CONFIRMED, WITHDRAWN
from igarape.sites.judgements import DISMISSED, YES
from igarape.sites.state import State


def condition(state: State, labels: Sequence[str]) -> pd.DataFrame:
    """Return a row for each date: seen, cloudy and known tiles; the expected share of these that hold each label."""
    rows = [
        {"date": date.fromordinal(day.day).isoformat(), "seen": day.seen, "cloudy": day.cloudy, "known": day.known}
        | {f"share_{label}": share for label, share in zip(labels, day.share.tolist(), strict=True)}
        for day in state.days
    ]
    return pd.DataFrame(rows, columns=["date", "seen", "cloudy", "known", *(f"share_{label}" for label in labels)])


def summary(state: State, alerts: pd.DataFrame) -> dict[str, float]:
    """Return the figures of a site: dates, and its alerts by status."""
    confirmed = alerts[alerts["status"] == CONFIRMED]
    return {
        "dates": len(state.days),
        "confirmed": len(confirmed),
        "candidates": int((alerts["status"] == CANDIDATE).sum()),
        "dismissed": int((alerts["status"] == DISMISSED).sum()),
        "expected_false": expected_false(alerts, CONFIRMED),
    }


def expected_false(alerts: pd.DataFrame, status: str) -> float:
    """Return how many alerts of a status are expected to be false, at the site's own rates: of those not judged."""
    open_ones = alerts[(alerts["status"] == status) & alerts["verdict"].isna()]
    return float(open_ones["false"].sum())


def doubt(alerts: pd.DataFrame, status: str) -> str:
    """Say how many alerts of a status are expected to be false: of alerts, not of events.

    An event is false where all its alerts are, and how often they are so together, nobody knows.
    """
    unjudged = int(((alerts["status"] == status) & alerts["verdict"].isna()).sum())
    if not unjudged:
        return "all were judged"
    noun = counted(unjudged, CANDIDATE if status == CANDIDATE else "alert")
    return f"of the {noun} that nobody has judged, {expected_false(alerts, status):.2f} are expected to be false"


def standing_alerts(alerts: pd.DataFrame, *, candidates: bool) -> pd.DataFrame:
    """Return the alerts that stand, in their order: confirmed ones, and candidates where these are wanted."""
    return alerts[alerts["status"].isin([CONFIRMED, *([CANDIDATE] if candidates else [])])]


def alert_lines(alerts: pd.DataFrame, *, candidates: bool) -> list[str]:
    """Return a line for each alert that stands, below that of the strongest of its event; and their sums.

    alerts: with their events, as events.with_events gives them. candidates: whether they are shown too.
    """
    by = alerts["event"].map(dict(zip(alerts["id"], alerts["status"], strict=True)))
    sure, unsure = alerts[by == CONFIRMED], alerts[by == CANDIDATE]
    shown = standing_alerts(sure, candidates=candidates)
    confirmed = int((alerts["status"] == CONFIRMED).sum())
    beside, waiting = len(sure) - confirmed, len(sure) - confirmed + len(unsure)
    above = f"{counted(beside, CANDIDATE)} in the events above"
    lines = [_line(row) for row in shown.to_dict("records")]
    lines.append(_sum(sure["event"].nunique(), counted(confirmed, "confirmed alert"), alerts, CONFIRMED))
    if candidates:
        lines += [_line(row) for row in unsure.to_dict("records")]
        kinds = counted(len(unsure), CANDIDATE) + (f", and {above}" if beside else "")
        lines.append(_sum(unsure["event"].nunique(), kinds, alerts, CANDIDATE))
    elif waiting:
        told = f", {beside} of them in the events above" if beside else ""
        lines.append(f"{counted(waiting, CANDIDATE)} not confirmed yet{told}: --candidates shows them")
    if len(dismissed := alerts[alerts["status"] == DISMISSED]):
        lines.append(f"{len(dismissed)} dismissed, as judged no: {some(sorted(dismissed['id']))}; verdicts.csv has all")
    if len(gone := alerts[(alerts["status"] == WITHDRAWN) & (alerts["verdict"] == YES)]):
        lines.append(f"{len(gone)} withdrawn by later looks, though judged yes: {some(sorted(gone['id']))}")
    return lines


def _line(alert: Mapping[Hashable, Any]) -> str:
    """Return an alert as a line; one that stands for no event is set in."""
    seen = "1 look" if alert["looks"] == 1 else f"{alert['looks']:.0f} looks"
    verdict = f"; judged {alert['verdict']}: {alert['reason']}" if isinstance(alert["verdict"], str) else ""
    return (
        f"{'' if alert['event'] == alert['id'] else '  and '}{alert['id']}  {alert['status']}, "
        f"{alert['probability']:.3f}, {seen}: {alert['label']} {alert['change']} somewhere in this tile, about "
        f"{alert['date']} ({alert['first']} to {alert['last']}, {alert['held']:.2f}){verdict}"
    )


def _sum(events: int, kinds: str, alerts: pd.DataFrame, status: str) -> str:
    """Return how many events there are, of how many alerts, and how many of these are expected to be false."""
    told = f"{counted(events, 'event')} of {kinds}" if events else f"no {kinds.removeprefix('0 ')}"
    return told + (f"; {doubt(alerts, status)}" if (alerts["status"] == status).any() else "")


def log_lines(table: pd.DataFrame) -> list[str]:
    """Return a site's condition as lines of text."""
    if not len(table):
        return ["no look yet"]
    shown = table.rename(columns=lambda name: name.removeprefix("share_"))
    return str(shown.to_string(index=False, float_format=lambda share: f"{share:.3f}")).splitlines()


def spare(path: Path, beginning: str, where: str) -> None:
    """Refuse to write over a file that does not begin as ours do; where: what an error begins with."""
    if path.is_dir():
        raise InputError(f"{where}: is a folder. Name a file")
    if path.exists() and not begins(path, beginning.encode()):
        raise InputError(f"{where}: is there, holds no such table, and would be lost. Name another file")
