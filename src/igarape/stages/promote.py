"""promote: make the challenger the champion, where the gate lets it pass."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import click

from igarape.config.params import read_params
from igarape.progress import progress
from igarape.serving.promotion import promote
from igarape.serving.registry import STUDENT, load
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    *,
    version: int | None = None,
    force: bool = False,
    reason: str | None = None,
    dry_run: bool = False,
    model: str | None = None,
) -> None:
    """Promote a version of the data set in params.yaml, and keep the verdict.

    Parameters
    ----------
    workspace
        The project.
    version
        Its number; None: the challenger's.
    force
        Whether a refusal is overruled, which needs a reason.
    reason
        Why, in words.
    dry_run
        Whether no alias is to be moved.
    model
        student for a version of the student; None: of the ensemble.
    """
    with ExitStack() as stack:

        def report(done: int, total: int) -> None:
            """Show a bar, from the first chip that the champion is asked about: mostly it has been asked before."""
            if not bars:
                bars.append(stack.enter_context(progress("promote: asking the champion", "chip")))
            bars[0](done, total)

        bars: list[Callable[..., None]] = []
        said = promote(
            workspace,
            read_params(workspace.params),
            student=model == STUDENT,
            version=None if version is None else str(version),
            force=force,
            reason=(reason or "").strip(),
            dry_run=dry_run,
            say=click.echo,
            report=report,
            check=partial(load, folder=workspace.root, threads=1),
        )
    click.echo(said)
