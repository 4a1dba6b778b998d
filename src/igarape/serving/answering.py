"""Answers by the nodes of a cluster: each opens the bundle from a folder that all see."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path

from igarape.cluster import spreading
from igarape.cluster.settings import cluster_address, needs
from igarape.errors import InputError
from igarape.files import fresh_folder, write_lock
from igarape.serving.batches import Answerers
from igarape.serving.bundle import Bundle
from igarape.serving.manifest import MANIFEST
from igarape.serving.registry import unpack
from igarape.workspace import Workspace


@contextmanager
def answerers(
    workspace: Workspace,
    command: str,
    *,
    uri: str,
    bundle: Bundle,
    chips: Path | None = None,
    places: Sequence[Path] = (),
) -> Iterator[Answerers | None]:
    """Give who answers in the place of this process: None, or a cluster's nodes where IGARAPE_CLUSTER names one.

    Parameters
    ----------
    workspace, command
        Where the project is, and what is done there: predict, submit, map or watch.
    uri, bundle
        Where the model is from, an address or a bundle's folder, and the bundle that was loaded from there.
    chips, places
        The packed chips that are read, if any are; what else is read or written. All nodes have to see it.

    Raises
    ------
    InputError
        When the cluster is not as it should be, when another process does the same there, and when another model has
        come to lie at the URI.
    """
    own = workspace.data / ".cluster" / command
    with ExitStack() as stack:
        if cluster_address() is not None:
            stack.enter_context(
                write_lock(own.with_name(f"{command}.lock"), own)
            )  # two at once would share these folders
        executor = stack.enter_context(spreading.answerers(workspace, command, chips=chips, places=places))
        if executor is None:
            yield None
            return
        folder = fresh_folder(own.with_name(f"{command}.model"))
        try:
            if (Path(uri) / MANIFEST).is_file():
                found = Path(shutil.copytree(uri, folder / "bundle"))
            else:
                found = unpack(uri, folder, workspace.root)
            opened = partial(_opened, found)
            if opened().manifest != bundle.manifest:
                raise InputError(f"{uri}: has become another model just now. Run the command again")
            yield Answerers(executor, opened, needs(1).cpus)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _opened(folder: Path) -> Bundle:
    """Open a bundle, once in each process."""
    return Bundle.load(folder, threads=1)
