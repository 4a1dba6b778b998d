"""What `igarape doctor` says of a cluster: tests/cluster/test_probe.py looks at real ones."""

import os
import socket
import sys

import pytest

from igarape.cluster import probe
from igarape.cluster.health import look
from igarape.cluster.settings import Needs
from igarape.findings import Finding, good


def test_a_cluster_that_is_not_there_is_wrong_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("IGARAPE_CLUSTER", address)
    found = look()
    assert found.level == "wrong"
    assert found.said.startswith(f"{address}: nobody answers") and "ray start --head" in found.said


def test_a_cluster_that_is_well_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its versions and its nodes."""
    asked: list[Needs] = []

    def check(_address: str, needs: Needs) -> list[Finding]:
        asked.append(needs)
        return [good("somebody answers"), good("lets us in"), good("3 nodes")]

    monkeypatch.setattr(probe, "check_cluster", check)
    monkeypatch.setenv("IGARAPE_CLUSTER", "head:6379")
    monkeypatch.delenv("IGARAPE_TASK_CPUS", raising=False)
    found = look()
    assert (found.level, found.said) == ("good", "head:6379: lets us in; 3 nodes")
    assert asked == [Needs(os.cpu_count() or 1)]  # of a training, the most that a task takes


def test_without_ray_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has named a cluster wants one."""
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("agreement", "nodes", "pickling", "probe"):
        monkeypatch.delitem(sys.modules, f"igarape.cluster.{name}", raising=False)
    monkeypatch.setenv("IGARAPE_CLUSTER", "head:6379")
    found = look()
    assert found.level == "wrong" and "pip install -e '.[cluster]'" in found.said


def test_without_a_cluster_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never guessed."""
    monkeypatch.delenv("IGARAPE_CLUSTER", raising=False)
    assert look().level == "good" and "this machine alone" in look().said
