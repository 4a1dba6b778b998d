"""A team's services, for real: all that igarape tells MLflow, on PostgreSQL and S3, with a password for each of us."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from buckets import DENIED, FULL
from contest import NAME, answers_of, holders, ruled, settle
from mlflow import MlflowClient
from team import NotInstalledError, Team, bare

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.config.documents import HoldOut, Origin
from igarape.config.verdict import Metrics
from igarape.errors import InputError
from igarape.scores.answers import TABLE
from igarape.serving import registration
from igarape.serving.bundle import Bundle
from igarape.serving.registry import load
from igarape.stages import predict, promote, register
from igarape.tables import write_table
from igarape.tracking import health, step
from igarape.tracking.address import RETRIES, environment
from igarape.tracking.costs import PROCESSOR, SECONDS
from igarape.tracking.run import Run
from igarape.tracking.step import send_left, step_run
from igarape.workspace import Workspace

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[1]
WORKER = "from igarape.cli import main; main()"
# Registers, and when nothing is left to do but the version, waits for another one who is as far.
MEETING = f"""
import sys, time
from pathlib import Path
from igarape.serving import registration

lock, ours, theirs = registration.registry_lock, Path(sys.argv.pop(1)), Path(sys.argv.pop(1))

def together(*words):
    ours.touch()
    while not theirs.exists():
        time.sleep(0.01)
    return lock(*words)

registration.registry_lock = together
{WORKER}
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Start PostgreSQL, S3 and MLflow, once for all of these tests."""
    folder = tmp_path_factory.mktemp("team")
    try:
        begun = Team(folder)
    except NotInstalledError as error:
        pytest.skip(str(error))
    yield begun
    begun.stop()


@pytest.fixture(scope="module")
def members(team: Team) -> tuple[dict[str, str], dict[str, str]]:
    """Give the variables of two of us, ana and rui."""
    return team.join("ana"), team.join("rui")


@pytest.fixture
def as_ana(members: tuple[dict[str, str], dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Be ana, who has no key of S3."""
    for name in os.environ.keys() - bare(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in members[0].items():
        monkeypatch.setenv(name, value)


def clone(folder: Path, bundle: Path, pictures: list[Pixels]) -> Workspace:
    """Make a project of the data set toy in which evaluate has run."""
    folder.mkdir()
    settings = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("dataset: drawn", "dataset: toy")
    (folder / "params.yaml").write_text(settings, encoding="utf-8")
    settle(folder)
    here = Workspace(folder)
    shutil.copytree(bundle, here.bundle)
    write_table(answers_of(bundle, pictures).table(), here.folder("evaluate") / TABLE)
    scores: dict[str, Any] = {name: {} for name in Metrics.model_fields}
    scores |= {"holdout": HoldOut(f2=0.9, map=0.8, n=5, f2_low=0.8, f2_high=1.0), "student": None}
    Metrics(**scores).write(here.metrics)
    Origin(git_commit="", uncommitted_changes=False, dvc={}, runs={}).write(here.folder("evaluate") / "lineage.json")
    return here


@pytest.fixture
def clones(tmp_path: Path, bundle_folder: Path, images: list[Pixels]) -> tuple[Workspace, Workspace]:
    """Give two projects with different bundles."""
    other = ruled(bundle_folder, tmp_path / "other", 0.6)
    return clone(tmp_path / "a", bundle_folder, images), clone(tmp_path / "b", other, images)


def started(
    here: Workspace, variables: dict[str, str], *words: str, program: str = WORKER
) -> subprocess.CompletedProcess[str]:
    """Run a command of igarape in a project, as one of us."""
    own = bare(os.environ) | variables | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=here.root, env=own, capture_output=True, text=True, check=False
    )


def written(here: Workspace) -> int:
    """Return the version that register wrote."""
    return int(json.loads((here.folder("register") / "version.json").read_text(encoding="utf-8"))["version"])


@pytest.mark.usefixtures("as_ana")
def test_two_clones_register_at_once_and_either_serves_what_is_promoted(
    team: Team,
    clones: tuple[Workspace, Workspace],
    members: tuple[dict[str, str], dict[str, str]],
    images: list[Pixels],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two versions, one experiment that both wanted to make; the files lie in S3, for which neither has a key."""
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda both: started(both[0], both[1], "register"), zip(clones, members, strict=True)))
    assert [done.returncode for done in ended] == [0, 0], "\n".join(done.stderr for done in ended)
    a, b = clones
    assert {written(a), written(b)} == {1, 2}
    assert sum(each.name == "igarape/register" for each in MlflowClient().search_experiments()) == 1
    assert any(key.endswith("bundle.json") for key in team.kept())
    promote.run(a, version=written(b))
    assert f"\n{NAME}: version {written(b)} is the champion. To ask it: " in capsys.readouterr().out
    assert holders()["champion"] == written(b)
    chip = a.root / "chip.jpg"
    chip.write_bytes(encode_jpeg(images[0], 95))
    predict.run(a, [chip], model=None, out=a.root / "out.csv")
    assert list(pd.read_csv(a.root / "out.csv")["image_name"]) == ["chip"]
    user = MlflowClient().get_run(str(MlflowClient().get_model_version(NAME, str(written(b))).run_id)).info
    assert user.status == "FINISHED"


@pytest.mark.usefixtures("as_ana")
def test_two_clones_that_register_one_bundle_at_the_same_moment_make_one_version(
    tmp_path: Path, bundle_folder: Path, images: list[Pixels], members: tuple[dict[str, str], dict[str, str]]
) -> None:
    """Of a model that nobody had registered before, too; it is whole, whoever came first, and either says which."""
    same = ruled(bundle_folder, tmp_path / "same", 0.7)
    manifest = json.loads((same / "bundle.json").read_text(encoding="utf-8"))
    (same / "bundle.json").write_text(json.dumps(manifest | {"dataset": "twins"}), encoding="utf-8")
    twins = [clone(tmp_path / name, same, images) for name in "ab"]
    signs = [tmp_path / f"{name}.ready" for name in "ab"]
    with ThreadPoolExecutor() as pool:
        ended = list(
            pool.map(
                lambda both: started(both[0], both[1], *map(str, both[2]), "register", program=MEETING),
                zip(twins, members, (signs, signs[::-1]), strict=True),
            )
        )
    assert [done.returncode for done in ended] == [0, 0], "\n".join(done.stderr for done in ended)
    assert [written(here) for here in twins] == [1, 1]
    client = MlflowClient()
    (version,) = client.search_model_versions("name = 'igarape-twins'")
    assert client.get_registered_model("igarape-twins").aliases == {"challenger": "1"}
    assert sorted("it was there already" in done.stdout for done in ended) == [False, True]
    answers = version.tags["answers_run"]
    assert TABLE in {each.path for each in client.list_artifacts(answers)}
    assert load("models:/igarape-twins/1").manifest == Bundle.load(same).manifest


@pytest.mark.usefixtures("as_ana")
def test_who_may_edit_tries_artifacts_and_is_known_by_name(team: Team) -> None:
    """Igarape doctor, as one of us who does not manage the experiment, or does."""
    assert health.reach(team.uri).level == "good"
    assert health.identify(team.uri).said == "as ana"
    assert health.keep(team.uri).level == "good"


@pytest.mark.usefixtures("as_ana")
def test_a_wrong_password_is_one_clear_error(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a step does anything, and for commands outside the stream; the password is not told."""
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "not-the-one-of-ana")
    expected = "does not take the password of ana. Set MLFLOW_TRACKING_USERNAME"
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with (
        pytest.raises(InputError, match=expected) as at_start,
        step_run("train", workspace=Workspace(tmp_path), params={}),
    ):
        pytest.fail("nobody trains for nothing")
    with pytest.raises(InputError, match=expected) as outside:
        promote.run(Workspace(tmp_path))
    assert not any("not-the-one-of-ana" in str(each.value) for each in (at_start, outside))
    assert list(Workspace(tmp_path).outbox.glob("*/*")) == []


def unfinished(here: Workspace) -> int:
    """Return how many outboxes are left."""
    return len(list(here.outbox.glob("*/outbox.jsonl")))


def trained(here: Workspace, during: Callable[[Run], None], number: list[str]) -> None:
    """Run a step, and put its run's id into a list."""
    with step_run("train", workspace=here, params={}) as run:
        number.append(run.id)
        during(run)


def found(number: str) -> tuple[str, dict[str, float]]:
    """Return how a run ended, and its figures but for its costs."""
    run = MlflowClient().get_run(number)
    return run.info.status, {name: run.data.metrics[name] for name in {*run.data.metrics} - {SECONDS, PROCESSOR}}


@pytest.mark.usefixtures("as_ana")
def test_a_database_that_is_stopped_loses_nothing(team: Team, tmp_path: Path, hasty: None) -> None:
    """The step says so at its end, keeps what it had to tell, and sends it when the database is back."""
    here, number = Workspace(tmp_path), list[str]()

    def train(run: Run) -> None:
        team.database.stop()
        for epoch in range(3):
            run.log(epoch, {"loss": 2.0**-epoch})

    try:
        with pytest.raises(InputError, match=r"entries could not be sent .*igarape send.* is safe under data/train"):
            trained(here, train, number)
        with pytest.raises(InputError, match="MLflow answers, but not its database"):
            send_left(here)
        assert unfinished(here) == 1
    finally:
        team.database.start()
        team.database.wait()
    send_left(here)
    assert unfinished(here) == 0
    assert found(*number) == ("FINISHED", {"loss": 0.25})


@pytest.mark.usefixtures("as_ana")
@pytest.mark.parametrize("refusal", [FULL, DENIED], ids=["full", "denied"])
def test_a_bucket_that_takes_nothing_loses_nothing(
    team: Team, tmp_path: Path, hasty: None, refusal: tuple[str, str, str]
) -> None:
    """Figures before the file arrive at once, the file and what follows it when there is room again."""
    here, number = Workspace(tmp_path), list[str]()

    def train(run: Run) -> None:
        run.metrics({"before": 1.0})
        team.store.refuses = refusal
        run.text("a page", "page.txt")
        run.metrics({"after": 2.0})

    try:
        with pytest.raises(InputError, match=r"entries could not be sent .*igarape send"):
            trained(here, train, number)
        with environment(RETRIES, "0"):  # as doctor asks
            finding = health.keep(team.uri)
    finally:
        team.store.refuses = None
    assert finding.level == "wrong" and "its key for the store, the bucket, its room" in finding.said
    assert unfinished(here) == 1
    send_left(here)
    assert unfinished(here) == 0
    assert found(*number) == ("FINISHED", {"before": 1.0, "after": 2.0})
    assert mlflow.artifacts.load_text(f"runs:/{number[0]}/page.txt") == "a page"


@pytest.mark.usefixtures("as_ana")
def test_a_version_that_s3_refused_is_completed_later(
    team: Team, tmp_path: Path, bundle_folder: Path, images: list[Pixels], hasty: None
) -> None:
    """One clear error, then one version."""
    here = clone(tmp_path / "third", ruled(bundle_folder, tmp_path / "other", 0.77), images)
    before = versions()
    team.store.refuses = DENIED
    try:
        with pytest.raises(InputError, match="MLflow at"):
            register.run(here)
    finally:
        team.store.refuses = None
    assert versions() == before
    register.run(here)
    assert len(versions()) == len(before) + 1


def versions() -> list[str]:
    """Return the versions that there are."""
    return [str(each.version) for each in MlflowClient().search_model_versions(f"name = '{NAME}'")]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for seconds only where nothing is taken."""
    monkeypatch.setattr(step, "PATIENCE", 3.0)
    monkeypatch.setattr(registration, "PAUSES", ())
