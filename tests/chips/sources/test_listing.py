"""A source: what fits together is a chip, what does not is a fault, what cannot be read is an error."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import py7zr
import pytest

from igarape.chips.pictures import encode_jpeg
from igarape.chips.sources.listing import Listing, list_pictures, open_source
from igarape.config.datasets import FolderSource, read_dataset
from igarape.errors import InputError
from igarape.labels import Vocabulary
from igarape.tables import Fault

ROOT = Path(__file__).parents[3]
VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))
PICTURE = encode_jpeg(np.arange(192, dtype=np.uint8).reshape(8, 8, 3), 95)

Open = Callable[..., Listing]


def nothing(done: int, total: int) -> None:
    """Report to nobody."""


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Give a function that lays out pictures (names) and a CSV (lines below the head), and opens them."""

    def lay_out(pictures: str, *lines: str, unlabelled: str = "") -> Listing:
        for folder, names in (("train", pictures), ("test", unlabelled)):
            (tmp_path / folder).mkdir(exist_ok=True)
            for name in names.split():
                (tmp_path / folder / name).write_bytes(PICTURE)
        (tmp_path / "tags.csv").write_text("\n".join(["image_name,tags", *lines, ""]), encoding="utf-8")
        return listed(tmp_path, unlabelled=[["test"]] if unlabelled else [])

    return lay_out


def listed(
    root: Path,
    *,
    images: Iterable[str] = ("train",),
    tags: Iterable[str] = ("tags.csv",),
    unlabelled: Iterable[Iterable[str]] = (),
    vocabulary: Vocabulary = VOCABULARY,
    columns: Mapping[str, str | None] | None = None,
) -> Listing:
    """Open a source below a root."""
    return open_source(
        root,
        images=list(images),
        tags=list(tags),
        unlabelled=[list(paths) for paths in unlabelled],
        vocabulary=vocabulary,
        columns=columns,
        spool=root / ".spool",
        report=nothing,
    )


def only(faults: list[Fault]) -> Fault:
    """Return the one fault."""
    assert len(faults) == 1, faults
    return faults[0]


def test_chips_are_the_pictures_with_their_rows(opened: Open) -> None:
    """In the order of names, bytes unchanged; unlabelled pictures follow as test chips without tags."""
    source = opened("b.jpg a.jpg", "b,sun tree", "a,fog", unlabelled="z.jpg y.png")
    assert source.faults == []
    assert [(chip.image_id, chip.split, chip.group, chip.tags) for chip in source.chips] == [
        ("a", "train", "a", ("fog",)),
        ("b", "train", "b", ("sun", "tree")),
        ("y", "test", "y", ()),
        ("z", "test", "z", ()),
    ]
    assert {chip.origin.read() for chip in source.chips} == {PICTURE}


def test_no_picture_is_read_to_list_them(opened: Open, tmp_path: Path) -> None:
    """What is wrong with a picture shows when its turn comes: then the error names its file."""
    source = opened("a.jpg b.jpg", "a,sun", "b,sun")
    (tmp_path / "train/b.jpg").unlink()
    assert source.chips[0].origin.read() == PICTURE
    with pytest.raises(InputError, match=r"train/b\.jpg: cannot be read \(No such file or directory\)"):
        source.chips[1].origin.read()


def test_other_files_are_left_alone(opened: Open, tmp_path: Path) -> None:
    """Notes, folders, and what macOS puts beside each picture."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train/notes.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "train/._a.jpg").write_bytes(b"x")
    (tmp_path / "train/folder.jpg").mkdir()
    source = opened("a.JPG b.tif", "a.JPG,sun", "b,sun")
    assert [chip.image_id for chip in source.chips] == ["a", "b"] and source.faults == []


def test_a_row_without_a_picture_is_a_fault(opened: Open) -> None:
    """It is left out, and the fault says what to do; also where the row stands twice."""
    source = opened("a.jpg", "a,sun", "gone,fog")
    assert [chip.image_id for chip in source.chips] == ["a"]
    gone = Fault("gone", "has tags in tags.csv, but no picture in train", "add the picture", left_out=True)
    assert source.faults == [gone]
    assert gone in opened("a.jpg", "a,sun", "gone,fog", "gone,fog").faults


def test_a_picture_without_a_row_is_a_fault(opened: Open) -> None:
    """A training chip nobody labelled is left out: no tags is not the same as no label holds."""
    source = opened("a.jpg b.jpg", "a,sun")
    assert [chip.image_id for chip in source.chips] == ["a"]
    fault = only(source.faults)
    assert fault.image_id == "b" and "has no row in tags.csv" in fault.problem and fault.left_out


def test_a_row_at_fault_is_reported_once(opened: Open) -> None:
    """Its picture is not reported besides, as one without a row."""
    source = opened("a.jpg b.jpg", "a,sun", "b,sun kilnn")
    assert [chip.image_id for chip in source.chips] == ["a"]
    assert only(source.faults).problem == "unknown tag 'kilnn'; did you mean kiln?"


def test_of_two_pictures_with_one_name_the_first_is_used(opened: Open) -> None:
    """a.jpg and a.png would both be the chip a."""
    source = opened("a.jpg a.png", "a,sun")
    assert len(source.chips) == 1
    fault = only(source.faults)
    assert fault.image_id == "a.png" and fault.problem == "a.jpg has the same name" and fault.left_out


def test_an_unlabelled_picture_with_the_name_of_another_is_a_fault(opened: Open, tmp_path: Path) -> None:
    """The labelled one is used, or the one in the first set."""
    source = opened("a.jpg", "a,sun", unlabelled="a.jpg b.jpg")
    assert [(chip.image_id, chip.split) for chip in source.chips] == [("a", "train"), ("b", "test")]
    assert only(source.faults).image_id == "a"
    shutil.copytree(tmp_path / "test", tmp_path / "more")
    (tmp_path / "more/c.jpg").write_bytes(PICTURE)
    source = listed(tmp_path, unlabelled=[["test"], ["more"]])
    assert [chip.image_id for chip in source.chips] == ["a", "b", "c"]
    assert source.chips[1].origin == listed(tmp_path, unlabelled=[["test"]]).chips[1].origin
    assert [(fault.image_id, fault.problem) for fault in source.faults] == [
        ("a", "stands in test too"),
        ("a", "stands in more too"),
        ("b", "stands in more too"),
    ]


def test_the_first_place_that_exists_is_used_and_shown(opened: Open, tmp_path: Path) -> None:
    """For pictures, tags, and each set of unlabelled pictures; a set that is nowhere is told, and no error."""
    opened("a.jpg", "a,sun", unlabelled="b.jpg")
    source = listed(
        tmp_path,
        images=["nowhere", "train", "test"],
        tags=["nowhere.csv", "tags.csv"],
        unlabelled=[["gone", "gone.zip"], ["nowhere", "test"]],
    )
    assert [chip.image_id for chip in source.chips] == ["a", "b"] and source.faults == []
    assert source.used == [
        f"pictures: 1 in {tmp_path}/train",
        f"tags: 1 row in {tmp_path}/tags.csv",
        "unlabelled pictures: none; looked for gone, gone.zip",
        f"unlabelled pictures: 1 in {tmp_path}/test",
    ]


def test_pictures_may_lie_in_folders_below(opened: Open, tmp_path: Path) -> None:
    """At any depth, where none lies in the folder itself; what a name stands for twice there is no chip."""
    opened("a.jpg b.jpg", "a,sun", "x/b.jpg,fog", "c,tree", "d,sun")
    for folder, names in (("deep/x", "ab"), ("deep/y/z", "cb"), ("deep/.trash", "d")):
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            (tmp_path / folder / f"{name}.jpg").write_bytes(PICTURE)
    (tmp_path / "deep/y/up").symlink_to(tmp_path / "deep")
    source = listed(tmp_path, images=["deep"], unlabelled=[["deep"]])
    assert [chip.image_id for chip in source.chips] == ["a", "c"]
    assert source.chips[1].origin.read() == PICTURE
    assert [(fault.image_id, fault.problem) for fault in source.faults if fault.image_id in "bd"] == [
        ("b", "is the name of x/b.jpg and of y/z/b.jpg"),
        ("d", "has tags in tags.csv, but no picture in deep"),
    ]
    (tmp_path / "deep/d.jpg").write_bytes(PICTURE)
    assert [chip.image_id for chip in listed(tmp_path, images=["deep"]).chips] == ["d"]


def test_pictures_that_are_not_read_are_faults_in_folders_for_each_label_too(opened: Open, tmp_path: Path) -> None:
    """Not passed over as notes are."""
    opened("a.jpg b.webp notes.txt", "a,sun")
    (tmp_path / "train").rename(tmp_path / "sun")
    (tmp_path / "all").mkdir()
    (tmp_path / "sun").rename(tmp_path / "all/sun")
    source = listed(tmp_path, images=["all"], tags=[])
    assert [chip.image_id for chip in source.chips] == ["a"]
    assert only(source.faults).problem == "sun/b.webp is WEBP, which is not read"


def test_pictures_or_tags_that_are_nowhere_are_an_error(opened: Open, tmp_path: Path) -> None:
    """It names every place that was looked at, and where such names come from."""
    opened("a.jpg", "a,sun")
    with pytest.raises(InputError, match=r"no pictures found; looked for gone, gone\.zip\. Check IGARAPE_DATA, and"):
        listed(tmp_path, images=["gone", "gone.zip"])
    with pytest.raises(InputError, match=r"no tags found; looked for gone\.csv"):
        listed(tmp_path, tags=["gone.csv"])
    (tmp_path / "a.tar.gz").touch()
    with pytest.raises(InputError, match=r"found a file that is no folder and no .* compressed tar has to be unpacked"):
        listed(tmp_path, images=["a.tar.gz"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: holds no picture; found nothing; expected files that end in \.jpg"):
        listed(tmp_path, images=["empty"])


def test_an_archives_pictures_lie_directly_in_it_or_at_any_depth(tmp_path: Path) -> None:
    """An archive often holds a folder of its own name, or several."""
    (tmp_path / "tags.csv").write_text("image_name,tags\na,sun\nb,sun\n", encoding="utf-8")
    pack_zip(tmp_path / "one.zip", {"deep/train/a.jpg": PICTURE, "deep/train/b.jpg": PICTURE, "tags.csv": b""})
    assert [chip.image_id for chip in listed(tmp_path, images=["one.zip"]).chips] == ["a", "b"]
    pack_zip(tmp_path / "two.zip", {"train/a.jpg": PICTURE, "test/b.jpg": PICTURE})
    assert [chip.image_id for chip in listed(tmp_path, images=["two.zip"]).chips] == ["a", "b"]
    assert [chip.image_id for chip in listed(tmp_path, images=["two.zip/train"]).chips] == ["a"]
    pack_zip(tmp_path / "three.zip", {"a.jpg": PICTURE, "thumbnails/b.jpg": PICTURE})
    assert [chip.image_id for chip in listed(tmp_path, images=["three.zip"]).chips] == ["a"]


def test_a_member_that_is_refused_is_a_fault(tmp_path: Path) -> None:
    """Once, however many places lie in the archive; its row is not reported besides."""
    (tmp_path / "tags.csv").write_text("image_name,tags\na,sun\nbig,sun\n", encoding="utf-8")
    members = {"train/a.jpg": PICTURE, "train/big.jpg": bytes(2**22), "test/c.jpg": PICTURE, "../../evil.jpg": PICTURE}
    pack_zip(tmp_path / "all.zip", members)
    source = listed(tmp_path, images=["all.zip/train"], unlabelled=[["all.zip/test"]])
    assert [chip.image_id for chip in source.chips] == ["a", "c"]
    evil, big = sorted(source.faults, key=lambda fault: fault.image_id)
    assert big.image_id == "big" and big.problem.startswith("train/big.jpg unpacks to") and big.left_out
    assert evil.problem == "../../evil.jpg leads out of the archive by its name" and evil.left_out


def test_a_name_that_no_table_could_hold_is_a_fault(opened: Open) -> None:
    """One file of an old disk does not refuse the others; what is shown of its name is readable."""
    source = opened("a.jpg " + b"jo\xe3o.jpg".decode("utf-8", "surrogateescape"), "a,sun")
    assert [chip.image_id for chip in source.chips] == ["a"]
    fault = only(source.faults)
    assert fault.image_id == "'jo\\udce3o.jpg'" and fault.left_out


@pytest.mark.parametrize("line", ["b,sun", "a,maize"])
def test_when_nothing_fits_together_the_error_shows_the_first_fault(opened: Open, line: str) -> None:
    """Other names, or the tags of another data set."""
    with pytest.raises(
        InputError, match=r"no row with known tags names a picture in .* \(1 there\).*first fault: [ab]: "
    ):
        opened("a.jpg", line)


def pack_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write a deflated zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def pack_tar_7z(path: Path, files: dict[str, bytes]) -> None:
    """Write a tar into a 7z."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with py7zr.SevenZipFile(path, "w") as packed:
        packed.writestr(tar.getvalue(), path.name.removesuffix(".7z"))


TRAIN, TEST, MORE = ["train_0", "train_1", "train_2"], ["test_0", "test_1"], ["file_0"]
TABLE = b"image_name,tags\ntrain_0,haze primary\ntrain_1,agriculture clear\ntrain_2,clear primary\n"


def folder_of(top: str, names: Iterable[str]) -> dict[str, bytes]:
    """Return pictures under their paths, each with bytes of its own."""
    return {f"{top}/{name}.jpg": PICTURE + name.encode() for name in names}


def as_folders(planet: Path) -> None:
    """Lay out what is unpacked."""
    for path, data in (folder_of("train-jpg", TRAIN) | folder_of("test-jpg", TEST) | {"train_v2.csv": TABLE}).items():
        (planet / path).parent.mkdir(exist_ok=True)
        (planet / path).write_bytes(data)
    more = folder_of("test-jpg-additional", MORE)
    (planet / "test-jpg-additional").mkdir()
    (planet / "test-jpg-additional/file_0.jpg").write_bytes(more["test-jpg-additional/file_0.jpg"])


def as_archives(planet: Path) -> None:
    """Lay out the competition's archives, as they are distributed; macOS has been at the table."""
    for top, names in (("train-jpg", TRAIN), ("test-jpg", TEST), ("test-jpg-additional", MORE)):
        pack_tar_7z(planet / f"{top}.tar.7z", folder_of(top, names))
    pack_zip(planet / "train_v2.csv.zip", {"train_v2.csv": TABLE, "__MACOSX/._train_v2.csv": b"x"})


def as_one_download(planet: Path) -> None:
    """Lay out all of the competition's archives in one zip, as the site gives them."""
    as_archives(planet)
    archives = {path.name: path.read_bytes() for path in planet.iterdir()}
    for name in archives:
        (planet / name).unlink()
    pack_zip(planet / "planet-understanding-the-amazon-from-space.zip", archives)


def as_mirror(planet: Path) -> None:
    """Lay out the mirror's one zip."""
    files = folder_of("planet/planet/train-jpg", TRAIN) | folder_of("planet/planet/test-jpg", TEST)
    files |= folder_of("test-jpg-additional/test-jpg-additional", MORE)
    pack_zip(planet / "archive.zip", files | {"planet/planet/train_classes.csv": TABLE})


@pytest.mark.parametrize("lay_out", [as_folders, as_archives, as_one_download, as_mirror])
def test_planets_chips_are_found_however_they_were_downloaded(tmp_path: Path, lay_out: Callable[[Path], None]) -> None:
    """With datasets/planet.yaml as it stands: the same chips with the same bytes, and nothing at fault."""
    dataset = read_dataset("planet", ROOT / "datasets")
    assert isinstance(dataset.source, FolderSource)
    (tmp_path / "planet").mkdir()
    lay_out(tmp_path / "planet")
    source = listed(
        tmp_path,
        images=dataset.source.images,
        tags=dataset.source.tags,
        unlabelled=dataset.source.unlabelled,
        vocabulary=dataset.labels.vocabulary(),
    )
    assert source.faults == []
    assert [(chip.image_id, chip.split, chip.tags) for chip in source.chips] == [
        ("train_0", "train", ("haze", "primary")),
        ("train_1", "train", ("agriculture", "clear")),
        ("train_2", "train", ("clear", "primary")),
        ("file_0", "test", ()),
        ("test_0", "test", ()),
        ("test_1", "test", ()),
    ]
    assert [chip.origin.read() for chip in source.chips] == [PICTURE + chip.image_id.encode() for chip in source.chips]


def test_the_real_chips_are_found(planet: Path, tmp_path: Path) -> None:
    """A part of Planet's: the CSV that names just this part counts before the one that names all."""
    dataset = read_dataset("planet", ROOT / "datasets")
    assert isinstance(dataset.source, FolderSource)
    source = open_source(
        planet.parent,
        images=dataset.source.images,
        tags=dataset.source.tags,
        unlabelled=dataset.source.unlabelled,
        vocabulary=dataset.labels.vocabulary(),
        spool=tmp_path,
        report=nothing,
    )
    assert source.faults == [] and len(source.chips) == 174
    assert "unlabelled pictures: none; looked for planet/test-jpg-additional," in source.used[-1]


def test_pictures_that_go_with_no_csv_are_listed_by_their_names(tmp_path: Path) -> None:
    """From each set that exists; of two with one name the first counts, and what was found is told."""
    for name in ("one/a.tif", "one/b.tif", "one/b.tiff", "two/a.tif", "two/c.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    sets = [["gone", "one"], ["gone"], ["two"]]
    pictures, faults, used = list_pictures(tmp_path, sets, what="TIFs", spool=tmp_path / ".spool", report=nothing)
    assert {name: origin.read() for name, origin in pictures.items()} == {
        "a": b"one/a.tif",
        "b": b"one/b.tif",
        "c": b"two/c.tif",
    }
    assert {(fault.image_id, fault.left_out) for fault in faults} == {("b.tiff", True), ("a", True)}
    assert used == [f"TIFs: 2 in {tmp_path}/one", "TIFs: none; looked for gone", f"TIFs: 2 in {tmp_path}/two"]


def test_a_format_that_is_not_read_is_called_so_and_not_missing(opened: Open, tmp_path: Path) -> None:
    """Its row is not reported besides; a folder of nothing else is an error with the way out."""
    source = opened("a.jpg b.gif c.jp2", "a,sun", "b,sun", "c.jp2,fog")
    assert [(fault.image_id, fault.problem, fault.remedy) for fault in source.faults] == [
        ("b", "b.gif is GIF, which is not read", "convert it to PNG, or a picture of several bands to TIF"),
        ("c", "c.jp2 is JPEG 2000, which is not read", "convert it to PNG, or a picture of several bands to TIF"),
    ]
    (tmp_path / "train/a.jpg").unlink()
    with pytest.raises(InputError, match="train: holds pictures in GIF, JPEG 2000, which is not read; convert"):
        listed(tmp_path)


def test_a_large_tif_by_its_own_suffix_is_a_picture(opened: Open) -> None:
    """BigTIFF is read."""
    assert [chip.image_id for chip in opened("a.btf b.tf8", "a,sun", "b.tf8,fog").chips] == ["a", "b"]


def test_names_match_whoever_has_cut_suffixes(opened: Open) -> None:
    """A converter has added one, the table kept the old one, another tool cut both."""
    source = opened("c_0.tif.png c_1.jpg.jpg c_2.png", "c_0.tif,sun", "c_1,sun", "c_2.tif,fog")
    assert [chip.image_id for chip in source.chips] == ["c_0", "c_1", "c_2"] and source.faults == []


def test_the_tables_groups_and_splits_become_the_chips(tmp_path: Path) -> None:
    """Test chips with tags are held out; without tags they are unlabelled and come last."""
    (tmp_path / "train").mkdir()
    for name in "abc":
        (tmp_path / f"train/{name}.jpg").write_bytes(PICTURE)
    columns = {"image": "image_name", "tags": "tags", "group": "scene", "split": "part"}
    for tags, part in (("sun", "holdout"), ("", "test")):
        text = f"image_name,tags,scene,part\na,{tags},s1,test\nb,fog,s1,train\nc,sun,,val\n"
        (tmp_path / "tags.csv").write_text(text, encoding="utf-8")
        source = listed(tmp_path, columns=columns)
        found = {chip.image_id: (chip.split, chip.group) for chip in source.chips}
        assert found == {"a": (part, "s1"), "b": ("train", "s1"), "c": ("train", "c")}
    assert [chip.image_id for chip in source.chips] == ["b", "c", "a"]


def test_without_a_table_the_folders_name_the_labels(tmp_path: Path) -> None:
    """On the disk and in an archive; a folder that is no label is a fault."""
    for label, name in (("sun", "a"), ("fog", "b"), ("maize", "c")):
        (tmp_path / "train" / label).mkdir(parents=True)
        (tmp_path / "train" / label / f"{name}.jpg").write_bytes(PICTURE + name.encode())
    pack_zip(
        tmp_path / "all.zip",
        {
            f"train/{label}/{name}.jpg": PICTURE + name.encode()
            for label, name in (("sun", "a"), ("fog", "b"), ("maize", "c"))
        },
    )
    for where in ("train", "all.zip/train", "all.zip"):
        source = listed(tmp_path, images=[where], tags=[])
        assert [(chip.image_id, chip.tags) for chip in source.chips] == [("a", ("sun",)), ("b", ("fog",))]
        assert only(source.faults).problem == "lies in the folder maize, which is no label of the data set"
