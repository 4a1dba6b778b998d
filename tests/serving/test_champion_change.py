"""The champion changes one at a time, and there is one at all times."""

from functools import partial
from pathlib import Path

import mlflow
import pytest
from contest import NAME, answers_of, crowned, decide, enroll, enter, holders, outcomes, patient
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from race import race
from servers import Server

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.serving.history import history
from igarape.serving.promotion import rollback
from igarape.workspace import Workspace


def dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry take one alias more, and then nothing."""
    real, taken = MlflowClient.set_registered_model_alias, list[str]()

    def once(self: MlflowClient, *words: str) -> None:
        if taken:
            raise MlflowException("the server is away")
        taken.append(words[1])
        real(self, *words)

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", once)


def test_between_two_aliases_there_is_a_champion(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promote leaves the old one, and the next try completes it; rollback leaves the one that was asked for."""
    here = crowned(registry)
    MlflowClient().create_model_version(NAME, "nowhere")
    with monkeypatch.context() as patch:
        dies(patch)
        with pytest.raises(InputError, match="the server is away"):
            decide(here, "3", force=True, reason="x")
    assert holders() == {"challenger": 2, "champion": 2, "previous": 2}
    with pytest.raises(InputError, match=r"version 2 is both champion and previous.*igarape history"):
        rollback(here, patient(), reason="")
    decide(here, "3", force=True, reason="x")
    assert holders() == {"challenger": 2, "champion": 3, "previous": 2}
    dies(monkeypatch)
    with pytest.raises(InputError, match="the server is away"):
        rollback(here, patient(), reason="")
    assert holders() == {"challenger": 2, "champion": 2, "previous": 2}


def test_who_comes_second_is_told(registry: Path) -> None:
    """The champion that the verdict was about is none any more when it is to be replaced."""
    here = crowned(registry)

    def others(_: str, version: str = "1") -> None:
        MlflowClient().set_registered_model_alias(NAME, "champion", version)

    MlflowClient().create_model_version(NAME, "nowhere")
    with pytest.raises(InputError, match=r"version 1 has become champion while version 3 .* of 2: .* then try again"):
        decide(here, "3", force=True, reason="x", say=others)
    assert holders()["champion"] == 1
    with pytest.raises(InputError, match=r"version 3 has become champion .*, in place of 1: .*Nothing is left to do"):
        decide(here, "3", force=True, reason="x", say=partial(others, version="3"))
    assert "overtaken" in outcomes(here)[0]


def one_wins(here: Workspace, rounds: int, *, lost: bool = False) -> int:
    """Let two processes promote at once, and see that one of them does; return how often they did."""
    client = MlflowClient()
    enter(3)
    client.set_registered_model_alias(NAME, "champion", "1")
    ended, seen = race(here.root, rounds, lost=lost)
    for each in ended:
        assert sorted(text == "won" for text in each.values()) == [False, True]
        loser = next(text for text in each.values() if text != "won")
        assert "has become champion" in loser and "in place of 1" in loser
    assert None not in seen
    return len(ended)


@pytest.mark.usefixtures("registry")
def test_of_two_processes_one_wins(registry: Path) -> None:
    """Each time; `python tests/race.py 100` does so a hundred times."""
    assert one_wins(Workspace(registry), 2) == 2


@pytest.mark.timeout(300)
def test_all_of_it_works_on_a_server(
    registry: Path, bundle_folder: Path, images: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Register, promote, roll back, look: the project keeps nothing of it. No claim stays, of a dead process either."""
    here, remote = Workspace(registry), Workspace(registry / "remote")
    remote.root.mkdir()
    (registry / "mlflow.db").rename(remote.root / "mlflow.db")
    server = Server(remote.root)
    server.start()
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
        enroll(here, bundle_folder, answers_of(bundle_folder, images))
        assert enroll(here, bundle_folder, answers_of(bundle_folder, images)) == "1"
        decide(here)
        enter(1)
        decide(here, "2", force=True, reason="on a server")
        rollback(here, patient(), reason="back")
        assert holders() == {"challenger": 2, "champion": 1, "previous": 2}
        assert len(history(NAME, here.root)) == 4
        assert mlflow.get_tracking_uri() == server.uri
        assert one_wins(here, 1, lost=True) == 1
        assert [each.name for each in MlflowClient().search_registered_models()] == [NAME]
    finally:
        server.stop()
    assert not (registry / "mlflow.db").exists() and not (registry / "mlruns").exists()
