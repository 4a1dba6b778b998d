"""Many scenes to maps: a cluster's nodes write what this machine writes, and a scene that fails is told of alone."""

import pickle
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clusters
import driven
import pandas as pd
import pytest
from conftest import draw
from scenes import map_files, mosaic, write_scene

from igarape.cluster import spreading
from igarape.cluster.pickling import pickled
from igarape.errors import InputError
from igarape.executors import Callback, Here, Task, ignore_message
from igarape.sites.bands import Bands
from igarape.sites.mapping import MapOptions
from igarape.sites.model import load_model
from igarape.sites.scene_list import Job, Mappers, map_scenes, mappers
from igarape.stages import map as stage
from igarape.workspace import Workspace

NAMES = ("a", "b", "c")


class Elsewhere(Here):
    """Does tasks that have travelled as they do to a node."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def submit(self, task: Task, *words: Any, name: str, on_message: Callback = ignore_message) -> Future[Any]:
        """Take a task, pickled and unpickled.

        Parameters
        ----------
        task, name, on_message, *words
            As Executor.submit takes them.
        """
        task, words = pickle.loads(pickled((task, words), self._folder))  # noqa: S301
        return super().submit(task, *words, name=name, on_message=on_message)


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """Give a project with three scenes, of which the second is cut short."""
    for number, name in enumerate(NAMES):
        write_scene(tmp_path / f"inbox/{name}-2024-02-01.tif", mosaic(draw(6 + number)[number:], 3))
    half = tmp_path / "inbox/b-2024-02-01.tif"
    half.write_bytes(half.read_bytes()[:-500])
    return Workspace(tmp_path)


def test_maps_by_others_are_those_of_this_process(
    here: Workspace, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the scenes, with all tiles told of at the end, and nothing left behind."""

    @contextmanager
    def others(*_words: Any, **_how: Any) -> Iterator[Here]:
        yield Elsewhere(here.data)

    scenes = sorted((here.root / "inbox").iterdir())
    model = load_model(str(bundle_folder))
    written, told = {}, list[tuple[int, int, str]]()
    for executor in ("alone", "others"):
        out = here.root / executor
        jobs = [Job(scene, out / scene.stem, MapOptions(bands=Bands(1, 2, 3), stride=16)) for scene in scenes]
        with mappers(here, "map", model, scenes=scenes, out=out) as by:
            report = lambda *words: told.append(words)  # noqa: E731
            good, bad, last = list(map_scenes(jobs, by=by, commit="c", report=report))
        assert (good.result()["scene"], last.result()["scene"]) == ("a-2024-02-01.tif", "c-2024-02-01.tif")
        with pytest.raises(InputError, match="cut short"):
            bad.result()
        assert told[-1] == (12, 12, "3 of 3 scenes")
        written[executor] = map_files(out)
        monkeypatch.setattr(spreading, "answerers", others)
    assert written["others"] == written["alone"] and len(written["alone"]) == 10
    assert list((here.data / ".cluster").iterdir()) == []


def test_a_name_that_no_folder_can_have_is_told(here: Workspace, bundle_folder: Path) -> None:
    """With what to do: a map's folder is called as its scene, and a little more while it is written."""
    scene = here.root / f"{'long' * 60}2024-02-01.tif"
    (here.root / "inbox/a-2024-02-01.tif").rename(scene)
    job = Job(scene, here.root / "maps" / scene.stem, MapOptions(bands=Bands(1, 2, 3)))
    (future,) = map_scenes([job], by=Mappers.alone(load_model(str(bundle_folder))), commit="", report=lambda *_: None)
    with pytest.raises(InputError, match=r"its name is too long.*Rename it"):
        future.result()


def test_one_scene_asks_no_cluster(here: Workspace, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does none: there is nothing to share out."""
    monkeypatch.setenv("IGARAPE_CLUSTER", "nobody:1")
    scene = here.root / "inbox/a-2024-02-01.tif"
    with mappers(here, "map", load_model(str(bundle_folder)), scenes=[scene], out=here.root / "maps") as by:
        assert isinstance(by.executor, Here)
    assert not (here.root / "maps").exists()


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_nodes_map_a_list_as_one_machine_does_even_where_one_is_removed(champion: Path) -> None:
    """To the byte; a scene that fails is a row with a reason."""
    inbox, alone, together = (champion / name for name in ("inbox", "alone", "together"))
    for number, name in enumerate("ab"):
        write_scene(inbox / f"{name}-2024-02-01.tif", mosaic(draw(225 + number)[number:], 15))
    (inbox / "half-2024-02-01.tif").write_bytes((inbox / "a-2024-02-01.tif").read_bytes()[:-500])
    scenes, bands = sorted(inbox.iterdir()), "r=1,g=2,b=3"
    with pytest.raises(InputError, match="1 of 3 scenes have no map"):
        stage.run(Workspace(champion), scenes, out=alone, bands=bands, stride=8)
    words = ["map", *map(str, scenes), "--bands", bands, "--stride", "8", "--out", str(together)]
    with clusters.started(2) as cluster:
        process = driven.typed(*words, folder=champion, address=cluster.address)
        driven.until(process, lambda: len(list((together / ".unfinished").rglob("notes/*.parquet"))) >= 2)
        clusters.remove_one(cluster)
        said, _ = process.communicate()
    assert process.returncode == 1 and "1 of 3 scenes have no map" in said and "cut short" in said
    assert list(pd.read_csv(alone / "scenes.csv")["why"].notna()) == [False, False, True]
    expected, found = map_files(alone), map_files(together)
    assert expected.pop("scenes.csv") == found.pop("scenes.csv").replace(b"together", b"alone")
    assert expected == found and len(found) == 10
