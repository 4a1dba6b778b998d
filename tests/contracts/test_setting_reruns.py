"""A rerun stops where nothing changed: what `dvc repro` runs after a setting has changed, in a real DVC repository."""

import json
from pathlib import Path

import pytest
import yaml
from small_stream import ALWAYS, LEARNERS, change, repro, run, stale, steps

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
