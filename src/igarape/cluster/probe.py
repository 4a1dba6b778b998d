"""Whether a cluster is there, lets us in, and has what a task needs: said in seconds, where Ray waits for minutes."""

import json
import platform
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psutil
import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.exceptions import AuthenticationError

from igarape.cluster.settings import ADDRESS, GIGABYTE, Needs
from igarape.errors import InputError, counted, reason
from igarape.findings import Finding, good, wrong

PATIENCE = 3.0  # seconds for a connection, and for the first answer
ALIVE = 0  # as Ray counts the states of a node
LOOPBACK = "127."

Nodes = list[tuple[str, dict[str, float]]]


def require_cluster(address: str, needs: Needs) -> None:
    """Raise InputError for the first thing that is wrong with a cluster."""
    for finding in check_cluster(address, needs):
        if finding.level == "wrong":
            raise InputError(f"{ADDRESS}={address}: {finding.said}")


def check_cluster(address: str, needs: Needs) -> list[Finding]:
    """Look whether a cluster answers, lets us in, has our versions, knows this machine, and has nodes for a task.

    address: HOST:PORT of its head. After something that is wrong, what could not be looked at is left out.
    """
    findings: list[Finding] = []
    for finding in _findings(address, needs):
        findings.append(finding)
        if finding.level == "wrong":
            break
    return findings


def _findings(address: str, needs: Needs) -> Iterator[Finding]:
    yield _answers(address)
    client, finding = _let_in(address)
    yield finding
    metadata = json.loads(client.internal_kv_get(b"CLUSTER_METADATA", namespace=b"cluster", timeout=PATIENCE))
    yield _same_versions(metadata)
    nodes = [
        (node.node_manager_address, dict(node.resources_total))
        for node in client.get_all_node_info(timeout=PATIENCE).values()
        if node.state == ALIVE
    ]
    yield _reachable(nodes, address)
    yield _able(nodes, needs)


def _answers(address: str) -> Finding:
    """Look whether anybody listens at the address."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE):
            return good("somebody answers")
    except OSError as error:
        return wrong(
            f"nobody answers ({error}). Is the head running (ray start --head --port={port}), and does a firewall let "
            "us through?"
        )


def _let_in(address: str) -> tuple[Any, Finding]:
    """Ask for the cluster's state, which needs its token, if it has one."""
    try:
        client = _within(2 * PATIENCE, lambda: GcsClient(address=address))
    except AuthenticationError as error:
        return None, wrong(
            f"token: {reason(error).split('. ')[0]}. Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or "
            "RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token) as on the head"
        )
    except (TimeoutError, ray.exceptions.RpcError):
        return None, wrong(
            "who answers is not Ray's head. Give the port that `ray start --head` has printed, 6379 by default, not "
            "that of the dashboard"
        )
    return client, good("lets us in")


def _same_versions(metadata: Mapping[str, str]) -> Finding:
    """Compare the head's Ray and Python with ours, which Ray wants to be the same."""
    theirs = (metadata["ray_version"], metadata["python_version"])
    ours = (ray.__version__, platform.python_version())
    if theirs == ours:
        return good(f"Ray {ours[0]}, Python {ours[1]}")
    return wrong(
        f"versions: the cluster has Ray {theirs[0]} and Python {theirs[1]}, here are Ray {ours[0]} and Python "
        f"{ours[1]}. Install the same on all machines: make setup"
    )


def _reachable(nodes: Nodes, address: str) -> Finding:
    """Look whether this machine is a node, as Ray wants the machine of a driver to be, and all have real addresses."""
    own = {found.address for interface in psutil.net_if_addrs().values() for found in interface}
    places = sorted({node for node, _ in nodes})
    if not own & set(places):
        return wrong(
            f"this machine ({platform.node()}) is none of its nodes, which are {', '.join(places)}. Type here: ray "
            f"start --address={address}"
        )
    hidden = [place for place in places if place.startswith(LOOPBACK)]
    if hidden and len(places) > len(hidden):
        return wrong(
            f"a node is at {hidden[0]}, where no other machine reaches it. Start it with --node-ip-address=ITS-ADDRESS"
        )
    return good(f"{counted(len(nodes), 'node')}, this machine among them")


def _able(nodes: Nodes, needs: Needs) -> Finding:
    """Look for nodes that can do a task; for one that none can, Ray waits for ever."""
    able = [node for node, resources in nodes if needs.met_by(resources)]
    if able:
        return good(f"{len(able)} of them can do a task of {needs}")
    have = "; ".join(
        f"{node} has {has.get('CPU', 0):g} processors, {has.get('GPU', 0):g} graphics cards, "
        f"{has.get('memory', 0) / GIGABYTE:.1f} GB"
        for node, has in nodes
    )
    return wrong(f"no node has {needs}: {have}. Ask for less by these variables, or start a node that has as much")


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Return what a call gives; raise TimeoutError when it takes longer: it goes on in a thread then."""
    answer: list[Any] = []

    def work() -> None:
        try:
            answer.append((ask(), None))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            answer.append((None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answer:
        raise TimeoutError
    given, error = answer[0]
    if error:
        raise error
    return given
