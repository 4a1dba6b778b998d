"""judge: say whether an alert is right. -> sites/NAME/verdicts.csv."""

from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import click

from igarape.errors import InputError, counted
from igarape.progress import progress
from igarape.sites.events import with_events
from igarape.sites.judgements import add_verdicts, span
from igarape.sites.ledger import read_alerts
from igarape.sites.site_folder import SiteFolder
from igarape.tracking.address import user
from igarape.workspace import Workspace

SECOND = "%Y-%m-%dT%H:%M:%SZ"


def run(workspace: Workspace, alert: str, verdict: str, *, reason: str, event: bool = False) -> None:
    """Keep what somebody says of an alert, and why; a later word counts more than an earlier one.

    Parameters
    ----------
    workspace
        The project.
    alert
        Its id, which begins with the site's name.
    verdict
        yes or no.
    reason
        Why, in words.
    event
        Whether the same is said of all alerts of its event.
    """
    place = SiteFolder.read(alert.partition(":")[0], workspace.sites)
    if not reason.strip():
        raise InputError("igarape judge: expected why: --reason TEXT, which is kept")
    with place.held():
        table = with_events(read_alerts(place.alerts, place.name), place.area)
        if alert not in set(table["id"]):
            near = get_close_matches(alert, sorted(table["id"]), n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise InputError(f"{alert}: no such alert{hint} All names: igarape alerts {place.name} --candidates")
        together = table[table["event"] == table.loc[table["id"] == alert, "event"].item()]
        meant = together if event else together[together["id"] == alert]
        said = {
            "verdict": verdict,
            "reason": " ".join(reason.split()),
            "who": user(),
            "at": f"{datetime.now(UTC):{SECOND}}",
        }
        add_verdicts(place.verdicts, [_row(one) | said for one in meant.to_dict("records")])
        with progress("judge: looks", "day") as report:
            place.update(report)
    names = ", ".join(meant["id"])
    click.echo(f"{names}: {verdict}; kept in {place.verdicts}")
    if others := len(together) - len(meant):
        click.echo(f"{counted(others, 'alert')} of the same event not judged by this; with --event all of them are")


def _row(alert: Mapping[Hashable, Any]) -> dict[str, str]:
    """Return an alert's name, and the days between which it lies, as a row of verdicts."""
    since, until = span(alert)
    return {"alert": alert["id"], "since": since.isoformat(), "until": until.isoformat()}
