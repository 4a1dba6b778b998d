"""Answers by a cluster's nodes: those of one machine, to the byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clusters
import driven
import pandas as pd
import pytest
from unlabelled import NAMES, lay_out

from igarape.cluster import spreading
from igarape.errors import InputError
from igarape.executors import Here
from igarape.files import write_lock
from igarape.serving import batches
from igarape.serving.answering import answerers
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.registry import champion_uri, load
from igarape.stages import predict, submit
from igarape.workspace import Workspace


def test_without_a_cluster_this_process_answers(tmp_path: Path, bundle_folder: Path) -> None:
    """Nothing is copied."""
    bundle = Bundle.load(bundle_folder)
    with answerers(Workspace(tmp_path), "predict", uri="models:/none/1", bundle=bundle) as others:
        assert others is None
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def here(champion: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project with a champion and chips without labels; each batch is a task of its own."""
    monkeypatch.setattr(batches, "SHARE", 1)
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    return lay_out(Workspace(champion))


def test_others_open_the_model_from_a_folder_that_all_see(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """They write what this process writes; another model than was loaded is refused, and nothing is left."""

    @contextmanager
    def others(*_words: Any, **_how: Any) -> Iterator[Here]:
        yield Here()

    written = here.folder("submit") / "submission.csv"
    submit.run(here)
    alone = written.read_bytes()
    monkeypatch.setattr(spreading, "answerers", others)
    submit.run(here)
    assert written.read_bytes() == alone
    uri = champion_uri("igarape-toy", here.root)
    other = load(uri, here.root).with_views(1)
    with pytest.raises(InputError, match=r"has become another model just now\. Run the command again"):
        answerers(here, "submit", uri=uri, bundle=other).__enter__()
    assert list((here.data / ".cluster").iterdir()) == []


def test_two_at_once_do_not_share_what_nodes_are_given(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is told before it has touched anything of the first one's."""
    monkeypatch.setenv("IGARAPE_CLUSTER", "nobody:1")
    folder = here.data / ".cluster"
    with (
        write_lock(folder / "submit.lock", folder),
        pytest.raises(InputError, match=r"submit: another process is writing"),
    ):
        submit.run(here)
    assert list(folder.iterdir()) == []


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_nodes_write_the_table_of_one_machine_to_the_byte(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is a task of its own here."""
    alone, together = here.root / "alone.csv", here.root / "together.csv"
    predict.run(here, [here.chips("raw")], model=None, out=alone)
    with clusters.started(2) as cluster:
        monkeypatch.setenv("IGARAPE_CLUSTER", cluster.address)
        predict.run(here, [here.chips("raw")], model=None, out=together)
    assert together.read_bytes() == alone.read_bytes()
    assert len(pd.read_csv(together)) == len(NAMES) + 2
    assert list((here.data / ".cluster").iterdir()) == []


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_node_that_is_killed_while_it_answers_changes_no_byte(champion: Path) -> None:
    """Its pictures are answered by another one, those of the share that it was at once more."""
    many = [f"test_{number}" for number in range(3 * batches.SHARE * BATCH // 2)]
    here = lay_out(Workspace(champion), many)
    words = ["predict", str(here.chips("raw")), "--out"]
    driven.end(driven.typed(*words, "alone.csv", folder=here.root, address=None))
    with clusters.started(2) as cluster:
        process = driven.typed(*words, "together.csv", folder=here.root, address=cluster.address)
        driven.until(process, lambda: len(list((here.root / ".unfinished/together.csv").glob("*/*.csv"))) >= 3)
        clusters.remove_one(cluster)
        driven.end(process)
    table = (here.root / "together.csv").read_bytes()
    assert table == (here.root / "alone.csv").read_bytes() and table.count(b"\n") == len(many) + 3
    assert list((here.data / ".cluster").iterdir()) == []
    assert not (here.root / ".unfinished").exists()
