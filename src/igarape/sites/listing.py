"""A site as people read it on a terminal, and as a CSV: its condition by date, and its alerts."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from igarape.errors import counted
from igarape.sites.alerts import Status
from igarape.sites.judgements import DISMISSED
from igarape.sites.state import State

CONFIRMED, CANDIDATE = (status.name.lower() for status in (Status.CONFIRMED, Status.CANDIDATE))


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


def standing_alerts(alerts: pd.DataFrame, *, candidates: bool) -> pd.DataFrame:
    """Return the alerts that stand, the surest first: confirmed ones, then candidates where these are wanted."""
    shown = alerts[alerts["status"].isin([CONFIRMED, *([CANDIDATE] if candidates else [])])]
    return shown.sort_values(["status", "probability", "id"], ascending=[False, False, True])


def alert_lines(alerts: pd.DataFrame, *, candidates: bool) -> list[str]:
    """Return a line for each alert that stands, the surest first, confirmed ones before candidates; and their sums."""
    lines = []
    shown = standing_alerts(alerts, candidates=candidates)
    for status in (CONFIRMED, CANDIDATE) if candidates else (CONFIRMED,):
        some = shown[shown["status"] == status]
        for row in some.itertuples():
            verdict = f"; judged {row.verdict}: {row.reason}" if isinstance(row.verdict, str) else ""
            seen = "1 look" if row.looks == 1 else f"{row.looks:.0f} looks"
            lines.append(
                f"{row.id}  {status}, {row.probability:.3f}, {seen}: {row.label} {row.change} somewhere "
                f"in this tile, about {row.date} ({row.first} to {row.last}, {row.held:.2f}){verdict}"
            )
        false = f", of which {expected_false(alerts, status):.2f} are expected to be false" if len(some) else ""
        lines.append(f"{counted(len(some), status, status if status == CONFIRMED else None)}{false}")
    if not candidates and (waiting := int((alerts["status"] == CANDIDATE).sum())):
        lines.append(f"{counted(waiting, 'candidate')} not confirmed yet: --candidates shows them")
    if len(dismissed := alerts[alerts["status"] == DISMISSED]):
        lines.append(f"{len(dismissed)} dismissed, as judged no: {', '.join(sorted(dismissed['id']))}")
    return lines


def log_lines(table: pd.DataFrame) -> list[str]:
    """Return a site's condition as lines of text."""
    if not len(table):
        return ["no look yet"]
    shown = table.rename(columns=lambda name: name.removeprefix("share_"))
    return str(shown.to_string(index=False, float_format=lambda share: f"{share:.3f}")).splitlines()
