"""serve: answer over HTTP with the champion, or with a bundle."""

import errno
import os
import socket
import sys
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    *,
    port: int,
    host: str,
    watch: float | None = None,
    token_file: Path | None = None,
    bundle: Path | None = None,
    threads: int = 1,
    model: str | None = None,
) -> None:
    """Serve the champion of the data set in params.yaml, until it is stopped.

    Parameters
    ----------
    workspace
        The project.
    port, host
        Where to listen.
    watch
        Seconds between two looks for a new champion; None: the first one is kept.
    token_file
        Holds what a request has to bring as a bearer token; None: nothing.
    bundle
        A bundle's folder, or that of a downloaded model, which is served in the champion's place; it needs no registry,
        and no MLflow is loaded.
    threads
        Processors that the networks of one batch may use; as many batches as there are processors are computed at once.
    model
        student for the student's champion; None: the ensemble's.

    Raises
    ------
    InputError
        When there is no champion, host:port cannot be listened on, or the file holds no token.
    """
    # BLAS reads it when NumPy is loaded, below. Its threads spin while they wait, and those of two batches at once take
    # the processors from each other: without this, eight clients get a third fewer answers.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from igarape.serving.admission import read_token

    token = None if token_file is None else read_token(token_file)
    _check_free(port, host)
    from igarape.serving.server import serve

    if bundle is not None:
        from igarape.serving.in_folder import in_folder

        name, load = str(bundle), in_folder(bundle, threads=threads)
    else:
        from igarape.serving.champion import find_champion, following  # and with it MLflow, which takes seconds
        from igarape.serving.registry import STUDENT, model_name

        registered = model_name(read_params(workspace.params).dataset, student=model == STUDENT)
        version = find_champion(registered, workspace.root)
        name, load = version.uri, following(version, workspace.root, threads=threads)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    click.echo(f"{name} will answer at http://{place}/invocations and /tag; stop it with Ctrl-C")
    sys.stdout.flush()
    serve(load, host=host, port=port, watch=watch, token=token)


def _check_free(port: int, host: str) -> None:
    """Refuse a port that something else listens on, before seconds are spent on the model."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        code = error.errno if isinstance(error, OSError) else None
        what = "Leave --host out, or name an address of this machine: --host 0.0.0.0 stands for all of them"
        if code in (errno.EADDRINUSE, errno.EACCES, None):
            what = f"Stop what uses it, or type another: igarape serve --port {5002 if port == 5001 else 5001}"
        raise InputError(f"cannot listen on {host}, port {port}: {error}. {what}") from error
