"""dehaze_step: the whole step with two workers, against decoding, dehazing and encoding at two cores' full speed."""

import time
from pathlib import Path

import cv2
from project import CORES, project
from project import run as command

from igarape.chips.dehaze import dehaze
from igarape.chips.pictures import decode, encode_jpeg
from igarape.config.params import read_params

COUNT = 12_288
SAMPLE = 512


def run() -> dict[str, object]:
    """Return chips a second of both."""
    folder = project(COUNT)
    if not (folder / "data/ingest").exists():
        command(folder, "igarape", "ingest")
    ours = COUNT / command(folder, "igarape", "dehaze").seconds
    peer = CORES / _one_core(sorted((folder / "chips/train").iterdir())[:SAMPLE], folder / "params.yaml")
    return {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "chips/s", "n": COUNT}


def _one_core(files: list[Path], params: Path) -> float:
    """Return the seconds that one core takes for a chip: decode, kernel, encode, with nothing around them."""
    settings = read_params(params).dehaze
    knobs = settings.model_dump(exclude={"quality"})
    cv2.setNumThreads(1)
    data = [file.read_bytes() for file in files]
    start = time.perf_counter()
    for one in data:
        encode_jpeg(dehaze(decode(one, "chip"), **knobs)[0], settings.quality)
    return (time.perf_counter() - start) / len(data)


if __name__ == "__main__":
    print(run())
