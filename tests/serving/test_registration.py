"""A bundle becomes a version once, whatever fails in between, and the version carries its answers."""

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from contest import NAME, answers_of, enroll, holders, ruled, sweep
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus
from mlflow.exceptions import MlflowException

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.scores.answers import TABLE, Answers, read_answers
from igarape.serving import registration
from igarape.serving.manifest import read_manifest
from igarape.serving.registration import ANSWERS, BUNDLE, HOLDOUT, described, model_digest
from igarape.serving.registry import FILES
from igarape.tables import write_table
from igarape.tracking.address import new_experiment
from igarape.workspace import Workspace


@pytest.fixture
def here(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project with an empty registry, where a failure is tried again at once."""
    monkeypatch.setattr(registration, "PAUSES", (0.0,))
    return Workspace(registry)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log models of no files, as logging all of a bundle takes a second."""

    def log(_: Path, *, run_id: str, told: Mapping[str, str]) -> LoggedModel:
        assert told[registration.BUNDLE]
        client = MlflowClient()
        model = client.create_logged_model(client.get_run(run_id).info.experiment_id, "tagger", run_id)
        return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)

    monkeypatch.setattr(registration, "log_model", log)


@pytest.fixture
def answers(bundle_folder: Path, images: list[Pixels]) -> Answers:
    """Give the answers of the small bundle."""
    return answers_of(bundle_folder, images)


def versions() -> list[str]:
    """Return the versions that there are."""
    return sorted(str(each.version) for each in MlflowClient().search_model_versions(f"name = '{NAME}'"))


def models() -> int:
    """Return how many models were logged."""
    every = [each.experiment_id for each in MlflowClient().search_experiments()]
    return len(MlflowClient().search_logged_models(every))


def test_a_version_says_what_it_is_and_has_its_answers(
    here: Workspace, bundle_folder: Path, answers: Answers, tmp_path: Path
) -> None:
    """It is the challenger; its answers lie beside the model, not in it, as what serves it does not need them."""
    assert enroll(here, bundle_folder, answers) == "1"
    found = MlflowClient().get_model_version_by_alias(NAME, "challenger")
    assert found.description == "small"
    assert found.tags == {
        BUNDLE: model_digest(bundle_folder),
        FILES: read_manifest(bundle_folder).digest,
        HOLDOUT: answers.holdout.digest(),
        ANSWERS: found.run_id,
    }
    fetched = MlflowClient().download_artifacts(str(found.run_id), TABLE, str(tmp_path))
    assert read_answers(Path(fetched)).digest() == answers.digest()
    model = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/1", dst_path=str(tmp_path / "model")))
    assert list(model.rglob("*.parquet")) == []


@pytest.mark.usefixtures("light")
def test_one_bundle_is_one_version(here: Workspace, bundle_folder: Path, answers: Answers, tmp_path: Path) -> None:
    """Registered again it is the challenger again; another bundle is another version."""
    few = ruled(bundle_folder, tmp_path / "few", 0.9)
    assert [enroll(here, each, answers) for each in (bundle_folder, few, bundle_folder)] == ["1", "2", "1"]
    assert holders() == {"challenger": 1} and models() == 2


def test_what_it_is_made_of_counts_and_its_place_does_not(bundle_folder: Path, tmp_path: Path) -> None:
    """Any file of the bundle, and its name; not the folder that it lies in."""
    moved = tmp_path / "moved"
    shutil.copytree(bundle_folder, moved)
    assert model_digest(moved) == model_digest(bundle_folder)
    (moved / "more").write_text("")
    assert model_digest(moved) != model_digest(bundle_folder)


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("failing", [("log_artifact", 1), ("set_logged_model_tags", 2), ("update_model_version", 2)])
def test_what_fails_is_tried_again_and_completed(
    here: Workspace, bundle_folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch, failing: tuple[str, int]
) -> None:
    """By itself at first, by the next command later: there is one version, whole, whatever had been done."""
    place, times = failing
    real, failures = getattr(MlflowClient, place), [1] * times

    def fail(self: MlflowClient, *words: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise MlflowException("the server is away")
        return real(self, *words, **options)

    monkeypatch.setattr(MlflowClient, place, fail)
    if times == 2:
        with pytest.raises(InputError, match="the server is away"):
            enroll(here, bundle_folder, answers)
        assert holders_or_none() == {}
    assert enroll(here, bundle_folder, answers) == "1"
    assert versions() == ["1"] and holders() == {"challenger": 1}
    found = MlflowClient().get_model_version(NAME, "1")
    assert {BUNDLE, HOLDOUT, ANSWERS} <= set(found.tags) and found.description == "small"


def holders_or_none() -> dict[str, int]:
    """Return who holds which alias; nothing where there is no model yet."""
    return holders() if MlflowClient().search_registered_models() else {}


@pytest.mark.usefixtures("light")
def test_a_model_that_was_logged_is_not_logged_again(
    here: Workspace, bundle_folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that died between the two leaves a model, which the next one registers."""
    with monkeypatch.context() as patch:
        patch.setattr(mlflow, "register_model", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            enroll(here, bundle_folder, answers)
    assert models() == 1
    assert enroll(here, bundle_folder, answers) == "1"
    assert models() == 1


@pytest.mark.usefixtures("light")
def test_corrected_labels_are_new_answers_of_the_same_version(
    here: Workspace, bundle_folder: Path, answers: Answers
) -> None:
    """The bundle is the same, what is true is not; a verdict in the description stays."""
    enroll(here, bundle_folder, answers)
    client = MlflowClient()
    before = client.get_model_version(NAME, "1")
    client.update_model_version(NAME, "1", described("old", verdict="passed"))
    corrected = replace(answers, y=~answers.y)
    assert enroll(here, bundle_folder, corrected) == "1"
    after = client.get_model_version(NAME, "1")
    assert after.tags[HOLDOUT] == corrected.holdout.digest() != before.tags[HOLDOUT]
    assert after.tags[ANSWERS] != before.tags[ANSWERS]
    assert after.description == described("small", verdict="passed")


def test_answers_that_mlflow_has_removed_are_logged_again(
    here: Workspace, bundle_folder: Path, answers: Answers, tmp_path: Path
) -> None:
    """Without them no verdict about the version is possible; the version and its files stay."""
    enroll(here, bundle_folder, answers)
    before = MlflowClient().get_model_version(NAME, "1").tags[ANSWERS]
    sweep(here, "1")
    assert enroll(here, bundle_folder, answers) == "1" and models() == 1
    after = MlflowClient().get_model_version(NAME, "1").tags[ANSWERS]
    assert after != before
    fetched = MlflowClient().download_artifacts(after, TABLE, str(tmp_path))
    assert read_answers(Path(fetched)).digest() == answers.digest()


@pytest.mark.usefixtures("light")
def test_two_at_once_make_one_version(
    here: Workspace, bundle_folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have logged the model before either has registered it: the second finds the first one's version."""
    meet, found = threading.Barrier(2), list[str]()

    def together(real: Callable[..., Any]) -> Callable[..., Any]:
        """Let nobody go on before both have done it: looked for a model that was logged, then logged their own."""

        def do(*words: Any) -> Any:
            done = real(*words)
            meet.wait(60)
            return done

        return do

    for step in ("_logged", "_log"):
        monkeypatch.setattr(registration, step, together(getattr(registration, step)))
    runs = []
    for number in range(2):
        folder = here.root / str(number)
        folder.mkdir()
        runs.append(
            threading.Thread(target=lambda place=folder: found.append(enroll_by_id(place, bundle_folder, answers)))
        )
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert found == ["1", "1"] and versions() == ["1"]


def enroll_by_id(folder: Path, bundle: Path, answers: Answers) -> str:
    """Register in a thread, whose run is no active one."""
    client = MlflowClient()
    run = client.create_run(new_experiment("igarape/register", client, mlflow.get_tracking_uri())).info.run_id
    write_table(answers.table(), folder / TABLE)
    return registration.register(bundle, folder / TABLE, name=NAME, tags={}, description="small", run_id=run).version


def test_a_description_has_an_origin_and_a_verdict() -> None:
    """Each is replaced by itself."""
    whole = described(described("from here"), verdict="refused")
    assert whole == "from here\n\n## Last verdict\n\nrefused"
    assert described(whole, origin="from there") == "from there\n\n## Last verdict\n\nrefused"
    assert described(whole, verdict="promoted") == "from here\n\n## Last verdict\n\npromoted"
