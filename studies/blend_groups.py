"""Compare the blend whose rare labels share weights among themselves with one in which all labels share them.

Run by itself, in a project whose steps up to train have run for the learners:

python studies/blend_groups.py probe kernel
python studies/blend_groups.py probe mobilenet --thinned ucmerced_rare --seeds 2 --budget 0.4

The first takes the stored predictions, and judges out of fold and on the hold-out. The second makes rare labels as rare
as labels.thin of the data set that is named says, as rare_arena.py does, and judges on what was set aside and on the
hold-out; it needs the steps up to search only. Prints a table; differences have a paired bootstrap.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
from rare_arena import HERE, cross_fits, deal, draws_of_seeds, together

from igarape.chips.thinning import ASIDE
from igarape.config.datasets import read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.params import read_params
from igarape.ensemble.linear import sigmoid, stack_columns
from igarape.ensemble.nested import PENALTIES, Blends, Known, parts_of
from igarape.labels import Booleans, Vocabulary
from igarape.predictions import learner_labels, learner_probabilities, read_predictions
from igarape.scores.draws import Draws
from igarape.scores.figures import f2_by_chip
from igarape.scores.metrics import Floats
from igarape.scores.ranking import Ranked, paired_map, rank
from igarape.tables import HOLDOUT, Folds, read_catalog, read_folds, read_groups, truth


class Compared(NamedTuple):
    """A figure of both blends: of each label, and in each resample. F2 is one for all labels."""

    shared: Ranked
    apart: Ranked


PLACES: Mapping[str, Callable[[Folds], Booleans]] = {
    "set aside": lambda folds: folds == ASIDE,
    "out of fold": lambda folds: folds >= 0,
    "hold-out": lambda folds: folds == HOLDOUT,
}


@click.command()
@click.argument("learners", nargs=-1, required=True)
@click.option("--thinned", help="A data set with labels.thin; without one, the stored predictions are taken.")
@click.option("--seeds", default=5, show_default=True, help="Thinning seeds.")
@click.option("--own", is_flag=True, help="Choose how strong the sharing is for the rare labels by themselves, too.")
@click.option("--budget", default=1.0, show_default=True, help="Share of the experiments' epochs that is trained.")
def main(learners: tuple[str, ...], thinned: str | None, *, seeds: int, own: bool, budget: float) -> None:
    """Compare both blends of LEARNERS."""
    dataset = read_dataset(read_params(HERE.params).dataset, HERE.datasets)
    if thinned:
        labels = read_dataset(thinned, HERE.datasets).labels
        vocabulary = labels.vocabulary()
        experiments = read_experiments(learners, vocabulary, HERE.experiments, nir=bool(dataset.tifs))
        dealt = [deal(labels, seed) for seed in range(seeds)]
        answers = [
            cross_fits(experiments, folds, labels, seed=seed, budget=budget) for seed, (folds, _) in enumerate(dealt)
        ]
    else:
        vocabulary, table = dataset.labels.vocabulary(), read_folds(HERE.folds)
        catalog = read_catalog(HERE.catalog(), vocabulary.labels).set_index("image_id")
        dealt = [(table["fold"].to_numpy(), truth(catalog.loc[table["image_id"]], vocabulary.labels))]
        answers = [{name: read_predictions(HERE.predictions(name), table) for name in learners}]
    groups = np.asarray(read_groups(HERE.groups, list(read_folds(HERE.folds)["image_id"])))
    chosen = {place: [rows(folds) for folds, _ in dealt] for place, rows in PLACES.items()}
    draws = {place: draws_of_seeds(rows, groups) for place, rows in chosen.items() if np.any(rows)}
    found = [
        _judged(tables, y, folds, vocabulary, own=own, draws={place: draws[place][seed] for place in draws})
        for seed, (tables, (folds, y)) in enumerate(zip(answers, dealt, strict=True))
    ]
    print("| rows | figure | shared by all | rare labels apart | difference (95 %) |\n|---|---|---|---|---|")
    print("\n".join(_row(name, [each[name] for each in found]) for name in found[0]))


def _judged(
    tables: Mapping[str, pd.DataFrame],
    y: Booleans,
    folds: Folds,
    vocabulary: Vocabulary,
    *,
    own: bool,
    draws: Mapping[str, Draws],
) -> dict[str, Compared]:
    """Fit both blends, and compare them on each kind of rows."""
    first = len(vocabulary.labels) - len(vocabulary.rare)
    labels = [vocabulary.labels[:first], vocabulary.labels[first:]]
    blends = {
        "shared": _blended(tables, y, folds, vocabulary, [vocabulary.labels], own=own),
        "apart": _blended(tables, y, folds, vocabulary, labels, own=own),
    }
    found = {}
    for place, drawn in draws.items():
        rows = PLACES[place](folds)
        pair = {name: p[rows] for name, p in blends.items()}
        f2 = {name: f2_by_chip(y[rows], p, targets=vocabulary.targets("all")) for name, p in pair.items()}
        means = {
            name: Ranked(np.array([each.mean()]), drawn.means(each)[:, None], drawn.groups) for name, each in f2.items()
        }
        ranked = rank(y[rows], pair, drawn)
        rare = {
            name: Ranked(each.observed[first:], each.drawn[:, first:], each.groups) for name, each in ranked.items()
        }
        for figure, each in {"F2": means, "mAP": ranked, "mAP of the rare labels": rare}.items():
            found[f"{place} | {figure}"] = Compared(**each)
    return found


def _blended(
    tables: Mapping[str, pd.DataFrame],
    y: Booleans,
    folds: Folds,
    vocabulary: Vocabulary,
    groups: Sequence[Sequence[str]],
    *,
    own: bool,
) -> Floats:
    """Cross-fit a blend for each group of labels, with one penalty or each its own: by log-loss, inside the folds."""
    numbers = np.maximum(folds, HOLDOUT)
    each = [Blends(_known(tables, y, numbers, labels, vocabulary)) for labels in groups]
    known, answers = each[0].known, np.zeros(y.shape)
    for fold in np.unique(numbers):
        asked = numbers == fold
        within = known.parts_without(asked)
        losses = np.array([[blends.loss(within, penalty) for penalty in PENALTIES] for blends in each])
        best = losses.argmin(axis=1) if own else np.repeat(losses.sum(axis=0).argmin(), len(each))
        margins = [np.zeros(blends.known.y.shape) for blends in each]
        for blends, margin, penalty in zip(each, margins, best, strict=True):
            fit = blends.fit(within, PENALTIES[penalty])
            blends.margin_of(frozenset(known.parts[asked].tolist()), fit, into=margin)
        answers[asked] = sigmoid(np.hstack(margins))[asked]
    return answers


def _known(
    tables: Mapping[str, pd.DataFrame], y: Booleans, numbers: Folds, labels: Sequence[str], vocabulary: Vocabulary
) -> Known:
    """Return what is known of a group of labels, by the learners that predict any of them."""
    predicted = learner_labels(tables)
    learners = {name: [label for label in own if label in labels] for name, own in predicted.items()}
    learners = {name: own for name, own in learners.items() if own}
    found = learner_probabilities(
        {name: tables[name] for name in learners}, list(tables[next(iter(tables))]["image_id"])
    )
    p = {name: found[name][:, [predicted[name].index(label) for label in own]] for name, own in learners.items()}
    columns = [vocabulary.labels.index(label) for label in labels]
    together = np.asarray(read_groups(HERE.groups, list(read_folds(HERE.folds)["image_id"])))
    parts = parts_of(numbers, together)
    return Known(stack_columns(p, learners), y[:, columns], parts, learners, vocabulary.targets(labels))


def _row(name: str, cases: list[Compared]) -> str:
    """Write a figure as Markdown, averaged over thinning seeds."""
    shared, apart = (together([getattr(each, side) for each in cases]) for side in Compared._fields)
    before, after = (float(np.nanmean(each.observed)) for each in (shared, apart))
    return f"| {name} | {before:.4f} | {after:.4f} | {paired_map(apart, shared)} |"


if __name__ == "__main__":
    main()
