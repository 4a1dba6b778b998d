"""The journal on disk, and the courier that carries it off."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from igarape import journal as module
from igarape.errors import InputError
from igarape.journal import Courier, Entry, Journal, deliver, left_behind


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Give a journal that nothing has been written into."""
    begun = Journal.begin(tmp_path / "spool" / "search.1")
    yield begun
    begun.close(remove=False)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let couriers wait for less than they do."""
    for name in ("LULL", "SHORTEST", "LONGEST"):
        monkeypatch.setattr(module, name, 0.01)


def left(journal: Journal) -> list[Entry]:
    """Read all that was not sent."""
    found: list[Entry] = []
    deliver(journal, found.extend)
    return found


def steps(entries: Sequence[Entry]) -> list[int]:
    """Return the entries' steps."""
    return [entry["step"] for entry in entries]


def test_entries_come_back_in_order_with_the_time_at_which_they_were_written(journal: Journal) -> None:
    """The time is in milliseconds; the content is what was handed over."""
    before = time.time_ns() // 1_000_000
    journal.append("metrics", "a", step=0, values={"loss": 0.5})
    journal.append("end", "a", durable=True, status="FINISHED")
    after = time.time_ns() // 1_000_000
    first, second = left(journal)
    assert {name: first[name] for name in ("op", "run", "step", "values")} == {
        "op": "metrics",
        "run": "a",
        "step": 0,
        "values": {"loss": 0.5},
    }
    assert second["status"] == "FINISHED"
    assert before <= first["time"] <= second["time"] <= after


def test_entries_of_one_kind_and_run_that_follow_each_other_go_together(journal: Journal) -> None:
    """Their order stays; what is sent once is not sent again."""
    for op, run in (("metrics", "a"), ("metrics", "a"), ("tags", "a"), ("metrics", "b"), ("metrics", "a")):
        journal.append(op, run)
    batches: list[list[str]] = []
    assert deliver(journal, lambda entries: batches.append([f"{entry['op']} {entry['run']}" for entry in entries])) == 5
    assert batches == [["metrics a", "metrics a"], ["tags a"], ["metrics b"], ["metrics a"]]
    assert left(journal) == []


def test_numbers_that_are_none_survive(journal: Journal) -> None:
    """A loss may be NaN or infinite, and must not cost its trial's record."""
    journal.append("metrics", "a", values={"loss": float("nan"), "bound": float("-inf")})
    (entry,) = left(journal)
    assert str(entry["values"]) == "{'loss': nan, 'bound': -inf}"


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_left_out(tmp_path: Path, cut: int) -> None:
    """Wherever a kill cuts the last line off, those before it are read."""
    journal = Journal.begin(tmp_path / "search.1")
    for step in range(3):
        journal.append("metrics", "a", step=step)
    path = journal.folder / module.LINES
    journal.close(remove=False)
    path.write_bytes(path.read_bytes()[: -cut * 4 + 3])
    again = Journal.take_over(journal.folder)
    assert again is not None
    assert steps(left(again)) == [0, 1]
    again.close(remove=True)


def test_a_garbled_line_costs_no_other(journal: Journal) -> None:
    """A power cut may leave zeros in the middle, too; the warning names the journal."""
    for step in range(4):
        journal.append("metrics", "a", step=step)
    path = journal.folder / module.LINES
    lines = path.read_bytes().splitlines(keepends=True)
    for number, at in ((0, 0), (2, 5)):
        lines[number] = lines[number][:at] + bytes(8) + lines[number][at + 8 :]
    path.write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match=r"journal\.jsonl: a line is garbled"):
        assert journal.unsent() == 2
    assert steps(left(journal)) == [1, 3]
    assert left(journal) == []


def test_a_journal_in_use_is_not_taken_over(journal: Journal) -> None:
    """Its process lives and sends by itself; after it has let go, the journal is there for others."""
    assert left_behind(journal.folder.parent, "search") == [journal.folder]
    assert Journal.take_over(journal.folder) is None
    journal.close(remove=False)
    again = Journal.take_over(journal.folder)
    assert again is not None
    again.close(remove=True)


def test_a_removed_journal_leaves_nothing(journal: Journal, tmp_path: Path) -> None:
    """Neither lines nor copies nor the lock; taking it over then gives nothing, and leaves nothing either."""
    journal.write("a", "a.txt")
    journal.close(remove=True)
    assert Journal.take_over(journal.folder) is None
    assert list((tmp_path / "spool").iterdir()) == []


def test_journals_are_found_by_their_place_the_oldest_first(tmp_path: Path) -> None:
    """The journal of a learner is not that of another one whose name begins alike."""
    names = ["search@plain.2", "search@plain.1", "search@plain_dehazed.1", "search.1"]
    for name in names:
        Journal.begin(tmp_path / name).close(remove=False)
    assert [folder.name for folder in left_behind(tmp_path, "search@plain")] == ["search@plain.1", "search@plain.2"]
    assert len(left_behind(tmp_path, "*")) == len(names)


ABANDONED = """
import os, sys, time
from pathlib import Path
from igarape.journal import Journal

journal = Journal.begin(Path(sys.argv[1]))
for step in range(1000):
    journal.append("metrics", "a", step=step)
if not os.fork():
    print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_after_kill_9_every_entry_is_there_and_the_lock_is_gone(tmp_path: Path) -> None:
    """Also where a worker that the process had forked lives on."""
    process = subprocess.Popen(
        [sys.executable, "-c", ABANDONED, str(tmp_path / "search.1")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert Journal.take_over(tmp_path / "search.1") is None
    process.kill()
    process.wait()
    try:
        journal = Journal.take_over(tmp_path / "search.1")
        assert journal is not None
        assert steps(left(journal)) == list(range(1000))
        journal.close(remove=True)
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def test_a_copy_is_the_file_as_it_was(journal: Journal, tmp_path: Path) -> None:
    """What happens to the file after it was logged makes no difference; names stay."""
    (tmp_path / "parts/deep").mkdir(parents=True)
    (tmp_path / "parts/deep/a.txt").write_text("first", encoding="utf-8")
    file, folder = journal.keep(tmp_path / "parts/deep/a.txt"), journal.keep(tmp_path / "parts")
    (tmp_path / "parts/deep/a.txt").write_text("second", encoding="utf-8")
    assert Path(file).name == "a.txt"
    assert (journal.folder / file).read_text(encoding="utf-8") == "first"
    assert (journal.folder / folder / "deep/a.txt").read_text(encoding="utf-8") == "first"


@pytest.fixture
def bounded() -> Iterator[Callable[[int], None]]:
    """Give what bounds the size of files, as a full disk does; the bound is lifted afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_neither_raises_nor_tears_the_journal(journal: Journal, bounded: Callable[[int], None]) -> None:
    """What was not written is, as soon as there is room, in order and whole."""
    journal.append("metrics", "a", step=0)
    bounded((journal.folder / module.LINES).stat().st_size + 10)
    for step in range(1, 4):
        journal.append("metrics", "a", step=step, durable=True)
    assert journal.unsent() == 4
    assert steps(journal.batch()[0]) == [0]
    bounded(resource.RLIM_INFINITY)
    assert steps(left(journal)) == [0, 1, 2, 3]


def test_at_its_end_a_step_waits_for_room_on_the_disk(journal: Journal, bounded: Callable[[int], None]) -> None:
    """As it waits for MLflow; all is sent when somebody makes room."""
    journal.append("metrics", "a", step=0)
    bounded((journal.folder / module.LINES).stat().st_size)
    journal.append("end", "a", step=1)
    receiver = Receiver(failures=0)
    courier = Courier(journal, receiver)
    threading.Timer(0.3, bounded, [resource.RLIM_INFINITY]).start()
    assert courier.settle(patience=30) == ""
    assert steps(receiver.taken) == [0, 1]


def test_what_finds_no_room_to_the_end_is_not_said_to_be_safe(journal: Journal, bounded: Callable[[int], None]) -> None:
    """It is lost, and the error says so."""
    journal.append("metrics", "a", step=0)
    bounded((journal.folder / module.LINES).stat().st_size)
    journal.append("end", "a", step=1)
    said = Courier(journal, Receiver(failures=0)).settle(patience=0.2)
    bounded(resource.RLIM_INFINITY)  # before pytest writes anything into a file
    assert said == f"1 entries are lost, as {journal.folder} has no room for them. Make room."


def test_a_copy_that_finds_no_room_is_one_clear_error(
    journal: Journal, tmp_path: Path, bounded: Callable[[int], None]
) -> None:
    """Nothing half-written is left to be sent."""
    (tmp_path / "large").write_bytes(bytes(1000))
    bounded(100)
    with pytest.raises(InputError, match="no room"):
        journal.keep(tmp_path / "large")
    bounded(resource.RLIM_INFINITY)
    assert [path for path in (journal.folder / module.COPIES).rglob("*") if path.is_file()] == []


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


def test_the_courier_tries_again_until_all_is_taken_in_order(journal: Journal) -> None:
    """Then nothing is left to say, and the journal is removed."""
    receiver = Receiver(failures=3)
    courier = Courier(journal, receiver)
    for step in range(50):
        journal.append("metrics", "ab"[step // 10 % 2], step=step)
    assert courier.settle(patience=30) == ""
    assert steps(receiver.taken) == list(range(50))
    assert not journal.folder.exists()


def test_the_courier_sends_while_the_step_is_at_work(journal: Journal) -> None:
    """Nobody has to wait for the end to see an epoch's figures."""
    receiver = Receiver(failures=1)
    courier = Courier(journal, receiver)
    for step in range(3):
        journal.append("metrics", "a", step=step)
        deadline = time.monotonic() + 30
        while len(receiver.taken) <= step and time.monotonic() < deadline:
            time.sleep(0.005)
        assert steps(receiver.taken) == list(range(step + 1))
    assert courier.settle(patience=30) == ""


def test_the_courier_gives_up_and_leaves_the_journal(journal: Journal) -> None:
    """It says how much lies where, why, and what to type; another can take the journal over and send it."""
    courier = Courier(journal, Receiver(failures=10**9))
    journal.append("metrics", "a", step=0)
    journal.append("end", "a")
    deadline = time.monotonic() + 30
    while courier.trouble is None and time.monotonic() < deadline:
        time.sleep(0.005)
    said = courier.settle(patience=0.2)
    assert said.startswith("2 entries could not be sent (nobody listens). They lie in ")
    assert str(journal.folder) in said and said.endswith("igarape send.")
    again = Journal.take_over(journal.folder)
    assert again is not None
    assert [entry["op"] for entry in left(again)] == ["metrics", "end"]
    again.close(remove=True)


def test_patience_counts_from_what_was_taken_last(journal: Journal) -> None:
    """A long journal on a slow line is not given up while it moves."""
    taken: list[Entry] = []

    def slow(entries: Sequence[Entry]) -> None:
        time.sleep(0.1)
        taken.extend(entries)

    for step in range(25):
        journal.append("metrics", str(step), step=step)
    assert Courier(journal, slow).settle(patience=2) == ""
    assert steps(taken) == list(range(25))


def test_lines_are_json(journal: Journal) -> None:
    """Whoever is left with a journal can read it."""
    journal.append("tags", "a", values={"igarapé": "a\nb"})
    (line,) = (journal.folder / module.LINES).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["values"] == {"igarapé": "a\nb"}
