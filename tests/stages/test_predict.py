"""predict tags pictures and folders with a registered model; one bad picture costs one row, not the run."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from py7zr import SevenZipFile

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.batches import tag_batches
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
    assert list(table.columns) == ["image_name", *bundle.columns]
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


def test_what_was_tagged_is_a_run_with_the_version_and_how_the_pictures_lie(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In igarape/predict; where MLflow takes no more, the answers are there all the same, and it is told."""
    out = folder.parent / "answers/out.csv"
    (folder / "chip_1.jpg").write_bytes(b"hello")
    with pytest.raises(InputError, match="1 of 5 pictures"):
        predict.run(Workspace(folder.parent), [folder], model=None, out=out)
    client = MlflowClient()
    experiment = client.get_experiment_by_name("igarape/predict")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED" and run.data.params == {"model": "models:/igarape-toy/1"}
    assert run.data.metrics["pictures"] == 4 and run.data.metrics["failed"] == 1
    assert 0 <= run.data.metrics["drift"] <= 2 and 0 <= run.data.metrics["drift_far"] <= 1
    client.delete_experiment(experiment.experiment_id)
    capsys.readouterr()
    predict.run(Workspace(folder.parent), [folder / "chip_2.jpg"], model=None, out=out)
    told = capsys.readouterr()
    assert "1 picture tagged" in told.out
    assert "predict: the answers are there, but MLflow has no run of them: MLflow's experiment" in told.err
    assert list(pd.read_csv(out)["image_name"]) == ["chip_2"]


def test_two_at_once_unpack_beside_each_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ends first removes what it has unpacked, and nothing of the other's."""
    here, archives = Workspace(folder.parent), [folder.parent / f"{name}.7z" for name in ("one", "two")]
    for archive in archives:
        with SevenZipFile(archive, "w") as file:
            file.writeall(folder, "chips")

    def meanwhile(*args: Any, **options: Any) -> list[str]:
        monkeypatch.setattr(predict, "tag_batches", tag_batches)
        predict.run(here, archives[1:], model=None, out=here.root / "two.csv")
        return tag_batches(*args, **options)

    monkeypatch.setattr(predict, "tag_batches", meanwhile)
    predict.run(here, archives[:1], model=None, out=here.root / "one.csv")
    tables = [pd.read_csv(here.root / f"{name}.csv") for name in ("one", "two")]
    assert len(tables[0]) == 5 and tables[0].equals(tables[1])
    assert not list(here.spool.parent.glob("spool*"))


def test_the_student_is_asked_by_its_name(folder: Path) -> None:
    """Its champion, whatever version that is."""
    client, name = MlflowClient(), "igarape-toy-student"
    source = client.get_model_version("igarape-toy", "1").source
    client.create_registered_model(name)
    client.set_registered_model_alias(name, "champion", str(client.create_model_version(name, str(source)).version))
    out = folder.parent / "answers/out.csv"
    predict.run(Workspace(folder.parent), [folder / "chip_2.jpg"], model="student", out=out)
    assert list(pd.read_csv(out)["image_name"]) == ["chip_2"]
    client.delete_registered_model("igarape-toy")
    predict.run(Workspace(folder.parent), [folder / "chip_2.jpg"], model="student", out=out)


def test_bad_pictures_are_reported_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is one line on stderr; the good ones are in the CSV; the end is an error that lists the bad ones."""
    out = folder.parent / "answers/out.csv"
    (folder / "chip_1.jpg").write_bytes(b"hello")
    (folder / "chip_9.png").mkdir()
    with pytest.raises(InputError, match=r"answers/out\.csv: lacks 2 of 6 pictures: \S+chip_1\.jpg, \S+chip_9\.png"):
        predict.run(Workspace(folder.parent), [folder], model=None, out=out)
    assert list(pd.read_csv(out)["image_name"]) == ["chip_0", "chip_2", "chip_3", "chip_4"]
    assert "chip_1.jpg: expected a JPEG, PNG or TIF" in capsys.readouterr().err


def test_nothing_but_bad_pictures_gives_an_empty_table(folder: Path) -> None:
    """The columns are there all the same."""
    out = folder.parent / "answers/out.csv"
    (folder / "chip_1.jpg").write_bytes(b"hello")
    with pytest.raises(InputError, match="lacks 1 of 1 picture: "):
        predict.run(Workspace(folder.parent), [folder / "chip_1.jpg"], model=None, out=out)
    assert out.read_text().startswith("image_name,tags,expected_f2,warning,p_sun") and len(pd.read_csv(out)) == 0


def test_near_infrared_comes_from_a_folder_of_tifs(
    nir_champion: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """Where the model sees it: without one, nothing is tagged."""
    out = nir_champion / "answers/out.csv"
    for name in ("chips", "tifs"):
        (nir_champion / name).mkdir()
    for number, (image, tif) in enumerate(zip(images, tif_files, strict=True)):
        (nir_champion / f"chips/chip_{number}.jpg").write_bytes(encode_jpeg(image, 95))
        (nir_champion / f"tifs/chip_{number}.tif").write_bytes(tif)
    with pytest.raises(InputError, match=r"--nir: not given\. The model sees near-infrared too"):
        predict.run(Workspace(nir_champion), [nir_champion / "chips"], model=None, out=out)
    assert not out.exists()
    predict.run(Workspace(nir_champion), [nir_champion / "chips"], model=None, out=out, nir=nir_champion / "tifs")
    assert list(pd.read_csv(out)["image_name"]) == [f"chip_{number}" for number in range(5)]


def test_pictures_outlive_the_answers_and_what_is_passed_over_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for all of it, on stderr."""
    before = (folder / "chip_0.jpg").read_bytes()
    with pytest.raises(InputError, match=r"--out \S+chip_0\.jpg: is read, and would be lost"):
        predict.run(Workspace(folder.parent), [folder], model=None, out=folder / "chip_0.jpg")
    assert (folder / "chip_0.jpg").read_bytes() == before
    (folder / "more").mkdir()
    (folder / "a.gif").touch()
    predict.run(Workspace(folder.parent), [folder], model=None, out=folder / "out.csv")
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("predict: passed over: ")]
    assert len(said) == 1 and "1 folder, which has to be named itself, 1 GIF, which is not read" in said[0]


def test_what_there_is_nothing_to_tag_of_writes_nothing(folder: Path) -> None:
    """The error comes before the model is loaded."""
    out = folder.parent / "answers/out.csv"
    with pytest.raises(InputError, match="nowhere: not found"):
        predict.run(Workspace(folder.parent), [folder, Path("nowhere")], model=None, out=out)
    assert not out.exists()


def test_archives_and_parquet_do_too(folder: Path) -> None:
    """Beside the table nothing is left."""
    root, out = folder.parent, folder.parent / "answers/out.parquet"
    shutil.make_archive(str(root / "chips"), "zip", folder)
    predict.run(Workspace(root), [root / "chips.zip"], model=None, out=out)
    assert list(pd.read_parquet(out)["image_name"]) == [f"chip_{number}" for number in range(5)]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_what_a_killed_run_has_finished_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here all of it: no picture is read again."""
    root, out = folder.parent, folder.parent / "answers/out.csv"

    def stop(*args: Any, **how: Any) -> None:
        tag_batches(*args, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "tag_batches", stop)
    with pytest.raises(KeyboardInterrupt):
        predict.run(Workspace(root), [folder], model=None, out=out)
    monkeypatch.undo()
    table = out.read_bytes()
    out.unlink()
    monkeypatch.setattr(Bundle, "decode", None)
    predict.run(Workspace(root), [folder], model=None, out=out)
    assert out.read_bytes() == table


def test_without_a_champion_it_says_what_to_run(registry: Path) -> None:
    """Nothing is written."""
    out = registry / "answers/out.csv"
    (registry / "chip.jpg").touch()
    with pytest.raises(InputError, match=r"models:/igarape-toy@champion: no champion yet\. Run: make repro"):
        predict.run(Workspace(registry), [registry / "chip.jpg"], model=None, out=out)
    assert not out.exists()
