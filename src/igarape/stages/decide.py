"""decide: the rule that turns probabilities into labels. data/stack/predictions.parquet -> data/decide/rule.json."""

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, Decision, RuleSettings, RunFacts
from igarape.config.params import read_params
from igarape.ensemble.decision import cross_fit_rules, fit_rule
from igarape.files import fresh_folder
from igarape.reports.verdict import f2_of_each
from igarape.scores.metrics import sample_f2
from igarape.tables import probability_columns, read_catalog, read_folds, read_predictions, truth
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Score each rule on rows it was not fitted on, and fit the one that params.yaml asks for on all folds."""
    params = read_params(workspace.params)
    vocabulary = read_dataset(params.dataset, workspace.datasets).labels.vocabulary()
    folds = read_folds(workspace.folds)
    source, target = workspace.folder("stack"), workspace.folder("decide")
    stacked = read_predictions(source / "predictions.parquet", folds)
    stacked = stacked[stacked["learner"] == CALIBRATED]
    stacked = stacked[stacked["fold"] >= 0]
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    y = truth(catalog.loc[stacked["image_id"]], vocabulary.labels)
    p = stacked[probability_columns(stacked)].to_numpy()
    recorded = {"dataset": params.dataset, "decide": params.decide.model_dump()}
    with step_run("decide", workspace=workspace, params=recorded) as opened:
        fresh_folder(target)  # not before MLflow has answered
        answers = cross_fit_rules(y, p, stacked["fold"].to_numpy(), vocabulary=vocabulary)
        scores = {name: {"f2": sample_f2(y, answer)} for name, answer in answers.items()}
        chosen = params.decide.use if params.decide.use != "best" else max(scores, key=lambda name: scores[name]["f2"])
        rule = fit_rule(chosen, y, p, vocabulary=vocabulary)
        Decision(rule=RuleSettings(**rule.to_json()), rules=scores).write(target / "rule.json")
        RunFacts(run_id=opened.id).write(workspace.run("decide"))
        opened.tags({"igarape.chosen": chosen})
        opened.metrics({"oof_f2": scores[chosen]["f2"]} | {f"{name}_f2": both["f2"] for name, both in scores.items()})
        opened.artifact(target)
    click.echo(f"decide: F2 out of fold: {f2_of_each(scores)}; used: {chosen}")
