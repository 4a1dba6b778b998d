"""doctor: is all that the steps need there, and does it answer? Project, machine, services -> one line a check."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import click

from igarape.cluster.health import look
from igarape.cluster.settings import ADDRESS
from igarape.doctor import machine, project, remote
from igarape.errors import InputError
from igarape.findings import BUSY, UNREACHED, Check, Finding, examine, wrong
from igarape.tracking.address import RETRIES, TIMEOUT, connected, database, environment
from igarape.tracking.health import identify, keep, reach
from igarape.workspace import Workspace

PATIENCE = {TIMEOUT: "8", RETRIES: "0"}  # seconds, of one request
SLOW = 30.0  # seconds, where several requests are made


def run(workspace: Workspace) -> None:
    """Print what each check finds; end with code 1 where something is wrong."""
    counts = dict.fromkeys(("good", "warning", "wrong", "unseen"), 0)
    with ExitStack() as stack:
        uri, reached = _tracking(workspace, stack)
        for name, value in PATIENCE.items():
            stack.enter_context(environment(name, os.environ.get(name, value)))
        for name, finding in examine(_checks(workspace, uri, reached)):
            counts[finding.level] += 1
            click.echo(f"{finding.level:8} {name:10} {finding.said}")
    click.echo(
        ", ".join(
            f"{count} {'warnings' if level == 'warning' and count > 1 else level}"
            for level, count in counts.items()
            if count
        )
    )
    if counts["wrong"]:
        sys.exit(1)


def _tracking(workspace: Workspace, stack: ExitStack) -> tuple[str, Callable[[], Finding]]:
    """Return MLflow's address, for as long as the stack is open, and what looks at it; "" where it cannot be told."""
    try:
        uri = stack.enter_context(connected(workspace.root))
    except InputError as error:  # a database that is damaged, or that nobody may write: that is what was found
        return "", partial(wrong, str(error))
    return uri, partial(reach, uri)


def _checks(workspace: Workspace, uri: str, reached: Callable[[], Finding]) -> list[Check]:
    """Return all checks, those that others need before them; reached looks at MLflow's address."""
    root, far = workspace.root, UNREACHED
    mlflow = far if database(uri) is None else BUSY
    checks = [
        Check("tracking", reached, SLOW, silence=mlflow),
        Check("auth", partial(identify, uri), SLOW, needs="tracking", silence=mlflow),
        Check("registry", partial(project.registry, workspace), SLOW, needs="auth", silence=mlflow),
        Check("artifacts", partial(keep, uri), SLOW, needs="auth", silence=mlflow),
        Check("unsent", partial(project.unsent, workspace)),
        Check("dvc remote", partial(remote.reach, root), SLOW, silence=far),
        Check("run cache", partial(remote.run_cache, root), SLOW, needs="dvc remote", silence=far),
        Check("dvc gc", partial(remote.collection, root), needs="dvc remote"),
        Check("gpus", machine.cards, 60.0),
        Check("memory", machine.memory),
        Check("disk", partial(machine.disks, workspace)),
        Check("weights", partial(project.weights, workspace)),
        Check("source", partial(project.source, workspace)),
    ]
    if ADDRESS in os.environ:
        checks.append(Check("cluster", look, SLOW, silence=far))
    return checks
