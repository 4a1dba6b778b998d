"""train: one model a fold, and predictions of every chip by models that never saw it."""

import shutil
from collections.abc import Callable
from typing import Any

import clusters
import driven
import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from servers import Server

from igarape.chips.resized import load_pictures
from igarape.config.datasets import read_dataset
from igarape.config.documents import RunFacts
from igarape.errors import InputError
from igarape.files import read_json
from igarape.labels import Vocabulary
from igarape.learners import folds
from igarape.learners.learning import fit
from igarape.learners.predictor import Predictor
from igarape.predictions import probability_columns, read_predictions
from igarape.scores.figures import figures
from igarape.stages import nir, search
from igarape.stages import train as stage
from igarape.tables import read_catalog, read_folds, truth
from igarape.tracking import step as tracking
from igarape.workspace import Workspace


def vocabulary(here: Workspace) -> Vocabulary:
    """Return the project's vocabulary."""
    return read_dataset("toy", here.datasets).labels.vocabulary()


def results(here: Workspace) -> tuple[pd.DataFrame, Any, Any]:
    """Return the predictions, the learner's card, and its run."""
    card = read_json(here.folder("train", "tiny") / "learner.json")
    folds = read_folds(here.folds)
    return (
        read_predictions(here.folder("train", "tiny") / "predictions.parquet", folds),
        card,
        mlflow.get_run(RunFacts.read(here.run("train", "tiny")).run_id),
    )


def test_every_labelled_chip_is_predicted_for_every_label(project: Workspace) -> None:
    """Folds and hold-out, once each; the columns are the learner's labels."""
    table, card, _ = results(project)
    assert len(table) == 60
    assert {-1, 0, 1} == set(table["fold"])
    assert probability_columns(table) == [f"p_{label}" for label in vocabulary(project).labels]
    assert card["labels"] == list(vocabulary(project).labels)
    rare = pd.read_parquet(project.root / "data/train/rare/predictions.parquet")
    assert probability_columns(rare) == ["p_kiln"]


def test_a_chip_is_predicted_by_its_folds_model_and_the_hold_out_by_all(project: Workspace) -> None:
    """The models that were written answer what stands in the table."""
    table, card, _ = results(project)
    catalog = read_catalog(project.catalog(), vocabulary(project).labels)
    images = load_pictures(project.chips("raw"), catalog, list(table["image_id"]), size=card["size"]).images
    models = [project.folder("train", "tiny") / f"fold-{fold}.onnx" for fold in range(2)]
    for fold, paths in ((0, models[:1]), (1, models[1:]), (-1, models)):
        rows = (table["fold"] == fold).to_numpy()
        answer = Predictor(paths, threads=1).predict(images[rows], tta=card["tta"], batch=16)
        assert np.abs(table[probability_columns(table)].to_numpy()[rows] - answer).max() < 1e-6


def test_the_quoted_scores_are_out_of_fold(project: Workspace) -> None:
    """The card's and the run's figures are those of the folds' rows; the hold-out has no part in them."""
    table, card, run = results(project)
    labels = list(vocabulary(project).labels)
    catalog = read_catalog(project.catalog(), labels).set_index("image_id")
    y = truth(catalog.loc[table["image_id"]], labels)
    inside = (table["fold"] >= 0).to_numpy()
    p = table[probability_columns(table)].to_numpy()
    expected = figures(y[inside], p[inside], targets=vocabulary(project).targets("all"))
    assert {name: card[name] for name in expected} == pytest.approx(expected)
    assert run.data.metrics["oof_f2"] == pytest.approx(expected["f2"])
    assert run.data.metrics["oof_map"] == pytest.approx(expected["map"])


def test_the_run_shows_each_folds_epochs_and_leads_back_to_its_search(project: Workspace) -> None:
    """Two epochs of each of two folds, on watched rows of their own."""
    *_, run = results(project)
    for metric in ("fold0_loss", "fold1_val_loss", "fold1_val_f2"):
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, metric)
        assert [point.step for point in history] == [0, 1]
    assert run.data.tags["igarape.search_run"] == RunFacts.read(project.run("search", "tiny")).run_id
    assert run.data.tags["mlflow.note.content"] == "Asks: experiments/tiny?"
    assert run.data.params["train.validation"] == "0.2"
    assert float(run.data.params["tiny.hyperparameters.dropout"]) == 0.1


def test_learners_can_be_compared_by_the_same_metric_names(project: Workspace) -> None:
    """In MLflow's table every learner has oof_f2 and oof_map."""
    runs = mlflow.search_runs(experiment_names=["igarape/train"], output_format="list")
    assert {run.info.run_name for run in runs} == {"tiny", "rare"}
    assert all({"oof_f2", "oof_map"} <= set(run.data.metrics) for run in runs)


def test_a_learner_that_nobody_lists_changes_nothing_that_later_steps_depend_on(coloured: Workspace) -> None:
    """It was trained by hand, and no other clone has it; of a listed one they depend on a hash of all its files."""
    hashes = {path.name: path.read_text(encoding="utf-8") for path in coloured.all_trained.iterdir()}
    params = yaml.safe_load(coloured.params.read_text(encoding="utf-8"))
    listed = [name for name in params["experiments"] if name != "colours"]
    coloured.params.write_text(yaml.safe_dump(params | {"experiments": listed}), encoding="utf-8")
    coloured.trained("colours").unlink()
    stage.run(coloured, "colours")
    assert {path.name for path in coloured.all_trained.iterdir()} == set(listed)
    coloured.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    stage.run(coloured, "colours")
    assert {path.name: path.read_text(encoding="utf-8") for path in coloured.all_trained.iterdir()} == hashes
    coloured.params.write_text(yaml.safe_dump(params | {"train": params["train"] | {"budget": 2.0}}), encoding="utf-8")
    stage.run(coloured, "colours")
    assert coloured.trained("colours").read_text(encoding="utf-8") != hashes["colours"]


def test_without_a_search_the_missing_file_is_named(copy: Workspace) -> None:
    """And nothing was removed before that was noticed."""
    (copy.root / "data/search/tiny/best.json").unlink()
    with pytest.raises(InputError, match=r"data/search/tiny/best\.json: not found.*dvc repro"):
        stage.run(copy, "tiny")
    assert (copy.folder("train", "tiny") / "predictions.parquet").exists()


def test_nothing_but_the_result_is_kept(project: Workspace) -> None:
    """What was unfinished is gone."""
    names = {path.name for path in project.folder("train", "tiny").iterdir()}
    assert names == {"fold-0.onnx", "fold-1.onnx", "experiment.yaml", "learner.json", "predictions.parquet"}
    assert [path for path in (project.root / "data/train/.unfinished").rglob("*") if path.is_file()] == []


# The moments at which a training is killed: as soon as one of these files is there.
MOMENTS = (
    "data/.unsent/train@tiny*/outbox.jsonl",
    "data/train/.unfinished/tiny/*/notes/fold-0.json",
    "data/train/.unfinished/tiny/*/result/fold-0.onnx",
    "data/train/.unfinished/tiny/*/notes/fold-0.npy",
    "data/train/.unfinished/tiny/*/result/fold-1.onnx",
    "data/train/.unfinished/tiny/*/result/learner.json",
)


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_without_mlflow_for_good_the_models_are_safe(
    copy: Workspace, server: Server, first_epoch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step ends with an error that says so; when MLflow is back it goes on, and trains nothing again."""
    with monkeypatch.context() as patch:
        patch.setattr(tracking, "PATIENCE", 2.0)
        patch.setattr(folds, "fit", first_epoch(fit, server.stop))
        with pytest.raises(InputError, match=r"could not be sent.*igarape send\. What.*safe under data/train;"):
            stage.run(copy, "tiny")
        patch.setattr(folds, "fit", None)
        assert len(list((copy.root / "data/train/.unfinished/tiny").glob("*/result/fold-*.onnx"))) == 2
        server.start()
        stage.run(copy, "tiny")
    _, card, run = results(copy)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["oof_f2"] == card["f2"]
    (dead,) = [
        one
        for one in mlflow.search_runs(experiment_names=["igarape/train"], output_format="list")
        if one.info.run_id != run.info.run_id
    ]
    assert dead.info.status == "KILLED"
    assert dead.data.metrics["fold1_loss"] == run.data.metrics["fold1_loss"]


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_a_training_killed_again_and_again_loses_nothing(copy: Workspace, kill_at: Callable[[str, str], None]) -> None:
    """No finished fold is trained again, none is missing, and one run is finished, with the epochs of all folds."""
    before = {run.info.run_id for run in mlflow.search_runs(experiment_names=["igarape/train"], output_format="list")}
    finished: dict[str, int] = {}
    for moment in MOMENTS:
        kill_at("train", moment)
        models = (copy.root / "data/train/.unfinished/tiny").glob("*/result/fold-*.onnx")
        written = {path.name: path.stat().st_mtime_ns for path in models}
        assert written.items() >= finished.items()
        finished = written
    stage.run(copy, "tiny")
    assert {path.name: path.stat().st_mtime_ns for path in copy.folder("train", "tiny").glob("*.onnx")} == finished
    test_a_chip_is_predicted_by_its_folds_model_and_the_hold_out_by_all(copy)
    test_the_run_shows_each_folds_epochs_and_leads_back_to_its_search(copy)
    runs = mlflow.search_runs(experiment_names=["igarape/train"], output_format="list")
    new = [run for run in runs if run.info.run_id not in before]
    assert sorted(run.info.status for run in new) == ["FINISHED", *["KILLED"] * len(MOMENTS)]


@pytest.mark.parametrize("backbone", ["tabular", "kernel", "fisher"])
def test_folds_side_by_side_are_those_of_one_process_to_the_last_bit(
    begun: Workspace, backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uses one processor is trained in as many processes as there are."""
    text = f"# Asks: is it the same?\nbackbone: {backbone}\nepochs: 1\nsize: 64\n"
    (begun.experiments / "alone.yaml").write_text(text, encoding="utf-8")
    search.run(begun, "alone")
    learned = []
    for processes in ("1", "2"):
        monkeypatch.setenv("IGARAPE_WORKERS", processes)
        stage.run(begun, "alone")
        learned.append({path.name: path.read_bytes() for path in begun.folder("train", "alone").iterdir()})
        shutil.rmtree(begun.folder("train", "alone"))
    assert learned[0] == learned[1]
    assert len(learned[0]) > 3


def test_near_infrared_is_refused_where_there_is_none(leafless: Workspace) -> None:
    """Before a run begins: the data set names no TIFs, whatever a search once found."""
    shutil.copytree(leafless.root / "data/search/rare", leafless.root / "data/search/leafy")
    with pytest.raises(InputError, match=r"chips: nir: the data set names no TIFs"):
        stage.run(leafless, "leafy")
    assert not (leafless.root / "data/train/leafy").exists()


def test_a_learner_on_near_infrared_learns_from_the_planes(leafy: Workspace) -> None:
    """Its predictions are its models', on data/nir; its card says so."""
    card = read_json(leafy.root / "data/train/leafy/learner.json")
    assert card["chips"] == "nir"
    catalog = read_catalog(leafy.catalog("nir"), vocabulary(leafy).labels)
    folds = read_folds(leafy.folds)
    table = read_predictions(leafy.root / "data/train/leafy/predictions.parquet", folds).query("fold == 0")
    images = load_pictures(leafy.chips("nir"), catalog, list(table["image_id"]), size=card["size"]).images
    answer = Predictor([leafy.root / "data/train/leafy/fold-0.onnx"], threads=1).predict(images, tta=False, batch=16)
    assert np.abs(table[probability_columns(table)].to_numpy() - answer).max() < 1e-6


def test_a_chip_without_a_tif_is_missed_by_name(leafy: Workspace) -> None:
    """Before the first epoch; the error says what a learner on near-infrared needs."""
    for number in (3, 7):
        (leafy.root / f"chips/tifs/chip-{number:02d}.tif").unlink()
    nir.run(leafy)
    with pytest.raises(InputError, match=r"data/nir: chip-03 and 1 more chips .*needs a TIF of each labelled chip"):
        stage.run(leafy, "leafy")


@pytest.mark.thorough
@pytest.mark.timeout(900)
def test_folds_on_nodes_are_those_of_one_machine_to_the_last_bit(begun: Workspace, cluster: Any) -> None:
    """At equal threads, for a plain network. A node that is removed in the middle costs time, and nothing else."""
    params = yaml.safe_load(begun.params.read_text(encoding="utf-8"))
    params["train"]["budget"] = 20.0
    begun.params.write_text(yaml.safe_dump(params), encoding="utf-8")
    driven.end(driven.begin("train", "tiny", folder=begun.root, address=None))
    (alone, run), result = results(begun)[1:], driven.result(begun.folder("train", "tiny"))
    process = driven.begin("train", "tiny", folder=begun.root, address=cluster.address)
    lines = begun.root / "data/.unsent"
    driven.until(process, lambda: any("fold1_loss" in one.read_text() for one in lines.glob("train@tiny.*/*.jsonl")))
    clusters.remove_one(cluster)
    driven.end(process)
    assert driven.result(begun.folder("train", "tiny")) == result
    _, card, again = results(begun)
    assert card == alone and again.info.run_id != run.info.run_id
    for metric in ("fold0_loss", "fold1_val_f2"):
        histories = [mlflow.MlflowClient().get_metric_history(one.info.run_id, metric) for one in (run, again)]
        assert [(point.step, point.value) for point in histories[0]] == [(p.step, p.value) for p in histories[1]]
