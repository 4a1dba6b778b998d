"""Ray clusters on this machine, for tests: a head that does no tasks, and nodes of one processor each."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEMORY = 100 * 2**20  # bytes of each node's object store
SOURCES = [str(Path(__file__).parents[1] / "src"), str(Path(__file__).parent)]


@contextmanager
def started(nodes: int) -> Iterator[Any]:
    """Start a cluster, whose nodes find the tests' own modules, and give it: ray.cluster_utils.Cluster."""
    from ray.cluster_utils import Cluster

    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(SOURCES)
    try:
        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY},
        )
        for _ in range(nodes):
            add(cluster)
        yield cluster
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    cluster.shutdown()


def add(cluster: Any) -> Any:
    """Add a node of one processor, and return it."""
    return cluster.add_node(num_cpus=1, object_store_memory=MEMORY)


def remove_one(cluster: Any) -> None:
    """Kill a node that does tasks, with all that it is at, and start another one."""
    victim = next(node for node in cluster.list_all_nodes() if not node.head)
    cluster.remove_node(victim, allow_graceful=False)
    add(cluster)


def begin(step: str, *words: str, folder: Path, address: str | None, **variables: str) -> subprocess.Popen[str]:
    """Begin a step of a project in a process of its own, on a cluster or, where there is none, on this machine."""
    program = f"from igarape.stages import {step}; from igarape.workspace import Workspace"
    program += f"; {step}.run(Workspace.find(), *{list(words)!r})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCES), "IGARAPE_TASK_CPUS": "1"} | variables
    environment |= {} if address is None else {"IGARAPE_CLUSTER": address}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> str:
    """Wait for such a step, which should end well, and return what it said."""
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def result(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
