"""dvc_noop: `dvc status` with Planet's 101,670 chips against the same with 1,000."""

from project import project
from project import run as command
from rehearsal import COUNT, STEPS

FEW = 1000
ROUNDS = 3


def run() -> dict[str, object]:
    """Return the seconds of both, the best of a few rounds; a ratio below 1 says that more chips take longer."""
    seconds = {}
    for count in (COUNT, FEW):
        folder = project(count)
        command(folder, "dvc", "repro", *STEPS)
        seconds[count] = min(command(folder, "dvc", "status", *STEPS).seconds for _ in range(ROUNDS))
    ours, peer = seconds[COUNT], seconds[FEW]
    return {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": COUNT}


if __name__ == "__main__":
    print(run())
