"""The champion is found with its figures, and its bundle is loaded without the code that MLflow keeps beside it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving import champion as module
from igarape.serving.bundle import Bundle
from igarape.serving.champion import find_champion, following
from igarape.serving.registry import load


def test_the_champion_is_found_with_what_it_scored(champion: Path) -> None:
    """Tags that are no figures are passed over, whoever wrote them."""
    for name, value in (("holdout_f2", "0.9"), ("holdout_words", "many"), ("dvc.data/ingest", "1a.dir")):
        MlflowClient().set_model_version_tag("igarape-toy", "1", name, value)
    found = find_champion("igarape-toy", champion)
    assert (found.name, found.number, found.figures["holdout_f2"]) == ("igarape-toy", "1", 0.9)
    assert "holdout_words" not in found.figures and found.lineage["dvc.data/ingest"] == "1a.dir"


def test_its_bundle_answers_as_it_did_and_no_code_of_it_is_run(
    champion: Path, bundle_folder: Path, images: list[Pixels]
) -> None:
    """Code that somebody has put into the model stays where it is."""
    (kept,) = champion.glob("mlruns/**/artifacts/pyfunc.py")
    kept.write_text("raise SystemExit('this was run')", encoding="utf-8")
    bundle = load(find_champion("igarape-toy", champion).uri, champion, threads=1)
    chips = [encode_jpeg(image, 95) for image in images]
    pd.testing.assert_frame_equal(bundle.answer(chips), Bundle.load(bundle_folder).answer(chips), atol=1e-6)


def test_another_champion_is_followed(champion: Path, bundle_folder: Path) -> None:
    """The same one is not loaded again."""
    served = following(find_champion("igarape-toy", champion), champion, threads=1)
    first = served(None)
    assert first is not None and first.version == "1" and served(first) is None
    version = MlflowClient().copy_model_version("models:/igarape-toy/1", "igarape-toy").version
    MlflowClient().set_registered_model_alias("igarape-toy", "champion", str(version))
    second = served(first)
    assert second is not None and second.version == "2" and second.bundle is not first.bundle


def test_a_champion_that_cannot_be_loaded_is_fetched_less_and_less_often(
    champion: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try fetches all its files. Another one is tried at once."""
    served = following(find_champion("igarape-toy", champion), champion, threads=1)
    first = served(None)
    copied = [str(MlflowClient().copy_model_version("models:/igarape-toy/1", "igarape-toy").version) for _ in range(2)]
    monkeypatch.setattr(module, "load_model", fails)
    MlflowClient().set_registered_model_alias("igarape-toy", "champion", copied[0])
    tried = []
    for look in range(20):
        try:
            assert served(first) is None
        except InputError:
            tried.append(look)
    assert tried == [0, 2, 5, 10, 19]
    MlflowClient().set_registered_model_alias("igarape-toy", "champion", copied[1])
    monkeypatch.undo()
    second = served(first)
    assert second is not None and second.version == copied[1]


def fails(uri: str, *_: object, **__: object) -> Bundle:
    """Stand in for a load of what is damaged."""
    raise InputError(f"{uri}: damaged")


def test_what_is_missing_says_what_to_type(champion: Path) -> None:
    """No champion, files that are gone, a model of somebody else."""
    with pytest.raises(InputError, match="igarape-other@champion: no champion yet"):
        find_champion("igarape-other", champion)
    version = find_champion("igarape-toy", champion)
    (artifacts,) = champion.glob("mlruns/**/m-*/artifacts")
    shutil.rmtree(artifacts / "artifacts")
    said = r"models:/igarape-toy/1: expected a model that igarape registered, found no .*register again: dvc"
    with pytest.raises(InputError, match=said):
        load(version.uri, champion)
