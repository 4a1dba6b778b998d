"""serve: answer over HTTP with the champion, by `mlflow models serve`."""

import os
import socket
import sys
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.serving.registry import champion_uri, model_name
from igarape.workspace import Workspace


def run(workspace: Workspace, *, port: int, host: str) -> None:
    """Become the server of the champion of the data set in params.yaml; does not return.

    Raises InputError when there is no champion, or host:port cannot be listened on.
    """
    _check_free(port, host)
    uri = champion_uri(model_name(read_params(workspace.params).dataset))
    click.echo(f"{uri} answers at http://{host}:{port}/invocations; stop it with Ctrl-C")
    sys.stdout.flush()
    # MLflow looks for uvicorn on the PATH, where it is missing when the environment was not activated.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    serve = ["-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port), "-h", host]
    os.execve(sys.executable, [sys.executable, *serve], environment)


def _check_free(port: int, host: str) -> None:
    """Refuse a port that something else listens on, before MLflow spends seconds on loading the model."""
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"cannot listen on {host}, port {port}: {error}. Stop what uses it, or type another: "
            f"igarape serve --port {5002 if port == 5001 else 5001}"
        ) from error
