"""ingest_step: the whole step, start to end, against `cp` plus one decode of every chip on two cores."""

from project import copied_and_decoded, project
from project import run as command

COUNT = 12_288


def run() -> dict[str, object]:
    """Return chips a second of both."""
    folder = project(COUNT)
    copied_and_decoded(folder)  # both start with the files in memory
    ours, peer = command(folder, "igarape", "ingest").seconds, copied_and_decoded(folder)
    return {"ours": COUNT / ours, "peer": COUNT / peer, "ratio": peer / ours, "unit": "chips/s", "n": COUNT}


if __name__ == "__main__":
    print(run())
