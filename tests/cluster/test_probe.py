"""What is wrong with a cluster is said within seconds, with what to do. Real clusters are in tests marked slow."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import clusters
import pytest

from igarape.cluster import probe
from igarape.cluster.probe import check_cluster, require_cluster
from igarape.cluster.settings import Needs
from igarape.errors import InputError


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Be quick."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


def test_where_nobody_listens_the_head_is_asked_for() -> None:
    """Ray alone would be silent for more than 100 s."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (
        within(10),
        pytest.raises(InputError, match=rf"^IGARAPE_CLUSTER={address}: nobody answers.*ray start"),
    ):
        require_cluster(address, Needs(1))


def test_who_is_not_rays_head_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server, say, or the port of Ray's dashboard."""
    monkeypatch.setattr(probe, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with within(10):
            findings = check_cluster(address, Needs(1))
    assert [finding.level for finding in findings] == ["good", "wrong"]
    assert "not Ray's head. Give the port" in findings[-1].said


def test_other_versions_are_named() -> None:
    """Ray wants the same on all machines."""
    finding = probe._same_versions({"ray_version": "2.1.0", "python_version": "3.9.1"})
    assert finding.level == "wrong"
    assert "Ray 2.1.0 and Python 3.9.1, here are Ray" in finding.said and "make setup" in finding.said


def test_this_machine_has_to_be_a_node() -> None:
    """Ray would look for itself in vain."""
    finding = probe._reachable([("203.0.113.5", {}), ("203.0.113.6", {})], "203.0.113.5:6379")
    assert finding.level == "wrong" and "203.0.113.5, 203.0.113.6" in finding.said
    assert finding.said.endswith(". Type here: ray start --address=203.0.113.5:6379")


def test_a_node_that_hides_behind_127_0_0_1_is_found() -> None:
    """A driver at another address hangs."""
    finding = probe._reachable([("127.0.0.1", {}), ("203.0.113.6", {})], "203.0.113.6:6379")
    assert finding.level == "wrong" and "--node-ip-address" in finding.said


def test_what_no_node_has_is_named() -> None:
    """Ray would wait for a graphics card for ever."""
    nodes = [("a", {"CPU": 8.0, "memory": 4.0 * 2**30}), ("b", {"CPU": 2.0, "GPU": 1.0})]
    assert probe._able(nodes, Needs(2, gpus=1)).level == "good"
    finding = probe._able(nodes, Needs(4, gpus=1))
    assert finding.level == "wrong"
    assert "a has 8 processors, 0 graphics cards, 4.0 GB; b has 2" in finding.said
    assert "4 processors (IGARAPE_TASK_CPUS), 1 graphics cards (IGARAPE_TASK_GPUS)" in finding.said


# In processes of their own: Ray looks for its token once in a process.
HEAD = """
import sys
import clusters
with clusters.started(1) as cluster:
    print("at", cluster.address, flush=True)
    sys.stdin.read()
"""
KNOCK = """
import sys, time
from igarape.cluster.probe import check_cluster
from igarape.cluster.settings import needs
start = time.monotonic()
findings = check_cluster(sys.argv[1], needs(1))
print(time.monotonic() - start < 10, *findings, sep="\\n")
"""


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_a_real_cluster_lets_in_who_has_its_token_and_asks_for_what_it_has() -> None:
    """A wrong token, and a graphics card where there is none, are errors within ten seconds."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "right" * 8}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(clusters.SOURCES)} | token

    def knock(address: str, **variables: str) -> str:
        words = [sys.executable, "-c", KNOCK, address]
        said = subprocess.run(words, capture_output=True, text=True, check=True, env=environment | variables).stdout
        assert said.startswith("True\n")
        return said

    words = [sys.executable, "-c", HEAD]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as head:
        assert head.stdout
        address = next(line.split()[1] for line in head.stdout if line.startswith("at "))
        assert "level='wrong'" not in knock(address)
        assert "level='wrong', said='token: " in knock(address, RAY_AUTH_TOKEN="wrong" * 8)
        assert "level='wrong', said='token: " in knock(address, RAY_AUTH_MODE="disabled")
        assert "no node has 1 processor (" in knock(address, IGARAPE_TASK_GPUS="1")
        head.communicate()
