"""What the environment says of a cluster: where it is, and what one task takes of a node. No result depends on it."""

import math
import os
from dataclasses import dataclass

from igarape.errors import InputError

ADDRESS, CPUS, GPUS, MEMORY = "IGARAPE_CLUSTER", "IGARAPE_TASK_CPUS", "IGARAPE_TASK_GPUS", "IGARAPE_TASK_MEMORY"
GIGABYTE = 2**30
# What tells libraries how many threads to use, as long as they have not begun.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
BLAS = "OPENBLAS_NUM_THREADS"  # one, in a task as in a command


@dataclass(frozen=True)
class Needs:
    """What a task takes of a node: processors, graphics cards (a part of one too), and memory in bytes (0: unsaid)."""

    cpus: int
    gpus: float = 0.0
    memory: int = 0

    def met_by(self, resources: dict[str, float]) -> bool:
        """Say whether a node with such resources, as Ray names them, can do a task when it does nothing else."""
        found = (resources.get("CPU", 0), resources.get("GPU", 0), resources.get("memory", 0))
        return all(there >= wanted for there, wanted in zip(found, (self.cpus, self.gpus, self.memory), strict=True))

    def __str__(self) -> str:
        """Say it in words."""
        words = [f"{self.cpus} processor{'s' * (self.cpus > 1)} ({CPUS})"]
        words += [f"{self.gpus:g} graphics cards ({GPUS})"] if self.gpus else []
        words += [f"{self.memory / GIGABYTE:g} GB of memory ({MEMORY})"] if self.memory else []
        return ", ".join(words)


def cluster_address() -> str | None:
    """Return HOST:PORT of the cluster's head, from IGARAPE_CLUSTER; None where that is not set. It is never guessed."""
    address = os.environ.get(ADDRESS)
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 2**16 or "/" in host:
        raise InputError(
            f"{ADDRESS}={address}: expected HOST:PORT of Ray's head, as `ray start --head` prints it: 10.0.0.1:6379"
        )
    return address


def task_cpus() -> int | None:
    """Return how many processors, and so threads, a task has, from IGARAPE_TASK_CPUS; None where that is not set."""
    return None if CPUS not in os.environ else int(_number(CPUS, least=1, whole=True))


def needs(cpus: int) -> Needs:
    """Return what a task takes, from the environment; cpus: where that says nothing of processors."""
    gpus = _number(GPUS, least=0)
    if gpus > 1 and gpus % 1:
        raise InputError(
            f"{GPUS}={gpus:g}: expected a part of one graphics card, or a whole number of them, as Ray does"
        )
    return Needs(task_cpus() or cpus, gpus, int(_number(MEMORY, least=0) * GIGABYTE))


def _number(name: str, *, least: int, whole: bool = False) -> float:
    """Return a number that a variable holds; the least where it is not set."""
    value = os.environ.get(name)
    try:
        number = float(least if value is None else value)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf or (whole and number % 1):
        raise InputError(f"{name}={value}: expected a {'whole ' * whole}number of at least {least}")
    return number
