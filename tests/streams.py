"""Finished streams made by hand: their answers, and a project of git and DVC in which they lie at revisions."""

import subprocess
from pathlib import Path

import numpy as np
import yaml
from dvc.repo import Repo

from igarape.files import fresh_folder
from igarape.scores.answers import TABLE, Answers
from igarape.tables import write_table
from igarape.workspace import Workspace

LABELS = ("sun", "fog", "tree", "kiln")
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b")
ROOT = Path(__file__).parents[1]
STAGE = {
    "evaluate": {"cmd": "python write.py", "deps": ["write.py"], "params": ["seed", "split"], "outs": ["data/evaluate"]}
}


def answers(*, noise: float = 0.3, n: int = 120, seed: int = 1) -> Answers:
    """Answer n chips, a fifth of them held out, with probabilities that noise of up to so much spoils."""
    rng, chips = np.random.default_rng(seed), np.random.default_rng(0)
    y = chips.random((n, len(LABELS))) < (0.7, 0.3, 0.4, 0.1)
    p = np.clip(np.where(y, 0.7, 0.3) + rng.uniform(-noise, noise, y.shape), 0, 1).astype(np.float32)
    return Answers(
        dataset="toy",
        labels=LABELS,
        image_ids=[f"chip-{row:03d}" for row in range(n)],
        groups=[f"chip-{row:03d}" for row in range(n)],
        pixels=chips.integers(0, 2**32, n),
        folds=np.arange(n) % 5 - 1,
        y=y,
        p=p,
        answers=p >= 0.5,
    )


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it prints."""
    done = subprocess.run(["git", *IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def begin(folder: Path) -> Workspace:
    """Begin a project of git and DVC, in which nothing has finished yet."""
    here = Workspace(folder)
    here.params.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    Repo.init(str(folder)).close()
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGE}), encoding="utf-8")
    (folder / ".gitignore").write_text("/data\n/reports\n/mlflow.db\n/mlruns\n", encoding="utf-8")
    return commit(here, "nothing yet")


def commit(here: Workspace, message: str) -> Workspace:
    """Commit all that git sees."""
    git(here.root, "add", "--all")
    git(here.root, "commit", "--quiet", "--allow-empty", "--message", message)
    return here


def finish(here: Workspace, stream: Answers, *, name: str = TABLE) -> None:
    """Put a stream's answers into data/evaluate, where evaluate writes them; let DVC keep them, and commit the lock."""
    write_table(stream.table(), fresh_folder(here.folder("evaluate")) / name)
    (here.root / "write.py").write_text(f"# {name} {stream.p.sum()}\n", encoding="utf-8")
    with Repo(str(here.root)) as repo:  # by the library: the program takes a second to start
        stage = repo.stage.load_one(str(here.root / "dvc.yaml"), "evaluate")
        with repo.lock:
            stage.save(run_cache=False)
            stage.commit()
            stage.dump(update_pipeline=False)
    commit(here, "a stream")
