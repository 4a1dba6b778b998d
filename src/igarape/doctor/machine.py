"""The machine that we are on: its graphics cards, memory and disks."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from igarape.errors import counted
from igarape.findings import Finding, found, good, warning, wrong
from igarape.workspace import Workspace

GB = 2**30
TIGHT, SCARCE = 10 * GB, GB  # of a disk's free bytes: for a data set of Planet's size, for anything
LITTLE = 4 * GB  # bytes of memory in which a MobileNet trains, with its chips
# Where a container's bound stands, and what it uses, in both versions of control groups.
BOUNDS = (
    (Path("/sys/fs/cgroup/memory.max"), "memory.current"),
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), "memory.usage_in_bytes"),
)
CACHE = "inactive_file"  # of what is used: files that are given up for whoever needs room
SECONDS = 10


def cards() -> Finding:
    """List the graphics cards, and ask TensorFlow whether it sees them."""
    program = shutil.which("nvidia-smi")
    listed = _listed(program) if program else []
    if not listed:
        return good(f"none: trainings use {counted(os.cpu_count() or 1, 'processor')}")
    from igarape.learners.networks.devices import graphics_cards  # now: it takes seconds, and no card needs none
    from igarape.learners.networks.sessions import CUDA, DEVICE, device

    seen = graphics_cards()
    said = ", ".join(listed)
    if seen < len(listed):
        return warning(f"{said}; TensorFlow sees {seen} of them. Type: pip install -e '.[gpu]'")
    return good(f"{said}; networks answer on the {'card' if device() == CUDA else 'processors'} ({DEVICE})")


def memory() -> Finding:
    """Compare the free memory with what a training wants; a container may have less than its machine."""
    machine = psutil.virtual_memory()
    total, free = map(min, zip((machine.total, machine.available), *_bounds(), strict=True))
    said = f"{free / GB:.1f} of {total / GB:.1f} GB are free"
    wanted = f"a training wants {LITTLE / GB:.0f}: end what takes it, or lower batch and size"
    return found(said, [wanted] if free < LITTLE else [])


def disks(workspace: Workspace) -> Finding:
    """Look at the disks that results, DVC's cache and temporary files go to."""
    places = {
        "data": workspace.data,
        ".dvc/cache": workspace.root / ".dvc",
        "temporary files": Path(tempfile.gettempdir()),
    }
    free = {name: shutil.disk_usage(_nearest(path)).free for name, path in places.items()}
    said = ", ".join(f"{size / GB:.0f} GB for {name}" for name, size in free.items())
    least = min(free, key=lambda name: free[name])
    if free[least] < SCARCE:
        return wrong(f"{said} are free. Make room for {least}, such as by dvc gc --workspace")
    doubts = [f"make room for {least} before a large data set"] if free[least] < TIGHT else []
    return found(f"{said} are free", doubts)


def _listed(program: str) -> list[str]:
    """Return what nvidia-smi calls each card."""
    words = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=SECONDS)
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def _bounds() -> Iterator[tuple[int, int]]:
    """Yield the bounds that a container sets, and what is free of each, in bytes."""
    for bound, usage in BOUNDS:
        if bound.exists() and (said := bound.read_text(encoding="utf-8").strip()).isdigit():
            entries = dict(line.split() for line in bound.with_name("memory.stat").read_text("utf-8").splitlines())
            used = int(bound.with_name(usage).read_text("utf-8")) - int(entries.get(CACHE, 0))
            yield int(said), max(0, int(said) - used)


def _nearest(path: Path) -> Path:
    """Return a folder that is there: the path, or the next one above it."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
