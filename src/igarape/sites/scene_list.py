"""Many scenes to maps: each is a task, in this process or on a cluster's nodes, with the same bytes."""

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from igarape.errors import InputError
from igarape.executors import Callback, Executor, Here
from igarape.files import sha256, write_text
from igarape.progress import DetailedReport
from igarape.serving.answering import answerers
from igarape.serving.bundle import Bundle
from igarape.sites.advice import drift_line
from igarape.sites.inbox import Arrival
from igarape.sites.mapping import AREAS, MAP, MapOptions, map_scene
from igarape.sites.model import Model
from igarape.sites.stretch import doubt_line
from igarape.workspace import Workspace

LIST = "scenes.csv"
Hashed = Callable[[Path], str]  # as of files.sha256


@dataclass(frozen=True)
class Job:
    """A scene, the folder of its map, and how it is to be mapped."""

    scene: Path
    out: Path
    asked: MapOptions

    @classmethod
    def of(cls, arrival: Arrival, out: Path, asked: MapOptions) -> "Job":
        """Return the job of a scene of which an item may say bands and day; what is asked goes before that."""
        said = replace(asked, bands=asked.bands or arrival.bands, day=asked.day or arrival.day)
        return cls(arrival.path, out, said)


class Mappers(NamedTuple):
    """Who maps scenes, how they open the model, and what tells them the SHA-256 of a file."""

    executor: Executor
    open_model: Callable[[], Model]
    hashed: Hashed = sha256

    @classmethod
    def alone(cls, model: Model, hashed: Hashed = sha256) -> "Mappers":
        """Return this process, one scene after the other."""
        return cls(Here(), lambda: model, hashed)


@contextmanager
def mappers(
    workspace: Workspace,
    command: str,
    model: Model,
    *,
    scenes: Sequence[Path],
    out: Path,
    hashed: Hashed = sha256,
) -> Iterator[Mappers]:
    """Give who maps scenes: this process; where IGARAPE_CLUSTER names a cluster, its nodes, a processor for each.

    Parameters
    ----------
    workspace, command
        Where the project is, and what is done there, by a name that no other process has meanwhile.
    model
        What answers.
    scenes
        Those that are mapped. One alone is mapped here: a cluster has nothing to share out.
    out
        The folder of all maps. All nodes have to see it, and the folders of the scenes.
    hashed
        Returns the SHA-256 of a file in this process; a node reads each one.

    Raises
    ------
    InputError
        When the cluster is not as it should be.
    """
    if len(scenes) < 2:
        yield Mappers.alone(model, hashed)
        return
    out.mkdir(parents=True, exist_ok=True)
    places = [out, *sorted({scene.parent for scene in scenes})]
    with answerers(workspace, command, uri=model.address, bundle=model.bundle, places=places) as nodes:
        if nodes is None:
            yield Mappers.alone(model, hashed)
        else:
            yield Mappers(nodes.executor, partial(_opened, nodes.open_bundle, model.address))


def map_scenes(
    jobs: Sequence[Job], *, by: Mappers, commit: str, report: DetailedReport
) -> Iterator[Future[Mapping[str, Any]]]:
    """Map scenes; yield futures in their order: of what map.json says, or of an InputError.

    Parameters
    ----------
    jobs
        The scenes.
    by
        Who maps them.
    commit
        The project's, which is recorded.
    report
        Called with the tiles that are done, how many there will be, as far as is known, and how many scenes are done.
    """
    tiles: dict[int, tuple[int, int]] = {}
    settled = 0

    def on_message(number: int, message: tuple[int, int]) -> None:
        tiles[number] = message
        done, known = (sum(each) for each in zip(*tiles.values(), strict=True))
        report(done, round(known * len(jobs) / len(tiles)), f"{settled} of {len(jobs)} scenes")

    work = partial(_map, open_model=by.open_model, hashed=by.hashed, commit=commit)
    futures = [
        by.executor.submit(work, job, name=f"scene {job.scene}", on_message=partial(on_message, number))
        for number, job in enumerate(jobs)
    ]
    for number, future in enumerate(futures):
        by.executor.wait([future])
        settled += 1
        done, _ = tiles.get(number, (0, 0))  # none where it was mapped before
        on_message(number, (done, done))  # no more will come, where it failed
        yield future


def outcomes(
    jobs: Sequence[Job],
    mapped: Iterable[Future[Mapping[str, Any]]],
    *,
    unread: Mapping[Path, str],
    say: Callable[[str], None],
    complain: Callable[[str], None],
) -> dict[Path, str]:
    """Tell what came of each scene; return why it has no map, and nothing where it has one. One alone raises that.

    Parameters
    ----------
    jobs, mapped
        The scenes, and what map_scenes yields of them.
    unread
        What came to no scene, and why.
    say, complain
        Called with a line for whoever waits: of what is done, and of what is wrong.
    """
    why = dict(unread)
    for said in unread.values():
        complain(f"map: {said}")
    for job, future in zip(jobs, mapped, strict=True):
        try:
            content = future.result()
        except InputError as error:
            if len(jobs) + len(unread) == 1:
                raise
            why[job.scene] = str(error)
            complain(f"map: {error}")
        else:
            why[job.scene] = ""
            tags = ", ".join(f"{tag} {count}" for tag, count in content["tags"].items())
            say(f"{job.out / MAP}: {content['looked']} of {content['tiles']} tiles looked at: {tags}")
            say(f"{job.out / AREAS}: where they are")
            if line := doubt_line(content["stretch"]):
                complain(f"map: {job.scene}: {line}")
            if line := drift_line(content["drift"]):
                complain(f"map: {job.scene}: {line}")
    return why


def write_list(why: Mapping[Path, str], out: Path) -> None:
    """Write which of many scenes has a map in out, and why the others have none; nothing stands against the former."""
    maps = ["" if said else str(out / scene.stem) for scene, said in why.items()]
    listed = pd.DataFrame({"scene": [str(scene) for scene in why], "map": maps, "why": list(why.values())})
    write_text(listed.to_csv(index=False, lineterminator="\n"), out / LIST)


def _map(
    send: Callback, job: Job, *, open_model: Callable[[], Model], hashed: Hashed, commit: str
) -> Mapping[str, Any]:
    """Map one scene, and send how many of its tiles are done, and all."""
    try:
        return map_scene(
            job.scene,
            job.out,
            model=open_model(),
            asked=job.asked,
            hashed=hashed,
            commit=commit,
            report=lambda done, total: send((done, total)),
        )
    except OSError as error:  # GDAL's are not those of the standard library, and need not travel
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{job.scene}: its name is too long: its map's folder has it too. Rename it") from error
        raise InputError(str(error)) from error


def _opened(open_bundle: Callable[[], Bundle], address: str) -> Model:
    """Open a model on a node."""
    return Model(open_bundle(), address)
