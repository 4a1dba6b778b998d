"""A step depends on its code and on what earlier steps wrote, and on nothing that only tells of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.workspace import PER_EXPERIMENT, STEPS

ROOT = Path(__file__).parents[2]
PIPELINE = list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


def test_the_stages_are_the_steps_in_their_order() -> None:
    """dvc.yaml, read from top to bottom, is what `dvc repro` does."""
    assert tuple(PIPELINE) == STEPS


def test_the_pipeline_can_be_read_aloud() -> None:
    """No list of source files: at most 200 lines."""
    assert len((ROOT / "dvc.yaml").read_text(encoding="utf-8").splitlines()) <= 200
    assert "src/" not in (ROOT / "dvc.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("step", [step for step in STEPS if step != "code"])
def test_a_step_depends_on_its_own_code_first(step: str, pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """On the file that the step code writes for it."""
    assert pipeline[step]["deps"][0] == f"data/code/{step}" + ("/${item}" if step in PER_EXPERIMENT else "")


def written_before(step: str, pipeline: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return the outputs of the steps before one."""
    found: set[str] = set()
    for before in STEPS[: STEPS.index(step)]:
        for key in ("outs", "metrics", "plots"):
            found |= {next(iter(out)) if isinstance(out, dict) else out for out in pipeline[before].get(key, [])}
    return found


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_depends_on_is_written_by_a_step_before(
    step: str, pipeline: Mapping[str, Mapping[str, Any]]
) -> None:
    """A dep is an output of a step before, lies in one, or holds some; experiments/ is the user's."""
    written = written_before(step, pipeline)
    for dep in pipeline[step].get("deps", []):
        inside = any(dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/") for out in written)
        assert inside or dep == "experiments", dep


@pytest.mark.parametrize("step", STEPS)
def test_no_step_depends_on_what_tells_of_a_run(step: str, pipeline: Mapping[str, Mapping[str, Any]]) -> None:
    """Run ids and times lie in data/runs: the same result of another run reruns nothing."""
    assert not [dep for dep in pipeline[step].get("deps", []) if dep.startswith("data/runs")]
