"""watch: map what is new of a site, and say what has changed. -> sites/NAME."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from igarape.config.params import read_params
from igarape.errors import InputError, counted, some
from igarape.progress import progress
from igarape.serving.registry import model_uri
from igarape.sites import watch
from igarape.sites.assets import list_inbox
from igarape.sites.exposure import with_stretch
from igarape.sites.hashes import remembered
from igarape.sites.listing import summary
from igarape.sites.model import load_model
from igarape.sites.remarks import remarks
from igarape.sites.scene_list import mappers
from igarape.sites.site_folder import SiteFolder
from igarape.tracking.lineage import lineage
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace, name: str, inbox: Path | str, *, model: str | None = None, replay: bool = False) -> None:
    """Map the scenes of an inbox that are new, take their looks in, and write the site's alerts.

    Parameters
    ----------
    workspace, name
        The project, and the site's name.
    inbox
        A folder of scenes and STAC items, or one of either; or s3://BUCKET/PREFIX.
    model
        As of igarape map; looks of two models are not mixed.
    replay
        Whether all scenes are mapped anew, such as by another model.

    Raises
    ------
    InputError
        At the end, with the scenes that failed; and at once for a site, an inbox or a model that is none.
    """
    place = SiteFolder.read(name, workspace.sites)
    listed, failed = list_inbox(inbox, place.inbox, show=lambda title: progress(f"watch: {title}", "B"))
    loaded = load_model(model_uri(model, read_params(workspace.params).dataset, workspace.root))
    with place.held(), ExitStack() as stack:
        place = SiteFolder.read(name, workspace.sites)  # another watch may have written its stretch meanwhile
        if not replay:
            watch.check_model(place, loaded)
        memory = remembered(workspace.data / ".hashes", complain=lambda line: click.echo(f"watch: {line}", err=True))
        hashed = stack.enter_context(memory)
        arrivals, unread = watch.identified(listed, hashed)
        new = watch.unmapped_scenes(place, arrivals, replay=replay)
        place, told = with_stretch(place, [one.arrival for one in new], loaded)
        if told:
            click.echo(f"watch: {told}")
        to_map = [one.arrival.path for one in new]
        among = mappers(workspace, f"watch-{name}", loaded, scenes=to_map, out=place.folder, hashed=hashed)
        by = stack.enter_context(among)
        recorded = {"site": name, "model": loaded.address, "bundle": loaded.digest, "replay": replay}
        opened = stack.enter_context(step_run("watch", workspace=workspace, params=recorded)) if new else None
        with progress("watch: scenes", "tile") as report:
            mapped = watch.mapper(place, by, commit=lineage(workspace.root).commit if new else "", report=report)
            outcome = watch.map_again(place, new, mapped) if replay else watch.map_new(place, new, mapped, place.looks)
        watch.update_moved(place, arrivals, hashed)
        with progress("watch: looks", "day") as report:
            found = summary(*place.update(report))
        if opened:
            maps = {place.map_of(Path(facts.scene), facts.sha256).name: facts.sha256 for facts in outcome.new}
            opened.inputs(maps, kind="scene")  # by their maps' names: scenes of two folders may have one name
            opened.metrics(found | outcome.figures)
            opened.artifact(place.alerts)
    copies = len(listed) - len(arrivals) - len(unread)
    told = watch.outcome_line(outcome, known=len(arrivals) - len(new), copies=copies)
    sure, not_yet = counted(int(found["confirmed"]), "alert"), counted(int(found["candidates"]), "candidate")
    click.echo(f"watch {name}: {told}; {sure} confirmed, {not_yet}. See: igarape alerts {name}")
    for line in remarks(place, arrivals, new=bool(outcome.new)):
        click.echo(f"watch: {line}", err=True)
    _tell(failed | unread | outcome.failed)


def _tell(failed: Mapping[str, str]) -> None:
    """Say which scenes have no look, and why; raise InputError where there are any."""
    for why in failed.values():
        click.echo(f"watch: {why}", err=True)
    if failed:
        raise InputError(f"{counted(len(failed), 'scene')} without a look: {some(sorted(failed))}. Why, stands above")
