"""lineage: where a version of the registered model comes from, and the commands that bring it back."""

import json
from dataclasses import asdict
from functools import partial

import click

from igarape.config.params import read_params
from igarape.serving.provenance import provenance
from igarape.serving.provenance_text import commands, in_words
from igarape.serving.registry import STUDENT, model_name
from igarape.tracking.finished import has_remote, kept
from igarape.tracking.recovery import recover
from igarape.workspace import Workspace


def run(workspace: Workspace, *, version: int | None = None, model: str | None = None, as_json: bool = False) -> None:
    """Tell where a version of the data set in params.yaml comes from, and what this clone has of it.

    Parameters
    ----------
    workspace
        The project.
    version
        Its number; None: the champion's.
    model
        student for the student; None: the ensemble.
    as_json
        Whether all that is known is wanted as JSON.
    """
    name = model_name(read_params(workspace.params).dataset, student=model == STUDENT)
    facts = provenance(name, None if version is None else str(version), workspace.root)
    root = workspace.root
    here = recover(root, facts.commit, facts.data, partial(kept, root), remote=has_remote(root))
    if as_json:
        typed = [command for command, _ in commands(facts, here)]
        click.echo(json.dumps({"version": asdict(facts), "clone": asdict(here), "commands": typed}, indent=2))
        return
    click.echo(in_words(facts, here))
