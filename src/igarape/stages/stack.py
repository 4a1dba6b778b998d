"""stack: one probability per label from all learners. data/train/*/predictions.parquet -> data/stack/."""

from functools import partial

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import LearnerManifest, RunFacts, StackSummary
from igarape.config.params import read_params, workers
from igarape.ensemble.boosting import Settings
from igarape.ensemble.calibration import calibrate
from igarape.ensemble.leave_one_out import RARE, blends_without
from igarape.ensemble.results import write_result
from igarape.ensemble.stackers import choose, fit_stackers
from igarape.files import fresh_folder
from igarape.learners.audit import audit, check_models
from igarape.predictions import read_predictions
from igarape.progress import progress
from igarape.reports.operating import scores_line
from igarape.scores.figures import figures
from igarape.tables import Probabilities, read_catalog, read_folds, read_groups, truth
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Stack by each method, keep the one that params.yaml asks for, and see what rare learners bring."""
    params = read_params(workspace.params)
    vocabulary = read_dataset(params.dataset, workspace.datasets).labels.vocabulary()
    folds = read_folds(workspace.folds)
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    y = truth(catalog.loc[folds["image_id"]], vocabulary.labels)
    manifests = {name: LearnerManifest.read(workspace.learner(name)) for name in params.experiments}
    tables = {name: read_predictions(workspace.predictions(name), folds, manifests[name].labels) for name in manifests}
    check_models(workspace, manifests)
    general = {name: table for name, table in tables.items() if manifests[name].scope == "all"}
    settings = Settings(**params.stack.model_dump(exclude={"use", "check"}), seed=params.seed, threads=workers())
    groups = read_groups(workspace.groups, list(folds["image_id"]))
    fit = partial(fit_stackers, y=y, folds=folds, groups=groups, vocabulary=vocabulary, settings=settings)
    recorded = {"seed": params.seed, "dataset": params.dataset, "stack": params.stack.model_dump()}
    recorded["experiments"] = ", ".join(params.experiments)
    with step_run("stack", workspace=workspace, params=recorded) as opened:
        target = fresh_folder(workspace.folder("stack"))  # not before MLflow has answered
        with progress("stack: checking fold models", "model") as report:
            audit(
                workspace,
                manifests,
                tables,
                sample=params.stack.check,
                seed=params.seed,
                threads=workers(),
                report=report,
            )
        with progress("stack", "fit") as report:
            fits = fit(tables, report=report)
        inside, targets = folds["fold"].to_numpy() >= 0, vocabulary.targets("all")
        scores = {name: figures(y[inside], one.p[inside], targets=targets) for name, one in fits.items()}
        chosen = choose(scores, params.stack.use)
        calibrated = calibrate(y, fits[chosen].p, folds["fold"].to_numpy(), groups=groups)
        without: dict[str, Probabilities] = {}
        if general and len(general) < len(tables):
            with progress("stack without the rare learners", "fit") as report:
                without[RARE] = fit(general, report=report, methods=[chosen])[chosen].p
        with progress("stack without each learner", "learner") as report:
            without |= blends_without(
                tables, y, folds=folds, vocabulary=vocabulary, penalties=fits["blend"].penalties, report=report
            )
        write_result(target, fits, calibrated, folds=folds, vocabulary=vocabulary, chosen=chosen, without=without)
        StackSummary(
            chosen=chosen,
            stackers=scores,
            weights=fits["blend"].stacker.weights(),
            kept=fits["xgboost"].stacker.fallbacks,
            calibration=dict(zip(vocabulary.labels, (one.kind for one in calibrated.calibrators), strict=True)),
        ).write(target / "stack.json")
        RunFacts(run_id=opened.id).write(workspace.run("stack"))
        opened.tags({"igarape.chosen": chosen})
        opened.metrics({"oof_f2": scores[chosen]["f2"], "oof_map": scores[chosen]["map"]})
        opened.metrics({f"{name}/oof_{figure}": each[figure] for name, each in scores.items() for figure in each})
        opened.curve({rounds: {"xgboost/oof_log_loss": loss} for rounds, loss in fits["xgboost"].curve.items()})
        opened.artifact(target)
        found = f"F2 out of fold: {scores_line(scores, 'f2')}; used: {chosen}"
        opened.describe(found)
    click.echo(f"stack: {found}")
