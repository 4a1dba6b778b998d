"""What the environment says of a cluster."""

import pytest

from igarape.cluster.settings import Needs, cluster_address, needs, task_cpus
from igarape.errors import InputError

VARIABLES = ("IGARAPE_CLUSTER", "IGARAPE_TASK_CPUS", "IGARAPE_TASK_GPUS", "IGARAPE_TASK_MEMORY")


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any of the variables."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_variables_there_is_no_cluster_and_a_task_has_what_the_step_says() -> None:
    """Nothing is guessed."""
    assert cluster_address() is None
    assert task_cpus() is None
    assert needs(3) == Needs(cpus=3)


def test_variables_say_where_the_cluster_is_and_what_a_task_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a graphics card too; memory in GB."""
    for name, value in zip(VARIABLES, ("[fd00::1]:6379", "4", "0.5", "1.5"), strict=True):
        monkeypatch.setenv(name, value)
    assert cluster_address() == "[fd00::1]:6379"
    assert needs(1) == Needs(4, 0.5, 3 * 2**29)
    assert str(needs(1)).startswith("4 processors (IGARAPE_TASK_CPUS), 0.5 graphics cards (IGARAPE_TASK_GPUS), 1.5 GB")


@pytest.mark.parametrize("address", ["", "head", "head:", ":6379", "head:0", "head:70000", "ray://head:10001", "auto"])
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """With what is expected, and where to find it."""
    monkeypatch.setenv("IGARAPE_CLUSTER", address)
    with pytest.raises(InputError, match=rf"^IGARAPE_CLUSTER={address}: expected HOST:PORT of Ray's head.*10\.0"):
        cluster_address()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IGARAPE_TASK_CPUS", "0"),
        ("IGARAPE_TASK_CPUS", "1.5"),
        ("IGARAPE_TASK_CPUS", "all"),
        ("IGARAPE_TASK_GPUS", "-1"),
        ("IGARAPE_TASK_GPUS", "nan"),
        ("IGARAPE_TASK_MEMORY", "4 GB"),
        ("IGARAPE_TASK_MEMORY", "inf"),
    ],
)
def test_what_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """By the variable's name."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^{name}={value}: expected a (whole )?number of at least [01]$"):
        needs(1)


def test_part_of_a_second_graphics_card_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray gives a part of one, or whole ones."""
    monkeypatch.setenv("IGARAPE_TASK_GPUS", "1.5")
    with pytest.raises(InputError, match=r"^IGARAPE_TASK_GPUS=1\.5: expected a part of one graphics card, or a whole"):
        needs(1)


def test_a_node_can_do_a_task_or_not() -> None:
    """By what it has in all; what others take of it just now passes."""
    task = Needs(2, 0.5, 2**30)
    assert task.met_by({"CPU": 2.0, "GPU": 1.0, "memory": 2.0**31})
    assert not task.met_by({"CPU": 1.0, "GPU": 1.0, "memory": 2.0**31})
    assert not task.met_by({"CPU": 2.0, "memory": 2.0**31})
    assert not task.met_by({"CPU": 2.0, "GPU": 1.0})
