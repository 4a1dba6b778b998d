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

    # Ray's workers give way to all else, so that beside other jobs they stand still: niceness 15.
    own = {"PYTHONPATH": os.pathsep.join(SOURCES), "RAY_worker_niceness": "0"}
    before = {name: os.environ.get(name) for name in own}
    os.environ |= own
    try:
        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY},
        )
        for _ in range(nodes):
            add(cluster)
        yield cluster
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
    cluster.shutdown()


def add(cluster: Any) -> Any:
    """Add a node of one processor, and return it."""
    return cluster.add_node(num_cpus=1, object_store_memory=MEMORY)


def remove_one(cluster: Any) -> None:
    """Kill a node that does tasks, with all that it is at, and start another one."""
    victim = next(node for node in cluster.list_all_nodes() if not node.head)
    cluster.remove_node(victim, allow_graceful=False)
    add(cluster)
