"""What should a model see beyond a scene's border? Held-out chips, cut by straight borders at random.

Run in a project whose stream has run: `python studies/borders.py`. A border hides 1 to 50 % of each chip, at a random
angle; the hidden pixels are black, the mean colour of the others, or what lies opposite, as igarape map has it. Prints
F2 by the bundle's rule, how many tags a chip change, and how many chips are told to be far from the training's.
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from igarape.chips.pictures import Pixels
from igarape.chips.store import Store
from igarape.config.datasets import read_dataset
from igarape.config.params import read_params
from igarape.labels import Booleans
from igarape.scores.metrics import f2_per_sample
from igarape.serving.answers import FAR
from igarape.serving.bundle import Bundle
from igarape.sites.windows import filled
from igarape.tables import HOLDOUT, read_catalog, read_folds, truth
from igarape.workspace import Workspace

HERE = Workspace(Path())
HIDDEN = (0.01, 0.5)  # shares of a chip


def black(chip: Pixels, holds: Booleans) -> Pixels:
    """Leave hidden pixels as a file without a picture there has them."""
    return np.where(holds[..., None], chip, 0).astype(np.uint8)


def mean(chip: Pixels, holds: Booleans) -> Pixels:
    """Give hidden pixels the mean colour of the others."""
    return np.where(holds[..., None], chip, np.rint(chip[holds].mean(axis=0))).astype(np.uint8)


def opposite(chip: Pixels, holds: Booleans) -> Pixels:
    """Show beyond the border what lies opposite."""
    return np.moveaxis(filled(np.moveaxis(chip, -1, 0), holds), 0, -1)


FILLS: tuple[Callable[[Pixels, Booleans], Pixels], ...] = (black, mean, opposite)


@click.command()
def main() -> None:
    """Hide a part of each held-out chip, and compare what the bundle says."""
    words = read_dataset(read_params(HERE.params).dataset, HERE.datasets).labels.vocabulary()
    catalog, folds = read_catalog(HERE.catalog(), words.labels), read_folds(HERE.folds)
    names = list(folds["image_id"][folds["fold"] == HOLDOUT])
    store, y = Store(HERE.chips("raw"), catalog), truth(catalog.set_index("image_id").loc[names], words.labels)
    chips, bundle = [store.rgb(name) for name in names], Bundle.load(HERE.bundle)
    rng = np.random.default_rng(0)
    borders = [_border(rng, len(chip)) for chip in chips]
    whole = bundle.rule.apply(bundle.probabilities(chips))
    _say("whole chips", y, whole, whole, bundle.ood(chips))
    for fill in FILLS:
        cut = [np.ascontiguousarray(fill(chip, holds)) for chip, holds in zip(chips, borders, strict=True)]
        _say(fill.__name__, y, whole, bundle.rule.apply(bundle.probabilities(cut)), bundle.ood(cut))


def _border(rng: np.random.Generator, side: int) -> Booleans:
    """Return which pixels a straight border leaves, (side, side)."""
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    angle, hidden = rng.uniform(0, 2 * np.pi), rng.uniform(*HIDDEN)
    along = across * np.cos(angle) + down * np.sin(angle)
    return np.asarray(along <= np.quantile(along, 1 - hidden))


def _say(name: str, y: Booleans, whole: Booleans, tags: Booleans, ood: np.ndarray) -> None:
    """Print a row."""
    changed, far = (tags != whole).sum(axis=1).mean(), (ood > FAR).mean()
    click.echo(f"| {name} | {f2_per_sample(y, tags).mean():.4f} | {changed:.2f} | {far:.1%} |")


if __name__ == "__main__":
    main()
