"""relabel: a review becomes a list of corrections, which ingest applies; in a real DVC repository, there and back."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from toy_dataset import write_dataset

from igarape.chips.pictures import encode_jpeg
from igarape.chips.review import write_corrections
from igarape.errors import InputError
from igarape.stages import code, ingest
from igarape.stages import relabel as stage
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": ["kiln"]}
SOURCE = {"kind": "folder", "images": "toy/train", "tags": "toy/tags.csv", "unlabelled": "toy/test", "nir": []}
HEAD = "image_id,label,given,review"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project of three labelled chips and one without labels, which nothing has packed yet."""
    here = Workspace(tmp_path)
    monkeypatch.setenv("IGARAPE_DATA", str(tmp_path / "chips"))
    monkeypatch.setenv("IGARAPE_WORKERS", "1")
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    here.params.write_text(re.sub("(?m)^dataset: .*", "dataset: toy", params), encoding="utf-8")
    shutil.copytree(ROOT / "experiments", here.experiments)
    write_dataset(here, SOURCE, LABELS, size=16)
    rng = np.random.default_rng(0)
    for name in ("train/a", "train/b", "train/c", "test/t"):
        path = tmp_path / f"chips/toy/{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8), 90))
    (tmp_path / "chips/toy/tags.csv").write_text("image_name,tags\na,sun tree\nb,fog\nc,sun kiln\n", encoding="utf-8")
    return here


def review(here: Workspace, *rows: str) -> Path:
    """Write a review."""
    path = here.root / "review.csv"
    path.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return path


def repro(here: Workspace) -> bool:
    """Run `dvc repro ingest`, and return whether the step ran."""
    code.run(here)  # the step before, in this process: it is always run
    words = [sys.executable, "-m", "dvc", "repro", "ingest"]
    done = subprocess.run(words, cwd=here.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return "Running stage 'ingest'" in done.stdout


def packed(here: Workspace) -> dict[str, bytes]:
    """Return all that ingest has written."""
    return {path.name: path.read_bytes() for path in here.folder("ingest").iterdir()}


def test_dvc_packs_corrected_labels_and_what_is_undone_is_as_before(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog changes in the labels that were reviewed, and in no other; undone, DVC has the old one still."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    (project.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"ingest": stages["ingest"]}}), encoding="utf-8")
    program = project.root / "bin/igarape"
    program.parent.mkdir()
    run = "from igarape.stages import ingest; from igarape.workspace import Workspace; ingest.run(Workspace('.'))"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{run}"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (project.root / ".dvc").mkdir()
    (project.root / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    assert repro(project)
    before = packed(project)

    asked = review(project, "a,kiln,0,change", "c,kiln,1,change", "a,tree,1,keep", "b,tree,0,")
    stage.run(project, asked, undo=False)
    assert repro(project)
    old, new = (pd.read_parquet(project.catalog()) if read else _table(before, project) for read in (False, True))
    changed = {(old["image_id"][row], old.columns[column]) for row, column in np.argwhere((old != new).to_numpy())}
    assert changed == {("a", "y_kiln"), ("c", "y_kiln")}
    assert {name for name, data in packed(project).items() if data != before[name]} == {
        "catalog.parquet",
        "corrections.parquet",
    }

    stage.run(project, asked, undo=True)
    assert not repro(project)  # it lies in the cache
    assert packed(project) == before


def _table(files: dict[str, bytes], here: Workspace) -> pd.DataFrame:
    """Read a catalog from its bytes."""
    path = here.root / "before.parquet"
    path.write_bytes(files["catalog.parquet"])
    return pd.read_parquet(path)


def test_nothing_is_said_to_be_changed_that_cannot_be_written(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a project on a disk that is only read."""
    ingest.run(project)
    monkeypatch.setattr(stage, "write_corrections", lambda *_: 1 / 0)
    capsys.readouterr()
    with pytest.raises(ZeroDivisionError):
        stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    assert capsys.readouterr().out == ""


def test_reviews_add_up_whether_or_not_chips_were_packed_in_between(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was corrected before stays; what is so already is told; a label that is changed back leaves the list."""
    ingest.run(project)
    path = project.corrections("toy")
    stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    assert path.read_text(encoding="utf-8") == "image_id,label,from,to\na,kiln,0,1\n"
    assert f"{path} now lists 1 correction. Run: dvc repro" in capsys.readouterr().out
    stage.run(project, review(project, "c,tree,0,change", "a,kiln,0,change"), undo=False)
    said = capsys.readouterr().out
    assert "relabel: a, kiln: is 1 already\nrelabel: 1 label changed, 0 kept, 0 not reviewed" in said
    assert f"relabel: {path} now lists 2 corrections. Run: dvc repro" in said
    ingest.run(project)
    stage.run(project, review(project, "c,tree,1,change", "c,kiln,1,change"), undo=False)
    assert path.read_text(encoding="utf-8") == "image_id,label,from,to\na,kiln,0,1\nc,kiln,1,0\n"
    stage.run(project, review(project, "a,kiln,0,change", "c,kiln,1,change", "a,tree,1,change"), undo=True)
    said = capsys.readouterr().out
    assert "a, tree: no such correction to undo" in said and "Run: dvc repro" in said and not path.exists()
    ingest.run(project)
    assert pd.read_parquet(project.applied).empty


def test_what_is_undone_before_chips_are_packed_anew_asks_for_no_run(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list is again the one that ingest has applied."""
    ingest.run(project)
    asked = review(project, "a,kiln,0,change")
    stage.run(project, asked, undo=False)
    assert "Run: dvc repro" in capsys.readouterr().out
    stage.run(project, asked, undo=True)
    said = capsys.readouterr().out
    assert "1 label as before" in said and "is gone: nothing is corrected. The chips are packed so already" in said
    assert "dvc repro" not in said


def test_a_review_at_fault_leaves_the_list_as_it_was(project: Workspace) -> None:
    """Whatever else stands in it."""
    ingest.run(project)
    stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    before = project.corrections("toy").read_text(encoding="utf-8")
    for row, message in (
        ("z,kiln,0,change", "review.csv: unknown chip 'z'"),
        ("c,killn,0,change", "review.csv: c: unknown label 'killn'; did you mean kiln"),
        ("t,kiln,0,change", "review.csv: t is a chip without labels"),
        ("c,sun,1,change", "review.csv: c: its labels would break the rules"),
    ):
        with pytest.raises(InputError, match=message):
            stage.run(project, review(project, "c,tree,0,change", row), undo=False)
    assert project.corrections("toy").read_text(encoding="utf-8") == before


def test_two_reviews_at_once_lose_nothing(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that comes while another is brought in gets a line, and can be run again."""
    ingest.run(project)

    def write(*words: Any) -> None:
        monkeypatch.setattr(stage, "write_corrections", write_corrections)
        with pytest.raises(InputError, match=r"toy\.corrections\.csv: another process is writing it\. Wait"):
            stage.run(project, review(project, "c,tree,0,change"), undo=False)
        write_corrections(*words)

    monkeypatch.setattr(stage, "write_corrections", write)
    stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    stage.run(project, review(project, "c,tree,0,change"), undo=False)
    assert project.corrections("toy").read_text(encoding="utf-8").splitlines()[1:] == ["a,kiln,0,1", "c,tree,0,1"]
    assert not list(project.datasets.glob(".*"))


def test_before_chips_are_packed_there_is_nothing_to_correct(project: Workspace) -> None:
    """The error says what to run."""
    with pytest.raises(InputError, match=r"catalog\.parquet: not found; an earlier step writes it. Run: dvc repro"):
        stage.run(project, review(project, "a,kiln,0,change"), undo=False)


def test_a_review_does_not_reach_another_data_set_than_the_packed_one(project: Workspace) -> None:
    """Two of one's own may call chips and labels alike: after igarape use, their catalog is the other's still."""
    ingest.run(project)
    lock = "stages: {ingest: {params: {params.yaml: {dataset: NAME}}}}"
    (project.root / "dvc.lock").write_text(lock.replace("NAME", "other"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"expected the chips of toy, .* packed those of other\. Run: dvc repro ingest"
    ):
        stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    assert not project.corrections("toy").exists()
    (project.root / "dvc.lock").write_text(lock.replace("NAME", "toy"), encoding="utf-8")
    stage.run(project, review(project, "a,kiln,0,change"), undo=False)
    assert project.corrections("toy").exists()
