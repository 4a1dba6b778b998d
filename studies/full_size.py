"""What a data set's full would take at Kaggle's size, by reckoning: hours, and the sizes of models. Nothing is trained.

Each network is built without its published weights, written as ONNX, and asked for the views of one chip on one
processor. All else follows from that, from the settings, and from two assumptions: that to learn from a chip costs
STEP answers, and that a graphics card does as much as so many of these processors. What is small beside that is left
out. By itself, in a project: `python studies/full_size.py DATASET --card 200 --cores 16`. Prints a table.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from igarape.config.datasets import Dataset, read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.network_kinds import Network
from igarape.config.params import Params
from igarape.config.schema import validate
from igarape.labels import Vocabulary
from igarape.learners.networks.backbones import BODY, activation_bytes, build_network
from igarape.learners.networks.export import write_onnx
from igarape.learners.predictor import Predictor
from igarape.learners.views import ALL
from igarape.workspace import Workspace

HERE = Workspace(Path())
CHIPS, UNLABELLED = 40_479, 61_191  # of Kaggle's training set, and of those without labels
STEP = 3  # answers that learning from a chip costs: forwards, and back for the layers' outputs and for their weights
REPEATS = 3
HOUR, MILLI, MB, GB = 3600, 1000, 1e6, 1e9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What one network costs: processor seconds of an answer to one view, bytes of a fold model and of a step."""

    view: float
    model: int
    step: int


def main() -> None:
    """Reckon what each network of a data set's full takes, and all together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset")
    parser.add_argument("--card", type=float, default=200, help="processors that a graphics card is assumed to equal")
    parser.add_argument("--cores", type=int, default=16, help="processors beside the card")
    given = parser.parse_args()
    dataset = read_dataset(given.dataset, HERE.datasets)
    params, vocabulary = _params(dataset), dataset.labels.vocabulary()
    experiments = read_experiments(params.experiments, vocabulary, HERE.experiments, nir=bool(dataset.tifs))
    networks = {name: one for name, one in experiments.items() if isinstance(one, Network)}
    known: dict[tuple[str, int], Cost] = {}
    print("| experiment | ms a view | chips/s | a step, GB | learning, h | answers, h | submit, h | models, MB |")
    print("|---|---|---|---|---|---|---|---|")
    total = np.zeros(4)
    for name, network in networks.items():
        what = network.backbone, network.size
        cost = known[what] = known.get(what) or _measured(network, vocabulary)
        rate = given.card / (STEP * cost.view)
        sums = _reckoned(network, cost, params, rate=rate, cores=given.cores)
        total += sums
        print(
            f"| `{name}` | {MILLI * cost.view:.1f} | {rate:,.0f} | {cost.step / GB:.1f} | {_cells(sums)} |", flush=True
        )
    print(f"| all | | | | {_cells(total)} |")


def _cells(sums: Floats) -> str:
    """Write hours, and MB."""
    *hours, models = sums
    return " | ".join([*(f"{value:.2f}" for value in hours), f"{models:,.0f}"])


def _params(dataset: Dataset) -> Params:
    """Return the parameters that `igarape use DATASET --full` would leave."""
    content = yaml.safe_load(HERE.params.read_text(encoding="utf-8"))
    for section, wanted in [*dataset.params.items(), *(dataset.full or {}).items()]:
        content[section] = content[section] | wanted if isinstance(wanted, dict) else wanted
    return validate(Params, content, "params")


def _measured(network: Network, vocabulary: Vocabulary) -> Cost:
    """Write a network as ONNX, and time its answers on one processor."""
    values = network.hyperparameters.ends()[0]
    built = build_network(network.backbone, "none", targets=network.targets(vocabulary), hyperparameters=values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fold-0.onnx"
        write_onnx(built, path, size=network.size)
        predictor = Predictor([path], threads=1)
        views = np.random.default_rng(1).integers(0, 256, (ALL, network.size, network.size, 3), dtype=np.uint8)
        predictor.predict(views, tta=False, batch=ALL)
        spent = []
        for _ in range(REPEATS):
            start = time.process_time()
            predictor.predict(views, tta=False, batch=ALL)
            spent.append((time.process_time() - start) / ALL)
        step = activation_bytes(built.get_layer(BODY), network.batch, network.size) // 2  # half precision
        return Cost(view=min(spent), model=path.stat().st_size, step=step)


def _reckoned(network: Network, cost: Cost, params: Params, *, rate: float, cores: int) -> Floats:
    """Return the hours of learning, of the answers that train gives and of those of submit, and the models' MB."""
    folds, held = params.split.folds, round(CHIPS * params.split.holdout)
    inside = CHIPS - held
    epochs = folds * max(1, round(network.epochs * params.train.budget))
    epochs += params.search.trials * max(1, round(network.epochs * params.search.budget))
    learning = inside * (folds - 1) / folds * epochs / rate
    answers = ALL * (inside + folds * held) * cost.view / cores
    submit = ALL * folds * UNLABELLED * cost.view / cores
    return np.array([learning / HOUR, answers / HOUR, submit / HOUR, folds * cost.model / MB])


if __name__ == "__main__":
    main()
