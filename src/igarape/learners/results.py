"""The result of a training: a learner's predictions, its settings, and the manifest that says what it is."""

from pathlib import Path
from typing import Literal

from igarape.config.documents import FoldFacts, LearnerManifest
from igarape.config.experiments import resolved_yaml
from igarape.files import write_text
from igarape.learners.audit import rows_hash
from igarape.learners.examples import Examples
from igarape.learners.folds import Recipe, rows_learned
from igarape.predictions import prediction_table
from igarape.scores.figures import figures
from igarape.tables import Probabilities, write_table


def write_result(
    folder: Path, p: Probabilities, *, name: str, examples: Examples, recipe: Recipe, notes: Path
) -> dict[str, float]:
    """Write what cross-fitting gave beside the fold models, and score it out of fold.

    Parameters
    ----------
    folder
        Where the fold models lie.
    p
        Out-of-fold predictions, and the hold-out's, of shape (n, labels).
    name
        Of the learner, which is that of its experiment.
    examples
        What it was trained on.
    recipe
        How it was trained.
    notes
        What cross-fitting noted of each fold.

    Returns
    -------
    dict[str, float]
        f2 and map of the rows in the folds; the hold-out has no part in it.
    """
    experiment, values, labels = recipe.experiment, recipe.hyperparameters, recipe.targets.labels
    table = prediction_table(examples.image_ids, examples.folds, learner=name, labels=labels, p=p)
    write_table(table, folder / "predictions.parquet")
    inside = examples.folds >= 0
    scores = figures(examples.y[inside], p[inside], targets=recipe.targets)
    write_text(resolved_yaml(experiment), folder / "experiment.yaml")
    LearnerManifest(
        name=name,
        chips=experiment.chips,
        size=experiment.size,
        scope=_scope(recipe),
        labels=labels,
        tta=values.averaged(),
        f2=scores["f2"],
        map=scores["map"],
        settings=recipe.settings(),
        folds=tuple(
            FoldFacts(rows=len(rows), learned=rows_hash(examples.image_ids[row] for row in rows))
            for rows in rows_learned(notes)
        ),
    ).write(folder / "learner.json")
    return scores


def _scope(recipe: Recipe) -> Literal["all", "rare", "named"]:
    """Return which labels a learner predicts; all of them by name are all."""
    if not recipe.targets.partial:
        return "all"
    return "rare" if recipe.experiment.labels == "rare" else "named"
