"""site: describe a place that is to be watched. -> sites/NAME.yaml."""

from datetime import date
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.config.schema import check_name
from igarape.config.sites import site_text
from igarape.errors import InputError, counted
from igarape.files import write_text
from igarape.progress import progress
from igarape.scores.answers import TABLE, read_answers
from igarape.serving.registry import model_uri
from igarape.sites.area import site_area
from igarape.sites.assets import named_scene
from igarape.sites.bands import parse_bands
from igarape.sites.model import load_model
from igarape.sites.site_draft import doubts, draft_site, read_polygon, scene_grid, watched_labels
from igarape.workspace import Workspace


def run(
    workspace: Workspace,
    name: str,
    *,
    scene: Path,
    labels: str | None,
    baseline: tuple[date, date],
    polygon: Path | None = None,
    bands: str | None = None,
    stride: int | None = None,
    model: str | None = None,
    force: bool = False,
) -> None:
    """Write sites/NAME.yaml.

    Parameters
    ----------
    workspace, name
        The project, and the name of the site.
    scene
        One of the site, or a STAC item that names it: its grid becomes the site's.
    labels
        Those that are watched, with commas in between; None: all but the weather.
    baseline
        The first day and the last one of what later looks are compared with.
    polygon
        A GeoJSON file, where less than the scene is watched.
    bands, stride, model
        As of igarape map.
    force
        Write over an existing file.

    Raises
    ------
    InputError
        For a baseline that ends before it begins, and what scene_grid, watched_labels and read_polygon refuse.
    """
    path = workspace.sites / f"{check_name(name, 'my_site')}.yaml"
    if path.exists() and not force:
        raise InputError(f"{path}: is there already. Take another name, or add --force to write it anew")
    if baseline[0] >= baseline[1]:
        raise InputError(f"--baseline {baseline[0]} {baseline[1]}: expected its first day, then a later one, its last")
    chosen = [label.strip() for label in labels.split(",")] if labels is not None else []
    places, answers = parse_bands(bands) if bands else None, read_answers(workspace.folder("evaluate") / TABLE)
    found = named_scene(scene, workspace.sites / name / "inbox", show=lambda title: progress(f"site: {title}", "B"))
    loaded = load_model(model_uri(model, read_params(workspace.params).dataset, workspace.root))
    words = loaded.bundle.vocabulary
    grid = scene_grid(found.path, loaded, bands=places or found.bands, stride=stride)
    site = draft_site(
        grid,
        watched_labels(chosen, words, answers),
        polygon=read_polygon(polygon, grid.crs) if polygon else None,
        bands=bands,
        baseline=baseline,
        words=words,
    )
    tiles = counted(len(site_area(site, str(path)).names), "tile")
    write_text(site_text(name, site), path)
    said = [f"site {name}: {line}" for line in doubts(site)]
    click.echo("\n".join([*said, f"{path} is written: {tiles}. Read it, then type:", f"igarape watch {name} INBOX"]))
