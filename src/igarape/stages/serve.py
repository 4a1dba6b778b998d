"""serve: answer over HTTP with the champion."""

import socket
import sys

import click

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.serving.registry import champion_uri, model_name
from igarape.workspace import Workspace


def run(workspace: Workspace, *, port: int, host: str) -> None:
    """Serve the champion of the data set in params.yaml, until it is stopped.

    Raises InputError when there is no champion, or host:port cannot be listened on.
    """
    _check_free(port, host)
    uri = champion_uri(model_name(read_params(workspace.params).dataset), workspace.root)
    click.echo(f"{uri} will answer at http://{host}:{port}/invocations; stop it with Ctrl-C")
    sys.stdout.flush()
    from igarape.serving.server import serve

    serve(uri, workspace.root, host=host, port=port)


def _check_free(port: int, host: str) -> None:
    """Refuse a port that something else listens on, before MLflow spends seconds on loading the model."""
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot listen on {host}, port {port}: {error}. Stop what uses it, or type another: "
            f"igarape serve --port {5002 if port == 5001 else 5001}"
        ) from error
