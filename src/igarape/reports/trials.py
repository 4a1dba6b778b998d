"""All trials of a search side by side: a page of parallel coordinates (Inselberg, The Visual Computer 1985)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from igarape.config.hyperparameters import Value, Values
from igarape.config.spaces import Choice, Range, Space
from igarape.reports.pages import render_page

OBJECTIVES = {"f2": "F2", "map": "mAP"}


@dataclass(frozen=True)
class Axis:
    """One axis: its name, and its ticks, each at a height from 0 to 1."""

    name: str
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Trial:
    """A trial as it is shown: where it crosses each axis, and what its texts say.

    heights: of the axes, up to the score's, which a failed trial has not. rank: 1 for the best score, 0 for the lowest.
    """

    name: str
    heights: Sequence[float]
    rank: float
    texts: Mapping[str, str]
    score: float | None
    seconds: float
    memory: float
    error: str


def render_comparison(
    trials: pd.DataFrame, hyperparameters: Space[Values], *, experiment: str, objective: str, tuner: str, best: str
) -> str:
    """Render the trials of a search: one page, nothing to load from elsewhere.

    Parameters
    ----------
    trials
        As search.Found holds them.
    hyperparameters
        What the search varied, and what it left alone.
    experiment
        Its name.
    objective
        What the score is.
    tuner
        What proposed the trials.
    best
        The name of the best trial.
    """
    score = _score_axis(trials["score"].dropna())
    axes = [*_hyperparameter_axes(hyperparameters), *_epochs_axis(trials)]
    shown = [_trial(row, hyperparameters, axes, trials["score"]) for row in trials.to_dict("records")]
    shown.sort(key=lambda trial: (trial.score is not None, trial.score or 0.0, trial.name == best))
    return render_page(
        "reports/trials.html.jinja",
        experiment=experiment,
        objective=OBJECTIVES[objective],
        tuner=tuner,
        axes=[*axes, score],
        trials=shown,
        best=next(trial for trial in shown if trial.name == best),
        fixed={name: text(value) for name, value in hyperparameters.fixed().items()},
        failed=sum(trial.score is None for trial in shown),
        seconds=float(trials["seconds"].sum()),
        memory=float(trials["memory_mb"].max()),
    )


def text(value: Value) -> str:
    """Write a hyperparameter's value as it stands in YAML, to four digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:.4g}"


def height(value: Value, hyperparameter: Choice | Range) -> float:
    """Return how high a value stands on its axis: a choice by its place in the list, a range on its scale."""
    if isinstance(hyperparameter, Choice):
        return hyperparameter.choice.index(value) / (len(hyperparameter.choice) - 1)
    scaled = math.log if hyperparameter.scale == "log" else float
    low, high, here = (scaled(float(one)) for one in (hyperparameter.low, hyperparameter.high, value))
    return (here - low) / (high - low)


def _hyperparameter_axes(hyperparameters: Space[Values]) -> list[Axis]:
    """Return an axis for each searched hyperparameter."""
    return [Axis(name, _ticks(hyperparameter)) for name, hyperparameter in hyperparameters.searched().items()]


def _ticks(hyperparameter: Choice | Range) -> list[tuple[float, str]]:
    """Return every choice, or five values that stand evenly on the range's scale."""
    if isinstance(hyperparameter, Choice):
        return [(height(value, hyperparameter), text(value)) for value in hyperparameter.choice]
    if hyperparameter.scale == "log":
        values = [hyperparameter.low * (hyperparameter.high / hyperparameter.low) ** (part / 4) for part in range(5)]
    else:
        values = [hyperparameter.low + (hyperparameter.high - hyperparameter.low) * part / 4 for part in range(5)]
    return [(part / 4, f"{value:.3g}") for part, value in enumerate(values)]


def _epochs_axis(trials: pd.DataFrame) -> list[Axis]:
    """Return an axis for the epochs, where trials differ in them."""
    each = sorted(trials["epochs"].unique())
    return [Axis("epochs", [(place / (len(each) - 1), str(one)) for place, one in enumerate(each)])] if each[1:] else []


def _score_axis(scores: "pd.Series[float]") -> Axis:
    """Return the axis of the scores, from the lowest to the best."""
    low, high = float(scores.min()), float(scores.max())
    if low == high:
        return Axis("score", [(0.5, f"{high:.4f}")])
    return Axis("score", [(part / 4, f"{low + (high - low) * part / 4:.4f}") for part in range(5)])


def _trial(
    row: Mapping[Any, Any], hyperparameters: Space[Values], axes: Sequence[Axis], scores: "pd.Series[float]"
) -> Trial:
    """Lay out a row of the table."""
    finished = not math.isnan(row["score"])
    low, high = float(scores.min()), float(scores.max())
    rank = (row["score"] - low) / (high - low) if finished and high > low else 0.5
    heights = [height(row[name], hyperparameter) for name, hyperparameter in hyperparameters.searched().items()]
    texts = {name: text(row[name]) for name in hyperparameters.searched()}
    if len(axes) > len(heights):
        heights.append(next(place for place, epochs in axes[-1].ticks if epochs == str(row["epochs"])))
        texts["epochs"] = str(row["epochs"])
    return Trial(
        name=row["trial"],
        heights=[*heights, rank] if finished else heights,
        rank=rank,
        texts=texts,
        score=row["score"] if finished else None,
        seconds=row["seconds"],
        memory=row["memory_mb"],
        error=row["error"],
    )
