"""map: what a registered model says of each place in scenes: tables, layers, and what they were made with."""

from collections.abc import Sequence
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.errors import InputError, some
from igarape.progress import progress
from igarape.serving.registry import model_uri
from igarape.sites.bands import parse_bands
from igarape.sites.mapping import LIST, MAP, Asked, map_scene, write_list
from igarape.sites.model import Model, load_model
from igarape.sites.stretch import doubt_line, read_stretch
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
        Whatever GDAL reads.
    out
        The folder of all maps.
    model
        An MLflow URI, or a bundle's folder; None: the champion of the data set in params.yaml; student: its student.
    bands, date, stride
        As they are typed; None: what the scene says of itself, and half a tile.
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
    names = [scene.stem for scene in scenes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{some(twice)}: two scenes of one name; map them apart, with an --out each")
    places, known = parse_bands(bands) if bands else None, read_stretch(stretch) if stretch else None
    asked = Asked(bands=places, day=date, stride=stride, stretch=known, geopackage=gpkg)
    root = workspace.root
    loaded = load_model(model_uri(model, read_params(workspace.params).dataset, root), root)
    commit = lineage(root).commit
    if len(scenes) == 1:
        _map(scenes[0], out / names[0], loaded, asked, commit)
        return
    why = {}
    for scene in scenes:
        try:
            why[scene] = _map(scene, out / scene.stem, loaded, asked, commit)
        except (InputError, OSError) as error:
            why[scene] = str(error)
            click.echo(f"map: {error}", err=True)
    write_list(why, out)
    if failed := [str(scene) for scene, said in why.items() if said]:
        raise InputError(f"{len(failed)} of {len(scenes)} scenes have no map: {some(failed)}. {out / LIST} says why")


def _map(scene: Path, out: Path, model: Model, asked: Asked, commit: str) -> str:
    """Map one scene, and say what came of it; return that nothing stands against it."""
    with progress(f"map: {scene.name}", "tile") as report:
        content = map_scene(scene, out, model=model, asked=asked, commit=commit, report=report)
    click.echo(f"{out / MAP}: {content['looked']} of {content['tiles']} tiles looked at")
    if line := doubt_line(content["stretch"]):
        click.echo(f"map: {scene}: {line}", err=True)
    return ""
