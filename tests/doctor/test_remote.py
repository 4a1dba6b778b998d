"""The DVC remote: a folder, and a real S3 client against moto's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from buckets import DENIED, KEY, SECRET, Store
from dvc.repo import Repo
from streams import answers, begin, finish

from igarape.doctor.remote import collection, reach, run_cache
from igarape.findings import good
from igarape.workspace import Workspace

BUCKET = "team"


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """Give a project of git and DVC, in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    return begin(folder)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Give an S3 with a bucket."""
    begun = Store()
    begun.client().create_bucket(Bucket=BUCKET)
    yield begun
    begun.stop()


@pytest.fixture(autouse=True)
def _no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no key of whoever runs the tests be found."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def connect(here: Workspace, url: str, **options: str) -> None:
    """Write a default remote into the project's own configuration."""
    with Repo(str(here.root)) as repo, repo.config.edit("local") as content:
        content["core"] = {"remote": "team"}
        content["remote"] = {"team": {"url": url, **options}}


def test_without_a_remote_it_says_how_to_add_one(here: Workspace) -> None:
    """A warning: who works alone needs none; and there is nothing to push or to lose."""
    finding = reach(here.root)
    assert finding.level == "warning" and "dvc remote add --default" in finding.said
    assert run_cache(here.root).level == collection(here.root).level == "good"


def test_a_folder_is_written_read_and_emptied_again(here: Workspace, tmp_path: Path) -> None:
    """And whoever shares it is warned of what dvc gc does."""
    connect(here, str(tmp_path / "remote"))
    assert reach(here.root).level == "good"
    assert [path for path in (tmp_path / "remote").rglob("*") if path.is_file()] == []
    assert "deletes from team what other clones have pushed" in collection(here.root).said


def test_results_of_steps_that_were_not_pushed_are_counted(here: Workspace, tmp_path: Path) -> None:
    """A plain push leaves the run cache out; test_stream.py has one of a real stream."""
    finish(here, answers())
    entry = here.root / ".dvc/cache/runs/ab/abcd/ef01"
    entry.parent.mkdir(parents=True)
    entry.write_text("cmd: python write.py\n", encoding="utf-8")
    connect(here, str(tmp_path / "remote"))
    with Repo(str(here.root)) as repo:
        repo.push()
    finding = run_cache(here.root)
    assert finding.level == "warning" and finding.said.startswith("1 of 1 results of steps are not in team")
    with Repo(str(here.root)) as repo:
        repo.stage_cache.push("team")
    assert run_cache(here.root) == good("all 1 results of steps are in team, 1 in all")


def test_a_bucket_is_written_read_and_emptied_again(here: Workspace, store: Store) -> None:
    """With the key of DVC's own configuration, which is not told; versioning is what dvc gc cannot harm."""
    options = {"endpointurl": store.endpoint, "access_key_id": KEY, "secret_access_key": SECRET}
    connect(here, f"s3://{BUCKET}/dvc", **options)
    finding = reach(here.root)
    assert finding == good(f"team (s3://{BUCKET}/dvc): written, read and removed")
    assert "Contents" not in store.client().list_objects_v2(Bucket=BUCKET)
    assert collection(here.root).level == "warning"
    store.client().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert collection(here.root).level == "good"


def test_what_s3_refuses_is_explained(here: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no bucket, no permission; and a server that is not there, which DVC would look for two minutes."""
    key = {"access_key_id": KEY, "secret_access_key": SECRET}
    said = {}
    connect(here, f"s3://{BUCKET}/dvc", endpointurl=store.endpoint)
    said["no key"] = reach(here.root)
    connect(here, "s3://another/dvc", endpointurl=store.endpoint, **key)
    said["no bucket"] = reach(here.root)
    connect(here, f"s3://{BUCKET}/dvc", endpointurl=store.endpoint, **key)
    with monkeypatch.context() as patch:
        patch.setattr(store, "refuses", DENIED)
        said["denied"] = reach(here.root)
    connect(here, f"s3://{BUCKET}/dvc", endpointurl="http://127.0.0.1:9", **key)
    said["dead"] = reach(here.root)
    assert {finding.level for finding in said.values()} == {"wrong"}
    assert "dvc remote modify --local team access_key_id KEY" in said["no key"].said
    assert "Make the bucket, or: dvc remote modify team url" in said["no bucket"].said
    assert "what it may do" in said["denied"].said
    assert "nothing answers at http://127.0.0.1:9" in said["dead"].said
    assert not any(SECRET in finding.said for finding in said.values())


def test_a_key_that_may_not_delete_is_a_warning_and_nothing_piles_up(
    here: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file stays, however often it is asked: to push and to pull is allowed."""
    connect(here, f"s3://{BUCKET}/dvc", endpointurl=store.endpoint, access_key_id=KEY, secret_access_key=SECRET)
    with monkeypatch.context() as patch:
        patch.setattr(store, "refuses", DENIED)
        patch.setattr(store, "methods", {"POST"})  # as S3 is asked to delete
        findings = [reach(here.root) for _ in range(2)]
    assert {finding.level for finding in findings} == {"warning"}
    assert all("written and read; team/dvc/.igarape-doctor-" in finding.said for finding in findings)
    assert len(store.client().list_objects_v2(Bucket=BUCKET)["Contents"]) == 1
    assert reach(here.root).level == "good"
    assert "Contents" not in store.client().list_objects_v2(Bucket=BUCKET)


def test_a_key_that_may_not_ask_for_a_buckets_settings_is_a_warning(
    here: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To push and to pull is allowed, and whether what is deleted is kept is not known."""
    connect(here, f"s3://{BUCKET}/dvc", endpointurl=store.endpoint, access_key_id=KEY, secret_access_key=SECRET)
    with monkeypatch.context() as patch:
        patch.setattr(store, "refuses", DENIED)
        patch.setattr(store, "methods", {"GET"})
        finding = collection(here.root)
    assert finding.level == "warning" and "whether bucket team keeps what dvc gc --cloud deletes" in finding.said
