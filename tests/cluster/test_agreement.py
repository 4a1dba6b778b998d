"""What nodes have to agree on, by name."""

import platform
from pathlib import Path

import pandas as pd
import pytest
import ray
from ray.exceptions import GetTimeoutError, NodeDiedError, RuntimeEnvSetupError

from igarape.cluster import agreement
from igarape.cluster.agreement import CHIPS, CODE, FOLDER, PLACE, differences, facts


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a folder with a word, and a folder of packed chips."""
    (tmp_path / "word").write_text("hello", encoding="utf-8")
    (tmp_path / "ingest").mkdir()
    pd.DataFrame({"image_id": ["a"]}).to_parquet(tmp_path / "ingest/catalog.parquet")
    return tmp_path


def test_a_machine_agrees_with_itself(project: Path) -> None:
    """Whatever the folder in which it stands, and nothing is said."""
    ours = facts(str(project), "word", "ingest")
    assert {FOLDER, CODE, CHIPS, "Python", "numpy", "tensorflow"} <= set(ours)
    assert ours[FOLDER] == "hello" and "missing" not in ours.values()
    assert differences("node a", facts(str(project), str(project / "word"), "ingest"), ours) == []


def test_each_difference_is_named_with_what_to_do(project: Path) -> None:
    """Node, what, there and here."""
    ours = facts(str(project), "word", "ingest")
    (project / "ingest/faults.parquet").write_bytes((project / "ingest/catalog.parquet").read_bytes())
    theirs = {**facts(str(project), "word", "ingest"), "numpy": "1.0", CODE: "abc"}
    said = differences("node a", theirs, ours)
    assert len(said) == 3
    assert f"node a: numpy: 1.0 there, {ours['numpy']} here. Install the same: make setup" in said
    assert any(line.startswith("node a: code: another one than here") for line in said)
    assert any(line.startswith("node a: chips: others than here") for line in said)


def test_a_node_without_the_folder_is_told_that_alone(project: Path, tmp_path: Path) -> None:
    """All else is missing with it."""
    ours = facts(str(project), "word", "ingest")
    (line,) = differences("node a", facts(str(tmp_path / "elsewhere"), "word", "ingest"), ours)
    assert line.startswith("node a: project folder: ") and "a `dvc pull`, does not do" in line
    assert line.endswith(f"mount -t nfs {platform.node()}:{Path.cwd()} {Path.cwd()}")


def test_chips_that_are_links_to_nowhere_are_told_with_what_to_type(project: Path, tmp_path: Path) -> None:
    """DVC may lay links into its cache, which a node may not see."""
    ours = facts(str(project), "word", "ingest")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/catalog.parquet").symlink_to(tmp_path / "nowhere.parquet")
    (line,) = differences("node a", facts(str(project), "word", "linked"), ours)
    assert line.startswith("node a: chips: missing there") and line.endswith("dvc checkout --relink")


def test_a_place_that_a_node_does_not_see_is_named(project: Path) -> None:
    """Where pictures are read and answers are written: what is in them is not compared."""
    ours = facts(str(project), "word", None, "word", str(project / "ingest"))
    assert differences("node a", ours, ours) == []
    gone = str(project / "answers")
    theirs = facts(str(project), "word", None, gone)
    (line,) = differences("node a", theirs, {**theirs, PLACE + gone: "there"})
    assert line == f"node a: path {gone}: missing there, there here. Mount it there, under the same path"


def test_a_node_that_says_nothing_is_named(project: Path) -> None:
    """With where to look."""
    (line,) = differences("node a", "no answer within 120 s", facts(str(project), "word", None))
    assert line.startswith("node a: no answer within 120 s. See Ray's logs there")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (GetTimeoutError("late"), "no answer within 120 s"),
        (RuntimeEnvSetupError("no room\nfor our code"), "could not answer (RuntimeEnvSetupError: "),
        (NodeDiedError("gone"), "could not answer (NodeDiedError: "),
    ],
)
def test_a_node_that_cannot_answer_is_a_line_as_well(
    error: Exception, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback of Ray's, and the other nodes are told of all the same."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(ray, "get", fail)
    answer = agreement._answer(None)
    assert isinstance(answer, str) and answer.startswith(expected) and "\n" not in answer


def test_data_and_weights_have_to_be_there_under_the_same_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is sent along, what it names is not."""
    monkeypatch.setenv("IGARAPE_DATA", str(project / "ingest"))
    ours = facts(str(project), "word", None)
    (line,) = differences("node a", {**ours, "IGARAPE_DATA": "missing"}, ours)
    assert (
        line
        == f"node a: IGARAPE_DATA: {project / 'ingest'} is missing there, and there here. Put it under the same path"
    )
