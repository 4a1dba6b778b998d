"""A rerun stops where nothing changed: what `dvc repro` runs after a setting has changed, in a real DVC repository."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from discoveries import picture
from small_stream import ALWAYS, LEARNERS, change, repro, run, stale, steps

from igarape.tables import read_catalog

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_step_run_by_hand_says_how_to_keep_its_result(project: Path) -> None:
    """Without that DVC would bring back the older one; with it, the newer one stays."""
    rule = project / "data/decide/rule.json"
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    wanted = "threshold" if json.loads(rule.read_text(encoding="utf-8"))["rule"]["name"] == "fixed" else "fixed"
    change(project / "params.yaml", f"decide:\n  use: {params['decide']['use']}", f"decide:\n  use: {wanted}")
    said = run(project, "igarape", "decide")
    command = said.partition("To keep it: ")[2].strip()
    assert command == "dvc repro code && dvc commit --force decide"
    run(project, "sh", "-c", command)
    assert repro(project, "decide") == ALWAYS
    assert json.loads(rule.read_text(encoding="utf-8"))["rule"]["name"] == wanted


def test_a_step_that_dvc_runs_says_nothing_of_that(project: Path) -> None:
    """What it makes is DVC's already."""
    assert "To keep it" not in run(project, "dvc", "repro", "--force", "--single-item", "decide")


def test_a_setting_of_dehaze_reruns_only_learners_on_dehazed_chips(project: Path) -> None:
    """The others see the chips that they saw."""
    change(project / "params.yaml", "  quality: 95", "  quality: 90")
    assert stale(project) & steps(*LEARNERS) == steps("tiny_dehazed")


def test_an_experiments_value_reruns_its_learner(project: Path) -> None:
    """The chips and the other learners stay as they are."""
    before = stale(project)
    change(project / "experiments/tiny.yaml", "dropout: 0.1", "dropout: 0.2")
    assert stale(project) - before == steps("tiny")


def test_what_nobody_lists_reruns_nothing(project: Path) -> None:
    """Learners trained by hand, or listed no more, lie on this machine alone: another clone has to agree with it."""
    before = stale(project)
    shutil.copytree(project / "data/train/tiny", project / "data/train/by_hand")
    assert stale(project) == before


def packed(project: Path, root: Path) -> set[str]:
    """Pack the chips that lie under a root, where DVC finds that necessary; return which there are."""
    run(project, "env", f"IGARAPE_DATA={root}", "dvc", "repro", "ingest")
    return set(read_catalog(project / "data/ingest/catalog.parquet", ["sun", "fog"])["image_id"])


def test_chips_of_another_version_are_packed_and_those_of_before_never_come_back(project: Path, tmp_path: Path) -> None:
    """DVC sees no chips outside the project: by their version it knows which of those that it has kept are meant."""
    (tmp_path / "shots").mkdir()
    table = tmp_path / "shots.csv"
    table.write_text("image_name,tags\na,sun\nb,fog\n", encoding="utf-8")
    for seed, name in enumerate("abc"):
        (tmp_path / f"shots/{name}.jpg").write_bytes(picture(seed))
    source = {"kind": "folder", "images": "shots", "tags": "shots.csv", "unlabelled": [], "nir": []}
    labels = {"exclusive": [], "alone": [], "common": ["sun", "fog"], "rare": []}
    wanted = {"source": source, "size": 32, "resolution": None, "note": "", "labels": labels, "params": {}}
    yaml_file = project / "datasets/shots.yaml"
    yaml_file.write_text(yaml.safe_dump(wanted), encoding="utf-8")
    change(project / "params.yaml", "dataset: tiny", "dataset: shots")
    change(project / "params.yaml", "  faults: 0", "  faults: 1")
    assert packed(project, tmp_path) == {"a", "b"}
    table.write_text("image_name,tags\na,sun\nb,fog\nc,fog\n", encoding="utf-8")
    yaml_file.write_text(yaml.safe_dump(wanted | {"source": source | {"version": 2}}), encoding="utf-8")
    assert packed(project, tmp_path) == {"a", "b", "c"}
    for faults, other in ((1, 0), (0, 1)):
        change(project / "params.yaml", f"  faults: {faults}", f"  faults: {other}")
        assert packed(project, tmp_path) == {"a", "b", "c"}
