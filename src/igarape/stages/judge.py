"""judge: say whether an alert is right. -> sites/NAME/verdicts.csv."""

from datetime import UTC, datetime

import click

from igarape.errors import InputError, did_you_mean
from igarape.progress import progress
from igarape.serving.claims import user
from igarape.sites.ledger import add_verdict, read_alerts
from igarape.sites.site_folder import SiteFolder
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
        known = read_alerts(place.alerts, place.name)["id"].tolist()
        if alert not in known:
            raise InputError(f"{alert}: no such alert{did_you_mean(alert, known) if known else '; there is none'}")
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        row = {"alert": alert, "verdict": verdict, "reason": reason.strip(), "who": user(), "at": now}
        add_verdict(place.verdicts, row)
        with progress("judge: looks", "day") as report:
            place.update(report)
    click.echo(f"{alert}: {verdict}; kept in {place.verdicts}")
