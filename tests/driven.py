"""Steps of a project in a process of their own, on a cluster or on this machine, for tests that kill something."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from clusters import SOURCES


def begin(step: str, *words: str, folder: Path, address: str | None, **variables: str) -> subprocess.Popen[str]:
    """Begin a step of a project in a process of its own, on a cluster or, where there is none, on this machine."""
    program = f"from igarape.stages import {step}; from igarape.workspace import Workspace"
    program += f"; {step}.run(Workspace.find(), *{list(words)!r})"
    return _begun(program, folder, address, variables)


def typed(*words: str, folder: Path, address: str | None, **variables: str) -> subprocess.Popen[str]:
    """Begin a command of igarape in a folder, as begin does with a step."""
    return _begun(f"from igarape.cli import main; main({list(words)!r})", folder, address, variables)


def _begun(program: str, folder: Path, address: str | None, variables: dict[str, str]) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCES), "IGARAPE_TASK_CPUS": "1"} | variables
    environment |= {} if address is None else {"IGARAPE_CLUSTER": address}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process: subprocess.Popen[str], sign: Callable[[], bool]) -> None:
    """Wait for a sign of how far such a step is, before which it should not end."""
    while not sign():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def end(process: subprocess.Popen[str]) -> str:
    """Wait for such a step, which should end well, and return what it said."""
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def result(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
