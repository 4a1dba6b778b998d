"""send: what MLflow missed is sent, and said."""

from pathlib import Path

import mlflow
import pytest

from igarape.errors import InputError
from igarape.stages import send
from igarape.tracking.outbox import Outbox
from igarape.workspace import Workspace


def leave(here: Workspace, place: str, uri: str) -> Path:
    """Leave the outbox of a process that was killed after the first epoch of a step."""
    outbox = Outbox.begin(here.outbox / f"{place}.1")
    outbox.append(
        "open",
        "0af7",
        experiment=f"igarape/{place}",
        id=None,
        parent=None,
        name=place,
        params={},
        tags={"igarape.run": "0af7"},
        uri=uri,
    )
    outbox.append("metrics", "0af7", step=0, values={"loss": 0.5})
    outbox.close(remove=False)
    return outbox.folder


def test_the_outboxes_of_dead_processes_are_sent_once(
    registry: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To where the step began, however MLFLOW_TRACKING_URI is set now; runs that were left open are closed."""
    uri = mlflow.get_tracking_uri()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    for place in ("stack", "decide"):
        leave(Workspace(registry), place, uri)
    send.run(Workspace(registry))
    assert capsys.readouterr().out.splitlines() == [
        f"{place}.1: 2 entries sent to MLflow at {uri}; closed as KILLED: 1 run" for place in ("decide", "stack")
    ]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert [(run.info.status, run.data.metrics) for run in runs] == [("KILLED", {"loss": 0.5})] * 2
    send.run(Workspace(registry))
    assert capsys.readouterr().out == "nothing lies unsent\n"


def test_an_outbox_whose_first_line_a_power_cut_took_stays_and_keeps_no_other_back(
    registry: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say any more whose it is: that is told, and nothing of it is thrown away."""
    uri = mlflow.get_tracking_uri()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    folders = [leave(Workspace(registry), place, uri) for place in ("decide", "stack")]
    lines = (folders[0] / "outbox.jsonl").read_bytes().split(b"\n")
    (folders[0] / "outbox.jsonl").write_bytes(b"\n".join([bytes(len(lines[0])), *lines[1:]]))
    told = pytest.raises(InputError, match=r"stack.1: 2 entries sent(.*\n)+.*decide.1: its first line is lost")
    with pytest.warns(UserWarning, match="a line is garbled"), told:
        send.run(Workspace(registry))
    assert [(folder / "outbox.jsonl").exists() for folder in folders] == [True, False]


def test_a_step_at_work_is_left_alone(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It sends by itself."""
    folder = leave(Workspace(registry), "stack", mlflow.get_tracking_uri())
    outbox = Outbox.take_over(folder)
    assert outbox is not None
    send.run(Workspace(registry))
    assert capsys.readouterr().out.startswith("stack.1: still at work")
    outbox.close(remove=True)


def test_what_was_open_elsewhere_can_be_sent_to_another_mlflow(
    registry: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLFLOW_TRACKING_URI counts before the address at which the step began: that one may be gone for good."""
    leave(Workspace(registry), "stack", "http://127.0.0.1:9")
    send.run(Workspace(registry))
    assert f"2 entries sent to MLflow at {mlflow.get_tracking_uri()}" in capsys.readouterr().out
