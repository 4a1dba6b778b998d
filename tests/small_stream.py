"""A small stream in a folder of its own: a copy of the project, with its own package, that people's commands run in."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
NETWORKS = {
    "tiny": {"chips": "raw", "labels": "all"},
    "tiny_dehazed": {"chips": "dehazed", "labels": "all"},
    "tiny_rare": {"chips": "raw", "labels": "rare"},
}
TREES = "tiny_trees"
LEARNERS = (*NETWORKS, TREES)
# What `dvc repro` runs though nothing changed.
ALWAYS = {"code"}
FOREST = """\
# Trees that are boosted in a second.
backbone: tabular
chips: raw
labels: all
size: 32
objective: f2
epochs: 3
batch: 16
hyperparameters:
  learning_rate: 0.3
  depth: 2
  child_weight: 1.0
  subsample: 1.0
  columns: 0.5
  l2: 1.0
"""
EXPERIMENT = """\
# A learner that is trained in a second.
backbone: plain
weights: none
chips: {chips}
labels: {labels}
size: 32
objective: f2
epochs: 2
batch: 16
hyperparameters:
  learning_rate: {{low: 0.001, high: 0.01, scale: log}}
  warm_up: 0.1
  floor: 0.0
  head_epochs: 0
  head_rate: 0.003
  dropout: 0.1
  width: 0.5
  frozen: 0.0
  decay: 0.0
  ema: 0.0
  loss: bce
  smoothing: 0.0
  dihedral: true
  jitter: 0.0
  zoom: 0.0
  smallest: 1.0
  balance: 0.0
  tta: true
"""
SMALL = {
    "experiments": list(LEARNERS),
    "split": {"folds": 2, "holdout": 0.25},
    "search": {"trials": 1, "budget": 0.5},
    "stack": {"rounds": 5},
    "evaluate": {"resamples": 100, "check": 8},
}


IDENTITY = ("-c", "user.name=Igarape", "-c", "user.email=igarape@example.org")
# It holds what an address would take for its own.
NAME = "igarapé #1 50%20?"


def environment(folder: Path) -> dict[str, str]:
    """Return this process's variables, with the folder's package and our tools first, and nothing from elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "IGARAPE_", "DVC_"))}
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": tools, "PYTHONPATH": str(folder / "src")}


def run(folder: Path, *words: str, code: int = 0) -> str:
    """Run a command in the project, and return what it prints; it should end with code."""
    done = subprocess.run(words, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def repro(folder: Path, *stages: str) -> set[str]:
    """Run `dvc repro`, up to some stages or to the end, and return the stages that ran."""
    return set(re.findall(r"Running stage '([^']+)'", run(folder, "dvc", "repro", *stages)))


def stale(folder: Path) -> set[str]:
    """Return the stages whose own code, settings or inputs have changed: where `dvc repro` would begin."""
    repro(folder, "code", "resolve")
    return set(json.loads(run(folder, "dvc", "status", "--json"))) - ALWAYS


def steps(*names: str) -> set[str]:
    """Return both steps of each learner."""
    return {f"{step}@{name}" for name in names for step in ("search", "train")}


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def lay_out(folder: Path) -> None:
    """Copy the project into a folder, give it a tiny data set and tiny experiments, and run it."""
    for name in run(ROOT, "git", "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    drawn = yaml.safe_load((folder / "datasets/drawn.yaml").read_text(encoding="utf-8"))
    drawn["source"]["chips"] = 72
    drawn["params"] |= SMALL
    (folder / "datasets/tiny.yaml").write_text(yaml.safe_dump(drawn), encoding="utf-8")
    for name, values in NETWORKS.items():
        (folder / f"experiments/{name}.yaml").write_text(EXPERIMENT.format(**values), encoding="utf-8")
    (folder / f"experiments/{TREES}.yaml").write_text(FOREST, encoding="utf-8")
    (folder / "dvc.lock").unlink(missing_ok=True)
    run(folder, "igarape", "use", "tiny")
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "add", "--all")
    run(folder, "git", *IDENTITY, "commit", "--quiet", "--message", "A tiny stream")
    repro(folder)
