"""stack_side: what the steps after the last learner hold in memory, and take of the processor: Planet's 17 labels.

Five learners' predictions of so many chips are made up, one of ten chips is held out. stack and decide run as they do
in the stream, but that no fold model is there to be asked again. Of evaluate what grows with the chips is run: all that
is read, judged and written, without the bundle.

Not among the benches that `python bench` runs: `python bench/stack_side.py CHIPS [NAME=VALUE...]` does it, 100,000
chips by default; NAME=VALUE changes a setting of the section stack: rounds=5 depths=[1] seeds=1, say.
"""

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import yaml
from project import run as command
from report import DATASET, ROOT, SEED, manifest_of, truth, write_chips
from split_million import write_fingerprints

from igarape.config.datasets import read_dataset
from igarape.ensemble.linear import sigmoid
from igarape.predictions import prediction_table
from igarape.tables import write_table
from igarape.workspace import Workspace

CHIPS, FOLDS, TOGETHER = 100_000, 5, 4
LEARNERS = ("one", "two", "three", "four", "five")
PARTS = {
    "stack": """
from igarape.stages import stack
stack.check_models = stack.audit = lambda *words, **named: None
stack.run(Workspace("."))
""",
    "decide": """
from igarape.stages import decide
decide.run(Workspace("."))
""",
    "evaluate": """
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.documents import Origin
from igarape.config.params import read_params
from igarape.reports import verdict as report
from igarape.reports.results import read_results
from igarape.reports.student import with_student, write_answers
from igarape.reports.evaluation import build_verdict
from igarape.reports.scoreboard import log_verdict
from igarape.reports.modes import with_modes
from igarape.serving.reference import learn_reference
from igarape.tables import read_catalog
from igarape.tracking.step import step_run
workspace = Workspace(".")
params = read_params(workspace.params)
dataset = read_dataset(params.dataset, workspace.datasets)
labels = dataset.labels.vocabulary()
results = read_results(workspace, params, labels)
with step_run("evaluate", workspace=workspace, params={}) as opened:
    workspace.folder("evaluate").mkdir(parents=True)
    raw = Store(workspace.chips("raw"), read_catalog(workspace.catalog(), labels.labels))
    learn_reference(workspace, dataset, results.image_ids, p=results.p, held=~results.inside, raw=raw)
    write_answers(workspace, results, params.dataset, None)
    origin = Origin(git_commit="", uncommitted_changes=False, dvc={}, runs={})
    verdict = build_verdict(workspace, results, params, dataset, origin, picture=raw.rgb)
    verdict = with_modes(with_student(verdict, None), None)
    report.write_report(verdict, workspace)
    log_verdict(workspace, opened, verdict, results)
""",
}


def main(count: int, changes: list[str]) -> None:
    """Print what each step costs."""
    with TemporaryDirectory(prefix="igarape-stack-") as folder:
        _lay_out(Workspace(folder), count, dict(each.split("=", 1) for each in changes))
        for name, program in PARTS.items():
            cost = command(Path(folder), sys.executable, "-c", "from igarape.workspace import Workspace\n" + program)
            figures = {"chips": count, "processor_minutes": round(cost.processor / 60, 2)}
            print(name, json.dumps(figures | {"memory_gb": round(cost.memory / 2**30, 3)}), flush=True)


def _lay_out(workspace: Workspace, count: int, changes: dict[str, str]) -> None:
    """Write what the steps before stack leave."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    content |= {"dataset": DATASET, "experiments": list(LEARNERS)}
    content["stack"] |= {name: yaml.safe_load(value) for name, value in changes.items()}
    workspace.params.write_text(yaml.safe_dump(content), encoding="utf-8")
    shutil.copytree(ROOT / "datasets", workspace.datasets)
    vocabulary = read_dataset(DATASET, workspace.datasets).labels.vocabulary()
    rng = np.random.default_rng(SEED)
    y, ids = truth(rng, vocabulary, count), [f"train_{row}" for row in range(count)]
    parts = np.arange(count) // TOGETHER % (2 * FOLDS)
    folds = np.where(parts == 0, -1, parts % FOLDS)
    write_chips(workspace, ids, y, vocabulary)
    write_table(pd.DataFrame({"image_id": ids, "fold": folds}), workspace.folds)
    groups = [f"group_{row // TOGETHER}" for row in range(count)]
    write_table(pd.DataFrame({"image_id": ids, "group": groups}), workspace.folder("split") / "groups.parquet")
    write_fingerprints(ids, workspace.chips("raw") / "fingerprints.parquet")
    common = rng.normal(0, 1.2, y.shape)
    for number, name in enumerate(LEARNERS):
        p = sigmoid(5 * y - 4 + common + rng.normal(0, 1 + number / 4, y.shape))
        table = prediction_table(ids, folds, learner=name, labels=vocabulary.labels, p=p.astype(np.float32))
        write_table(table, workspace.predictions(name))
        manifest_of(name, "all", vocabulary.labels).write(workspace.learner(name))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else CHIPS, sys.argv[2:])
