"""register makes a challenger that says where it came from, and moves nothing else."""

import json
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from contest import answers_of
from mlflow import MlflowClient

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.config.documents import HoldOut, Origin, RunFacts
from igarape.config.verdict import Metrics
from igarape.errors import InputError
from igarape.scores.answers import TABLE
from igarape.stages import predict, promote, register
from igarape.tables import write_table
from igarape.workspace import Workspace

HOLDOUT = HoldOut(f2=0.87, map=0.8, n=300, f2_low=0.85, f2_high=0.89)
LESS = {"mean": -0.002, "low": -0.004, "high": 0.001}
BY_VIEWS = {
    "8": {"scores": {"f2": 0.87, "map": 0.8}},
    "2": {"scores": {"f2": 0.868, "map": 0.8}, "f2": LESS, "map": LESS},
}


@pytest.fixture
def evaluated(registry: Path, bundle_folder: Path, images: list[Pixels]) -> Workspace:
    """Give a project where evaluate has run."""
    here = Workspace(registry)
    shutil.copytree(bundle_folder, here.bundle)
    write_table(answers_of(bundle_folder, images).table(), here.folder("evaluate") / TABLE)
    scores: dict[str, Any] = {name: {} for name in Metrics.model_fields}
    Metrics(**(scores | {"holdout": HOLDOUT, "student": None, "by_views": BY_VIEWS})).write(here.metrics)
    origin = Origin(git_commit="abc123", uncommitted_changes=False, dvc={"data/ingest": "d41d8"}, runs={"stack": "9f"})
    origin.write(here.folder("evaluate") / "lineage.json")
    return here


def test_the_bundle_becomes_the_challenger(evaluated: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """version.json names the version, its alias and the run; the run is found in igarape/register."""
    stale = evaluated.folder("register") / "student.json"
    stale.parent.mkdir()
    stale.write_text("{}")
    register.run(evaluated)
    assert not stale.exists()  # params.yaml asks for no student any more
    written = json.loads((evaluated.root / "data/register/version.json").read_text())
    assert {key: written[key] for key in ("name", "version", "alias")} == {
        "name": "igarape-toy",
        "version": 1,
        "alias": "challenger",
    }
    assert dict(MlflowClient().get_registered_model("igarape-toy").aliases) == {"challenger": 1}
    run = mlflow.get_run(RunFacts.read(evaluated.run("register")).run_id)
    assert mlflow.get_experiment(run.info.experiment_id).name == "igarape/register"
    assert run.data.metrics["holdout_f2"] == 0.87
    assert "igarape promote" in capsys.readouterr().out


def test_what_is_no_bundle_is_refused_in_one_line(evaluated: Workspace) -> None:
    """And MLflow hears nothing of it."""
    (evaluated.bundle / "bundle.json").write_text("{}")
    with pytest.raises(InputError, match=r"bundle\.json: schema_version None, this igarape reads"):
        register.run(evaluated)
    assert not MlflowClient().search_registered_models()


def test_under_dvc_the_version_says_which_results_it_was_registered_from(
    evaluated: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the hash that dvc.lock has of them; a version that an older igarape registered gets it too."""
    register.run(evaluated)
    assert "dvc.data/evaluate" not in MlflowClient().get_model_version("igarape-toy", "1").tags
    lock = "stages: {evaluate: {outs: [{path: data/evaluate, md5: abc.dir}]}}"
    evaluated.lock.write_text(lock, encoding="utf-8")
    monkeypatch.setenv("DVC_STAGE", "register")
    register.run(evaluated)
    tags = MlflowClient().get_model_version("igarape-toy", "1").tags
    assert tags["dvc.data/evaluate"] == "abc.dir" and tags["dvc.data/ingest"] == "d41d8"


def test_the_version_carries_scores_and_lineage(evaluated: Workspace) -> None:
    """Whoever looks at the version in the UI sees the figures, the commit and the data's hashes."""
    register.run(evaluated)
    version = MlflowClient().get_model_version("igarape-toy", "1")
    expected = {
        "dataset": "toy",
        "holdout_f2": "0.87",
        "holdout_n": "300",
        "holdout_f2_low": "0.85",
        "views": "8",
        "precision": "float32",
        "views.2.f2": json.dumps(LESS),
        "git_commit": "abc123",
        "dvc.data/ingest": "d41d8",
    }
    assert expected.items() <= version.tags.items()
    assert str(version.description).splitlines() == [
        "Hold-out F2 0.8700 [0.8500, 0.8900], mAP 0.8000, on 300 chips of toy.",
        "",
        "- learners: plain, clear, rare",
        "- commit: `abc123`",
        "- data, by DVC's hashes: data/ingest `d41d8`",
        "- runs: [stack](#/runs/9f)",
    ]


@pytest.mark.parametrize(("old", "new"), [("a b", "a#b?é"), ("100%20", "é #1 50%20?")])
def test_a_project_that_is_moved_goes_on_where_it_is_now(
    evaluated: Workspace, images: list[Pixels], monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    """Whatever its folder is called: what was registered before is promoted and tags, what comes after lies inside."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    before, after = Workspace(evaluated.root / old), Workspace(evaluated.root / new)
    before.root.mkdir()
    for name in ("data", "reports", "params.yaml", "mlflow.db"):
        (evaluated.root / name).rename(before.root / name)
    register.run(before)
    before.root.rename(after.root)
    promote.run(after)
    chip, out = after.root / "chip.png", after.root / "out.csv"
    chip.write_bytes(encode_jpeg(images[0], 95))
    predict.run(after, [chip], model=None, out=out)
    assert len(pd.read_csv(out)) == 1
    content = json.loads((after.bundle / "bundle.json").read_text())
    (after.bundle / "bundle.json").write_text(json.dumps(content | {"alerts": {}}))  # other bytes: another bundle
    register.run(after)
    assert json.loads((after.root / "data/register/version.json").read_text())["version"] == 2
    assert len(list(after.root.glob("mlruns/*/models/*/artifacts/MLmodel"))) == 2
    assert [path for path in evaluated.root.rglob("MLmodel") if after.root not in path.parents] == []


def test_what_was_registered_elsewhere_is_said(evaluated: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After somebody deleted the model; and in a second clone, where mlflow.db did not come along."""
    client = MlflowClient()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    register.run(evaluated)
    client.delete_registered_model("igarape-toy")
    said = r"version\.json names a version that this MLflow does not have.*dvc repro --single-item --force register"
    clone = Workspace(evaluated.root / "clone")
    shutil.copytree(evaluated.root, clone.root, ignore=shutil.ignore_patterns("ml*"))
    for here in (evaluated, clone):
        with pytest.raises(InputError, match=said):
            promote.run(here)
        chip = here.root / "chip.png"
        chip.touch()
        with pytest.raises(InputError, match=f"no champion yet.*{said}, then: igarape promote"):
            predict.run(here, [chip], model=None, out=here.root / "out.csv")
    register.run(clone)
    promote.run(clone)


def test_without_a_bundle_nothing_is_registered(registry: Path) -> None:
    """The error names the file that is missing and what to run."""
    with pytest.raises(InputError, match=r"data/evaluate/bundle: expected a bundle.s folder.*dvc repro"):
        register.run(Workspace(registry))
