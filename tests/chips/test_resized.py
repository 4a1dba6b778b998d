"""Chips at a learner's size: decoded once, into one file for all, never stale, and whole or not there."""

import fcntl
import gc
import io
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from igarape.chips import resized
from igarape.chips.pictures import encode_jpeg, resize
from igarape.chips.resized import Resized, load_pictures, mapped_from
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.errors import InputError

Chips = dict[str, bytes]


@pytest.fixture
def chips() -> Chips:
    """Make ten pictures of different sizes, a PNG among them."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16 + row, 16 + row, 3), dtype=np.uint8) for row in range(10)]
    made = {f"chip-{row}": encode_jpeg(image, 90) for row, image in enumerate(images)}
    buffer = io.BytesIO()
    Image.fromarray(images[3]).save(buffer, "PNG")
    return made | {"chip-3": buffer.getvalue()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a store's folder."""
    return tmp_path / "data/ingest"


def pack(folder: Path, chips: Chips, *, a_shard: int = 4) -> pd.DataFrame:
    """Write the chips, a few to a shard, and return their catalog."""
    shutil.rmtree(folder, ignore_errors=True)
    rows = []
    for start in range(0, len(chips), a_shard):
        with open_shard(folder / f"shard-{start // a_shard:05d}.tar") as shard:
            rows += [
                (image_id, *shard.add(image_id, data))
                for image_id, data in list(chips.items())[start : start + a_shard]
            ]
    return pd.DataFrame(rows, columns=["image_id", "shard", "offset", "length"])


def files(folder: Path) -> list[str]:
    """Return the names of all that lies beside the store, but for the lock."""
    cache = folder.parent / ".resized" / folder.name
    return sorted(path.name for path in cache.iterdir() if path.name != "lock")


def blacken(found: Resized, folder: Path) -> None:
    """Blacken the file that pictures came from, so that one can tell whether it is read again or made anew."""
    np.load(folder.parent / ".resized" / folder.name / f"{found.digest}.npy", mmap_mode="r+")[:] = 0


def test_pictures_are_loaded_in_the_order_asked_for(
    folder: Path, chips: Chips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the catalog's order; each of the size asked for; progress counts up."""
    catalog = pack(folder, chips).sample(frac=1, random_state=0)
    image_ids = [*reversed(chips), "chip-5", "chip-5"]
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr(resized, "AT_ONCE", 5)
    images = load_pictures(folder, catalog, image_ids, size=16, report=lambda *step: heard.append(step)).images
    store = Store(folder, catalog)
    assert images.dtype == np.uint8
    assert (images == np.stack([resize(store.rgb(image_id), 16) for image_id in image_ids])).all()
    assert heard == [(5, 12), (10, 12), (12, 12)]


def test_pictures_are_mapped_and_cannot_be_changed(folder: Path, chips: Chips) -> None:
    """They lie in a plain .npy file beside the store, which anybody can open."""
    images = load_pictures(folder, pack(folder, chips), list(chips), size=8).images
    assert isinstance(images.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    (name,) = files(folder)
    assert (np.load(folder.parent / ".resized/ingest" / name) == images).all()


def test_chips_are_decoded_once_for_all_who_ask(folder: Path, chips: Chips) -> None:
    """The next finds the file, which is told by what was done to it, and is told that all is done."""
    catalog = pack(folder, chips)
    blacken(load_pictures(folder, catalog, list(chips), size=8), folder)
    heard: list[tuple[int, int]] = []
    again = load_pictures(folder, catalog, list(chips), size=8, report=lambda *step: heard.append(step))
    assert not again.images.any()
    assert heard == [(10, 10)]


def test_a_chip_that_changed_is_seen_whatever_the_catalog_says(folder: Path, chips: Chips) -> None:
    """One byte of a shard is enough: the key is a hash of the chips themselves."""
    catalog = pack(folder, chips)
    before = load_pictures(folder, catalog, list(chips), size=8)
    place = catalog.iloc[3]  # the PNG; its bytes after the header are compressed pixels
    changed = encode_jpeg(np.zeros((19, 19, 3), np.uint8), 90).ljust(int(place["length"]), b"\0")
    with (folder / str(place["shard"])).open("r+b") as shard:
        shard.seek(int(place["offset"]))
        shard.write(changed)
    after = load_pictures(folder, catalog, list(chips), size=8)
    assert after.digest != before.digest
    assert not after.images[3].any() and before.images[3].any()
    assert (np.delete(after.images, 3, axis=0) == np.delete(before.images, 3, axis=0)).all()


def test_other_images_or_another_order_are_another_file(folder: Path, chips: Chips) -> None:
    """Rows would be somebody else's."""
    catalog = pack(folder, chips)
    digests = {
        load_pictures(folder, catalog, image_ids, size=8).digest
        for image_ids in (list(chips), list(chips)[1:], list(reversed(chips)), ["chip-0"])
    }
    assert len(digests) == 4


def test_how_the_chips_are_packed_does_not_matter(folder: Path, chips: Chips) -> None:
    """The same bytes in other shards, beside other chips, are the same pictures."""
    load_pictures(folder, pack(folder, chips), list(chips), size=8)
    names = files(folder)
    load_pictures(folder, pack(folder, {"another": chips["chip-9"]} | chips, a_shard=3), list(chips), size=8)
    assert files(folder) == names


def test_sizes_live_side_by_side_and_have_digests_of_their_own(folder: Path, chips: Chips) -> None:
    """A learner at 8 and one at 16 pixels do not chase each other's file away."""
    catalog = pack(folder, chips)
    one, other = (load_pictures(folder, catalog, list(chips), size=size).digest for size in (8, 16))
    assert one != other
    assert len(files(folder)) == 2


def test_files_of_other_data_are_removed_at_every_size(folder: Path, chips: Chips) -> None:
    """Or the disk would fill; who still has one mapped goes on reading it. So is what a killed process left."""
    catalog = pack(folder, chips)
    before = [load_pictures(folder, catalog, list(chips), size=size).images for size in (8, 16)]
    kept = [np.array(images) for images in before]
    (folder.parent / ".resized/ingest/.unfinished-16-abc.npy").write_bytes(b"half")
    after = load_pictures(folder, pack(folder, chips | {"chip-1": chips["chip-2"]}), list(chips), size=8)
    assert files(folder) == [f"{after.digest}.npy"]
    assert all((one == other).all() for one, other in zip(before, kept, strict=True))


def test_pictures_know_the_file_that_they_are_mapped_from(folder: Path, chips: Chips) -> None:
    """All of them, as they lie there; not some, not others, and not those of a file whose name says nothing of them."""
    found = load_pictures(folder, pack(folder, chips), list(chips), size=8)
    path = folder.parent / f".resized/ingest/{found.digest}.npy"
    assert mapped_from(found.images) == path.absolute()
    other = folder.with_name("mine.npy")
    np.save(other, found.images)
    mapped = np.asarray(np.load(other, mmap_mode="r"))
    for images in (np.array(found.images), found.images[1:], found.images[::-1], found.images[:, :, ::-1], mapped):
        assert mapped_from(images) is None


def test_what_is_kept_beside_pictures_goes_with_them(folder: Path, chips: Chips) -> None:
    """And not before."""
    catalog = pack(folder, chips)
    digest = load_pictures(folder, catalog, list(chips), size=8).digest
    (folder.parent / f".resized/ingest/{digest}.features-abc.npy").write_bytes(b"features")
    load_pictures(folder, catalog, list(chips), size=16)
    assert len(files(folder)) == 3
    load_pictures(folder, pack(folder, chips | {"chip-1": chips["chip-2"]}), list(chips), size=8)
    assert len(files(folder)) == 1


def test_the_stores_of_two_steps_do_not_mix(folder: Path, chips: Chips) -> None:
    """Raw and dehazed chips have the same names."""
    load_pictures(folder, pack(folder, chips), list(chips), size=8)
    dehazed = folder.with_name("dehaze")
    other = load_pictures(dehazed, pack(dehazed, chips | {"chip-1": chips["chip-2"]}), list(chips), size=8)
    assert len(files(folder)) == len(files(dehazed)) == 1
    assert (other.images[1] == other.images[2]).all()


def test_other_code_is_another_key(folder: Path, chips: Chips, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key holds the code that makes pixels of bytes, and the libraries that it calls."""
    catalog = pack(folder, chips)
    before = load_pictures(folder, catalog, list(chips), size=8).digest
    monkeypatch.setattr(resized, "LIBRARIES", ("another", "pair"))
    assert load_pictures(folder, catalog, list(chips), size=8).digest != before


def test_other_code_has_another_key(folder: Path, chips: Chips, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code that turns bytes into pixels is asked for by this module's name."""
    catalog = pack(folder, chips)
    before = load_pictures(folder, catalog, list(chips), size=8).digest
    monkeypatch.setattr(resized, "code_hash", lambda name: f"other than {name}")
    assert load_pictures(folder, catalog, list(chips), size=8).digest != before


def test_a_chip_that_cannot_be_read_leaves_no_file(folder: Path, chips: Chips) -> None:
    """No row of an array stays unfilled; the error names the chip."""
    catalog = pack(folder, chips | {"chip-4": b"\xff\xd8\xff no picture"})
    with pytest.raises(InputError, match="chip-4: the picture's header is damaged"):
        load_pictures(folder, catalog, list(chips), size=8)
    assert files(folder) == []
    with pytest.raises(InputError, match="no chip 'nobody'"):
        load_pictures(folder, catalog, ["chip-1", "nobody"], size=8)


def test_a_full_disk_is_an_error_and_leaves_no_file(folder: Path, chips: Chips) -> None:
    """Not a signal that ends the process, as it would be for who writes through a mapping; the disk here is 256 kB."""
    folder.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder.parent)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        catalog = pack(folder, chips)
        with pytest.raises(InputError, match=r"\.npy: no room to write it .*Make room and run the step again"):
            load_pictures(folder, catalog, list(chips), size=256)
        assert files(folder) == []
    finally:
        gc.collect()  # from Python 3.12 on, the error's frames hold a file there open till then
        subprocess.run(["umount", folder.parent], check=True)


def test_one_writes_while_the_others_wait(folder: Path, chips: Chips) -> None:
    """As long as somebody holds the lock, nothing is written; then it is. A thread is as good as a process here."""
    catalog = pack(folder, chips)
    cache = folder.parent / ".resized/ingest"
    cache.mkdir(parents=True)
    with ThreadPoolExecutor() as pool, (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = [pool.submit(load_pictures, folder, catalog, list(chips), size=8) for _ in range(3)]
        assert not wait(waiting, timeout=0.3).done and files(folder) == []
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert len({future.result().digest for future in waiting}) == len(files(folder)) == 1
