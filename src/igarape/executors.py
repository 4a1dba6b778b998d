"""Who does tasks: this process, or processes beside it. A cluster's nodes are a third, igarape.cluster.nodes."""

import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol

import cv2

from igarape.errors import InputError

Callback = Callable[[Any], None]
Task = Callable[..., Any]

LOOK = 0.2  # seconds between two looks at how far tasks are


def ignore_message(_message: Any) -> None:
    """Do nothing with a message."""


class Executor(Protocol):
    """Does tasks, one or many at once. It may be given more at any time.

    A task is a function of (send, *words), where send takes a message. Like its words, what it sends and returns is
    picklable, as it may be done in another process or on another machine, where it finds files by the same paths.
    """

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Take a task, and return the future of what it gives, or raises.

        Parameters
        ----------
        task
            Called as task(send, *words).
        name
            What people call it.
        on_message
            Called with each message that the task sends, in that order, while somebody waits.
        *words
            What else the task is given.
        """

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait until at least one of some futures is done; return those that are, after all of their messages."""


def in_turn(executor: Executor, futures: Collection[Future[Any]]) -> Iterator[Future[Any]]:
    """Yield futures as they are done; none is kept, as what came of it may be large."""
    waiting = set(futures)
    del futures
    while waiting:
        done = executor.wait(waiting)
        waiting -= done
        yield from done


class Here:
    """Does one task after the other in this process, in the order in which they came, when somebody waits for one."""

    def __init__(self) -> None:
        self._tasks: dict[Future[Any], Callable[[], Any]] = {}

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Take a task, for later.

        Parameters
        ----------
        task, name, on_message, *words
            As Executor.submit takes them.
        """
        future: Future[Any] = Future()
        self._tasks[future] = lambda: task(on_message, *words)
        return future

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Do tasks, the oldest first, until one of some futures is done."""
        while not (done := {future for future in futures if future.done()}):
            future, work = next(iter(self._tasks.items()))
            del self._tasks[future]
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 - it is raised by whoever asks the future
                future.set_exception(error)
        return done


class Processes:
    """Does tasks in processes of this machine, each on one processor."""

    def __init__(self, pool: ProcessPoolExecutor, messages: Any) -> None:
        """Take a pool whose processes have been set up by _start, and the queue that it gave them."""
        self._pool, self._messages = pool, messages
        self._on_message: dict[int, Callback] = {}
        self._numbers = itertools.count()
        self._futures: set[Future[Any]] = set()

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Hand a task to the pool.

        Parameters
        ----------
        task, name, on_message, *words
            As Executor.submit takes them.
        """
        number = next(self._numbers)
        self._on_message[number] = on_message
        future = self._pool.submit(_do, number, task, *words)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def wait(self, futures: Collection[Future[Any]]) -> set[Future[Any]]:
        """Wait for the pool; raise InputError when a process of it has died."""
        done: set[Future[Any]] = set()
        while not done:
            done = wait_for(futures, timeout=LOOK, return_when=FIRST_COMPLETED).done
            while not self._messages.empty():
                number, message = self._messages.get()
                self._on_message[number](message)
        if any(isinstance(future.exception(), BrokenProcessPool) for future in done):
            raise InputError(
                "A process of this step died; was it killed, or is the memory full? Run the step again, it goes on "
                "where it stopped; to use less memory, set IGARAPE_WORKERS lower"
            )
        return done

    def end(self) -> None:
        """Wait for tasks that are at work, and drop what they send: the pipe is small, and a full one holds them up.

        The pool is shut down by its own with block, which waits for its processes; shut down here, that would not.
        """
        for future in list(self._futures):
            future.cancel()
        while wait_for(set(self._futures), timeout=LOOK).not_done:
            while not self._messages.empty():
                self._messages.get()


@contextmanager
def local(processes: int) -> Iterator[Executor]:
    """Give what does tasks on this machine; tasks that nobody waited for at the end are not done.

    processes: how many at once; 1 is this process.
    """
    if processes == 1:
        yield Here()
        return
    # Spawned, not forked: this process may have threads (TensorFlow's, say) that a fork would leave locked.
    context = get_context("spawn")
    messages = context.SimpleQueue()
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(messages,)) as pool:
        executor = Processes(pool, messages)
        try:
            yield executor
        finally:
            executor.end()


_messages: Any = None  # of this process: the queue that all share


def _start(messages: Any) -> None:
    """Set up a process of a pool: one thread for OpenCV, as the others have tasks of their own, and a common end."""
    global _messages  # noqa: PLW0603 - a pool's initializer has no other place to put what its tasks need
    _messages = messages
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process at once when the one that started it is gone: it must not write beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(number: int, task: Task, *words: Any) -> Any:
    """Do a task in a process of a pool."""
    return task(lambda message: _messages.put((number, message)), *words)
