"""What is new of a site is mapped on its own grid, once, by one model."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import draw
from scenes import LEFT, METRES, TOP, mosaic, write_scene, write_vrt
from site_looks import facts, quiet, tiles, write_site
from site_settings import site
from watched import TOY, write_scenes

from igarape.errors import InputError
from igarape.files import read_json, sha256
from igarape.sites.bands import Bands
from igarape.sites.inbox import Arrival, list_arrivals
from igarape.sites.looks import add_looks, list_looks
from igarape.sites.model import Model, load_model
from igarape.sites.scene_list import Mappers
from igarape.sites.site_folder import SiteFolder
from igarape.sites.tiles import Grid
from igarape.sites.watch import (
    NewScene,
    Outcome,
    check_model,
    identified,
    map_again,
    map_new,
    mapper,
    outcome_line,
    scene_facts,
    unmapped_scenes,
    update_moved,
)


@pytest.fixture(scope="module")
def model(bundle_folder: Path) -> Model:
    """Give the small bundle, of chips of 16 x 16 pixels of 3 m."""
    return load_model(str(bundle_folder))


@pytest.fixture
def place(tmp_path: Path) -> SiteFolder:
    """Give a site of six tiles for that model."""
    return write_site(tmp_path, site(**TOY))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Give a folder of two scenes, of which one is there twice."""
    write_scenes(tmp_path / "inbox")
    (tmp_path / "inbox/again-2024-03-01.tif").write_bytes((tmp_path / "inbox/2024-03-01.tif").read_bytes())
    return tmp_path / "inbox"


def mapping(place: SiteFolder, model: Model) -> Any:
    """Return what maps scenes, without a bar."""
    return mapper(place, Mappers.alone(model), commit="", report=quiet)


def test_new_scenes_become_looks_once(place: SiteFolder, inbox: Path, model: Model) -> None:
    """A copy under another name is the same scene; what is known is not mapped again."""
    arrivals, _ = list_arrivals(inbox, fetched=Path)
    new = unmapped_scenes(place, identified(arrivals)[0], replay=False)
    assert [one.arrival.path.name for one in new] == ["2024-02-01.tif", "2024-03-01.tif"]
    outcome = map_new(place, new, mapping(place, model), place.looks)
    assert not outcome.failed and [each.date for each in outcome.new] == ["2024-02-01", "2024-03-01"]
    assert [each.name for each in list_looks(place.looks)] == [each.name for each in outcome.new]
    assert {each.bundle for each in outcome.new} == {model.digest}
    assert unmapped_scenes(place, identified(arrivals)[0], replay=False) == []
    state, _ = place.update(quiet)
    assert [day.seen + day.cloudy for day in state.days] == [6, 6] and sum(day.seen for day in state.days) > 0


def test_a_scene_that_fails_costs_no_other_one_its_look(place: SiteFolder, inbox: Path, model: Model) -> None:
    """It is told: a scene of another place, one that is cut short, one without a date."""
    other = LEFT + 90_000
    transform = (METRES, 0, other, 0, -METRES, TOP)
    write_scene(inbox / "far-2024-02-02.tif", mosaic(draw(6), 3), transform=transform)
    (inbox / "half-2024-02-03.tif").write_bytes((inbox / "2024-02-01.tif").read_bytes()[:-1500])
    write_scene(inbox / "undated.tif", mosaic(draw(6), 3)[:, :, ::-1].copy())
    arrivals, _ = list_arrivals(inbox, fetched=Path)
    outcome = map_new(
        place, unmapped_scenes(place, identified(arrivals)[0], replay=False), mapping(place, model), place.looks
    )
    assert len(outcome.new) == 2
    said = {Path(path).name: why for path, why in outcome.failed.items()}
    assert "another place" in said["far-2024-02-02.tif"]
    assert "cut short" in said["half-2024-02-03.tif"]
    assert "--date" in said["undated.tif"]


def test_what_is_known_of_files_does_for_their_maps(place: SiteFolder, inbox: Path, model: Model) -> None:
    """The hashes of a map are those that it is given: a new scene is read no second time for them."""
    asked: list[Path] = []

    def hashed(path: Path) -> str:
        asked.append(path)
        return sha256(path)

    found, _ = identified(list_arrivals(inbox, fetched=Path)[0], hashed)
    new = unmapped_scenes(place, found, replay=False)
    asked.clear()
    mapped = mapper(place, Mappers.alone(model, hashed), commit="", report=quiet)
    outcome = map_new(place, new, mapped, place.looks)
    assert asked == [one.arrival.path for one in new]
    assert [facts.sha256 for facts in outcome.new] == [one.sha256 for one in new]


def test_looks_of_two_models_are_not_mixed(place: SiteFolder, model: Model) -> None:
    """The error names both, and the ways out."""
    check_model(place, model)
    table = tiles({"tree": 0.5, "kiln": 0.5, "fog": 0.0})
    add_looks(table, facts(3, model="models:/toy/1"), place.looks, site=place.site, known=place.area.known)
    with pytest.raises(InputError, match=r"models:/toy/1, not of .*--replay"):
        check_model(place, model)
    with pytest.raises(InputError, match=r"models:/toy/1 as it was then, not of models:/toy/1\."):
        check_model(place, Model(model.bundle, "models:/toy/1"))  # such as a bundle's folder that was written anew


def test_a_replay_maps_all_scenes_anew_or_changes_nothing(place: SiteFolder, inbox: Path, model: Model) -> None:
    """By another model; a scene that is lost, or fails, leaves all as it was. One without looks has none to lose."""
    arrivals, _ = list_arrivals(inbox, fetched=Path)
    map_new(place, unmapped_scenes(place, identified(arrivals)[0], replay=False), mapping(place, model), place.looks)
    other = Model(model.bundle.with_views(1), model.address)
    (inbox / "half-2024-02-03.tif").write_bytes((inbox / "2024-02-01.tif").read_bytes()[:-1500])
    again = unmapped_scenes(place, identified(list_arrivals(inbox, fetched=Path)[0])[0], replay=True)
    assert list(map_again(place, again, mapping(place, other)).failed) == [str(inbox / "half-2024-02-03.tif")]
    assert {each.bundle for each in list_looks(place.looks)} == {other.digest} != {model.digest}
    with pytest.raises(InputError, match=r"the inbox lacks 2024-03-01.tif"):
        unmapped_scenes(place, identified(arrivals[:1])[0], replay=True)
    (inbox / "2024-02-01.tif").write_bytes(b"gone")
    with pytest.raises(
        InputError, match=r"stays as it was: 1 of the 2 scenes that have looks failed, .*2024-02-01\.tif first"
    ):
        map_again(place, [*again], mapping(place, model))
    assert {each.bundle for each in list_looks(place.looks)} == {other.digest} != {model.digest}


def test_a_scene_that_has_moved_is_found_again_and_one_that_is_there_twice_stays(
    place: SiteFolder, inbox: Path, model: Model
) -> None:
    """Its map says where it lies; a scene that cannot be read costs no other one its look."""
    new = unmapped_scenes(place, identified(list_arrivals(inbox, fetched=Path)[0])[0], replay=False)
    map_new(place, new, mapping(place, model), place.looks)
    inbox.rename(inbox.with_name("moved"))
    gone = Arrival(inbox / "2024-02-01.tif")
    found, failed = identified([gone, *list_arrivals(inbox.with_name("moved"), fetched=Path)[0]])
    assert list(failed) == [str(gone.path)] and "cannot be read: No such file" in failed[str(gone.path)]
    for _ in range(2):
        update_moved(place, found)
        lies = [Path(read_json(path)["path"]) for path in sorted(place.folder.glob("maps/*/map.json"))]
        assert lies == [inbox.with_name("moved") / f"2024-0{month}-01.tif" for month in (2, 3)]
        found = dict.fromkeys(found, gone)  # the same scene elsewhere: where it was watched counts


def test_a_scene_that_made_room_for_another_is_found_again(place: SiteFolder, inbox: Path, model: Model) -> None:
    """As where the newest one is always called latest.tif: the page shows either, each where it lies."""
    new = unmapped_scenes(place, identified(list_arrivals(inbox, fetched=Path)[0])[0], replay=False)
    map_new(place, new, mapping(place, model), place.looks)
    first, second = inbox / "2024-02-01.tif", inbox / "2024-03-01.tif"
    first.rename(inbox / "kept.tif")
    second.rename(first)
    update_moved(place, identified(list_arrivals(inbox, fetched=Path)[0])[0])
    lies = [Path(read_json(path)["path"]).name for path in sorted(place.folder.glob("maps/*/map.json"))]
    assert lies == ["kept.tif", "2024-02-01.tif"]


def test_vrts_of_one_text_are_scenes_of_their_own(tmp_path: Path, inbox: Path) -> None:
    """They name files from where they lie: what those hold tells them apart, and says when one has changed."""
    for scene in sorted(inbox.glob("2024-*.tif")):
        folder = tmp_path / "vrts" / scene.stem
        folder.mkdir(parents=True)
        scene.rename(folder / "part.tif")
        write_vrt(folder / "scene.vrt", [folder / "part.tif"], [32], 48)
    arrivals = [Arrival(path) for path in sorted((tmp_path / "vrts").glob("*/scene.vrt"))]
    assert len({each.path.read_bytes() for each in arrivals}) == 1
    found, failed = identified(arrivals)
    assert list(found.values()) == arrivals and not failed
    (tmp_path / "vrts/2024-02-01/part.tif").write_bytes((tmp_path / "vrts/2024-03-01/part.tif").read_bytes())
    assert list(identified(arrivals)[0]) == list(found)[1:]


def test_a_scene_that_is_not_like_the_training_data_is_not_trusted() -> None:
    """As its map says."""
    grid = Grid("EPSG:32718", 1.0, 2.0, 3.0, 64, 64, 32, 16)
    content: dict[str, Any] = {"scene": "a.tif", "sha256": "0", "date": "2024-01-01", "model": "m", "bundle": "b"}
    content["grid"] = json.loads(json.dumps(dataclasses.asdict(grid)))
    verdicts = {None: True, "unusual": True, "not like training": False}
    found = {verdict: scene_facts(content | {"drift": {"verdict": verdict}}) for verdict in verdicts}
    assert {verdict: facts.trusted for verdict, facts in found.items()} == verdicts
    assert {facts.grid for facts in found.values()} == {grid.hash}


def test_what_a_stac_item_says_of_bands_counts_where_the_site_says_none(
    tmp_path: Path, inbox: Path, model: Model
) -> None:
    """Red and blue the other way round give other answers."""
    place = write_site(tmp_path / "other", site(**TOY | {"bands": None}))
    scene = inbox / "2024-02-01.tif"
    found = []
    for bands in (Bands(1, 2, 3), Bands(3, 2, 1)):
        new = NewScene(Arrival(scene, "2024-02-01", bands), str(bands.red))
        (future,) = mapping(place, model)([new])
        found.append(future.result()["bands"]["red"])
    assert found == [1, 3]


def test_scenes_that_are_not_trusted_are_counted_for_people() -> None:
    """Those that are only unusual are not."""
    outcome = Outcome(new=[facts(1), facts(2)])
    outcome.drift["unusual"] = 1
    assert outcome_line(outcome, known=3, copies=0) == "2 new scenes, 3 known"
    outcome.drift["not like training"] = 1
    assert outcome_line(outcome, known=3, copies=0).startswith("2 new scenes, 3 known; 1 scene not like training: ")
