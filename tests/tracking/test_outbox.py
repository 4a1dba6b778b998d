"""The outbox on disk."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from outboxes import left, steps

from igarape.errors import InputError
from igarape.tracking import outbox as module
from igarape.tracking.outbox import RATE, Outbox, left_behind, seconds_for
from igarape.tracking.sender import deliver


def test_entries_come_back_in_order_with_the_time_at_which_they_were_written(outbox: Outbox) -> None:
    """The time is in milliseconds; the content is what was handed over."""
    before = time.time_ns() // 1_000_000
    outbox.append("metrics", "a", step=0, values={"loss": 0.5})
    outbox.append("end", "a", durable=True, status="FINISHED")
    after = time.time_ns() // 1_000_000
    first, second = left(outbox)
    assert {name: first[name] for name in ("op", "run", "step", "values")} == {
        "op": "metrics",
        "run": "a",
        "step": 0,
        "values": {"loss": 0.5},
    }
    assert second["status"] == "FINISHED"
    assert before <= first["time"] <= second["time"] <= after


def test_entries_of_one_kind_and_run_that_follow_each_other_go_together(outbox: Outbox) -> None:
    """Their order stays; what is sent once is not sent again."""
    for op, run in (("metrics", "a"), ("metrics", "a"), ("tags", "a"), ("metrics", "b"), ("metrics", "a")):
        outbox.append(op, run)
    batches: list[list[str]] = []
    assert deliver(outbox, lambda entries: batches.append([f"{entry['op']} {entry['run']}" for entry in entries])) == 5
    assert batches == [["metrics a", "metrics a"], ["tags a"], ["metrics b"], ["metrics a"]]
    assert left(outbox) == []


def test_an_outbox_where_none_can_be_made_is_told(tmp_path: Path) -> None:
    """Of MLflow, and of its address, nothing is wrong."""
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"file/\.unsent: cannot be written to \(.*\), and what MLflow is told is kept"
    ):
        Outbox.begin(tmp_path / "file/.unsent/search.1")


def test_numbers_that_are_none_survive(outbox: Outbox) -> None:
    """A loss may be NaN or infinite, and must not cost its trial's record."""
    outbox.append("metrics", "a", values={"loss": float("nan"), "bound": float("-inf")})
    (entry,) = left(outbox)
    assert str(entry["values"]) == "{'loss': nan, 'bound': -inf}"


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_left_out(tmp_path: Path, cut: int) -> None:
    """Wherever a kill cuts the last line off, those before it are read."""
    outbox = Outbox.begin(tmp_path / "search.1")
    for step in range(3):
        outbox.append("metrics", "a", step=step)
    path = outbox.folder / module.LINES
    outbox.close(remove=False)
    path.write_bytes(path.read_bytes()[: -cut * 4 + 3])
    again = Outbox.take_over(outbox.folder)
    assert again is not None
    assert steps(left(again)) == [0, 1]
    again.close(remove=True)


def test_a_garbled_line_costs_no_other(outbox: Outbox) -> None:
    """A power cut may leave zeros in the middle, too; the warning names the outbox."""
    for step in range(4):
        outbox.append("metrics", "a", step=step)
    path = outbox.folder / module.LINES
    lines = path.read_bytes().splitlines(keepends=True)
    for number, at in ((0, 0), (2, 5)):
        lines[number] = lines[number][:at] + bytes(8) + lines[number][at + 8 :]
    path.write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match=r"outbox\.jsonl: a line is garbled"):
        assert outbox.unsent() == 2
    assert steps(left(outbox)) == [1, 3]
    assert left(outbox) == []


def test_a_outbox_in_use_is_not_taken_over(outbox: Outbox) -> None:
    """Its process lives and sends by itself; after it has let go, the outbox is there for others."""
    assert left_behind(outbox.folder.parent, "search") == [outbox.folder]
    assert Outbox.take_over(outbox.folder) is None
    outbox.close(remove=False)
    again = Outbox.take_over(outbox.folder)
    assert again is not None
    again.close(remove=True)


def test_a_removed_outbox_leaves_nothing(outbox: Outbox, tmp_path: Path) -> None:
    """Neither lines nor copies nor the lock; taking it over then gives nothing, and leaves nothing either."""
    outbox.write("a", "a.txt")
    outbox.close(remove=True)
    assert Outbox.take_over(outbox.folder) is None
    assert list((tmp_path / "spool").iterdir()) == []


def test_outboxes_are_found_by_their_place_the_oldest_first(tmp_path: Path) -> None:
    """The outbox of a learner is not that of another one whose name begins alike."""
    names = ["search@plain.2", "search@plain.1", "search@plain_dehazed.1", "search.1"]
    for name in names:
        Outbox.begin(tmp_path / name).close(remove=False)
    assert [folder.name for folder in left_behind(tmp_path, "search@plain")] == ["search@plain.1", "search@plain.2"]
    assert len(left_behind(tmp_path, "*")) == len(names)


ABANDONED = """
import os, sys, time
from pathlib import Path
from igarape.tracking.outbox import Outbox

outbox = Outbox.begin(Path(sys.argv[1]))
for step in range(1000):
    outbox.append("metrics", "a", step=step)
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
    assert Outbox.take_over(tmp_path / "search.1") is None
    process.kill()
    process.wait()
    try:
        outbox = Outbox.take_over(tmp_path / "search.1")
        assert outbox is not None
        assert steps(left(outbox)) == list(range(1000))
        outbox.close(remove=True)
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def test_a_copy_is_the_file_as_it_was(outbox: Outbox, tmp_path: Path) -> None:
    """What happens to the file after it was logged makes no difference; names stay."""
    (tmp_path / "parts/deep").mkdir(parents=True)
    (tmp_path / "parts/deep/a.txt").write_text("first", encoding="utf-8")
    file, folder = outbox.keep(tmp_path / "parts/deep/a.txt"), outbox.keep(tmp_path / "parts")
    (tmp_path / "parts/deep/a.txt").write_text("second", encoding="utf-8")
    assert Path(file).name == "a.txt"
    assert (outbox.folder / file).read_text(encoding="utf-8") == "first"
    assert (outbox.folder / folder / "deep/a.txt").read_text(encoding="utf-8") == "first"


def test_a_full_disk_neither_raises_nor_tears_the_outbox(outbox: Outbox, bounded: Callable[[int], None]) -> None:
    """What was not written is, as soon as there is room, in order and whole."""
    outbox.append("metrics", "a", step=0)
    bounded((outbox.folder / module.LINES).stat().st_size + 10)
    for step in range(1, 4):
        outbox.append("metrics", "a", step=step, durable=True)
    assert outbox.unsent() == 4
    assert steps(outbox.batch()[0]) == [0]
    bounded(resource.RLIM_INFINITY)
    assert steps(left(outbox)) == [0, 1, 2, 3]


def test_a_copy_that_finds_no_room_is_one_clear_error(
    outbox: Outbox, tmp_path: Path, bounded: Callable[[int], None]
) -> None:
    """Nothing half-written is left to be sent."""
    (tmp_path / "large").write_bytes(bytes(1000))
    bounded(100)
    with pytest.raises(InputError, match="no room"):
        outbox.keep(tmp_path / "large")
    bounded(resource.RLIM_INFINITY)
    assert [path for path in (outbox.folder / module.COPIES).rglob("*") if path.is_file()] == []


def test_lines_are_json(outbox: Outbox) -> None:
    """Whoever is left with an outbox can read it."""
    outbox.append("tags", "a", values={"igarapé": "a\nb"})
    (line,) = (outbox.folder / module.LINES).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["values"] == {"igarapé": "a\nb"}


def test_files_get_the_time_that_a_store_takes_over_them(outbox: Outbox, tmp_path: Path) -> None:
    """All that entries name, in folders too; figures are no files."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(b"x" * 1000)
    entries = [{"op": "artifact", "path": outbox.keep(path)} for path in (folder, folder / "a")]
    assert seconds_for(outbox.folder, [*entries, {"op": "metrics"}]) == 3000 / RATE
