"""report: the verdict's page of eight learners on 40,479 chips with Planet's labels, all predictions made up.

Ours is the whole of it: tables read, all that is compared and resampled, the page written. The peer is one part of
that, the resampled average precisions, by scikit-learn from the same resamples; it takes a few, and its time is scaled.
Processor time, so that other jobs count for little. All chips are one picture, as the page shows twelve of them.
"""

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import xgboost
import yaml
from sklearn.metrics import average_precision_score

from igarape.chips.corrections import CORRECTION
from igarape.chips.pictures import encode_jpeg
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, Origin, RuleSettings, StackSummary
from igarape.config.params import read_params
from igarape.ensemble.leave_one_out import RARE, WITHOUT
from igarape.ensemble.linear import logit, mean_weights, sigmoid, stack_columns
from igarape.ensemble.stacker import Boosters, Stacker
from igarape.ensemble.stackers import METHODS
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import prediction_table
from igarape.reports.evaluation import build_verdict
from igarape.reports.results import read_results
from igarape.reports.verdict import render_report
from igarape.scores.ranking import RESAMPLES
from igarape.tables import FAULT, PLACE, Probabilities, label_columns, read_catalog, write_table
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[1]
CHIPS, FOLDS, SEED = 40_479, 5, 7
DATASET = "planet"
# Planet's, in the order of its labels.
COUNTS = (28431, 7261, 2089, 2697, 37513, 12315, 8071, 7411, 4477, 3660, 862, 340, 339, 332, 209, 100, 98)
LEARNERS = ("one", "one_dehazed", "two", "two_dehazed", "three", "four", "five", "rare")
ROUNDS, DEPTH, SEEDS, FITTED = 60, 3, 3, 4_000
PEER_RESAMPLES = 2


def run() -> dict[str, object]:
    """Return the seconds of the report and of the peer, the page's size in MB, and how many rankings are resampled."""
    with TemporaryDirectory(prefix="igarape-report-") as folder:
        workspace = Workspace(folder)
        y, p = _lay_out(workspace)
        params = read_params(workspace.params)
        dataset = read_dataset(DATASET, workspace.datasets)
        start = time.process_time()
        results = read_results(workspace, params, dataset.labels.vocabulary())
        raw = Store(workspace.chips("raw"), read_catalog(workspace.catalog(), results.rule.vocabulary.labels))
        origin = Origin(git_commit="", uncommitted_changes=False, dvc={}, runs={})
        page = render_report(build_verdict(workspace, results, params, dataset, origin, picture=raw.rgb))
        ours = time.process_time() - start
    # Learners of all labels, stacks, the blend and those without a learner, and two pairs on other chips.
    rankings = len(LEARNERS) - 1 + len(METHODS) + 1 + len(LEARNERS) + 2 * 2
    peer = _peer(y, p) * rankings * RESAMPLES
    row = {"ours": ours, "peer": peer, "ratio": peer / ours, "unit": "s", "n": CHIPS}
    return row | {"page_mb": len(page.encode()) / 1e6, "rankings": rankings, "resamples": RESAMPLES}


def _peer(y: Booleans, p: Probabilities) -> float:
    """Return the seconds that scikit-learn takes for one resample of one ranking."""
    rng = np.random.default_rng(SEED)
    start = time.process_time()
    for _ in range(PEER_RESAMPLES):
        rows = rng.integers(len(y), size=len(y))
        average_precision_score(y[rows], p[rows], average="macro")
    return (time.process_time() - start) / PEER_RESAMPLES


def _lay_out(workspace: Workspace) -> tuple[Booleans, Probabilities]:
    """Write what the steps before evaluate leave, and return truth and one learner's answers in the folds."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    content |= {"dataset": DATASET, "experiments": list(LEARNERS)}
    workspace.params.write_text(yaml.safe_dump(content), encoding="utf-8")
    shutil.copytree(ROOT / "datasets", workspace.datasets)
    vocabulary = read_dataset(DATASET, workspace.datasets).labels.vocabulary()
    rng = np.random.default_rng(SEED)
    y = truth(rng, vocabulary, CHIPS)
    folds = np.arange(CHIPS) % (FOLDS + 1) - 1
    ids = [f"train_{row}" for row in range(CHIPS)]
    write_chips(workspace, ids, y, vocabulary)
    write_table(pd.DataFrame({"image_id": ids, "fold": folds}), workspace.folds)
    common = rng.normal(0, 1.2, y.shape)
    answers = {}
    for number, name in enumerate(LEARNERS):
        scope = "rare" if name == "rare" else "all"
        labels = vocabulary.targets(scope).labels
        columns = [vocabulary.labels.index(label) for label in labels]
        noise = common + rng.normal(0, 1 + number / 4, y.shape)
        answers[name] = sigmoid(5 * y - 4 + noise)[:, columns].astype(np.float32)
        write_table(
            prediction_table(ids, folds, learner=name, labels=labels, p=answers[name]), workspace.predictions(name)
        )
        manifest_of(name, scope, labels).write(workspace.learner(name))
    _write_stack(workspace, answers, y, ids=ids, folds=folds, vocabulary=vocabulary)
    return y[folds >= 0], answers["one"][folds >= 0]


def truth(rng: np.random.Generator, vocabulary: Vocabulary, count: int) -> Booleans:
    """Draw each label as often as Planet has it, and exactly one of the group."""
    y = rng.random((count, len(COUNTS))) < np.array(COUNTS) / CHIPS
    size = len(vocabulary.exclusive)
    shares = np.array(COUNTS[:size]) / sum(COUNTS[:size])
    y[:, :size] = rng.choice(size, count, p=shares)[:, None] == np.arange(size)
    return y


def manifest_of(name: str, scope: str, labels: tuple[str, ...]) -> LearnerManifest:
    """Say what a learner is: those on dehazed chips are otherwise as the one that they are called after."""
    chips = "dehazed" if name.endswith("dehazed") else "raw"
    settings = {"backbone": name.removesuffix("_dehazed"), "chips": chips, "hyperparameters": {}}
    facts = {"name": name, "chips": chips, "size": 128, "scope": scope, "labels": labels, "tta": True}
    return LearnerManifest.model_validate(facts | {"f2": 0.9, "map": 0.7, "settings": settings, "folds": ()})


def write_chips(workspace: Workspace, ids: list[str], y: Booleans, vocabulary: Vocabulary) -> None:
    """Write the catalog, in which each chip is the one picture that is packed."""
    workspace.chips("raw").mkdir(parents=True)
    picture = np.random.default_rng(SEED).integers(0, 256, (16, 16, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    with open_shard(workspace.chips("raw") / "shard-00000.tar") as shard:
        place = shard.add("chip", encode_jpeg(picture, 95))
    catalog = pd.DataFrame(dict(zip(PLACE, ["", "train", *place, ""], strict=True)), index=range(len(ids)))
    truth = pd.DataFrame(y.astype(np.int8), columns=label_columns(vocabulary.labels))
    write_table(pd.concat([catalog.assign(image_id=ids, group=ids), truth], axis=1), workspace.catalog())
    faults = pd.DataFrame([("chip", "made up", "none", False)], columns=FAULT)
    write_table(faults, workspace.chips("raw") / "faults.parquet")
    write_table(pd.DataFrame(columns=CORRECTION), workspace.applied)


def _write_stack(
    workspace: Workspace,
    answers: dict[str, Probabilities],
    y: Booleans,
    *,
    ids: list[str],
    folds: np.ndarray,
    vocabulary: Vocabulary,
) -> None:
    """Write stacks that differ a little, one whose trees correct every label, and the rule that has most to choose."""
    rng = np.random.default_rng(SEED)
    mean = np.mean([logit(p) for p in answers.values() if p.shape == y.shape], axis=0)
    names = (*METHODS, CALIBRATED, *(f"{WITHOUT}{name}" for name in (*LEARNERS, RARE)))
    tables = []
    for name in names:
        p = sigmoid(mean + rng.normal(0, 0.1, y.shape)).astype(np.float32)
        tables.append(prediction_table(ids, folds, learner=name, labels=vocabulary.labels, p=p))
    folder = workspace.folder("stack")
    write_table(pd.concat(tables, ignore_index=True), folder / "predictions.parquet")
    learners = {name: vocabulary.targets("rare" if name == "rare" else "all").labels for name in LEARNERS}
    boosters = {
        label: _boosters(stack_columns(answers, learners), y[:, j]) for j, label in enumerate(vocabulary.labels)
    }
    linear = mean_weights(learners, vocabulary.labels)
    Stacker("xgboost", vocabulary.labels, learners, linear, boosters).save(folder / "stacker")
    StackSummary(
        chosen="xgboost",
        stackers={name: {"f2": 0.9, "map": 0.7} for name in METHODS},
        weights={label: dict.fromkeys(LEARNERS, 0.1) for label in vocabulary.labels},
        kept={},
        calibration=dict.fromkeys(vocabulary.labels, "none"),
    ).write(folder / "stack.json")
    rule = RuleSettings(name="expected", beta=2.0, threshold=None, thresholds={})
    Decision(rule=rule, rules={"expected": {"f2": 0.9}}, alerts={}).write(workspace.folder("decide") / "rule.json")


def _boosters(p: Probabilities, y: Booleans) -> Boosters:
    """Boost the trees of a label, of several seeds, on some of the chips."""
    matrix = xgboost.DMatrix(logit(p[:FITTED]).astype(np.float32), y[:FITTED])
    parameters = {"objective": "binary:logistic", "base_score": 0.5, "max_depth": DEPTH, "subsample": 0.8, "nthread": 1}
    return tuple(xgboost.train(parameters | {"seed": seed}, matrix, num_boost_round=ROUNDS) for seed in range(SEEDS))


if __name__ == "__main__":
    print(run())
