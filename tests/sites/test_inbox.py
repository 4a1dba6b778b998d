"""An inbox holds scenes, and STAC items that say when one was taken and which of its bands is which."""

import json
from pathlib import Path
from typing import Any

import pytest
from scenes import write_item

from igarape.errors import InputError
from igarape.sites.bands import Bands
from igarape.sites.inbox import Arrival, list_arrivals


def nothing_there(address: str) -> Path:
    """Fetch nothing."""
    raise InputError(f"{address}: not there")


NAMES = ("blue", "green", "red", "nir")
BANDS = [{"eo:common_name": name} for name in NAMES]


def item(folder: Path, name: str = "one", **changes: Any) -> Path:
    """Write a STAC item, and the scene that it names."""
    (folder / f"{name}.tif").touch()
    return write_item(folder / f"{name}.json", f"./{name}.tif", bands=NAMES, **changes)


def test_scenes_are_found_in_all_folders_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Whatever else lies there, and not what is hidden."""
    (tmp_path / "b").mkdir()
    for name in ("c.tif", "b/a.TIFF", "a.vrt", "notes.txt", ".half.tif", "other.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert [str(each.path.relative_to(tmp_path)) for each in arrivals] == ["a.vrt", "b/a.TIFF", "c.tif"]
    assert not failed


def test_a_stac_item_tells_the_day_and_the_bands_of_its_scene(tmp_path: Path) -> None:
    """The scene is there once."""
    item(tmp_path)
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert arrivals == [Arrival(tmp_path / "one.tif", "2024-05-31", Bands(3, 2, 1, 4))]
    assert not failed


def test_of_two_items_that_name_one_file_none_is_lost(tmp_path: Path) -> None:
    """The first counts, and the other is told, unless it says the same; taken by turns, they would hide each other."""
    first = item(tmp_path)
    same = json.loads(first.read_text(encoding="utf-8"))
    (tmp_path / "same.json").write_text(json.dumps(same), encoding="utf-8")
    later = same | {"properties": {"datetime": "2024-07-01T14:00:00Z"}}
    (tmp_path / "two.json").write_text(json.dumps(later), encoding="utf-8")
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert arrivals == [Arrival(tmp_path / "one.tif", "2024-05-31", Bands(3, 2, 1, 4))]
    assert list(failed) == [str(tmp_path / "two.json")]
    assert "names one.tif, as same.json does, and says another day" in failed[str(tmp_path / "two.json")]


def test_addresses_that_would_have_one_copy_are_told(tmp_path: Path) -> None:
    """Those that differ behind the question mark only: the first is fetched, the other not; keys are not repeated."""
    fetched = list[str]()

    def fetch(address: str) -> Path:
        fetched.append(address)
        return tmp_path / "one.tif"

    for name, number in (("a", 1), ("b", 2)):
        asset = {"href": f"https://me:secret@host/get.tif?id={number}", "roles": ["data"]}
        item(tmp_path, name, assets={"scene": asset})
        (tmp_path / f"{name}.tif").rename(tmp_path / "one.tif")
    arrivals, failed = list_arrivals(tmp_path, fetched=fetch)
    assert [each.path.name for each in arrivals] == ["one.tif"] and len(fetched) == 1
    (why,) = failed.values()
    assert "what another item names too" in why and "id=2" not in why and "secret" not in why


def test_one_item_is_an_inbox_and_so_is_one_scene(tmp_path: Path) -> None:
    """What lies beside them is not looked at."""
    (tmp_path / "other.tif").touch()
    one = item(tmp_path)
    assert list_arrivals(one, fetched=nothing_there) == (
        [Arrival(tmp_path / "one.tif", "2024-05-31", Bands(3, 2, 1, 4))],
        {},
    )
    assert list_arrivals(tmp_path / "other.tif", fetched=nothing_there) == ([Arrival(tmp_path / "other.tif")], {})


@pytest.mark.parametrize("href", ["./a%20b.tif", "./a b.tif", "file://{folder}/a%20b.tif", "file://{folder}/a b.tif"])
def test_a_scene_is_named_by_a_path_or_an_address(href: str, tmp_path: Path) -> None:
    """As writers of items do, with blanks as they are or as %20."""
    (tmp_path / "a b.tif").touch()
    asset = {"href": href.format(folder=tmp_path), "roles": ["data"]}
    path = item(tmp_path, assets={"scene": asset})
    (arrival,), failed = list_arrivals(path, fetched=nothing_there)
    assert arrival.path.resolve() == tmp_path / "a b.tif" and not failed


@pytest.mark.parametrize(
    ("start", "end", "day"),
    [
        ("2024-05-31T01:00:00Z", "2024-05-31T02:00:00Z", "2024-05-31"),
        ("2024-05-01T00:00:00Z", "2024-05-31T00:00:00Z", None),
    ],
)
def test_an_item_without_a_time_may_have_a_span_of_one_day(
    start: str, end: str, day: str | None, tmp_path: Path
) -> None:
    """A mosaic of a month has none."""
    path = item(tmp_path, properties={"datetime": None, "start_datetime": start, "end_datetime": end})
    (arrival,), _ = list_arrivals(path, fetched=nothing_there)
    assert arrival.day == day


def test_an_item_in_another_folder_tells_of_the_same_scene(tmp_path: Path) -> None:
    """Which is not there twice, once without its day."""
    (tmp_path / "items").mkdir()
    moved = item(tmp_path).rename(tmp_path / "items/one.json")
    moved.write_text(moved.read_text(encoding="utf-8").replace("./one.tif", "../one.tif"), encoding="utf-8")
    (arrival,), failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert arrival.day == "2024-05-31" and arrival.path.resolve() == (tmp_path / "one.tif").resolve() and not failed


@pytest.mark.parametrize(
    ("assets", "said"),
    [
        ({}, "expected one asset with the role data, found 0"),
        ({"a": {"href": "https://example.org/a.tif", "roles": ["data"]}}, "https://example.org/a.tif: not there"),
        ({"a": {"href": "gone.tif", "roles": ["data"]}}, "names gone.tif, which is not there"),
        ({"a": {"href": "one.tif", "roles": None}}, "no STAC item as its specification has it"),
        ({"a": {"href": "one.tif", "roles": ["data"], "bands": [3]}}, "no STAC item as its specification has it"),
        (["a"], "no STAC item as its specification has it"),
    ],
)
def test_an_item_that_cannot_be_used_is_told_and_the_others_go_on(tmp_path: Path, assets: Any, said: str) -> None:
    """By its file."""
    item(tmp_path)
    bad = item(tmp_path, "bad", assets=assets)
    (tmp_path / "bad.tif").unlink()
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert [each.path.name for each in arrivals] == ["one.tif"]
    assert list(failed) == [str(bad)] and said in failed[str(bad)]


def test_a_scene_waits_for_its_item_to_be_mended(tmp_path: Path) -> None:
    """Taken by its name it would have another day, and keep it."""
    item(tmp_path)
    bad = item(tmp_path, "2024-01-01_bad", assets={})
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert [each.path.name for each in arrivals] == ["one.tif"]
    assert list(failed) == [str(bad), str(bad.with_suffix(".tif"))]
    item(tmp_path, "2024-01-01_bad")
    arrivals, failed = list_arrivals(tmp_path, fetched=nothing_there)
    assert [each.day for each in arrivals] == ["2024-05-31", "2024-05-31"] and not failed


@pytest.mark.parametrize("text", ['{"type": "Fea', "[" * 100_000], ids=["cut short", "nested"])
def test_json_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    """Not passed over."""
    (tmp_path / "half.json").write_text(text, encoding="utf-8")
    assert "no JSON, or cut short" in list_arrivals(tmp_path, fetched=nothing_there)[1][str(tmp_path / "half.json")]


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    """With what was expected."""
    with pytest.raises(InputError, match="no such folder"):
        list_arrivals(tmp_path / "none", fetched=nothing_there)
    with pytest.raises(InputError, match="no scene in it"):
        list_arrivals(tmp_path, fetched=nothing_there)


def test_a_scene_at_an_address_is_fetched(tmp_path: Path) -> None:
    """And taken as its item says; that one alone is asked for."""
    (tmp_path / "kept").mkdir()
    asset = {"href": "s3://scenes/a.tif", "roles": ["data"], "bands": BANDS}
    item(tmp_path, assets={"scene": asset})
    asked: list[str] = []

    def fetched(address: str) -> Path:
        asked.append(address)
        (tmp_path / "kept/a.tif").touch()
        return tmp_path / "kept/a.tif"

    arrivals, failed = list_arrivals(tmp_path / "one.json", fetched=fetched)
    assert arrivals == [Arrival(tmp_path / "kept/a.tif", "2024-05-31", Bands(3, 2, 1, 4))]
    assert asked == ["s3://scenes/a.tif"] and not failed
