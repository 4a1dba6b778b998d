"""map: what a registered model says of each place in scenes: tables, layers, and what they were made with."""

import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from igarape.config.params import read_params
from igarape.errors import InputError, some
from igarape.files import check_place
from igarape.progress import progress
from igarape.serving.registry import model_uri
from igarape.sites.assets import named_scenes
from igarape.sites.bands import parse_bands
from igarape.sites.mapping import MapOptions
from igarape.sites.model import load_model
from igarape.sites.scene import open_scene
from igarape.sites.scene_list import LIST, Job, map_scenes, mappers, outcomes, write_list
from igarape.sites.stretch import read_stretch
from igarape.tracking.lineage import lineage
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    scenes: Sequence[Path],
    *,
    out: Path,
    model: str | None = None,
    bands: str | None = None,
    date: str | None = None,
    stride: int | None = None,
    gpkg: bool = False,
    stretch: Path | None = None,
) -> None:
    """Map scenes, each to a folder of its own: OUT/SCENE. A scene that fails costs no other one its map.

    Parameters
    ----------
    workspace
        The project.
    scenes
        Whatever GDAL reads, and STAC items that name such.
    out
        The folder of all maps.
    model
        An MLflow URI, or a bundle's folder; None: the champion of the data set in params.yaml; student: its student.
    bands, date, stride
        As they are typed; None: what the item or the scene says, and half a tile.
    gpkg
        Whether tags are written as a GeoPackage too.
    stretch
        The map.json of another map, or a site's YAML, whose stretch is used again; None: one is fitted.

    Raises
    ------
    InputError
        For a scene that cannot be mapped; where there are several, at the end: OUT/scenes.csv says of each why. And at
        once where two of them have one name.
    """
    places, known = parse_bands(bands) if bands else None, read_stretch(stretch) if stretch else None
    check_place(out / LIST, f"--out {out}", utf8=True)
    found, unread = named_scenes(scenes, workspace.data / "scenes", show=lambda name: progress(f"map: {name}", "B"))
    names = Counter(each.path.stem for each in found)
    if twice := sorted(name for name in names if names[name] > 1):
        raise InputError(f"{some(twice)}: two scenes of one name; map them apart, with an --out each")
    asked = MapOptions(bands=places, day=date, stride=stride, stretch=known, geopackage=gpkg)
    jobs = [Job.of(each, out / each.path.stem, asked) for each in found]
    if len(scenes) == 1:  # before the model, which takes seconds; of several, one that fails costs no other its map
        with open_scene(jobs[0].scene, bands=jobs[0].asked.bands, day=jobs[0].asked.day):
            pass
    loaded = load_model(model_uri(model, read_params(workspace.params).dataset, workspace.root))
    commit = lineage(workspace.root).commit
    to_map = [job.scene for job in jobs]
    with mappers(workspace, "map", loaded, scenes=to_map, out=out) as by, progress("map", "tile") as report:
        mapped = map_scenes(jobs, by=by, commit=commit, report=report)
        # Beside the bar, which they leave whole.
        say, complain = (partial(tqdm.write, file=file) for file in (sys.stdout, sys.stderr))
        why = outcomes(jobs, mapped, unread=unread, say=say, complain=complain)
    if len(why) > 1:
        write_list(why, out)
    if failed := [str(scene) for scene, said in why.items() if said]:
        raise InputError(f"{len(failed)} of {len(why)} scenes have no map: {some(failed)}. {out / LIST} says why")
