"""train_overhead: a cross-fit of a MobileNet through igarape against a bare `model.fit` on arrays in memory.

Same network, optimizer, steps and chips, as many steps between two returns to Python, without augmentation on either
side, and without what comes after the trainings, models as files and predictions, which the bare loop has not.
The bare loop runs three times: with memory kept as igarape keeps it; as Python starts it; and as Python starts it, but
fed by a keras.utils.PyDataset, as those feed it who augment in Python: that is a data set of a generator, which ends
glibc's own keeping. How memory is kept holds for a whole process, so that each side has one of its own.
"""

import math
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import keras
import numpy as np
from drawn import Taught, experiment, taught

from igarape.config.network_kinds import Network
from igarape.learners import folds
from igarape.learners.crossfit import cross_fit
from igarape.learners.folds import Recipe
from igarape.learners.memory import keep_memory
from igarape.learners.networks.backbones import build_network
from igarape.learners.networks.losses import make_loss
from igarape.learners.networks.trained import Trained
from igarape.learners.networks.training import STEPS_AT_ONCE

CHIPS, FOLDS, EPOCHS, ROUNDS, SEED = 480, 2, 3, 3, 1
SIZE, BACKBONE = 128, "mobilenet"
HYPERPARAMETERS = {"learning_rate": 0.004, "dropout": 0.2, "dihedral": False, "jitter": 0.0, "tta": False}
# igarape's; bare, with memory kept; bare, as Python starts it; so, and fed by a generator
SIDES = ("ours", "peer", "started", "generator")


class Cost(NamedTuple):
    """What a cross-fit cost: seconds, page faults that needed no disk, and the most memory so far, in MB."""

    seconds: float
    faults: int
    memory: int


class _Silent:
    """Answers nothing in no time."""

    def __init__(self, models: Any, **_options: Any) -> None:
        pass

    def predict(self, _pictures: Any, *, rows: Any, **_options: Any) -> Any:
        """Answer zeros."""
        return np.zeros((len(rows), taught(CHIPS, SIZE).y.shape[1]), dtype=np.float32)


def _written(_trained: Trained, stem: Path) -> Path:
    """Write an empty file for a model."""
    path = stem.with_suffix(".onnx")
    path.touch()
    return path


def run() -> dict[str, object]:
    """Return the seconds of all sides, the best of a few rounds, by turns, and the page faults of that round."""
    with ExitStack() as stack:
        pools = {
            side: stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin))
            for side in SIDES
        }
        rounds = [{side: pool.submit(_measure, side).result() for side, pool in pools.items()} for _ in range(ROUNDS)]
    best = {side: min(one[side] for one in rounds) for side in SIDES}
    ours, peer = best["ours"].seconds, best["peer"].seconds
    row = {"ours": ours, "peer": peer, "ratio": ours / peer, "unit": "s", "n": CHIPS}
    return row | {"sides": {side: cost._asdict() | {"ratio": ours / cost.seconds} for side, cost in best.items()}}


def _begin() -> None:
    """Draw the chips before a clock runs."""
    taught(CHIPS, SIZE)


def _measure(side: str) -> Cost:
    """Return what one side's cross-fit cost in this process."""
    if side == "peer":
        keep_memory()
    examples = taught(CHIPS, SIZE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    seconds = _through_igarape(examples) if side == "ours" else _bare(examples, generator=side == "generator")
    after = resource.getrusage(resource.RUSAGE_SELF)
    return Cost(seconds, after.ru_minflt - before, after.ru_maxrss >> 10)


def _experiment() -> Network:
    """Return the learner of all sides."""
    return experiment(size=SIZE, backbone=BACKBONE, **HYPERPARAMETERS)


def _through_igarape(examples: Taught) -> float:
    """Return the seconds of a cross-fit."""
    wanted = _experiment()
    recipe = Recipe(wanted, wanted.hyperparameters.pick({}), examples.targets, EPOCHS, 0.0, EPOCHS, SEED, threads=1)
    names = [str(row) for row in range(CHIPS)]
    with (
        TemporaryDirectory() as folder,
        patch.object(Trained, "export", _written),
        patch.object(folds, "Predictor", _Silent),
    ):
        start = time.perf_counter()
        cross_fit(
            examples.images,
            examples.y,
            folds=_folds(),
            groups=names,
            recipe=recipe,
            folder=Path(folder),
            notes=Path(folder) / "notes",
            log_of=lambda _fold: lambda _epoch, _metrics: None,
            report=lambda *_words: None,
        )
        return time.perf_counter() - start


class _Fed(keras.utils.PyDataset):
    """Chips as Python feeds them: shuffled, batch by batch."""

    def __init__(self, chips: Any, truth: Any, batch: int) -> None:
        super().__init__()
        self.chips, self.truth, self.batch = chips, truth, batch
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.order) / self.batch)

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        rows = self.order[number * self.batch : (number + 1) * self.batch]
        return self.chips[rows], self.truth[rows]

    def on_epoch_end(self) -> None:
        """Shuffle."""
        self.order = np.random.default_rng().permutation(len(self.chips))


def _bare(examples: Taught, *, generator: bool) -> float:
    """Return the seconds of the same trainings, written out."""
    wanted = _experiment()
    hyperparameters = wanted.hyperparameters.pick({})
    chips, truth = examples.images.astype(np.float32), examples.y.astype(np.float32)
    start = time.perf_counter()
    for fold in range(FOLDS):
        keras.backend.clear_session()
        rows = np.flatnonzero(_folds() != fold)
        steps = -(-len(rows) // wanted.batch) * EPOCHS
        warm_up = round(steps * hyperparameters.warm_up)
        rate = keras.optimizers.schedules.CosineDecay(
            hyperparameters.learning_rate / 10,
            steps - warm_up,
            warmup_target=hyperparameters.learning_rate,
            warmup_steps=warm_up,
            alpha=hyperparameters.floor,
        )
        network = build_network(BACKBONE, "none", targets=examples.targets, hyperparameters=hyperparameters)
        loss = make_loss("bce", smoothing=0.0, targets=examples.targets, y=examples.y[rows])
        optimizer = keras.optimizers.AdamW(rate, weight_decay=hyperparameters.decay)
        network.compile(optimizer=optimizer, loss=loss, steps_per_execution=min(steps // EPOCHS, STEPS_AT_ONCE))
        network.optimizer.build(network.trainable_variables)  # as igarape does; without, its graph is traced twice
        if generator:
            network.fit(_Fed(chips[rows], truth[rows], wanted.batch), epochs=EPOCHS, verbose=0)
        else:
            network.fit(chips[rows], truth[rows], batch_size=wanted.batch, epochs=EPOCHS, verbose=0)
    return time.perf_counter() - start


def _folds() -> np.ndarray:
    """Return the fold of each chip; none is held out, but for one, as the hold-out's prediction needs a chip."""
    folds = np.arange(CHIPS) % FOLDS
    folds[-1] = -1
    return folds


if __name__ == "__main__":
    print(run())
