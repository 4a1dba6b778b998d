"""A project with as many chips as one likes, in a temporary folder, and what its commands cost."""

import atexit
import io
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
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
    """What a command cost: seconds, its own and its processors', and the most bytes that its processes had together."""

    seconds: float
    memory: int
    processor: float


@cache
def project(count: int, side: int = 256, *, labelled: float = LABELLED, packed: bool = False) -> Path:
    """Make a project of count chips of side x side, a share of them labelled, and return its folder.

    The chips are cheap: drawn ones, turned, shifted, and made lighter or darker, so that no two are alike. packed: they
    lie in two tar files, in place of as many files as there are chips.
    """
    folder = Path(mkdtemp(prefix=f"igarape-{count}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("src", "experiments", "datasets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "MLproject", "python_env.yaml", "params.yaml", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    _make_chips(folder / "chips", count, side, labelled=round(labelled * count), packed=packed)
    _name_data_set(folder, side, suffix=".tar" if packed else "")
    for words in (["git", "init", "-q"], [_tool("dvc"), "init", "-q"], [_tool("igarape"), "use", "bench"]):
        subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return folder


def run(folder: Path, *words: str) -> Cost:
    """Run a command of the environment in a project, on two cores, and return what it cost."""
    environment = os.environ | {"IGARAPE_DATA": str(folder / "chips"), "IGARAPE_WORKERS": str(CORES)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    start, spent, memory = time.perf_counter(), _spent(), 0
    with subprocess.Popen(words, cwd=folder, env=environment | {"PATH": path}, stdout=sys.stderr) as running:
        while running.poll() is None:
            memory = max(memory, _memory(running.pid))
            time.sleep(LOOK)
    if running.returncode:
        raise SystemExit(f"{' '.join(words)} failed in {folder}")
    return Cost(time.perf_counter() - start, memory, _spent() - spent)


def _spent() -> float:
    """Return the processor seconds of all commands that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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
    """Return the memory of a process and all its children, without the files that they have mapped."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            found = one.memory_info()
            total += found.rss - found.shared
    except psutil.NoSuchProcess:
        return total  # it ended while we looked
    return total


def _make_chips(folder: Path, count: int, side: int, *, labelled: int, packed: bool) -> None:
    """Write the chips as JPEGs, and the CSV of the labelled ones."""
    drawn = [one.chip for one in draw_chips(range(BASE), 2, seed=0, size=side)]
    base = np.stack([decode(chip.origin.read(), chip.image_id) for chip in drawn])
    folder.mkdir()
    rows = [f"train_{number},{' '.join(drawn[number % BASE].tags)}" for number in range(labelled)]
    (folder / "tags.csv").write_text("\n".join(["image_name,tags", *rows, ""]), encoding="utf-8")
    for name, numbers in (("train", range(labelled)), ("test", range(labelled, count))):
        with _opened(folder / name, packed=packed) as put:
            for number in numbers:
                put(f"{name}_{number}.jpg", _cheap(base[number % BASE], number))


@contextmanager
def _opened(folder: Path, *, packed: bool) -> Iterator[Callable[[str, bytes], object]]:
    """Give what takes a file by its name and bytes: a folder, or a tar file beside it."""
    if not packed:
        folder.mkdir()
        yield lambda name, data: (folder / name).write_bytes(data)
        return
    with tarfile.open(f"{folder}.tar", "w") as tar:

        def put(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        yield put


def _cheap(rgb: np.ndarray, number: int) -> bytes:
    """Turn, shift and lighten a chip, each number in its own way."""
    rng = np.random.default_rng(number)
    turned = symmetries(rgb[None])[rng.integers(8)][0]
    shifted = np.roll(turned, rng.integers(len(rgb), size=2), axis=(0, 1))
    return encode_jpeg(cv2.convertScaleAbs(shifted, alpha=rng.uniform(0.7, 1.1)), 90)


def _name_data_set(folder: Path, side: int, *, suffix: str) -> None:
    """Write the data set's YAML: the labels are those of the drawn chips."""
    dataset = yaml.safe_load((folder / "datasets/drawn.yaml").read_text(encoding="utf-8"))
    places = {"images": f"train{suffix}", "tags": "tags.csv", "unlabelled": f"test{suffix}"}
    dataset["source"] = {"kind": "folder", "nir": [], **places}
    dataset |= {"params": {"split": {"by": "chip"}}, "size": side}
    (folder / "datasets/bench.yaml").write_text(yaml.safe_dump(dataset), encoding="utf-8")
