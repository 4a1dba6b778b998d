"""How the champion changes: one change at a time, and a champion at all times.

Aliases are set in an order in which a process may die between any two. A promotion first makes the champion the
previous one, then the new version the champion; a rollback first makes the previous one the champion. What is lost at
worst is who was previous; `igarape history` has that.
"""

from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from igarape.config.params import Params
from igarape.errors import InputError
from igarape.serving.advice import option
from igarape.serving.claims import claimed
from igarape.serving.history import Verdict, begin, end, keep
from igarape.serving.registry import CHAMPION, PREVIOUS, aliases_of, client_of
from igarape.tracking.address import user
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

Change = Callable[[MlflowClient, Verdict], None]

TOGETHER = "register"  # the step in whose experiment the verdicts lie too


class OvertakenError(InputError):
    """Somebody else changed the champion in the meantime."""


def carry_out(
    workspace: Workspace, params: Params, step: str, verdict: Verdict, *, outcome: str, change: Change | None
) -> None:
    """Open the run that keeps a verdict, change who is champion, and write both down.

    Parameters
    ----------
    workspace, params
        The project, and its settings.
    step
        promote or rollback.
    verdict, outcome
        What was found, and what follows from it, in a word or two.
    change
        crown or restore; None where all stays as it is.

    Raises
    ------
    InputError
        When somebody else came first, or the registry does not take it.
    """
    root, name = workspace.root, verdict.name
    recorded = {"dataset": params.dataset, "promote": params.promote.model_dump()}
    with step_run(step, workspace=workspace, params=recorded, experiment=TOGETHER) as opened:
        begin(opened, verdict)
        if change is not None:
            try:
                with client_of(name, root) as client, claimed(name, client, mlflow.get_registry_uri()):
                    _check_unchanged(name, root, verdict)
                    change(client, verdict)
            except InputError as error:
                end(opened, verdict, "overtaken" if isinstance(error, OvertakenError) else "failed")
                raise
        end(opened, verdict, outcome)
    with client_of(name, root) as client:
        keep(client, verdict, outcome, run=opened.id, who=user())


def crown(client: MlflowClient, verdict: Verdict) -> None:
    """Make the new version the champion, the old one the previous one."""
    if verdict.old is not None:
        client.set_registered_model_alias(verdict.name, PREVIOUS, verdict.old)
    client.set_registered_model_alias(verdict.name, CHAMPION, verdict.new)


def restore(client: MlflowClient, verdict: Verdict) -> None:
    """Make the previous version the champion again."""
    client.set_registered_model_alias(verdict.name, CHAMPION, verdict.new)
    client.set_registered_model_alias(verdict.name, PREVIOUS, str(verdict.old))


def _check_unchanged(name: str, folder: Path, verdict: Verdict) -> None:
    """Refuse to go on where the champion is another one than that which the verdict is about."""
    now = aliases_of(name, folder).get(CHAMPION)
    if now != verdict.old:
        left = "Nothing is left to do" if now == verdict.new else f"See igarape history{option(name)}; then try again"
        raise OvertakenError(
            f"{name}: version {now} has become champion while version {verdict.new} was looked at, in place of "
            f"{verdict.old or 'none'}: somebody else came first. {left}"
        )
