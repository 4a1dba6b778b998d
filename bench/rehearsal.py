"""rehearsal: Planet's 101,670 chips through ingest, dehaze and split, then a `dvc repro` that does nothing.

The peer is what no way around can save: to copy the files, and to decode each of them once on two cores.
"""

from project import copied_and_decoded, project
from project import run as command

COUNT = 101_670
STEPS = ("ingest", "dehaze", "split")


def run() -> dict[str, object]:
    """Return the minutes of both, the most memory at once, and the disk that the steps' outputs take."""
    folder = project(COUNT)
    costs = {step: command(folder, "dvc", "repro", "--single-item", step) for step in STEPS}
    nothing = command(folder, "dvc", "repro", *STEPS)
    peer = copied_and_decoded(folder) / 60
    ours = sum(cost.seconds for cost in costs.values()) / 60
    files = [path for path in (folder / "data").rglob("*") if path.is_file()]
    return {
        "ours": ours,
        "peer": peer,
        "ratio": peer / ours,
        "unit": "minutes",
        "n": COUNT,
        "minutes": {step: cost.seconds / 60 for step, cost in costs.items()},
        "no_op_seconds": nothing.seconds,
        "memory_gb": max(cost.memory for cost in costs.values()) / 2**30,
        "disk_gb": sum(path.stat().st_size for path in files) / 2**30,
    }


if __name__ == "__main__":
    print(run())
