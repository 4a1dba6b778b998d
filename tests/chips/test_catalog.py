"""The catalog: every sound chip with its place and labels; every other one a row of the faults."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tifs
from PIL import Image

from igarape.chips.catalog import check_levels, pack_chips
from igarape.chips.chip import Chip, Encoded
from igarape.chips.pictures import decode, encode_jpeg, to_size
from igarape.chips.shards import open_shard
from igarape.chips.sources.origins import loose
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault, label_columns, read_catalog, truth, write_table

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))
NOISE = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
SOUND = encode_jpeg(NOISE, 90)


def chip(image_id: str, tags: str = "sun", data: bytes = SOUND, split: str = "train") -> Chip:
    """Make a chip."""
    return Chip(
        image_id=image_id, split=split, group=f"scene-{image_id}", tags=tuple(tags.split()), origin=Encoded(data)
    )


def pack(folder: Path, *chips: Chip, done: Callable[[], None] = lambda: None) -> tuple[pd.DataFrame, list[Fault]]:
    """Pack chips into a shard, and return their catalog and their faults."""
    with open_shard(folder / "shard-00000.tar", done) as shard:
        tables = pack_chips(chips, shard, vocabulary=VOCABULARY, size=24)
    return tables["catalog"], [Fault(*row) for row in tables["faults"].itertuples(index=False)]


def broken() -> dict[str, tuple[bytes, str]]:
    """Return bytes that are no sound chip of 24 x 24 pixels, and what is wrong with each."""
    deep = cv2.imencode(".png", np.full((24, 24, 3), 300, np.uint16))[1].tobytes()
    black = io.BytesIO()
    Image.new("CMYK", (24, 24), (0, 0, 0, 255)).save(black, "JPEG")
    return {
        "truncated": (SOUND[: len(SOUND) // 2], "damaged or cut short"),
        "text": (b"image_name,tags", "expected a JPEG, PNG or TIF, found 15 bytes"),
        "empty": (b"", "found an empty file"),
        "deep": (deep, "shows one colour only"),
        "small": (encode_jpeg(NOISE[:12, :12], 90), "expected 24 x 24, found 12 x 12"),
        "long": (encode_jpeg(NOISE.reshape(48, 12, 3), 90), "expected 24 x 24, found 12 x 48"),
        "wide": (encode_jpeg(NOISE[:20], 90), "expected 24 x 24, found 24 x 20"),
        "grey": (encode_jpeg(np.full_like(NOISE, 99), 90), "shows one colour only"),
        "black": (black.getvalue(), "shows one colour only"),
    }


def test_sound_chips_are_listed_with_place_and_labels(tmp_path: Path) -> None:
    """The table passes its own checks, and leads to the bytes that came in."""
    chips = [chip("b", "tree sun"), chip("a", "fog"), chip("t", "", split="test")]
    done: list[str] = []
    catalog, faults = pack(tmp_path, *chips, done=lambda: done.append("chip"))
    assert len(faults) == 0 and len(done) == 3
    write_table(catalog, tmp_path / "catalog.parquet")
    read = read_catalog(tmp_path / "catalog.parquet", VOCABULARY.labels)
    assert list(read["image_id"]) == ["b", "a", "t"]
    assert list(read["split"]) == ["train", "train", "test"]
    assert list(read["group"]) == ["scene-b", "scene-a", "scene-t"]
    assert truth(read, VOCABULARY.labels).tolist() == [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert {Store(tmp_path, read).bytes(image_id) for image_id in read["image_id"]} == {SOUND}


@pytest.mark.parametrize("kind", broken())
def test_a_broken_chip_is_a_fault_and_left_out(tmp_path: Path, kind: str) -> None:
    """Its neighbours are packed, and progress counts it."""
    data, problem = broken()[kind]
    done: list[str] = []
    catalog, faults = pack(tmp_path, chip("a"), chip(kind, data=data), chip("z"), done=lambda: done.append("chip"))
    assert list(catalog["image_id"]) == ["a", "z"] and len(done) == 3
    (fault,) = faults
    assert fault.image_id == kind and problem in fault.problem and fault.remedy and fault.left_out
    assert not fault.problem.startswith(kind)


def test_an_error_that_says_what_to_do_is_a_fault_with_that_remedy(tmp_path: Path) -> None:
    """Its problem is told without it; where an error says nothing, the file is at fault."""
    bands = tifs.written(np.random.default_rng(1).integers(0, 255, (24, 24, 4), dtype=np.uint8))
    _, faults = pack(tmp_path, chip("a", data=bands), chip("b", data=b"GIF89a"), chip("c", data=b"x"))
    assert [fault.remedy.partition(" ")[0] for fault in faults] == ["Say", "convert", "replace"]
    assert faults[0].problem.endswith("nothing says which of them is red")
    assert faults[1].problem == "expected a JPEG, PNG or TIF, found GIF, which is not read"


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ("sun fog", "exactly one of sun, fog should hold, found fog, sun"),
        ("tree", "exactly one of sun, fog should hold, found none"),
        ("fog tree", "fog rules out every other label, found tree"),
        ("", "has no tag"),
    ],
)
def test_a_chip_that_breaks_the_vocabularys_rules_is_kept_and_reported(tmp_path: Path, tags: str, problem: str) -> None:
    """Real labels do so now and then; its tags stay as they are."""
    catalog, faults = pack(tmp_path, chip("a", tags))
    held = VOCABULARY.names(truth(catalog, VOCABULARY.labels)[0])
    assert held == sorted(tags.split(), key=VOCABULARY.labels.index)
    assert [(fault.image_id, fault.problem, fault.left_out) for fault in faults] == [("a", problem, False)]


def test_an_unlabelled_chip_breaks_no_rule(tmp_path: Path) -> None:
    """It has no tags because nobody gave it any."""
    _, faults = pack(tmp_path, chip("t", "", split="test"))
    assert len(faults) == 0


def test_no_sound_chip_is_an_empty_catalog(tmp_path: Path) -> None:
    """It still has its columns, and an empty shard."""
    catalog, faults = pack(tmp_path, chip("x", data=b"x"))
    assert len(catalog) == 0 and set(label_columns(VOCABULARY.labels)) <= set(catalog.columns) and len(faults) == 1
    with tarfile.open(tmp_path / "shard-00000.tar") as tar:
        assert tar.getmembers() == []


def test_what_a_data_set_reads_otherwise_is_packed_as_it_is_seen(tmp_path: Path) -> None:
    """Resized, stretched, or with named bands: as PNG, which shows the same whoever decodes it; else unchanged."""
    four = np.random.default_rng(1).integers(0, 3000, (24, 24, 4), dtype=np.uint16)
    deep, wide = tifs.written(four), encode_jpeg(np.tile(NOISE, (1, 2, 1)), 90)
    names = ("blue", "green", "red", "nir")
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        chips = [chip("a"), chip("b", data=deep), chip("c", data=wide)]
        tables = pack_chips(chips, shard, vocabulary=VOCABULARY, size=24, resize="crop", bands=names, white=3000)
    store = Store(tmp_path, tables["catalog"])
    assert store.bytes("a") == SOUND and store.bytes("b").startswith(b"\x89PNG")
    assert (store.rgb("b") == decode(deep, "b", bands=names, white=3000)).all()
    assert (store.rgb("c") == to_size(decode(wide, "c"), 24, resize="crop")).all()
    assert list(tables["levels"]["image_id"]) == ["b"] and tables["levels"]["bright"][0] > 240


@pytest.mark.parametrize(("bright", "white", "words"), [(11, None, "white: 3084;"), (20, 10_000, "of 10000")])
def test_a_set_of_16_bits_that_is_nearly_black_is_refused(bright: int, white: int | None, words: str) -> None:
    """With the value to write; one bright chip does not save it. A quarter of the range is bright enough."""
    levels = pd.DataFrame({"image_id": "x", "bright": [bright] * 200 + [255]})
    with pytest.raises(InputError, match=f"201 chips of 16 bits, nearly black.*{words}"):
        check_levels(levels, white)
    check_levels(levels.assign(bright=64), white)
    check_levels(levels.head(0), white)


def test_a_fault_does_not_tell_where_the_file_lies(tmp_path: Path) -> None:
    """The faults table is the same on each machine."""
    path = tmp_path / "gone.jpg"
    path.write_bytes(SOUND)
    lost = Chip(image_id="a", split="train", group="a", tags=("sun",), origin=loose(path))
    path.unlink()
    _, (fault,) = pack(tmp_path, lost)
    assert fault.problem == "cannot be read (No such file or directory)"
