"""The whole stream, small: from drawn chips to an answer over HTTP, in a copy of the project, by what people type."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_stream import IDENTITY, LEARNERS, environment, repro, run

from igarape.ensemble.stackers import METHODS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def project(small_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the small stream, in which each test goes on from the one before."""
    return Path(shutil.copytree(small_stream, tmp_path_factory.mktemp("copied") / small_stream.name))


def test_the_verdict_is_written_in_the_words_that_others_rely_on(project: Path) -> None:
    """reports/metrics.json holds the hold-out's score and interval, and scores of each learner, stacker and rule."""
    metrics = json.loads((project / "reports/metrics.json").read_text(encoding="utf-8"))
    figures = {"holdout", "oof", "learners", "stackers", "rules", "rare", "ladder", "calibration"}
    assert set(metrics) == figures | {"rare_map", "worth", "views", "budget", "by_views", "student"}
    assert set(metrics["holdout"]) == {"f2", "map", "n", "f2_low", "f2_high"}
    assert set(metrics["oof"]) == {"f2", "map"}
    assert set(metrics["learners"]) == set(LEARNERS)
    assert set(metrics["stackers"]) == {*METHODS}
    assert {*METHODS} < set(metrics["ladder"])
    for name, entry in metrics["ladder"].items():
        maps = {"map", "map_low", "map_high"} if name in METHODS else set()
        assert set(entry) == {"mean", "low", "high"} | maps
    assert all(set(entry) == {"mean", "low", "high"} for entry in metrics["budget"].values())
    assert set(metrics["worth"]) <= set(LEARNERS)
    assert all(set(entry) == {"ece", "brier"} for entry in metrics["calibration"].values())
    assert all(set(entry) == {"f2"} for entry in metrics["rules"].values())
    assert all(set(entry) == {"ap_without", "ap_with"} for entry in metrics["rare"].values())
    assert set(metrics["rare_map"]) == ({"without", "with", "mean", "low", "high"} if metrics["rare"] else set())
    assert 0 <= metrics["holdout"]["f2_low"] <= metrics["holdout"]["f2"] <= metrics["holdout"]["f2_high"] <= 1
    assert (project / "reports/per_label.csv").is_file()
    assert (project / "reports/doubts.csv").is_file()
    assert (project / "reports/report.html").is_file()
    assert (project / "reports/data.html").is_file()


def test_a_second_run_does_nothing(project: Path) -> None:
    """When nothing has changed no stage runs; `pytest --durations` tells how long that takes."""
    assert repro(project) == {"code"}


def test_a_comment_reruns_nothing(project: Path) -> None:
    """What is said about an experiment or a data set is no reason to train."""
    for name in ("experiments/tiny.yaml", "datasets/tiny.yaml", "params.yaml"):
        path = project / name
        path.write_text(f"# Something else is said here.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert repro(project) <= {"code", "resolve"}


def test_the_promoted_champion_answers_over_http_as_predict_does(project: Path) -> None:
    """After `igarape promote`, a JPEG sent to `igarape serve` gets the row that `igarape predict` writes for it."""
    assert "no champion yet" in run(project, "igarape", "serve", "--port", str(free_port()), code=1)
    run(project, "igarape", "promote")
    chips = first_chips(project, 3)
    run(project, "igarape", "predict", *map(str, chips), "--out", "answers.csv")
    expected = pd.read_csv(project / "answers.csv", keep_default_na=False).set_index("image_name")
    port = free_port()
    server = subprocess.Popen(
        ["igarape", "serve", "--port", str(port)], cwd=project, env=environment(project), start_new_session=True
    )
    try:
        wait_for(server, port)
        answer = pd.DataFrame(ask(port, chips)["predictions"])
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    expected = expected.loc[[chip.stem for chip in chips]]
    assert list(answer.columns) == list(expected.columns)
    assert list(answer["tags"]) == list(expected["tags"])
    assert list(answer["warning"]) == list(expected["warning"])
    p = [column for column in answer if column not in {"tags", "warning"}]
    np.testing.assert_allclose(answer[p].to_numpy(), expected[p].to_numpy(), atol=1e-5)
    assert "nothing to roll back to" in run(project, "igarape", "rollback", code=1)


def first_chips(project: Path, number: int) -> list[Path]:
    """Unpack the first packed chips into a folder, and return their files."""
    shard = min((project / "data/ingest").rglob("*.tar"))
    folder = project / "chips"
    folder.mkdir(exist_ok=True)
    with tarfile.open(shard) as packed:
        members = packed.getmembers()[:number]
        for member in members:  # extractall asks for a filter, which Python 3.11.2 does not know
            (folder / member.name).write_bytes(packed.extractfile(member).read())  # type: ignore[union-attr]
    return [folder / member.name for member in members]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server answers its ping."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail("the server does not answer its ping after two minutes")


def ask(port: int, chips: list[Path]) -> dict[str, list[dict[str, object]]]:
    """Send chips as docs/serving.md's curl line does, and return the answer."""
    records = [{"image": base64.b64encode(chip.read_bytes()).decode()} for chip in chips]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps({"dataframe_records": records}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, list[dict[str, object]]] = json.load(response)
    return answer


def test_all_runs_of_one_repro_are_found_by_one_tag(project: Path) -> None:
    """Each tracked step's run has the tag igarape.repro, one value for one `dvc repro`, and names the data it saw."""
    code = """
import json, mlflow
runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
steps = [run for run in runs if "igarape.repro" in run.data.tags]  # and not what was promoted by hand
names = [[each.dataset.name for each in run.inputs.dataset_inputs] for run in steps]
tags = [(run.data.tags["igarape.repro"], run.data.tags["igarape.step"]) for run in steps]
print(json.dumps([(*pair, each) for pair, each in zip(tags, names)]))
"""
    runs = json.loads(run(project, sys.executable, "-c", code).splitlines()[-1])
    first = min(tag for tag, _, _ in runs)
    steps = [step for tag, step, _ in runs if tag == first]
    assert sorted(steps) == [
        "decide",
        "describe",
        "distill",
        "evaluate",
        "register",
        *["search"] * len(LEARNERS),
        "stack",
        *["train"] * len(LEARNERS),
    ]
    assert all(sorted(inputs) == ["data/dehaze", "data/ingest", "data/nir", "data/split"] for _, _, inputs in runs)


def test_an_experiment_in_a_copy_is_on_record_in_the_project(project: Path, tmp_path: Path) -> None:
    """After `dvc exp run --temp` and `dvc exp apply`, the version that version.json names is in the registry.

    In another folder that the project was copied to, as DVC cannot do it where the path holds a number sign.
    """
    project = shutil.copytree(project, tmp_path / "copied", symlinks=True)
    run(project, "git", "add", "--all")
    run(project, "git", *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "A result")
    before = registered(project)
    rule = json.loads((project / "data/decide/rule.json").read_text(encoding="utf-8"))["rule"]["name"]
    other = "threshold" if rule == "fixed" else "fixed"
    run(project, "dvc", "exp", "run", "--temp", "-S", f"decide.use={other}")
    run(project, "dvc", "exp", "apply", run(project, "dvc", "exp", "list", "--name-only").split()[-1])
    assert registered(project) == before + 1
    assert f"version {before + 1} is the champion" in run(
        project, "igarape", "promote", "--force", "--reason", "another rule"
    )
    run(project, "igarape", "predict", str(first_chips(project, 1)[0]), "--out", "answers.csv")


def registered(project: Path) -> int:
    """Return the version that the last step wrote."""
    return int(json.loads((project / "data/register/version.json").read_text(encoding="utf-8"))["version"])


def test_a_second_clone_registers_what_it_pulled(project: Path, tmp_path: Path) -> None:
    """mlflow.db does not travel; promote says what to type, and that, typed, makes a champion."""
    run(project, "git", "add", "--all")
    run(project, "git", *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "A result")
    remote, clone = tmp_path / "remote", tmp_path / "clone"
    run(project, "dvc", "remote", "add", "--local", "--default", "--force", "here", str(remote))
    run(project, "dvc", "push")
    run(tmp_path, "git", "clone", "--quiet", str(project), str(clone))
    run(clone, "dvc", "remote", "add", "--local", "--default", "here", str(remote))
    assert "Run: dvc pull, then: dvc repro" in run(clone, "igarape", "promote", code=1)
    run(clone, "dvc", "pull")
    said = run(clone, "igarape", "promote", code=1)
    command = "dvc repro --single-item --force register"
    assert command in said
    run(clone, *command.split())
    assert "version 1 is the champion" in run(clone, "igarape", "promote")
    assert json.loads(run(clone, "dvc", "status", "--json")) == {"code": ["always changed"]}


def test_another_clone_runs_nothing_that_was_pushed_with_the_run_cache(project: Path, tmp_path: Path) -> None:
    """Without dvc.lock too: it knows results by what they are made of, and `--pull` fetches their files."""
    run(project, "git", "add", "--all")
    run(project, "git", *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "A result")
    remote, clone = tmp_path / "remote", tmp_path / "clone"
    run(project, "dvc", "remote", "add", "--local", "--default", "--force", "here", str(remote))
    run(project, "dvc", "push", "--run-cache")
    run(tmp_path, "git", "clone", "--quiet", str(project), str(clone))
    (clone / "dvc.lock").unlink()
    run(clone, "dvc", "remote", "add", "--local", "--default", "here", str(remote))
    assert repro(clone, "--pull") == {"code"}
    assert (clone / "data/train/tiny/predictions.parquet").exists()
