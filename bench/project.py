"""A project with as many chips as one likes, in a temporary folder, and what its commands cost."""

import atexit
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cv2
import numpy as np
import psutil
import yaml

from igarape.chips.drawn.drawing import draw_chips
from igarape.chips.pictures import decode, encode_jpeg, symmetries

ROOT = Path(__file__).parents[1]
CORES = 2
BASE = 256  # chips that are drawn; the others are made of them
LABELLED = 0.4  # of Planet's 101,670 chips, 40,479 have labels
CHUNK = 512
LOOK = 0.1  # seconds between two looks at a command's memory


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds, and the most memory that its processes had together, in bytes."""

    seconds: float
    memory: int


@cache
def project(count: int) -> Path:
    """Make a project of count chips of 256 x 256, four tenths of them labelled, and return its folder.

    The chips are cheap: drawn ones, turned, shifted, and made lighter or darker, so that no two are alike.
    """
    folder = Path(mkdtemp(prefix=f"igarape-{count}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("src", "experiments", "datasets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "MLproject", "python_env.yaml", "params.yaml", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    _make_chips(folder / "chips", count)
    _name_data_set(folder)
    for words in (["git", "init", "-q"], [_tool("dvc"), "init", "-q"], [_tool("igarape"), "use", "bench"]):
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder


def run(folder: Path, *words: str) -> Cost:
    """Run a command of the environment in a project, on two cores, and return what it cost."""
    environment = os.environ | {"IGARAPE_DATA": str(folder / "chips"), "IGARAPE_WORKERS": str(CORES)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    start, memory = time.perf_counter(), 0
    with subprocess.Popen(words, cwd=folder, env=environment | {"PATH": path}, stdout=sys.stderr) as running:
        while running.poll() is None:
            memory = max(memory, _memory(running.pid))
            time.sleep(LOOK)
    if running.returncode:
        raise SystemExit(f"{' '.join(words)} failed in {folder}")
    return Cost(time.perf_counter() - start, memory)


def copied_and_decoded(folder: Path) -> float:
    """Return the seconds that it takes to copy a project's loose chips, and to decode each once on two cores."""
    files = sorted(str(path) for path in (folder / "chips").glob("*/*.jpg"))
    start = time.perf_counter()
    subprocess.run(["cp", "-r", folder / "chips", folder / "copy"], check=True)
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(_decode, _chunks(files)))
    seconds = time.perf_counter() - start
    shutil.rmtree(folder / "copy")
    return seconds


def _decode(files: list[str]) -> None:
    for file in files:
        decode(Path(file).read_bytes(), file)


def _chunks(files: list[str]) -> list[list[str]]:
    return [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _memory(pid: int) -> int:
    """Return the memory of a process and all its children, each page that they share counted once for each."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        return total  # it ended while we looked
    return total


def _make_chips(folder: Path, count: int) -> None:
    """Write the chips as JPEGs, and the CSV of the labelled ones."""
    drawn = [one.chip for one in draw_chips(range(BASE), 2, seed=0, size=256)]
    base = np.stack([decode(chip.origin.read(), chip.image_id) for chip in drawn])
    labelled = round(LABELLED * count)
    for name in ("train", "test"):
        (folder / name).mkdir(parents=True)
    rows = [f"train_{number},{' '.join(drawn[number % BASE].tags)}" for number in range(labelled)]
    (folder / "tags.csv").write_text("\n".join(["image_name,tags", *rows, ""]), encoding="utf-8")
    for number in range(count):
        name = f"train/train_{number}" if number < labelled else f"test/test_{number}"
        (folder / f"{name}.jpg").write_bytes(_cheap(base[number % BASE], number))


def _cheap(rgb: np.ndarray, number: int) -> bytes:
    """Turn, shift and lighten a chip, each number in its own way."""
    rng = np.random.default_rng(number)
    turned = symmetries(rgb[None])[rng.integers(8)][0]
    shifted = np.roll(turned, rng.integers(256, size=2), axis=(0, 1))
    return encode_jpeg(cv2.convertScaleAbs(shifted, alpha=rng.uniform(0.7, 1.1)), 90)


def _name_data_set(folder: Path) -> None:
    """Write the data set's YAML: the labels are those of the drawn chips."""
    dataset = yaml.safe_load((folder / "datasets/drawn.yaml").read_text(encoding="utf-8"))
    dataset["source"] = {"kind": "folder", "images": "train", "tags": "tags.csv", "unlabelled": "test", "nir": []}
    dataset["params"] = {"split": {"by": "chip"}}
    (folder / "datasets/bench.yaml").write_text(yaml.safe_dump(dataset), encoding="utf-8")
