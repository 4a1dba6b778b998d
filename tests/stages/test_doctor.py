"""doctor: one line a check, and exit code 1 where something is wrong."""

import re
import shutil
from pathlib import Path

import pytest
from streams import begin

from igarape.doctor import machine
from igarape.stages import doctor
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
CHECKS = ["tracking", "auth", "registry", "artifacts", "unsent", "dvc remote", "run cache", "dvc gc"]
CHECKS += ["gpus", "memory", "disk", "weights", "source"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project in which nothing has run."""
    for name in ("datasets", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("MLFLOW_TRACKING_URI", "IGARAPE_CLUSTER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "LITTLE", 0)
    monkeypatch.setattr(machine, "SCARCE", 0)
    return Workspace(begin(tmp_path).root)


def levels(printed: str) -> dict[str, str]:
    """Return the level of each check that was printed."""
    found = (re.match(r"(\w+) +(dvc remote|run cache|dvc gc|\w+) +\S", line) for line in printed.splitlines()[:-1])
    return {match[2]: match[1] for match in found if match}


def test_a_fresh_project_is_well(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrong, nothing is made; it says that there is no remote."""
    before = sorted(path.name for path in here.root.iterdir())
    doctor.run(here)
    printed = capsys.readouterr().out
    found = levels(printed)
    assert list(found) == CHECKS
    assert set(found.values()) <= {"good", "warning"} and found["dvc remote"] == "warning"
    assert re.fullmatch(r"\d+ good, \d+ warnings?", printed.splitlines()[-1])
    assert sorted(path.name for path in here.root.iterdir()) == before


def test_a_dead_server_is_wrong_and_the_rest_is_looked_at(
    here: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, without the password that somebody has put into the address."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ana:secret-of-ana@127.0.0.1:9")
    with pytest.raises(SystemExit) as ended:
        doctor.run(here)
    assert ended.value.code == 1
    printed = capsys.readouterr().out
    found = levels(printed)
    assert [found[name] for name in CHECKS[:4]] == ["wrong", "unseen", "unseen", "unseen"]
    assert found["source"] == "good" and "secret-of-ana" not in printed
    assert printed.splitlines()[-1].endswith("1 wrong, 3 unseen")


def test_a_damaged_database_is_wrong_and_the_rest_is_looked_at(
    here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what doctor is asked about, not what ends it."""
    (here.root / "mlflow.db").write_bytes(b"no database at all, " * 50)
    with pytest.raises(SystemExit):
        doctor.run(here)
    printed = capsys.readouterr().out
    found = levels(printed)
    assert [found[name] for name in CHECKS[:4]] == ["wrong", "unseen", "unseen", "unseen"]
    assert found["source"] == "good" and "mlflow.db: file is not a database" in printed


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", "IGARAPE_CLUSTER=10.0.0.1: expected HOST:PORT of Ray's head"),
        ("127.0.0.1:9", "127.0.0.1:9: nobody answers"),
    ],
)
def test_a_cluster_is_asked_where_one_is_named(
    here: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str, expected: str
) -> None:
    """By the package that alone knows Ray, which is not loaded otherwise."""
    monkeypatch.setenv("IGARAPE_CLUSTER", address)
    with pytest.raises(SystemExit):
        doctor.run(here)
    assert f"wrong    cluster    {expected}" in capsys.readouterr().out
