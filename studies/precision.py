"""What 8-bit integers would give a network's answers: how much quicker they are, and what they cost in F2 and mAP.

Run by itself, in a project whose steps up to train have run: `python studies/precision.py LEARNER`. The learner's fold
models become one graph, as in a bundle, and that is quantised as `serve.precision: int8` does it. Both graphs answer
the hold-out by all views, and by the rule of 0.2; the differences have intervals of a paired bootstrap. Both
are timed in turns on two threads, on the eight views of one chip.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import numpy.typing as npt

from igarape.chips.pictures import Pixels, resize
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.learners.audit import fold_models
from igarape.learners.networks.merging import merge
from igarape.learners.networks.quantisation import quantise
from igarape.learners.novelty import sampled
from igarape.learners.predictor import Predictor
from igarape.scores.comparison import paired_bootstrap
from igarape.scores.draws import Draws
from igarape.scores.metrics import BETA, f2_per_sample, mean_average_precision
from igarape.scores.ranking import paired_map, rank
from igarape.scores.rules import isolated_threshold
from igarape.serving.precision import CHIPS
from igarape.tables import HOLDOUT, Probabilities, read_catalog, read_folds, read_groups, truth
from igarape.workspace import Workspace

HERE = Workspace(Path())
TURNS, THREADS = 60, 2


@click.command()
@click.argument("learner")
def main(learner: str) -> None:
    """Quantise a learner, and compare."""
    params = read_params(HERE.params)
    vocabulary = read_dataset(params.dataset, HERE.datasets).labels.vocabulary()
    store, folds = Store(HERE.chips("raw"), read_catalog(HERE.catalog(), vocabulary.labels)), read_folds(HERE.folds)
    inside = (folds["fold"] != HOLDOUT).to_numpy()
    held = list(folds["image_id"][~inside])
    y = truth(read_catalog(HERE.catalog(), vocabulary.labels).set_index("image_id").loc[held], vocabulary.labels)
    with TemporaryDirectory() as made:
        paths = {name: Path(made) / f"{name}.onnx" for name in ("float32", "int8")}
        merge(fold_models(HERE.folder("train", learner)), paths["float32"])
        size = Predictor([paths["float32"]]).size
        known = [resize(store.rgb(name), size) for name in sampled(list(folds["image_id"][inside]), CHIPS)]
        if not quantise(paths["float32"], paths["int8"], np.stack(known)):
            raise SystemExit(f"{learner}: nothing convolves in it")
        predictors = {name: Predictor([path], threads=THREADS) for name, path in paths.items()}
        images = np.stack([resize(store.rgb(name), size) for name in held])
        p = {name: one.predict(images, tta=True, batch=64) for name, one in predictors.items()}
        groups = read_groups(HERE.groups, held)
        _say(y, p, Draws(groups, resamples=params.evaluate.resamples, seed=params.seed))
        _time(predictors, images[:1], {name: path.stat().st_size / 1e6 for name, path in paths.items()})


def _say(y: npt.NDArray[np.bool_], p: Mapping[str, Probabilities], draws: Draws) -> None:
    """Print the scores, and the differences with their intervals."""
    f2 = {name: f2_per_sample(y, each >= isolated_threshold(BETA)) for name, each in p.items()}
    ranked = rank(y, p, draws)
    for name, each in p.items():
        click.echo(f"{name}: F2 {f2[name].mean():.4f}, mAP {mean_average_precision(y, each):.4f}, {len(y)} chips")
    less = paired_bootstrap(f2["int8"], f2["float32"], draws)
    mean_ap = paired_map(ranked["int8"], ranked["float32"])
    most = np.abs(p["int8"] - p["float32"]).max()
    click.echo(f"int8 less float32: F2 {less}, mAP {mean_ap}; probabilities differ by {most:.3f} at most")


def _time(predictors: Mapping[str, Predictor], image: Pixels, megabytes: Mapping[str, float]) -> None:
    """Print how long one chip takes by each, in turns: the median of the processor time and the fastest wall time."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in predictors}
    for _ in range(TURNS):
        for name, one in predictors.items():
            process, wall = time.process_time(), time.perf_counter()
            one.predict(image, tta=True, batch=64)
            spent[name].append((time.process_time() - process, time.perf_counter() - wall))
    for name, times in spent.items():
        process, wall = 1000 * np.median(times, axis=0)[0], 1000 * np.min(times, axis=0)[1]
        click.echo(f"{name}: {process:.1f} ms of processor time, {wall:.1f} ms at best, {megabytes[name]:.1f} MB")


if __name__ == "__main__":
    main()
