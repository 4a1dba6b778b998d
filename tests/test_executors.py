"""Who does tasks: the same tasks and messages, in this process and in others."""

import multiprocessing
import os
import weakref
from typing import Any

import pytest
from tasks import count, die, fail, sleep

from igarape.errors import InputError
from igarape.executors import Here, in_turn, local


@pytest.mark.parametrize("processes", [1, 2])
def test_messages_of_tasks_come_in_order_before_they_are_done(processes: int) -> None:
    """Each to its own callback; and each gives what it returns."""
    received: dict[int, list[int]] = {number: [] for number in range(5)}
    with local(processes) as executor:
        futures = {executor.submit(count, 3 * n, name=f"task {n}", on_message=received[n].append): n for n in range(5)}
        for future in in_turn(executor, futures):
            assert received[futures[future]] == list(range(3 * futures[future]))
            assert future.result() == 3 * futures[future]
    assert [len(each) for each in received.values()] == [0, 3, 6, 9, 12]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_a_task_is_raised_by_its_future_alone(processes: int) -> None:
    """With what it sent before; the others are done."""
    sent: list[str] = []
    with local(processes) as executor:
        bad = executor.submit(fail, "out of luck", name="bad", on_message=sent.append)
        good = executor.submit(count, 2, name="good")
        assert set(in_turn(executor, [bad, good])) == {bad, good}
        assert good.result() == 2
        with pytest.raises(InputError, match=r"^out of luck$"):
            bad.result()
    assert sent == ["before"]


def test_tasks_here_are_done_when_they_are_waited_for_the_oldest_first() -> None:
    """Nothing is begun before."""
    executor, done = Here(), list[str]()
    futures = [executor.submit(lambda _send, name: done.append(name), name, name=name) for name in "abc"]
    assert done == []
    assert executor.wait(futures[1:]) == {futures[1]}
    assert done == ["a", "b"]


def test_what_no_error_is_comes_through_at_once() -> None:
    """The end of the process waits for nobody."""

    def stop(send: Any) -> None:
        raise KeyboardInterrupt

    executor = Here()
    with pytest.raises(KeyboardInterrupt):
        executor.wait([executor.submit(stop, name="stop")])


def test_processes_are_others_and_a_dead_one_is_an_error() -> None:
    """It says what to do."""
    with local(2) as executor:
        (future,) = executor.wait([executor.submit(count, 0, name="a")])
        (where,) = in_turn(executor, [executor.submit(sleep, 0.0, name="b")])
        assert future.result() == 0 and where.result() != os.getpid()
        with pytest.raises(InputError, match=r"A process of this step died.*IGARAPE_WORKERS"):
            executor.wait([executor.submit(die, name="c")])


def test_when_an_error_is_told_no_process_is_at_work_any_more() -> None:
    """One that still was would write beside the next run, and leave what it had begun in its result."""
    with local(2) as executor:
        tasks = [executor.submit(sleep, 0.5, name="a"), executor.submit(die, name="b")]
        with pytest.raises(InputError, match="A process of this step died"):
            executor.wait(tasks[1:])
    assert tasks[0].done() and not multiprocessing.active_children()


def test_what_nobody_waited_for_is_left() -> None:
    """An error elsewhere ends the whole: tasks that have not begun are not done."""
    with local(2) as executor:
        futures = [executor.submit(sleep, 0.2, name=str(number)) for number in range(20)]
        executor.wait(futures)
    assert all(future.done() for future in futures)
    assert sum(future.cancelled() for future in futures) > 10


def test_a_future_that_was_yielded_is_not_kept() -> None:
    """What comes of many tasks may be more than memory holds."""
    executor, seen = Here(), list[weakref.ref[Any]]()
    for future in in_turn(executor, [executor.submit(count, 0, name=str(number)) for number in range(9)]):
        seen.append(weakref.ref(future))
        assert sum(one() is not None for one in seen) <= 2
    assert len(seen) == 9


def test_a_task_that_nobody_listens_to_any_more_comes_to_its_end() -> None:
    """What it sends is read until then: a full pipe would hold it up, and with it the end of the step, for ever."""
    with local(2) as executor:
        talker = executor.submit(count, 30_000, name="talker")  # more than a pipe holds
        executor.wait([executor.submit(fail, "out of luck", name="bad")])
    assert talker.result(timeout=0) == 30_000
