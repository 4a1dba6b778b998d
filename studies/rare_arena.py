"""Does a learner of the rare labels help a stack, where these are as rare as Planet's? Judged on chips set aside.

Run by itself, in a project whose steps up to search have run for the experiments, on the data set that is not thinned:

python studies/rare_arena.py ucmerced_rare --base mobilenet --rare rare_probe

labels.thin of the data set that is named says how rare labels become. For each thinning seed the base learners and each
candidate are cross-fitted, and the blend is fitted without and with the candidate. Judged is mean average precision
over the rare labels, on what was set aside, which is labelled and unseen; the difference has a paired bootstrap over
chips. The hold-out, whole, is scored for the winner only. Predictions are kept in data/.rare_arena; a run that was
stopped goes on. Prints a table. With --apart a candidate is as many learners as there are rare labels, each of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
import pandas as pd
from ablations import cross_fitted, full_recipe, read_examples

from igarape.chips.thinning import ASIDE, thinned_folds
from igarape.config.best import read_best
from igarape.config.datasets import Labels, read_dataset
from igarape.config.experiments import read_experiments
from igarape.config.kinds import Experiment
from igarape.config.params import read_params
from igarape.ensemble.boosting import Settings
from igarape.ensemble.stackers import fit_stackers
from igarape.errors import InputError
from igarape.files import digest, resumable
from igarape.labels import Booleans
from igarape.learners.examples import Examples
from igarape.learners.keys import result_key
from igarape.predictions import prediction_table
from igarape.scores.comparison import Difference
from igarape.scores.draws import Draws
from igarape.scores.ranking import Ranked, paired_map, rank
from igarape.tables import HOLDOUT, Folds, Probabilities, read_catalog, read_folds, read_groups, truth
from igarape.workspace import Workspace

HERE = Workspace(Path())
KEPT = Path("data/.rare_arena")
RESAMPLES = 400
OF = "@"  # between an experiment and the one label of it
PLACES = {"set aside": ASIDE, "hold-out": HOLDOUT}

# By place: what the stack ranks without and with a candidate, for each seed.
Judged = Mapping[str, Sequence[tuple[Ranked, Ranked]]]


@click.command()
@click.argument("thinned")
@click.option("--base", multiple=True, required=True, help="A learner of all labels; may be given several times.")
@click.option("--rare", multiple=True, required=True, help="A candidate; may be given several times.")
@click.option("--seeds", default=5, show_default=True, help="Thinning seeds.")
@click.option("--apart", is_flag=True, help="Of each candidate make a learner for each rare label.")
@click.option("--budget", default=1.0, show_default=True, help="Share of the experiments' epochs that is trained.")
def main(thinned: str, base: tuple[str, ...], rare: tuple[str, ...], *, seeds: int, apart: bool, budget: float) -> None:
    """Judge candidates for the rare learner where labels are as rare as in the data set THINNED."""
    params = read_params(HERE.params)
    dataset, labels = read_dataset(params.dataset, HERE.datasets), read_dataset(thinned, HERE.datasets).labels
    if not labels.thin or dataset.labels.thin:
        raise InputError(
            f"rare_arena: expected a data set with labels.thin, found {thinned}, and one without in use, found "
            f"{params.dataset}: chips that are set aside already can't be drawn anew"
        )
    experiments = read_experiments(base + rare, labels.vocabulary(), HERE.experiments, nir=bool(dataset.tifs))
    candidates = {name: {name: experiments[name]} for name in rare}
    if apart:
        candidates = {name: _apart(name, experiments[name], labels.vocabulary().rare) for name in rare}
    learners = {name: experiments[name] for name in base}
    for candidate in candidates.values():
        learners |= candidate
    groups = np.asarray(read_groups(HERE.groups, list(read_folds(HERE.folds)["image_id"])))
    columns = [labels.vocabulary().labels.index(label) for label in labels.vocabulary().rare]
    dealt = [deal(labels, seed) for seed in range(seeds)]
    draws = {place: draws_of_seeds([folds == number for folds, _ in dealt], groups) for place, number in PLACES.items()}
    judged: dict[str, dict[str, list[tuple[Ranked, Ranked]]]] = {name: {place: [] for place in PLACES} for name in rare}
    for seed, (folds, y) in enumerate(dealt):
        tables = cross_fits(learners, folds, labels, seed=seed, budget=budget)
        without = _blend({name: tables[name] for name in base}, y, folds, groups, labels)
        for name, candidate in candidates.items():
            having = _blend({each: tables[each] for each in (*base, *candidate)}, y, folds, groups, labels)
            for place, number in PLACES.items():
                rows = folds == number
                pair = {"without": without[rows][:, columns], "with": having[rows][:, columns]}
                ranked = rank(y[rows][:, columns], pair, draws[place][seed])
                judged[name][place].append((ranked["without"], ranked["with"]))
    counts = {place: [y[folds == number][:, columns].sum() for folds, y in dealt] for place, number in PLACES.items()}
    print(
        f"base: {', '.join(base)}; {seeds} thinning seeds; positives of rare labels, on average: "
        + ", ".join(f"{np.mean(each):.0f} {place}" for place, each in counts.items())
    )
    print("\n".join(_rows(judged)))


def _apart(name: str, experiment: Experiment, labels: Sequence[str]) -> dict[str, Experiment]:
    """Return an experiment for each label, which predicts it alone, with what the search of all has found."""
    return {f"{name}{OF}{label}": experiment.model_copy(update={"labels": (label,)}) for label in labels}


def deal(labels: Labels, seed: int) -> tuple[Folds, Booleans]:
    """Deal the project's chips into thinned folds; return them, and the truth of all labels, (chips, labels)."""
    table = read_folds(HERE.folds)
    names = labels.vocabulary().labels
    y = truth(read_catalog(HERE.catalog(), names).set_index("image_id").loc[table["image_id"]], names)
    folds = thinned_folds(
        y,
        read_groups(HERE.groups, list(table["image_id"])),
        split=read_params(HERE.params).split,
        labels=labels,
        seed=seed,
        held=table["fold"].to_numpy() == HOLDOUT,
    )
    return folds, y


def cross_fits(
    experiments: Mapping[str, Experiment], folds: Folds, labels: Labels, *, seed: int, budget: float
) -> dict[str, pd.DataFrame]:
    """Cross-fit all experiments on thinned folds; return their predictions."""
    tables = {}
    for name, experiment in experiments.items():
        examples = read_examples(name, experiment, labels.vocabulary())
        p = _predictions(name, experiment, examples, folds=folds, labels=labels, seed=seed, budget=budget)
        names = experiment.targets(labels.vocabulary()).labels
        tables[name] = prediction_table(examples.image_ids, _two_parts(folds), learner=name, labels=names, p=p)
    return tables


def _two_parts(folds: Folds) -> Folds:
    """Take what is set aside for held out: no model sees either."""
    return np.maximum(folds, HOLDOUT)


def _predictions(
    name: str, experiment: Experiment, examples: Examples, *, folds: Folds, labels: Labels, seed: int, budget: float
) -> Probabilities:
    """Cross-fit an experiment with what its search found best, or take what was kept."""
    parts = _two_parts(folds)
    examples = replace(examples, folds=parts, digest=digest([examples.digest, parts.tobytes()]))
    best = read_best(HERE.best(name.partition(OF)[0]), experiment)
    recipe = full_recipe(experiment, best.hyperparameters, labels.vocabulary())
    recipe = replace(recipe, epochs=max(1, round(recipe.epochs * budget)))
    key = result_key("train", examples, experiment, recipe)
    kept = KEPT / f"{name}-{key}"
    if not kept.exists():
        with resumable(kept, key) as (folder, notes):
            p = cross_fitted(f"{name}, seed {seed}", examples, recipe, folder=folder, notes=notes)
            np.save(folder / "predictions.npy", p)
    answers: Probabilities = np.load(kept / "predictions.npy")
    return answers


def _blend(
    tables: Mapping[str, pd.DataFrame], y: Booleans, folds: Folds, groups: npt.NDArray[np.str_], labels: Labels
) -> npt.NDArray[np.float32]:
    """Return what the blend of some learners answers."""
    image_ids = next(iter(tables.values()))["image_id"]
    params = read_params(HERE.params)
    fits = fit_stackers(
        tables,
        y,
        folds=pd.DataFrame({"image_id": image_ids, "fold": _two_parts(folds)}),
        groups=groups.tolist(),
        vocabulary=labels.vocabulary(),
        settings=Settings(**params.stack.model_dump(exclude={"use", "check"}), seed=params.seed),
        report=lambda _done, _total, _text: None,
        methods=["blend"],
    )
    return fits["blend"].p


def _rows(judged: Mapping[str, Judged]) -> list[str]:
    """Write the candidates as Markdown, the best one first; only that one's row has figures of the hold-out."""
    lines = ["| candidate | rows | without | with | difference (95 %) |", "|---|---|---|---|---|"]
    order = sorted(judged, key=lambda name: -_gain(judged[name]["set aside"])[2].mean)
    lines += [_row(name, "set aside", judged[name]["set aside"]) for name in order]
    return [*lines, _row(order[0], "hold-out", judged[order[0]]["hold-out"])]


def _row(name: str, place: str, pairs: Sequence[tuple[Ranked, Ranked]]) -> str:
    """Write one candidate's figures on some rows."""
    without, having, gain = _gain(pairs)
    return f"| {name} | {place} | {without:.4f} | {having:.4f} | {gain} |"


def _gain(pairs: Sequence[tuple[Ranked, Ranked]]) -> tuple[float, float, Difference]:
    """Return mean average precision without and with, their difference, and its interval; all averaged over seeds."""
    without, having = (together([pair[side] for pair in pairs]) for side in (0, 1))
    return float(np.nanmean(without.observed)), float(np.nanmean(having.observed)), paired_map(having, without)


def draws_of_seeds(chosen: Sequence[Booleans], groups: npt.NDArray[np.str_]) -> list[Draws]:
    """Return draws of the rows that each seed chose (rows,), out of all that any chose: they are paired."""
    some = np.any(chosen, axis=0)
    return [Draws(groups[some], resamples=RESAMPLES, seed=0, among=rows[some]) for rows in chosen]


def together(seeds: Sequence[Ranked]) -> Ranked:
    """Put the labels of all seeds side by side."""
    return Ranked(
        np.concatenate([each.observed for each in seeds]),
        np.concatenate([each.drawn for each in seeds], axis=1),
        seeds[0].groups,
    )


if __name__ == "__main__":
    main()
