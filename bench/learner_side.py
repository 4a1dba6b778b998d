"""learner_side: what learners hold in memory of many chips, and what it costs them: made-up pictures, little to learn.

Not among the benches that `python bench` runs: `python bench/learner_side.py CHIPS [PART...]` does it, 100,000 chips
and all parts by default. Memory is without files that are mapped.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from project import run as command

CHIPS, SIDE = 100_000, 32
CACHE = Path("data/.resized/ingest")
HEAD = """
import numpy as np
from pathlib import Path
from igarape.config.hyperparameters import FisherValues, KernelValues, TreeValues
from igarape.labels import Targets, Vocabulary
from igarape.learners.learning import Training
images = np.asarray(np.load("data/.resized/ingest/32-made.npy", mmap_mode="r"))
rows, rng = np.arange(len(images)), np.random.default_rng(1)
y = rng.random((len(images), 2)) < 0.3
class Small: size = 32
part = len(rows) * 4 // 5
training = Training(images, y, Targets(("a", "b")), train=rows[:part], validation=rows[part:],
    epochs=2, patience=None, seed=1, log=lambda *_words: None)
"""
PARTS = {
    "images": "images.sum()",
    "tabular": """
from igarape.learners.trees.boosting import fit
fit(training, experiment=Small, hyperparameters=TreeValues())
""",
    "kernel": """
from igarape.learners.kernels.solving import fit
fit(training, experiment=Small, hyperparameters=KernelValues(l2=100.0))
""",
    "fisher": """
from igarape.learners.fisher.solving import fit
fit(training, experiment=Small, hyperparameters=FisherValues(l2=100.0))
""",
    "probe": """
from igarape.learners.probes.heads import fit_head
features = rng.normal(0, 1, (len(images) * 4 // 5, 960)).astype(np.float32)
head = fit_head(features, y[: len(features)], l2=1e5, balance=0.0)
head.answer(features)
""",
    "features": """
from contextlib import contextmanager
from igarape.learners.probes import features
class Answering:
    shapes = [(0, 960)]
    def mean(self, images, *, tta): return np.zeros((len(images), 960))
@contextmanager
def opened(_model): yield Answering()
features.opened, features.extractor, features.known_by = opened, lambda _experiment: None, str
features.features_of(images, rows[: len(rows) * 4 // 5], "an experiment")
""",
    "stack": """
import pandas as pd
from igarape.ensemble.linear import stack_columns
from igarape.ensemble.nested import Blends, Known, parts_of
from igarape.predictions import learner_labels, learner_probabilities, prediction_table, read_predictions
from igarape.tables import write_table
labels, names = tuple(f"label_{n}" for n in range(14)), [f"learner_{n}" for n in range(6)]
folds = pd.DataFrame({"image_id": [f"chip_{row}" for row in rows], "fold": rows % 6 - 1})
for name in names:
    p = rng.random((len(rows), 14), dtype=np.float32)
    write_table(prediction_table(list(folds["image_id"]), folds["fold"].to_numpy(), learner=name, labels=labels, p=p),
        Path(f"data/{name}.parquet"))
tables = {name: read_predictions(Path(f"data/{name}.parquet"), folds) for name in names}
learners, p = learner_labels(tables), learner_probabilities(tables, list(folds["image_id"]))
targets = Vocabulary((), (), labels, ()).targets("all")
truth, parts = rng.random((len(rows), 14)) < 0.3, parts_of(folds["fold"].to_numpy(), rows)
known = Known(stack_columns(p, learners), truth, parts, learners, targets)
Blends(known, penalties=(0.1,)).fit(known.all, 0.1)
""",
}


def main(count: int, parts: list[str]) -> None:
    """Print what each part costs, the first one only what it costs to begin."""
    with TemporaryDirectory(prefix="igarape-learners-") as folder:
        made = Path(folder) / CACHE
        made.mkdir(parents=True)
        images = np.lib.format.open_memmap(
            made / "32-made.npy", mode="w+", dtype=np.uint8, shape=(count, SIDE, SIDE, 3)
        )
        rng = np.random.default_rng(0)
        for row in range(count):
            images[row] = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
            images[row] ^= rng.integers(0, 32, (SIDE, SIDE, 3), dtype=np.uint8)
        images.flush()
        for name in parts or PARTS:
            cost = command(Path(folder), sys.executable, "-c", HEAD + PARTS[name])
            figures = {"chips": count, "processor_minutes": round(cost.processor / 60, 2)}
            print(name, json.dumps(figures | {"memory_gb": round(cost.memory / 2**30, 3)}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else CHIPS, sys.argv[2:])
