"""The sender that carries an outbox off."""

import resource
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from outboxes import left, steps

from igarape.tracking import outbox as outboxes
from igarape.tracking import sender as module
from igarape.tracking.outbox import LINES, Entry, Outbox
from igarape.tracking.sender import Sender


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let senders wait for less than they do."""
    for name in ("LULL", "SHORTEST", "LONGEST"):
        monkeypatch.setattr(module, name, 0.01)


class Receiver:
    """Takes entries, but first fails as many times as it is told."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.taken: list[Entry] = []

    def __call__(self, entries: Sequence[Entry]) -> None:
        """Take entries or fail."""
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionError("nobody listens")
        self.taken += entries


def test_the_sender_tries_again_until_all_is_taken_in_order(outbox: Outbox) -> None:
    """Then nothing is left to say, and the outbox is removed."""
    receiver = Receiver(failures=3)
    sender = Sender(outbox, receiver)
    for step in range(50):
        outbox.append("metrics", "ab"[step // 10 % 2], step=step)
    assert sender.settle(patience=30) == ""
    assert steps(receiver.taken) == list(range(50))
    assert not outbox.folder.exists()


def test_the_sender_sends_while_the_step_is_at_work(outbox: Outbox) -> None:
    """Nobody has to wait for the end to see an epoch's figures."""
    receiver = Receiver(failures=1)
    sender = Sender(outbox, receiver)
    for step in range(3):
        outbox.append("metrics", "a", step=step)
        deadline = time.monotonic() + 30
        while len(receiver.taken) <= step and time.monotonic() < deadline:
            time.sleep(0.005)
        assert steps(receiver.taken) == list(range(step + 1))
    assert sender.settle(patience=30) == ""


def test_the_sender_gives_up_and_leaves_the_outbox(outbox: Outbox) -> None:
    """It says how much lies where, why, and what to type; another can take the outbox over and send it."""
    sender = Sender(outbox, Receiver(failures=10**9))
    outbox.append("metrics", "a", step=0)
    outbox.append("end", "a")
    deadline = time.monotonic() + 30
    while sender.trouble is None and time.monotonic() < deadline:
        time.sleep(0.005)
    said = sender.settle(patience=0.2)
    assert said.startswith("2 entries could not be sent (nobody listens), and wait in ")
    assert str(outbox.folder) in said and said.endswith("igarape send.")
    again = Outbox.take_over(outbox.folder)
    assert again is not None
    assert [entry["op"] for entry in left(again)] == ["metrics", "end"]
    again.close(remove=True)


def test_patience_counts_from_what_was_taken_last(outbox: Outbox) -> None:
    """A long outbox on a slow line is not given up while it moves."""
    taken: list[Entry] = []

    def slow(entries: Sequence[Entry]) -> None:
        time.sleep(0.1)
        taken.extend(entries)

    for step in range(25):
        outbox.append("metrics", str(step), step=step)
    assert Sender(outbox, slow).settle(patience=2) == ""
    assert steps(taken) == list(range(25))


def test_at_its_end_a_step_waits_for_room_on_the_disk(outbox: Outbox, bounded: Callable[[int], None]) -> None:
    """As it waits for MLflow; all is sent when somebody makes room."""
    outbox.append("metrics", "a", step=0)
    bounded((outbox.folder / LINES).stat().st_size)
    outbox.append("end", "a", step=1)
    receiver = Receiver(failures=0)
    sender = Sender(outbox, receiver)
    threading.Timer(0.3, bounded, [resource.RLIM_INFINITY]).start()
    assert sender.settle(patience=30) == ""
    assert steps(receiver.taken) == [0, 1]


def test_what_finds_no_room_to_the_end_is_not_said_to_be_safe(outbox: Outbox, bounded: Callable[[int], None]) -> None:
    """It is lost, and the error says so."""
    outbox.append("metrics", "a", step=0)
    bounded((outbox.folder / LINES).stat().st_size)
    outbox.append("end", "a", step=1)
    said = Sender(outbox, Receiver(failures=0)).settle(patience=0.2)
    bounded(resource.RLIM_INFINITY)  # before pytest writes anything into a file
    assert said == f"1 entry is lost, as {outbox.folder} has no room. Make room."


def test_a_large_file_gets_more_time_than_patience(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is slow over it is no server that is away."""
    monkeypatch.setattr(outboxes, "RATE", 10.0)
    file = tmp_path / "model"
    file.write_bytes(b"x" * 300)  # 30 seconds, by that rate
    outbox.append("artifact", "a", path=outbox.keep(file), folder=None)
    sender = Sender(outbox, lambda _: time.sleep(0.3))
    assert sender.settle(patience=0.05) == ""


def test_a_server_that_is_away_is_not_waited_for_longer_for_a_large_file(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is for what is being taken: a step ends after its patience all the same."""
    monkeypatch.setattr(outboxes, "RATE", 1.0)
    file = tmp_path / "model"
    file.write_bytes(b"x" * 300)  # 300 seconds, by that rate
    outbox.append("artifact", "a", path=outbox.keep(file), folder=None)
    begun = time.monotonic()
    said = Sender(outbox, Receiver(failures=10**9)).settle(patience=0.2)
    assert said.startswith("1 entry could not be sent (nobody listens)") and time.monotonic() - begun < 60


def test_a_file_that_goes_while_it_is_measured_ends_no_sender(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries are tried again, as after any other trouble."""
    troubles = [FileNotFoundError("model")]

    def measure(*_arguments: object) -> float:
        if troubles:
            raise troubles.pop()
        return 0.0

    monkeypatch.setattr(module, "seconds_for", measure)
    receiver = Receiver(failures=0)
    outbox.append("metrics", "a", step=0)
    assert Sender(outbox, receiver).settle(patience=30) == ""
    assert steps(receiver.taken) == [0] and not troubles
