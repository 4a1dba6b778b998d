"""Move the alias of the champion: under a lock, in an order in which `champion` always points to a version.

The process may die between any two aliases. A promotion first sets `previous` to the champion, then `champion` to the
new version; a rollback first sets `champion`. At worst the alias `previous` is lost; `igarape history` knows it.
"""

from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from igarape.config.params import Params
from igarape.errors import InputError
from igarape.serving.advice import option
from igarape.serving.history import Verdict, begin, end, keep
from igarape.serving.registry import CHAMPION, PREVIOUS, aliases_of, client_of
from igarape.serving.registry_lock import registry_lock
from igarape.tracking.address import user
from igarape.tracking.step import step_run
from igarape.workspace import Workspace

Change = Callable[[MlflowClient, Verdict], None]

TOGETHER = "register"  # the step in whose experiment the verdicts lie too


class ChampionChangedError(InputError):
    """Another process changed the champion in the meantime."""


def record_change(
    workspace: Workspace, params: Params, step: str, verdict: Verdict, *, outcome: str, change: Change | None
) -> None:
    """Open the run that records a verdict, move the aliases under the lock, and record the outcome.

    Parameters
    ----------
    workspace, params
        The project, and its settings.
    step
        promote or rollback.
    verdict, outcome
        The comparison, and what follows from it in a word or two, such as promoted.
    change
        make_champion or restore_previous; None where no alias moves.

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
                with client_of(name, root) as client, registry_lock(name, client, mlflow.get_registry_uri()):
                    _check_unchanged(name, root, verdict)
                    change(client, verdict)
            except InputError as error:
                end(opened, verdict, "overtaken" if isinstance(error, ChampionChangedError) else "failed")
                raise
        end(opened, verdict, outcome)
    with client_of(name, root) as client:
        keep(client, verdict, outcome, run=opened.id, who=user())


def make_champion(client: MlflowClient, verdict: Verdict) -> None:
    """Make the new version the champion, the old one the previous one."""
    if verdict.old is not None:
        client.set_registered_model_alias(verdict.name, PREVIOUS, verdict.old)
    client.set_registered_model_alias(verdict.name, CHAMPION, verdict.new)


def restore_previous(client: MlflowClient, verdict: Verdict) -> None:
    """Make the previous version the champion again."""
    client.set_registered_model_alias(verdict.name, CHAMPION, verdict.new)
    client.set_registered_model_alias(verdict.name, PREVIOUS, str(verdict.old))


def _check_unchanged(name: str, folder: Path, verdict: Verdict) -> None:
    """Refuse to go on where the champion is another one than that which the verdict is about."""
    now = aliases_of(name, folder).get(CHAMPION)
    if now != verdict.old:
        left = "Nothing is left to do" if now == verdict.new else f"See igarape history{option(name)}; then try again"
        raise ChampionChangedError(
            f"{name}: version {now} has become champion while version {verdict.new} was looked at, in place of "
            f"{verdict.old or 'none'}: somebody else came first. {left}"
        )
