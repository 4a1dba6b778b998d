"""Tasks on real nodes: a cluster of Ray's on this machine."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import clusters
import numpy as np
import pandas as pd
import pytest
import ray
import split_million
import tasks

from igarape.chips import borders, hamming
from igarape.chips.neighbours import find_pairs
from igarape.cluster import agreement
from igarape.cluster.nodes import Nodes
from igarape.cluster.settings import Needs
from igarape.cluster.spreading import packers
from igarape.errors import InputError
from igarape.executors import Executor, Here, in_turn
from igarape.workspace import Workspace

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """Give two nodes of a cluster, and stand in a project's folder."""
    folder = tmp_path_factory.mktemp("project")
    with clusters.started(2) as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IGARAPE_CLUSTER", cluster.address)
        patch.chdir(folder)
        with packers(Workspace("."), "dehaze", shards=5) as nodes:
            yield nodes
        assert not (folder / "data/.cluster/dehaze").exists()


def test_other_processes_do_tasks_in_the_same_folder_and_messages_come_in_order(
    executor: Executor,
) -> None:
    """As by processes of one machine: tests/test_executors.py."""
    received: dict[int, list[Any]] = {number: [] for number in range(4)}
    futures = {
        executor.submit(tasks.count, 3 * n, name=f"task {n}", on_message=received[n].append): n for n in range(4)
    }
    for future in in_turn(executor, futures):
        assert future.result() == 3 * futures[future]
        assert received[futures[future]] == list(range(3 * futures[future]))
    (where,) = in_turn(executor, [executor.submit(tasks.here, name="where")])
    pid, folder, threads = where.result()
    assert pid != os.getpid() and folder == str(Path.cwd()) and threads == "1"


def test_arrays_are_mapped_from_files_that_all_nodes_see(executor: Executor) -> None:
    """Nothing large is sent."""
    array = np.random.default_rng(0).random((1000, 20))
    (future,) = in_turn(executor, [executor.submit(partial(tasks.total, array=array), name="total")])
    assert future.result() == (array.sum(), True)
    assert len(list(Path("data/.cluster/dehaze").glob("*.npy"))) == 1


def test_an_error_of_a_task_comes_through_as_it_is_with_the_node(executor: Executor) -> None:
    """It is not tried again: it would fail everywhere."""
    sent: list[str] = []
    (future,) = in_turn(executor, [executor.submit(tasks.fail, "out of luck", name="shard 3", on_message=sent.append)])
    error = future.exception()
    assert isinstance(error, InputError) and str(error) == "out of luck" and sent == ["before"]
    assert error.__notes__[0].startswith("shard 3 was at work on node ")
    assert "tasks.py" in str(error.__cause__)


def test_a_task_that_dies_is_done_again_and_what_it_sent_comes_once(executor: Executor, tmp_path: Path) -> None:
    """Wherever it died."""
    sent: list[int] = []
    (future,) = in_turn(
        executor, [executor.submit(tasks.die_once, tmp_path / "died", name="a", on_message=sent.append)]
    )
    assert future.result() == "done" and sent == [0, 1, 2, 3]


def test_a_task_that_dies_each_time_is_an_error_that_names_it_and_its_nodes(executor: Executor) -> None:
    """And says what to do."""
    (future,) = in_turn(executor, [executor.submit(tasks.die, name="fold 3")])
    with pytest.raises(InputError, match=r"^fold 3 died each time, on \S+ \(\S+\), then .*Run the step again"):
        future.result()


def test_all_nodes_are_waited_for_at_once(executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster of silent nodes takes as long as one of them, and each is named."""
    monkeypatch.setattr(agreement, "facts", tasks.silent)
    monkeypatch.setattr(agreement, "PATIENCE", 3.0)
    start = time.monotonic()
    with pytest.raises(InputError, match=r"in 2 points:\nnode .* no answer within 3 s.*\nnode .* no answer within 3 s"):
        agreement.require_agreement(Needs(1), tmp_path, None)
    assert time.monotonic() - start < 5.5


@pytest.mark.usefixtures("executor")
def test_a_node_that_is_gone_from_under_us_is_an_error_that_says_so() -> None:
    """Such as by `ray stop` on this machine; Ray's own words would be a page of traceback."""
    nodes = Nodes(Needs(1, 0, 0), Path.cwd(), spread=False)
    future = nodes.submit(tasks.here, name="where")
    ray.kill(nodes._mailbox)  # as its node takes it along
    with pytest.raises(InputError, match=r"Ray on this machine has no process for us.* \(ActorDiedError\)"):
        nodes.wait([future])
    nodes.cancel()


@pytest.mark.parametrize("exhaustive", [100, 2**16])
def test_chips_that_belong_together_are_those_that_one_process_finds(
    executor: Executor, exhaustive: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, in cells or not; borders and bands are dealt."""
    monkeypatch.setattr(borders, "EXHAUSTIVE", exhaustive)
    prints = split_million.fingerprints(3000)
    find = partial(find_pairs, prints, hamming=40, ratio=0.7, correlation=0.5, borders=True)
    for name in ("here", "nodes"):
        (tmp_path / name).mkdir()
    alone = find(executor=Here(), folder=tmp_path / "here")
    monkeypatch.setattr(borders, "TASK", 400)
    monkeypatch.setattr(hamming, "ALONE", 0)
    monkeypatch.setattr(hamming, "bands", lambda _, bits, most: hamming.bands_of(16, bits, most))
    pd.testing.assert_frame_equal(find(executor=executor, folder=tmp_path / "nodes"), alone)
    assert (alone["kind"].value_counts() > 50).all()
