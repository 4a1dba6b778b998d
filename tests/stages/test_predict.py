"""predict tags pictures and folders with a registered model; one bad picture costs one row, not the run."""

from pathlib import Path

import pandas as pd
import pytest

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.stages import predict
from igarape.workspace import Workspace


@pytest.fixture
def folder(champion: Path, images: list[Pixels]) -> Path:
    """Lay five JPEGs and a text file into a folder, out of order, beside a registry."""
    folder = champion / "chips"
    folder.mkdir()
    for number in (3, 0, 4, 1, 2):
        (folder / f"chip_{number}.jpg").write_bytes(encode_jpeg(images[number], 95))
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_is_tagged_in_the_order_of_names(folder: Path, bundle_folder: Path) -> None:
    """The CSV holds image_name without suffix, tags, and p_<label>... as the bundle answers."""
    out = folder.parent / "answers/out.csv"
    predict.run(Workspace(folder.parent), [folder], model=None, out=out)
    table = pd.read_csv(out)
    bundle = Bundle.load(bundle_folder)
    expected = bundle.answer([path.read_bytes() for path in sorted(folder.glob("*.jpg"))])
    assert list(table.columns) == ["image_name", "tags", *(f"p_{label}" for label in bundle.vocabulary.labels)]
    assert list(table["image_name"]) == [f"chip_{number}" for number in range(5)]
    assert list(table["tags"]) == list(expected["tags"])
    pd.testing.assert_frame_equal(table.filter(like="p_"), expected.filter(like="p_"), check_dtype=False, atol=1e-6)


def test_pictures_and_a_version_can_be_named(folder: Path) -> None:
    """Single pictures come in the order given; any model URI does."""
    out = folder.parent / "answers/out.csv"
    predict.run(
        Workspace(folder.parent), [folder / "chip_2.jpg", folder / "chip_0.jpg"], model="models:/igarape-toy/1", out=out
    )
    assert list(pd.read_csv(out)["image_name"]) == ["chip_2", "chip_0"]


def test_bad_pictures_are_reported_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line on stderr; the good ones are in the CSV; the end is an error that lists the bad ones."""
    out = folder.parent / "answers/out.csv"
    (folder / "chip_1.jpg").write_bytes(b"hello")
    (folder / "chip_9.png").mkdir()
    with pytest.raises(
        InputError, match=r"2 of 6 pictures are not in \S+/answers/out\.csv: \S+chip_1\.jpg, \S+chip_9\.png"
    ):
        predict.run(Workspace(folder.parent), [folder], model=None, out=out)
    assert list(pd.read_csv(out)["image_name"]) == ["chip_0", "chip_2", "chip_3", "chip_4"]
    assert "chip_1.jpg: expected a JPEG, PNG or TIF" in capsys.readouterr().err


def test_nothing_but_bad_pictures_gives_an_empty_table(folder: Path) -> None:
    """The columns are there all the same."""
    out = folder.parent / "answers/out.csv"
    (folder / "chip_1.jpg").write_bytes(b"hello")
    with pytest.raises(InputError, match="1 of 1 pictures"):
        predict.run(Workspace(folder.parent), [folder / "chip_1.jpg"], model=None, out=out)
    assert out.read_text().startswith("image_name,tags,p_sun") and len(pd.read_csv(out)) == 0


def test_paths_without_pictures_are_refused(folder: Path) -> None:
    """A path that is not there, a folder that holds none, and two pictures of one name."""
    out = folder.parent / "answers/out.csv"
    with pytest.raises(InputError, match="nowhere: not found"):
        predict.run(Workspace(folder.parent), [Path("nowhere")], model=None, out=out)
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no picture in it; expected files that end in \.jpg"):
        predict.run(Workspace(folder.parent), [folder / "empty"], model=None, out=out)
    (folder / "chip_0.png").touch()
    with pytest.raises(InputError, match=r"chip_0\.png and \S+chip_0\.jpg have one name"):
        predict.run(Workspace(folder.parent), [folder], model=None, out=out)
    assert not out.exists()


@pytest.fixture
def infrared(nir_champion: Path, images: list[Pixels], tif_files: list[bytes]) -> Path:
    """Lay five PNGs into chips/ and their TIFs into tifs/, beside a registry."""
    for name in ("chips", "tifs"):
        (nir_champion / name).mkdir()
    for number, (image, tif) in enumerate(zip(images, tif_files, strict=True)):
        (nir_champion / f"chips/chip_{number}.jpg").write_bytes(encode_jpeg(image, 95))
        (nir_champion / f"tifs/chip_{number}.tif").write_bytes(tif)
    return nir_champion


def test_near_infrared_is_found_by_the_pictures_name(
    infrared: Path, nir_bundle_folder: Path, tif_files: list[bytes]
) -> None:
    """Other files in the folder do not matter."""
    out = infrared / "answers/out.csv"
    (infrared / "tifs/chip_0.txt").write_text("no TIF")
    (infrared / "tifs/other.tif").write_bytes(b"")
    predict.run(Workspace(infrared), [infrared / "chips"], model=None, out=out, nir=infrared / "tifs")
    chips = [path.read_bytes() for path in sorted((infrared / "chips").glob("*.jpg"))]
    expected = Bundle.load(nir_bundle_folder).answer(chips, tif_files)
    table = pd.read_csv(out)
    assert list(table["image_name"]) == [f"chip_{number}" for number in range(5)]
    pd.testing.assert_frame_equal(table.filter(like="p_"), expected.filter(like="p_"), check_dtype=False, atol=1e-6)


def test_a_picture_without_a_sound_tif_is_reported_and_left_out(
    infrared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are tagged with their own TIFs, not with the next ones."""
    out = infrared / "answers/out.csv"
    predict.run(Workspace(infrared), [infrared / "chips"], model=None, out=out, nir=infrared / "tifs")
    whole = pd.read_csv(out)
    (infrared / "tifs/chip_1.tif").unlink()
    (infrared / "tifs/chip_3.tif").write_bytes(b"hello")
    with pytest.raises(InputError, match=r"2 of 5 pictures are not in .*chip_1\.jpg, \S+chip_3\.jpg"):
        predict.run(Workspace(infrared), [infrared / "chips"], model=None, out=out, nir=infrared / "tifs")
    pd.testing.assert_frame_equal(pd.read_csv(out), whole.iloc[[0, 2, 4]].reset_index(drop=True))
    err = capsys.readouterr().err
    assert "chip_1.jpg: no TIF of its name in the folder that --nir names" in err
    assert "tifs/chip_3.tif: expected a JPEG, PNG or TIF" in err


def test_a_model_that_needs_near_infrared_is_not_run_without(infrared: Path) -> None:
    """No folder, a folder that is not there, two TIFs of one name; each error says so before anything is tagged."""
    out = infrared / "answers/out.csv"
    for folder, found in ((None, "not given"), (infrared / "nowhere", "no such folder")):
        with pytest.raises(InputError, match=rf"--nir: {found}\. The model sees near-infrared too: .*--nir FOLDER"):
            predict.run(Workspace(infrared), [infrared / "chips"], model=None, out=out, nir=folder)
    (infrared / "tifs/chip_0.tiff").touch()
    with pytest.raises(InputError, match=r"chip_0\.tiff and \S+chip_0\.tif have one name"):
        predict.run(Workspace(infrared), [infrared / "chips"], model=None, out=out, nir=infrared / "tifs")
    assert not out.exists()


def test_near_infrared_is_refused_by_a_model_that_sees_pictures_only(folder: Path) -> None:
    """It would make no difference, and whoever gives it should know."""
    out = folder.parent / "answers/out.csv"
    with pytest.raises(InputError, match=r"--nir .*: the model sees pictures only"):
        predict.run(Workspace(folder.parent), [folder], model=None, out=out, nir=folder)
    assert not out.exists()


def test_without_a_champion_it_says_what_to_run(registry: Path) -> None:
    """Nothing is written."""
    out = registry / "answers/out.csv"
    (registry / "chip.jpg").touch()
    with pytest.raises(InputError, match=r"models:/igarape-toy@champion: no champion yet\. Run: make repro"):
        predict.run(Workspace(registry), [registry / "chip.jpg"], model=None, out=out)
    assert not out.exists()
