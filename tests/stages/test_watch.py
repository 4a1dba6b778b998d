"""watch maps what is new of a site, tells MLflow, and says what failed."""

import shutil
from pathlib import Path

import clusters
import driven
import numpy as np
import pytest
from conftest import SIZE, draw
from mlflow import MlflowClient
from scenes import LEFT, METRES, TOP, map_files, mosaic, write_scene
from site_looks import write_site
from site_settings import site
from watched import TOY, write_scenes

from igarape.config.sites import Line, read_site, write_line
from igarape.errors import InputError
from igarape.sites.mapping import read_map
from igarape.sites.model import Model, load_model
from igarape.stages import alerts, judge, log, watch
from igarape.workspace import Workspace


@pytest.fixture
def here(champion: Path) -> Workspace:
    """Give a project with a champion, a site and an inbox."""
    write_site(champion, site(**TOY))
    write_scenes(champion / "inbox")
    return Workspace(champion)


def test_a_watch_is_a_run_with_its_scenes_as_inputs(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """And the version of the model; nothing new is no run. log and alerts show what came of it."""
    for said in ("2 new scenes, 0 known; ", "0 new scenes, 2 known (1 file with the bytes of another); "):
        watch.run(here, "here", here.root / "inbox")
        shutil.copy(min((here.root / "inbox").glob("*.tif")), here.root / "inbox/copy.tif")
        assert said in capsys.readouterr().out
    client = MlflowClient()
    experiment = client.get_experiment_by_name("igarape/watch")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED" and run.data.params["model"] == "models:/igarape-toy/1"
    assert run.data.metrics["scenes"] == 2 and "not_like_training" in run.data.metrics
    assert run.data.params["site"] == "here"
    assert run.inputs is not None
    inputs = {each.dataset.name: each for each in run.inputs.dataset_inputs}
    maps = sorted(path.name for path in (here.root / "sites/here/maps").iterdir())
    assert sorted(inputs) == maps and [name[:10] for name in maps] == ["2024-02-01", "2024-03-01"]
    assert {each.dataset.source_type for each in inputs.values()} == {"scene"}
    log.run(here, "here")
    assert "2024-03-01" in capsys.readouterr().out
    log.run(here, "here", csv=here.root / "log.csv")
    assert (
        (here.root / "log.csv").read_text(encoding="utf-8").startswith("date,seen,cloudy,known,share_tree,share_kiln")
    )
    alerts.run(here, "here", candidates=True)
    assert "\nno confirmed alerts\nno candidates\nno scene is of a day after the baseline" in capsys.readouterr().out


def test_the_site_is_as_its_yaml_says_when_nobody_else_is_at_it(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another watch may have written a stretch into it while this one listed its inbox and loaded its model."""

    def slowly(address: str) -> Model:
        write_line(Line(gain=(2.0, 2.0, 2.0), offset=(0.0, 0.0, 0.0)), here.sites / "here.yaml")
        return load_model(address)

    monkeypatch.setattr(watch, "load_model", slowly)
    for path in (here.root / "inbox").glob("*.tif"):
        write_scene(path, mosaic(draw(int(path.stem[6])), 3).astype(np.uint16))
    watch.run(here, "here", here.root / "inbox")
    told = [read_map(folder)["stretch"]["gain"] for folder in (here.sites / "here/maps").iterdir()]
    assert told == [[2.0, 2.0, 2.0]] * 2
    site_now = read_site("here", here.sites)
    assert site_now.stretch is not None and site_now.stretch.gain == (2.0, 2.0, 2.0)


def test_scenes_that_fail_are_told_at_the_end(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """The others have looks; so has a STAC item that cannot be used."""
    write_scene(here.root / "inbox/undated.tif", mosaic(draw(6), 3)[:, :, ::-1].copy())
    (here.root / "inbox/half.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="2 scenes without a look: "):
        watch.run(here, "here", here.root / "inbox")
    shown = capsys.readouterr()
    assert "2 new scenes" in shown.out and "undated.tif" in shown.err and "half.json" in shown.err


def test_a_scene_that_was_replaced_is_told_until_its_look_is_removed(
    here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the table to remove; one of another day in its place is no news, as of a latest.tif."""
    scene = here.root / "inbox/2024-02-01.tif"
    watch.run(here, "here", here.root / "inbox")
    (old,) = (here.root / "sites/here/looks.parquet").glob("2024-02-01-*")
    write_scene(scene, mosaic(draw(7)[1:], 3))
    for said in ("1 new scene, 1 known", "0 new scenes, 2 known"):
        watch.run(here, "here", here.root / "inbox")
        shown = capsys.readouterr()
        assert said in shown.out
        assert f"watch: {scene}: is another file now" in shown.err and f"remove {old}, then watch" in shown.err
    with pytest.raises(InputError, match=rf"lacks 2024-02-01\.tif as watched.* remove there {old.name}"):
        watch.run(here, "here", here.root / "inbox", replay=True)
    old.unlink()
    watch.run(here, "here", here.root / "inbox")
    assert "another file now" not in capsys.readouterr().err
    (here.root / "inbox/2024-03-01.tif").unlink()
    scene.rename(here.root / "inbox/2024-03-01.tif")
    watch.run(here, "here", here.root / "inbox")
    assert "another file now" not in capsys.readouterr().err


def test_a_scene_of_another_day_than_its_look_is_told_until_that_is_removed(
    here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name was corrected: nothing else would say that its look still counts on the wrong day."""
    inbox, looks = here.root / "inbox", here.root / "sites/here/looks.parquet"
    watch.run(here, "here", inbox)
    (old,) = looks.glob("2024-02-01-*")
    capsys.readouterr()
    (inbox / "2024-02-01.tif").rename(inbox / "2024-02-02.tif")
    watch.run(here, "here", inbox)
    said = f"{inbox}/2024-02-02.tif: is of 2024-02-02 now, and its look still counts on 2024-02-01"
    shown = capsys.readouterr()
    assert "0 new scenes" in shown.out and said in shown.err and f"remove {old}, then watch" in shown.err
    old.unlink()
    watch.run(here, "here", inbox)
    shown = capsys.readouterr()
    assert "1 new scene, 1 known" in shown.out and "still counts" not in shown.err
    assert sorted(path.name[:10] for path in looks.iterdir()) == ["2024-02-02", "2024-03-01"]


def test_another_model_is_refused_and_replayed_when_asked(here: Workspace, alert_bundle_folder: Path) -> None:
    """The log is then the other model's."""
    inbox = here.root / "inbox"
    watch.run(here, "here", inbox)
    with pytest.raises(InputError, match="looks of two are not mixed"):
        watch.run(here, "here", inbox, model=str(alert_bundle_folder))
    watch.run(here, "here", inbox, model=str(alert_bundle_folder), replay=True)
    watch.run(here, "here", inbox, model=str(alert_bundle_folder))


def test_before_the_first_watch_there_is_nothing_to_show(here: Workspace) -> None:
    """Each command says what to type; a site that is none is told."""
    with pytest.raises(InputError, match="igarape watch here INBOX"):
        log.run(here, "here")
    with pytest.raises(InputError, match="igarape watch here INBOX"):
        alerts.run(here, "here")
    with pytest.raises(InputError, match="did you mean here"):
        watch.run(here, "heres", here.root / "inbox")
    with pytest.raises(InputError, match="small letters"):
        watch.run(here, "../here", here.root / "inbox")
    with pytest.raises(InputError, match="no such folder"):
        watch.run(here, "here", here.root / "nowhere")
    with pytest.raises(InputError, match="expected why"):
        judge.run(here, "here:0_0:tree:appeared:1", "no", reason=" ")


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_nodes_watch_as_one_machine_does_even_where_one_is_removed(champion: Path) -> None:
    """Maps, looks, state and alerts, to the byte; the map of a node that died is finished elsewhere."""
    side, inbox = 15, champion / "inbox"
    for number in (1, 2):
        write_scene(inbox / f"2024-0{number}-01.tif", mosaic(draw(side**2 + number)[number:], side))
    reach = side * SIZE * METRES
    place = write_site(champion, site(**TOY | {"bounds": [LEFT, TOP - reach, LEFT + reach, TOP], "stride": SIZE // 2}))
    words = ("watch", "here", str(inbox))
    driven.end(driven.typed(*words, folder=champion, address=None))
    alone = map_files(place.folder)
    shutil.rmtree(place.folder)
    with clusters.started(2) as cluster:
        process = driven.typed(*words, folder=champion, address=cluster.address)
        driven.until(process, lambda: len(list(place.folder.rglob(".unfinished/**/notes/*.parquet"))) >= 2)
        clusters.remove_one(cluster)
        said = driven.end(process)
    assert "2 new scenes, 0 known" in said
    assert map_files(place.folder) == alone
    assert {"state.npz", "alerts.parquet"} < alone.keys() and sum(name.endswith("map.json") for name in alone) == 2
