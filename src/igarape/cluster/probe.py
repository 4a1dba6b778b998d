"""Whether a cluster is there, lets us in, and has what a task needs: said in seconds, where Ray waits for minutes."""

import json
import platform
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.exceptions import AuthenticationError

from igarape.cluster.settings import ADDRESS, GIGABYTE, Needs
from igarape.errors import InputError, reason

PATIENCE = 3.0  # seconds for a connection, and for the first answer
ALIVE = 0  # as Ray counts the states of a node
LOOPBACK = "127."

Nodes = list[tuple[str, dict[str, float]]]


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, what was found, and what to do about it."""

    what: str
    well: bool
    found: str
    remedy: str = ""


def require_cluster(address: str, needs: Needs) -> None:
    """Raise InputError for the first thing that is wrong with a cluster."""
    for finding in check_cluster(address, needs):
        if not finding.well:
            raise InputError(f"{ADDRESS}={address}: {finding.what}: {finding.found}. {finding.remedy}")


def check_cluster(address: str, needs: Needs | None = None) -> list[Finding]:
    """Look whether a cluster answers, lets us in, has our versions, knows this machine, and has nodes for a task.

    address: HOST:PORT of its head. needs: of a task; None: any node will do. After something that is wrong, what could
    not be looked at is left out.
    """
    findings: list[Finding] = []
    for finding in _findings(address, needs):
        findings.append(finding)
        if not finding.well:
            break
    return findings


def _findings(address: str, needs: Needs | None) -> Iterator[Finding]:
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
            return Finding("cluster", well=True, found=f"somebody answers at {address}")
    except OSError as error:
        remedy = f"Is the head running (ray start --head --port={port}), and does a firewall let us through?"
        return Finding("cluster", well=False, found=f"nobody answers ({error})", remedy=remedy)


def _let_in(address: str) -> tuple[Any, Finding]:
    """Ask for the cluster's state, which needs its token, if it has one."""
    try:
        client = _within(2 * PATIENCE, lambda: GcsClient(address=address))
    except AuthenticationError as error:
        remedy = (
            "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or RAY_AUTH_TOKEN_PATH, or ~/.ray/auth_token) as on the head"
        )
        return None, Finding("token", well=False, found=reason(error).split(". ")[0], remedy=remedy)
    except (TimeoutError, ray.exceptions.RpcError):
        remedy = "Give the port that `ray start --head` has printed, 6379 by default, not that of the dashboard"
        return None, Finding("cluster", well=False, found="who answers is not Ray's head", remedy=remedy)
    return client, Finding("token", well=True, found="the cluster lets us in")


def _same_versions(metadata: Mapping[str, str]) -> Finding:
    """Compare the head's Ray and Python with ours, which Ray wants to be the same."""
    theirs = (metadata["ray_version"], metadata["python_version"])
    ours = (ray.__version__, platform.python_version())
    if theirs == ours:
        return Finding("versions", well=True, found=f"Ray {ours[0]}, Python {ours[1]}")
    found = f"the cluster has Ray {theirs[0]} and Python {theirs[1]}, here are Ray {ours[0]} and Python {ours[1]}"
    return Finding("versions", well=False, found=found, remedy="Install the same on all machines: make setup")


def _reachable(nodes: Nodes, address: str) -> Finding:
    """Look whether this machine is a node, as Ray wants the machine of a driver to be, and all have real addresses."""
    own = {found.address for interface in psutil.net_if_addrs().values() for found in interface}
    places = sorted({node for node, _ in nodes})
    if not own & set(places):
        found = f"this machine ({platform.node()}) is none of them: {', '.join(places)}"
        return Finding("nodes", well=False, found=found, remedy=f"Type here: ray start --address={address}")
    hidden = [place for place in places if place.startswith(LOOPBACK)]
    if hidden and len(places) > len(hidden):
        found = f"one is at {hidden[0]}, where no other machine reaches it"
        return Finding("nodes", well=False, found=found, remedy="Start it with --node-ip-address=ITS-ADDRESS")
    return Finding("nodes", well=True, found=f"{len(nodes)}, this machine among them")


def _able(nodes: Nodes, needs: Needs | None) -> Finding:
    """Look for nodes that can do a task; for one that none can, Ray waits for ever."""
    able = [node for node, resources in nodes if needs is None or needs.met_by(resources)]
    if able:
        return Finding("resources", well=True, found=f"{len(able)} nodes can do a task of {needs or 'any kind'}")
    have = "; ".join(
        f"{node} has {has.get('CPU', 0):g} processors, {has.get('GPU', 0):g} graphics cards, "
        f"{has.get('memory', 0) / GIGABYTE:.1f} GB"
        for node, has in nodes
    )
    remedy = "Ask for less by these variables, or start a node that has as much"
    return Finding("resources", well=False, found=f"no node has {needs}: {have}", remedy=remedy)


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
