"""Where tasks are done: on this machine without Ray, unless a cluster is named."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from tasks import sleep

from igarape.cluster import spreading
from igarape.cluster.pickling import ByReference
from igarape.cluster.settings import THREADS
from igarape.cluster.spreading import packers, seekers, threads, trainers
from igarape.errors import InputError
from igarape.executors import Here, Processes, in_turn
from igarape.workspace import Workspace


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without a cluster, and with two workers."""
    for name in ("IGARAPE_CLUSTER", "IGARAPE_TASK_CPUS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("IGARAPE_WORKERS", "2")


def test_without_a_cluster_shards_are_written_by_processes_and_trainings_are_done_here(tmp_path: Path) -> None:
    """Which see the whole machine each."""
    with (
        packers(Workspace(tmp_path), "dehaze", shards=5) as packing,
        trainers(Workspace(tmp_path), "t", chips=tmp_path) as own,
    ):
        assert isinstance(packing, Processes) and isinstance(own, Here)
        assert threads() == 2
    assert list(tmp_path.iterdir()) == []


def test_trainings_that_use_one_processor_are_done_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there are workers; one worker is this process."""
    with trainers(Workspace(tmp_path), "t", chips=tmp_path, at_once=5) as executor:
        assert isinstance(executor, ByReference)
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    with trainers(Workspace(tmp_path), "t", chips=tmp_path, at_once=5) as executor:
        assert isinstance(executor, Here)


def test_one_worker_is_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it always was."""
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    with packers(Workspace(tmp_path), "dehaze", shards=5) as packing:
        (done,) = in_turn(packing, [packing.submit(sleep, 0.0, name="a")])
        assert isinstance(packing, Here) and done.done()


@pytest.mark.parametrize(("shards", "expected"), [(0, 1), (1, 1), (2, 2), (9, 3)])
def test_no_more_processes_are_started_than_there_are_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int, expected: int
) -> None:
    """A pool starts all of its processes at once, and each imports igarape: with many processors that takes long."""
    monkeypatch.setenv("IGARAPE_WORKERS", "3")
    started: list[int] = []

    def start(processes: int) -> AbstractContextManager[Here]:
        started.append(processes)
        return nullcontext(Here())

    monkeypatch.setattr(spreading, "local", start)
    with packers(Workspace(tmp_path), "dehaze", shards=shards):
        assert started == [expected]


def test_ray_is_not_even_imported_without_a_cluster() -> None:
    """Who has one machine waits for nothing, and needs not install it; these are what others import."""
    script = "import sys; from igarape.cluster import health, settings, spreading; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_a_cluster_without_ray_is_an_error_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or how to do without."""
    monkeypatch.setenv("IGARAPE_CLUSTER", "head:6379")
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("agreement", "nodes", "pickling", "probe"):
        monkeypatch.delitem(sys.modules, f"igarape.cluster.{name}", raising=False)
    with pytest.raises(InputError, match=r"^IGARAPE_CLUSTER=head:6379: Ray is not installed.*\[cluster\].*unset"):
        packers(Workspace(tmp_path), "dehaze", shards=5).__enter__()


def test_the_threads_of_a_task_are_those_that_a_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine too, so that it gives what a cluster gives."""
    for name in THREADS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("IGARAPE_TASK_CPUS", "3")
    with trainers(Workspace(tmp_path), "t", chips=tmp_path):
        assert threads() == 3 and {os.environ[name] for name in THREADS} == {"3"}


def test_what_is_one_task_is_sought_by_this_process_and_several_tasks_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share an empty folder, which goes at the end, even where there is a cluster that one task does not ask."""
    with seekers(Workspace(tmp_path), "split", tasks=5) as (executor, folder):
        assert isinstance(executor, Processes) and list(folder.iterdir()) == []
    assert not folder.exists()
    monkeypatch.setenv("IGARAPE_CLUSTER", "nobody.invalid:1")
    with seekers(Workspace(tmp_path), "split", tasks=1) as (executor, folder):
        assert isinstance(executor, Here) and list(folder.iterdir()) == []
    assert list((tmp_path / "data").iterdir()) == []


def test_what_a_killed_search_has_left_is_removed_and_two_at_once_are_refused(tmp_path: Path) -> None:
    """The folder is one search's own."""
    here = Workspace(tmp_path)
    left = here.data / ".unfinished/split/ours.npy"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"borders")
    with seekers(here, "split", tasks=1) as (_, folder):
        assert folder == left.parent and not left.exists()
        with pytest.raises(InputError, match="another process is writing it"):
            seekers(here, "split", tasks=1).__enter__()
        assert folder.exists()
