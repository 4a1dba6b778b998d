"""Tasks on the nodes of a Ray cluster: what dies with a node is done on another one."""

import itertools
import logging
import os
import pickle
import platform
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from igarape.cluster.pickling import pickled
from igarape.cluster.settings import BLAS, THREADS, Needs
from igarape.code import ROOT
from igarape.errors import InputError, reason
from igarape.executors import LOOK, Callback, Task, ignore_message

RETRIES = 3  # of a task that dies, each on any node
FEASIBLE = 5.0  # seconds between two looks at whether a node is left that can do the tasks
# The number of a task, where it is, the how many-th message of this attempt, from 1 (0: it begins), and the message.
Envelope = tuple[int, str, int, Any]
TRAVEL = ("IGARAPE_DATA", "IGARAPE_WEIGHTS", "AWS_ENDPOINT_URL")  # variables that a task sees as we do


@contextmanager
def connected(address: str, *, threads: int) -> Iterator[None]:
    """Connect this process to a cluster, and give tasks our code and so many threads each.

    The number of threads is part of a network's last bits, so all nodes have the same.
    """
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))  # Ray would try for ever what no node has memory for
    variables = {name: os.environ[name] for name in TRAVEL if name in os.environ}
    variables |= {name: str(threads) for name in THREADS} | {BLAS: "1"}
    ray.init(
        address=address,
        runtime_env={"py_modules": [str(ROOT)], "env_vars": variables},
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield
    finally:
        ray.shutdown()


def alive() -> list[Mapping[str, Any]]:
    """Return the nodes that are there."""
    return [node for node in ray.nodes() if node["Alive"]]


@dataclass
class _Work:
    """A task that was handed over: its future, who takes its messages, how many came, and where it was tried."""

    name: str
    future: Future[Any]
    ref: Any
    on_message: Callback
    received: int = 0
    places: list[str] = field(default_factory=list)


class Nodes:
    """An igarape.executors.Executor: does tasks on the nodes of the cluster that this process is connected to."""

    def __init__(self, needs: Needs, folder: Path, *, spread: bool) -> None:
        """Begin without a task.

        needs: what each task takes of a node. folder: for what tasks are given, which all nodes see. spread: whether
        each task goes where fewest are, which few long ones want. Else a node's processes keep at it, task after task;
        with many short ones, Ray would start others meanwhile, which took an eighth of the nodes' time.
        """
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
        self._needs, self._folder = needs, folder
        self._options = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "memory": needs.memory or None}
        self._do = ray.remote(max_retries=RETRIES, scheduling_strategy="SPREAD" if spread else "DEFAULT")(_do)
        self._works: dict[int, _Work] = {}
        self._numbers = itertools.count()
        self._looked = time.monotonic()

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Hand a task to the cluster.

        Parameters
        ----------
        task, name, on_message, *words
            As igarape.executors.Executor.submit takes them.
        """
        number, content = next(self._numbers), pickled((task, words), self._folder)
        ref = self._do.options(name=name, **self._options).remote(
            self._mailbox, number, str(Path.cwd()), self._needs.cpus, content
        )
        self._works[number] = work = _Work(name, Future(), ref, on_message)
        return work.future

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait for the cluster; raise InputError when it is gone, or no node is left that could do the tasks."""
        while not (done := {future for future in futures if future.done()}):
            waiting = {work.ref: number for number, work in self._works.items()}
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=LOOK)
            self._receive()
            for ref in ready:
                self._settle(self._works.pop(waiting[ref]))
            self._require_nodes()
        return done

    def cancel(self) -> None:
        """Stop what is still at work."""
        for work in self._works.values():
            ray.cancel(work.ref, force=True)
        self._works.clear()

    def _receive(self) -> None:
        """Hand messages on. What an attempt on another node sends again has come before, and is not handed on."""
        try:
            envelopes = ray.get(self._mailbox.take.remote())
        except RayError as error:
            raise InputError(
                f"Ray on this machine has no process for us, or none any more ({type(error).__name__}). Is it running "
                "(ray status), and does the cluster ask for the token that is set here (RAY_AUTH_MODE)? Then run the "
                "step again: it goes on from there"
            ) from error
        for number, place, count, message in envelopes:
            work = self._works.get(number)
            if work is None:
                continue
            if count == 0:
                work.places.append(place)
            elif count > work.received:
                work.received = count
                work.on_message(message)

    def _settle(self, work: _Work) -> None:
        """Give a future what came of its task."""
        try:
            work.future.set_result(ray.get(work.ref))
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else RuntimeError(str(error))
            cause.__cause__ = _ElsewhereError(str(error))  # its traceback there
            cause.add_note(f"{work.name} was at work on node {', '.join(work.places[-1:])}")
            work.future.set_exception(cause)
        except RayError as error:
            places = ", then ".join(work.places) or "no node that answered"
            work.future.set_exception(
                InputError(
                    f"{work.name} died each time, on {places}: {reason(error).splitlines()[0]} See whether those nodes "
                    "have memory enough, and Ray's logs there (/tmp/ray/session_latest/logs). Run the step again, it "
                    "goes on from there"
                )
            )

    def _require_nodes(self) -> None:
        """Raise InputError when the nodes that could do the tasks are gone: Ray would wait for ever."""
        if time.monotonic() - self._looked < FEASIBLE:
            return
        self._looked = time.monotonic()
        if self._works and not any(self._needs.met_by(node["Resources"]) for node in alive()):
            raise InputError(
                f"No node of the cluster is left that has {self._needs}. Start one (ray start --address=...), and run "
                "the step again: it goes on from there"
            )


class _ElsewhereError(Exception):
    """The traceback of an error on a node."""


class Mailbox:
    """Messages of tasks, in order, until they are taken. An actor, beside the process that waits."""

    def __init__(self) -> None:
        self._envelopes: list[Envelope] = []

    def put(self, envelope: Envelope) -> None:
        """Take a message."""
        self._envelopes.append(envelope)

    def take(self) -> list[Envelope]:
        """Return the messages since the last time."""
        taken, self._envelopes = self._envelopes, []
        return taken


def _do(mailbox: Any, number: int, folder: str, cpus: int, content: bytes) -> Any:
    """Do a task on a node, in the folder in which it was handed over."""
    os.chdir(folder)  # a process does tasks of several steps
    cv2.setNumThreads(cpus)
    count, sent = itertools.count(1), list[Any]()
    place = f"{platform.node()} ({ray.util.get_node_ip_address()})"
    ray.get(mailbox.put.remote((number, place, 0, None)))  # before anything can happen to this process

    def send(message: Any) -> None:
        sent[:] = [mailbox.put.remote((number, place, next(count), message))]

    task, words = pickle.loads(content)  # noqa: S301 - the driver pickled it
    try:
        return task(send, *words)
    finally:
        ray.get(sent)  # messages come before what is returned
