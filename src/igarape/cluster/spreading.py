"""Where a step's tasks are done: on this machine or, where IGARAPE_CLUSTER is set, on a cluster, with the same results.

Ray is imported in the second case only.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from igarape.cluster.settings import ADDRESS, THREADS, cluster_address, needs, task_cpus
from igarape.config.params import workers
from igarape.errors import InputError
from igarape.executors import Executor, Here, local
from igarape.files import fresh_folder, write_lock
from igarape.workspace import Workspace


@contextmanager
def packers(workspace: Workspace, step: str, *, shards: int, chips: Path | None = None) -> Iterator[Executor]:
    """Give what writes a step's shards: processes of this machine, or a cluster, a processor for each.

    Parameters
    ----------
    workspace, step
        Where the project is, and for which of its steps.
    shards
        How many there are; no more processes are started.
    chips
        The packed chips that are read, if any are.
    """
    address = cluster_address()
    if address is None:
        with local(max(1, min(workers(), shards))) as executor:
            yield executor
        return
    with _cluster(address, workspace, step, cpus=1, chips=chips) as executor:
        yield executor


@contextmanager
def seekers(workspace: Workspace, step: str, *, tasks: int) -> Iterator[tuple[Executor, Path]]:
    """Give what seeks among a step's chips, a processor for each task, and an empty folder for what tasks map.

    One task is done by this process, on a cluster too: there would be nothing to share. The folder goes at the end.
    """
    folder = workspace.data / ".unfinished" / step
    with write_lock(folder.with_name(f"{step}.lock"), folder):
        try:
            fresh_folder(folder)
            with nullcontext(Here()) if tasks == 1 else packers(workspace, step, shards=tasks) as executor:
                yield executor, folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # others keep something there too
        folder.parent.rmdir()


@contextmanager
def trainers(workspace: Workspace, step: str, *, chips: Path, at_once: int = 1) -> Iterator[Executor]:
    """Give what trains for a step: this process, processes beside it, or a cluster.

    Each task has as many processors as IGARAPE_TASK_CPUS says, by default as this machine has: then a cluster gives
    what this machine would.

    Parameters
    ----------
    workspace, step
        Where the project is, and for which of its steps.
    chips
        The packed chips that are learned from.
    at_once
        How many trainings this machine may do at once, each on one processor; 1: a training uses all that there are.
    """
    address = cluster_address()
    if address is None:
        if cpus := task_cpus():
            os.environ |= dict.fromkeys(THREADS, str(cpus))
        with _side_by_side(min(workers(), at_once)) as executor:
            yield executor
        return
    with _cluster(address, workspace, step, cpus=os.cpu_count() or 1, chips=chips, spread=True) as executor:
        yield executor


@contextmanager
def answerers(
    workspace: Workspace, step: str, *, chips: Path | None = None, places: Sequence[Path] = ()
) -> Iterator[Executor | None]:
    """Give what answers for pictures in the place of this process: None, or a cluster, a processor for each share.

    Parameters
    ----------
    workspace, step
        Where the project is, and for which of its steps or commands.
    chips
        The packed chips that are read, if any are.
    places
        What else is read, and where answers are written: all nodes have to see it.
    """
    address = cluster_address()
    if address is None:
        yield None
        return
    with _cluster(address, workspace, step, cpus=1, chips=chips, places=places) as executor:
        yield executor


@contextmanager
def _side_by_side(processes: int) -> Iterator[Executor]:
    """Give so many processes, which map the arrays of their tasks; 1 is this process."""
    if processes == 1:
        yield Here()
        return
    from igarape.cluster.pickling import ByReference  # what only answers neither trains nor has cloudpickle

    with local(processes) as executor, TemporaryDirectory() as folder:
        yield ByReference(executor, Path(folder))


def threads() -> int:
    """Return how many threads a fold model predicts with: a task's, or this machine's."""
    return task_cpus() or workers()


@contextmanager
def _cluster(
    address: str,
    workspace: Workspace,
    step: str,
    *,
    cpus: int,
    chips: Path | None,
    places: Sequence[Path] = (),
    spread: bool = False,
) -> Iterator[Executor]:
    """Give a cluster's nodes, once it is sure that they are there, have what a task needs, and agree with us."""
    wanted = needs(cpus)
    try:
        from igarape.cluster.agreement import require_agreement
        from igarape.cluster.nodes import Nodes, connected
        from igarape.cluster.probe import require_cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError(
            f"{ADDRESS}={address}: Ray is not installed. In the project's folder type: pip install -e '.[cluster]'; or "
            f"unset {ADDRESS} to work on this machine alone"
        ) from error
    require_cluster(address, wanted)
    folder = fresh_folder(workspace.data / ".cluster" / step)
    try:
        with connected(address, threads=wanted.cpus):
            require_agreement(wanted, folder, chips, places)
            nodes = Nodes(wanted, folder, spread=spread)
            try:
                yield nodes
            finally:
                nodes.cancel()
    finally:
        # On NFS what a task that ends just now has mapped stays under another name: fresh_folder removes it next time.
        shutil.rmtree(folder, ignore_errors=True)
