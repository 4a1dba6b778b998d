"""Ray clusters on this machine, for tests and benches: a head that does no tasks, and nodes of one processor each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEMORY = 100 * 2**20  # bytes of each node's object store
ROOT = Path(__file__).parents[1]
SOURCES = [str(ROOT / name) for name in ("src", "tests", "bench")]


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
