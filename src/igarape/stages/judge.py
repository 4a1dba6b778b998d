"""judge: say whether an alert is right. -> sites/NAME/verdicts.csv."""

from datetime import UTC, datetime

import click

from igarape.errors import InputError, did_you_mean
from igarape.progress import progress
from igarape.sites.judgements import add_verdict, span
from igarape.sites.ledger import read_alerts
from igarape.sites.site_folder import SiteFolder
from igarape.tracking.address import user
from igarape.workspace import Workspace


def run(workspace: Workspace, alert: str, verdict: str, *, reason: str) -> None:
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
    """
    place = SiteFolder.read(alert.partition(":")[0], workspace.sites)
    if not reason.strip():
        raise InputError("igarape judge: expected why: --reason TEXT, which is kept")
    with place.held():
        table = read_alerts(place.alerts, place.name)
        known = dict(zip(table["id"], table[["raised", "first", "last"]].to_dict("records"), strict=True))
        if alert not in known:
            near = did_you_mean(alert, list(known)) if known else "; there is none"
            raise InputError(f"{alert}: no such alert{near}")
        since, until = span(known[alert])
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        row = {"alert": alert, "verdict": verdict, "reason": reason.strip(), "who": user(), "at": now}
        row |= {"since": since.isoformat(), "until": until.isoformat()}
        add_verdict(place.verdicts, row)
        with progress("judge: looks", "day") as report:
            place.update(report)
    click.echo(f"{alert}: {verdict}; kept in {place.verdicts}")
