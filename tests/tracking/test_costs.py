"""What a step costs is kept with its run, and read again."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from igarape.config.documents import RunFacts
from igarape.tracking.costs import read_made
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


@pytest.fixture
def here(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project outside of git, whose MLflow has nothing yet."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(registry.parent))
    return Workspace(registry)


def test_a_step_tells_its_seconds_and_those_of_processors(here: Workspace) -> None:
    """To sleep costs the first and not the second; the settings are those of params.yaml, not the experiment's."""
    recorded = {"experiment": "tiny", "seed": 7, "train": {"budget": 0.4}, "tiny": {"size": 32}}
    with step_run("train", workspace=here, params=recorded, learner="tiny") as run:
        time.sleep(0.5)
        RunFacts(run_id=run.id).write(here.run("train", "tiny"))
    made = read_made(here, "train", "tiny")
    assert made and made.costs
    assert made.settings == {"seed": "7", "train.budget": "0.4"}
    assert made.costs.seconds >= 0.5 > made.costs.processor >= 0


def test_processes_that_a_step_starts_count_and_one_that_ends_meanwhile_does_no_harm(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What works beside the step: by then it has ended, is at work, or ends while it is asked."""
    busy = "import time\nwhile time.process_time() < 1: pass\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", ""]) as short:
        dead = psutil.Process(short.pid)
    children = psutil.Process.children
    monkeypatch.setattr(psutil.Process, "children", lambda self, **how: [dead, *children(self, **how)])
    with step_run("train", workspace=here, params={}, learner="tiny") as run:
        RunFacts(run_id=run.id).write(here.run("train", "tiny"))
        worker = subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE)
        assert worker.stdout
        worker.stdout.readline()
    worker.kill()
    worker.communicate()
    made = read_made(here, "train", "tiny")
    assert made and made.costs and made.costs.processor > 0.9  # the system counts in ticks


def test_a_step_that_failed_tells_no_costs(here: Workspace) -> None:
    """What it took is not what the result takes."""

    def fail() -> None:
        with step_run("train", workspace=here, params={}, learner="tiny") as run:
            RunFacts(run_id=run.id).write(here.run("train", "tiny"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    made = read_made(here, "train", "tiny")
    assert made and made.costs is None


def test_a_run_that_is_not_here_is_none(here: Workspace) -> None:
    """No step has run, or another MLflow has its run."""
    assert read_made(here, "train", "tiny") is None
    RunFacts(run_id="f" * 32).write(here.run("train", "tiny"))
    assert read_made(here, "train", "tiny") is None
