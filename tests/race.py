"""Two processes that promote at once, many times; `python tests/race.py ROUNDS` counts how it comes out.

`python tests/race.py ROUNDS --lost` does so on a server, where a third one has died and left its claim, each time.
"""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

VERSIONS = ("2", "3")


def promoting(version: str, folder: str, rounds: int, start: Barrier, said: Any, *, lost: bool) -> None:
    """Promote a version as often as asked, each time when the other process does; tell how it came out.

    lost: whether a claim of a process that died is there each time, which is to be found out soon.
    """
    from contest import NAME
    from mlflow import MlflowClient

    from igarape.config.params import read_params
    from igarape.errors import InputError
    from igarape.serving import registry_lock
    from igarape.serving.promotion import promote
    from igarape.workspace import Workspace

    def wait_for_the_other() -> None:
        """Go on when both have looked who is champion, and neither has changed that."""
        start.wait()

    here = Workspace(folder)
    params = read_params(here.params)
    if lost:
        registry_lock.BEAT, registry_lock.SILENCE, registry_lock.PATIENCE = 0.2, 1.0, 120.0

    for number in range(rounds):
        if version == VERSIONS[0]:
            MlflowClient().set_registered_model_alias(NAME, "champion", "1")
            if lost:
                MlflowClient().create_registered_model(f"{NAME}.claim", {registry_lock.TOKEN: str(number)})
        start.wait()
        try:
            promote(
                here,
                params,
                version=version,
                force=True,
                reason="race",
                dry_run=False,
                say=lambda _: wait_for_the_other(),
                report=lambda *_: None,
            )
            outcome = "won"
        except InputError as error:
            outcome = str(error)
        start.wait()
        said.put((number, version, outcome))


def race(folder: Path, rounds: int, *, lost: bool = False) -> tuple[list[dict[str, str]], set[str | None]]:
    """Let two processes promote versions 2 and 3 over version 1; return how each round ended, and who was champion.

    lost: as promoting has it; for a registry on a server.
    """
    from contest import NAME
    from mlflow import MlflowClient

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["contest", "igarape.serving.promotion"])  # a process each is not to load it all
    start, said = context.Barrier(2), context.Queue()
    told = {"lost": lost}
    pair = [
        context.Process(target=promoting, args=(each, str(folder), rounds, start, said), kwargs=told)
        for each in VERSIONS
    ]
    client, seen, done = MlflowClient(), set[str | None](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            champion = client.get_registered_model(NAME).aliases.get("champion")
            seen.add(None if champion is None else str(champion))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    for process in pair:
        process.start()
    watcher.start()
    ended: list[dict[str, str]] = [{} for _ in range(rounds)]
    for _ in range(2 * rounds):
        number, version, outcome = said.get(timeout=600)
        ended[number][version] = outcome
    for process in pair:
        process.join()
    done.set()
    watcher.join()
    return ended, seen


def main() -> None:
    """Run it in a new folder, or where MLFLOW_TRACKING_URI says."""
    from contest import enter
    from mlflow import MlflowClient
    from servers import Server

    rounds, lost = int(sys.argv[1]), "--lost" in sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        settings = Path(__file__).parents[1].joinpath("params.yaml").read_text(encoding="utf-8")
        Path(folder, "params.yaml").write_text(settings.replace("dataset: drawn", "dataset: toy"), encoding="utf-8")
        uri = f"sqlite:///{folder}/mlflow.db"
        if lost:
            server = Server(Path(folder))
            stack.callback(server.stop)
            server.start()
            uri = server.uri
        os.environ.setdefault("MLFLOW_TRACKING_URI", uri)
        enter(3)
        MlflowClient().set_registered_model_alias("igarape-toy", "champion", "1")
        ended, seen = race(Path(folder), rounds, lost=lost)
    wins = Counter(sum(outcome == "won" for outcome in each.values()) for each in ended)
    counted = Counter(outcome for each in ended for outcome in each.values())
    said = [f"winners a round: {dict(wins)}; champions seen: {seen}", *(f"{n} {text}" for text, n in counted.items())]
    sys.stdout.write("\n".join(said) + "\n")


if __name__ == "__main__":
    main()
