"""Origins: the bytes that were there when the source was listed, or an error that says what became of them."""

import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import MAX_BYTES
from igarape.chips.sources.origins import CHUNK, ENOUGH, Extent, ZipMember, loose
from igarape.errors import InputError

NOISE = np.random.default_rng(0).integers(0, 256, CHUNK + 1000, dtype=np.uint8).tobytes()


def zipped(path: Path, *contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> list[ZipMember]:
    """Write a zip and return the origins of its members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.jpg", content)
    modified = path.stat().st_mtime_ns
    return [ZipMember(path, index, len(content), modified, f"{index}.jpg") for index, content in enumerate(contents)]


def test_a_file_of_its_own_is_read_whole(tmp_path: Path) -> None:
    """Its origin is small, can be sent to another process, and yields the same bytes in chunks."""
    path = tmp_path / "a.jpg"
    path.write_bytes(NOISE)
    origin = pickle.loads(pickle.dumps(loose(path)))  # noqa: S301 - what was pickled here
    assert origin.read() == NOISE and b"".join(origin.chunks()) == NOISE
    assert len(pickle.dumps(origin)) < 300


def test_a_stretch_is_read_and_nothing_beside_it(tmp_path: Path) -> None:
    """By its offset and length."""
    path = tmp_path / "a.tar"
    path.write_bytes(NOISE)
    assert Extent(path, 100, 50, 0, "b.jpg").read() == NOISE[100:150]


def test_another_version_of_a_file_is_another_origin(tmp_path: Path) -> None:
    """So that what was made of the one is not taken for the other."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    first = loose(path)
    path.write_bytes(b"two")
    assert loose(path) != first and repr(loose(path)) != repr(first)


def test_what_has_vanished_or_shrunk_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Also what is no file any more."""
    path = tmp_path / "a.jpg"
    path.write_bytes(NOISE)
    origin = loose(path)
    path.write_bytes(NOISE[:-1])
    with pytest.raises(InputError, match=r"a\.jpg: has become shorter since it was listed"):
        origin.read()
    path.unlink()
    with pytest.raises(InputError, match=r"a\.jpg: cannot be read \(No such file or directory\)"):
        origin.read()
    with pytest.raises(InputError, match=r"a\.jpg: cannot be read"):
        loose(path)
    path.mkdir()
    with pytest.raises(InputError, match=r"a\.jpg: cannot be read \(Is a directory\)"):
        origin.read()


def test_of_what_is_too_large_only_enough_is_read_to_show_it(tmp_path: Path) -> None:
    """A file of a gigabyte (of holes), and a zip's member of more than a picture may have."""
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(2**30)
    assert len(loose(path).read()) == ENOUGH == MAX_BYTES + 1
    (member,) = zipped(tmp_path / "a.zip", bytes(MAX_BYTES + 1000))
    assert len(member.read()) == ENOUGH


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_zip_are_read_in_any_order_by_many_threads(tmp_path: Path, method: int) -> None:
    """Each gets its own bytes."""
    contents = [NOISE[100 * number : 100 * number + 5000] for number in range(60)]
    members = zipped(tmp_path / "a.zip", *contents, method=method)
    order = np.random.default_rng(1).permutation(np.tile(np.arange(60), 5)).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: members[number].read(), order))
    assert found == [contents[number] for number in order]
    assert b"".join(members[3].chunks()) == contents[3]


def test_a_damaged_member_is_an_error_and_the_others_are_read(tmp_path: Path) -> None:
    """The CRC shows it, also where the bytes could be unpacked."""
    path = tmp_path / "a.zip"
    members = zipped(path, NOISE[:5000], NOISE[5000:9000], method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(NOISE[:50]) + 20] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip/0\.jpg: cannot be read from the archive \(Bad CRC-32"):
        members[0].read()
    assert members[1].read() == NOISE[5000:9000]


def test_a_zip_that_has_changed_since_is_an_error(tmp_path: Path) -> None:
    """Another file under a member's number is not given for it, and a zip that has gone is named."""
    path = tmp_path / "changed.zip"
    members = zipped(path, b"zero", b"one")
    with pytest.raises(InputError, match=r"changed\.zip/one\.jpg: .*has changed since it was listed"):
        ZipMember(path, 1, 3, members[1].modified, "one.jpg").read()
    with pytest.raises(InputError, match=r"gone\.zip/0\.jpg: cannot be read from the archive"):
        ZipMember(tmp_path / "gone.zip", 0, 3, 0, "0.jpg").read()
