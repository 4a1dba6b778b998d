"""How well the out-of-distribution score tells other pictures from fresh chips.

Run by itself, in a project whose steps up to split have run: `python studies/novelty.py FOLDER...`, each a folder of
other pictures. What is usual is learned as evaluate does, from the chips of the folds and of the hold-out. Other
pictures are those in the folders, and hold-out chips that were spoiled. Prints a table: the area under the ROC curve
between the hold-out and the others, and the share of the others that answers warn of. The false alarms are those among
one half of the hold-out where the other half is the scale, the mean over REPEATS ways to halve it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import cv2
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from igarape.chips.formats import NAMED
from igarape.chips.pictures import Pixels, decode
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.learners.novelty import HELD, KNOWN, Novelty, sampled
from igarape.serving.answers import FAR
from igarape.tables import HOLDOUT, read_catalog, read_folds
from igarape.workspace import Workspace

HERE = Workspace(Path())
REPEATS = 20
SPOILED = 100  # hold-out chips at most

Floats = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)


def _blurred(chip: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(chip, (0, 0), 4), dtype=np.uint8)


def _noisy(chip: Pixels) -> Pixels:
    return np.clip(chip + RNG.normal(0, 20, chip.shape), 0, 255).astype(np.uint8)


def _half_black(chip: Pixels) -> Pixels:
    return np.where(np.arange(len(chip))[:, None, None] < len(chip) // 2, chip, 0).astype(np.uint8)


SPOIL: Mapping[str, Callable[[Pixels], Pixels]] = {
    "turned by 180 degrees": lambda chip: np.ascontiguousarray(chip[::-1, ::-1]),
    "grey": lambda chip: np.repeat(chip.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    "red and blue exchanged": lambda chip: np.ascontiguousarray(chip[:, :, ::-1]),
    "colours upside down": lambda chip: 255 - chip,
    "a quarter as bright": lambda chip: chip // 4,
    "blurred": _blurred,
    "noise of 20 levels": _noisy,
    "one half black": _half_black,
    "noise only": lambda chip: RNG.integers(0, 256, chip.shape, dtype=np.uint8),
    "one colour": lambda chip: np.full_like(chip, chip[0, 0]),
}


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folders: Sequence[Path]) -> None:
    """Learn what is usual, and print how others differ."""
    params = read_params(HERE.params)
    labels = read_dataset(params.dataset, HERE.datasets).labels.vocabulary().labels
    store, table = Store(HERE.chips("raw"), read_catalog(HERE.catalog(), labels)), read_folds(HERE.folds)
    inside = table["fold"] != HOLDOUT
    known = [store.rgb(name) for name in sampled(list(table["image_id"][inside]), KNOWN)]
    held = [store.rgb(name) for name in sampled(list(table["image_id"][~inside]), HELD)]
    usual = Novelty.fit(known, held)
    start = time.process_time()
    own = usual.ood(held)
    spent = 1000 * (time.process_time() - start) / len(held)
    halves = _false_alarms(usual.held)
    click.echo(f"{params.dataset}: {len(known)} chips of the folds, {len(held)} of the hold-out; {spent:.1f} ms a chip")
    click.echo(f"fresh chips: {halves.mean():.2%} are warned of, {halves.min():.2%} to {halves.max():.2%}")
    click.echo("| other pictures | how many | AUC | warned of |\n|---|---|---|---|")
    others = {name: [spoil(chip) for chip in held[:SPOILED]] for name, spoil in SPOIL.items()}
    for name, pictures in ({folder.name: _read(folder) for folder in folders} | others).items():
        far = usual.ood(pictures)
        area = roc_auc_score(np.repeat([0, 1], [len(own), len(far)]), np.concatenate([own, far]))
        click.echo(f"| {name} | {len(pictures)} | {area:.3f} | {(far > FAR).mean():.0%} |")


def _false_alarms(scores: Floats) -> Floats:
    """Return the share of a half of the hold-out's scores that is beyond FAR of the other half, for each way."""
    rates = []
    for _ in range(REPEATS):
        one, other = np.array_split(RNG.permutation(scores), 2)
        rates.append((np.searchsorted(np.sort(one), other) / len(one) > FAR).mean())
    return np.array(rates)


def _read(folder: Path) -> list[Pixels]:
    """Return the pictures in a folder."""
    return [decode(path.read_bytes(), str(path)) for path in sorted(folder.iterdir()) if path.suffix in NAMED]


if __name__ == "__main__":
    main()
