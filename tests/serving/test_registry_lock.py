"""One at a time: a lock where the registry is a file, a name that only one can create where it is a server."""

import threading
import time
from pathlib import Path

import mlflow
import pytest
from contest import NAME
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from igarape.errors import InputError
from igarape.serving import registry_lock as module
from igarape.serving.registry_lock import registry_lock
from igarape.tracking.address import user

SERVER = "http://somewhere"  # by its address alone: the claim is made in the database of the test


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a moment only."""
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    monkeypatch.setattr(module, "PAUSE", 0.05)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("uri", [None, SERVER])
def test_a_second_one_is_refused_until_the_first_has_ended(uri: str | None) -> None:
    """With one clear error, also where the first one fails."""
    client, place = MlflowClient(), uri or mlflow.get_tracking_uri()

    def fail_inside() -> None:
        with registry_lock(NAME, client, place):
            with (
                pytest.raises(InputError, match=f"{NAME}: .* changing it for 0 seconds.*igarape history"),
                registry_lock(NAME, client, place),
            ):
                pytest.fail("two at once")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    with registry_lock(NAME, client, place), registry_lock("igarape-other", client, place):
        pass  # another model is not concerned
    assert list(client.search_registered_models()) == []


@pytest.mark.usefixtures("registry")
def test_on_a_server_it_says_who_and_how_to_free_it() -> None:
    """A process that died there leaves the claim behind."""
    client = MlflowClient()
    client.create_registered_model(f"{NAME}.claim", {module.TOKEN: "x", module.BY: "ana"})
    with (
        pytest.raises(InputError, match=rf"{NAME}: ana has .*delete .* that begin with {NAME}\.claim"),
        registry_lock(NAME, client, SERVER),
    ):
        pytest.fail("the claim is ana's")
    client.delete_registered_model(f"{NAME}.claim")
    with registry_lock(NAME, client, SERVER):
        assert client.get_registered_model(f"{NAME}.claim").tags[module.BY] == user()


@pytest.mark.usefixtures("registry")
def test_a_claim_without_any_sign_of_life_is_removed_by_one_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process died. Of many who wait, one tells so, and they go on one at a time as ever."""
    for name, seconds in {"BEAT": 0.1, "SILENCE": 2.0, "PATIENCE": 60.0}.items():
        monkeypatch.setattr(module, name, seconds)
    client, inside, most, done = MlflowClient(), 0, 0, list[bool]()
    client.create_registered_model(f"{NAME}.claim", {module.TOKEN: "x", module.BY: "ana"})

    def change() -> None:
        nonlocal inside, most
        for _ in range(2):
            with registry_lock(NAME, MlflowClient(), SERVER):
                inside += 1
                most = max(most, inside)
                time.sleep(0.02)
                inside -= 1
                done.append(True)

    def change_all() -> None:
        waiting = [threading.Thread(target=change) for _ in range(3)]
        for each in waiting:
            each.start()
        for each in waiting:
            each.join()

    with pytest.warns(UserWarning, match=rf"{NAME}: ana began .* igarape history") as said:
        change_all()
    assert (most, len(done)) == (1, 6)
    assert len([each for each in said if "ana" in str(each.message)]) == 1
    assert list(client.search_registered_models()) == []


class _Beats:
    """A clock of who waits, on which SILENCE passes between two looks, but not before the holder has given a sign."""

    def __init__(self, client: MlflowClient) -> None:
        self.now, self.client, self.seen = 0.0, client, ""

    def monotonic(self) -> float:
        """Return its seconds."""
        return self.now

    def sleep(self, _: float) -> None:
        """Wait for the next sign of life, however long a busy machine takes for it."""
        deadline = time.monotonic() + 60
        while (alive := self.client.get_registered_model(f"{NAME}.claim").tags.get(module.ALIVE, "")) == self.seen:
            assert time.monotonic() < deadline, "no sign of life"
            time.sleep(0.01)
        self.seen = alive
        self.now += 0.9 * module.SILENCE


@pytest.mark.usefixtures("registry")
def test_a_change_that_takes_long_keeps_its_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives signs of life, so that who waits gives up in the end, and takes nothing away."""
    client = MlflowClient()
    monkeypatch.setattr(module, "BEAT", 0.05)
    monkeypatch.setattr(module, "PATIENCE", 5 * module.SILENCE)
    monkeypatch.setattr(module, "time", _Beats(client))
    with (
        registry_lock(NAME, client, SERVER),
        pytest.raises(InputError, match="has been changing it for 50 seconds"),
        registry_lock(NAME, client, SERVER),
    ):
        pytest.fail("two at once")
    assert list(client.search_registered_models()) == []


@pytest.mark.usefixtures("registry")
def test_who_was_taken_for_dead_is_told_and_removes_nothing_of_the_others() -> None:
    """A machine that slept through it wakes up while another process holds the claim."""
    client, mark = MlflowClient(), f"{NAME}.claim"

    def sleep() -> None:
        with registry_lock(NAME, client, SERVER):
            client.delete_registered_model(mark)
            client.create_registered_model(mark, {module.TOKEN: "another's"})

    with pytest.raises(InputError, match="another one has changed the model meanwhile"):
        sleep()
    assert [each.tags[module.TOKEN] for each in client.search_registered_models()] == ["another's"]


@pytest.mark.usefixtures("registry")
def test_an_answer_that_was_lost_is_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow made the claim, and the client heard an error that it is there: it is ours all the same."""
    create = MlflowClient.create_registered_model

    def twice(self: MlflowClient, *words: object) -> object:
        create(self, *words)  # type: ignore[arg-type]
        return create(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(MlflowClient, "create_registered_model", twice)
    with registry_lock(NAME, MlflowClient(), SERVER):
        assert MlflowClient().get_registered_model(f"{NAME}.claim").tags[module.BY] == user()


@pytest.mark.usefixtures("registry")
def test_what_mlflow_refuses_otherwise_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that it does not take is no claim of somebody else's."""
    with pytest.raises(MlflowException), registry_lock("a/b", MlflowClient(), SERVER):
        pytest.fail("no such name")


def test_a_lock_of_a_dead_process_is_free(registry: Path) -> None:
    """The system takes it: the file that stays is in nobody's way, and lies where git does not look."""
    for _ in range(2):
        with registry_lock(NAME, MlflowClient(), mlflow.get_tracking_uri()):
            pass
    assert (registry / "mlruns" / f".{NAME}.lock").exists()
