"""decide: the rule that turns probabilities into labels. data/stack/predictions.parquet -> data/decide/rule.json."""

import click

from igarape.config.datasets import read_dataset
from igarape.config.documents import CALIBRATED, Decision, RuleSettings, RunFacts
from igarape.config.params import Decide, read_params
from igarape.ensemble.alerts import fit_alerts
from igarape.ensemble.decision import RULES, cross_fit_rule, fit_rule
from igarape.files import fresh_folder
from igarape.predictions import probability_columns, read_predictions
from igarape.reports.operating import alert_lines, rules_line
from igarape.scores.metrics import BETA, sample_f2, sample_fbeta
from igarape.tables import read_catalog, read_folds, read_groups, truth
from igarape.tracking.step import step_run
from igarape.workspace import Workspace


def run(workspace: Workspace) -> None:
    """Score each rule on rows it was not fitted on, and fit the one that params.yaml asks for on all folds."""
    params = read_params(workspace.params)
    vocabulary = read_dataset(params.dataset, workspace.datasets).labels.vocabulary()
    folds = read_folds(workspace.folds)
    source, target = workspace.folder("stack"), workspace.folder("decide")
    stacked = read_predictions(source / "predictions.parquet", folds, vocabulary.labels, learner=CALIBRATED)
    stacked = stacked[stacked["fold"] >= 0]
    catalog = read_catalog(workspace.catalog(), vocabulary.labels).set_index("image_id")
    y = truth(catalog.loc[stacked["image_id"]], vocabulary.labels)
    known = (y, stacked[probability_columns(stacked)].to_numpy(), stacked["fold"].to_numpy())
    beta, recorded = params.decide.beta, {"dataset": params.dataset, "decide": _recorded(params.decide)}
    # Before the run is opened: what nobody can give is the asker's fault.
    groups = read_groups(workspace.groups, list(stacked["image_id"]))
    alerts = fit_alerts(*known, groups=groups, wanted=params.decide.alert, vocabulary=vocabulary, seed=params.seed)
    with step_run("decide", workspace=workspace, params=recorded) as opened:
        fresh_folder(target)  # not before MLflow has answered
        scores = {}
        for name in RULES:
            answer = cross_fit_rule(name, *known, vocabulary=vocabulary, beta=beta)
            scores[name] = {"f2": sample_f2(y, answer)}
            if beta != BETA:
                scores[name]["fbeta"] = sample_fbeta(y, answer, beta=beta)
        by = "f2" if beta == BETA else "fbeta"
        chosen = params.decide.use if params.decide.use != "best" else max(scores, key=lambda name: scores[name][by])
        rule = fit_rule(chosen, *known, vocabulary=vocabulary, beta=beta)
        Decision(rule=RuleSettings(**rule.to_json()), rules=scores, alerts=alerts).write(target / "rule.json")
        RunFacts(run_id=opened.id).write(workspace.run("decide"))
        opened.tags({"igarape.chosen": chosen})
        opened.metrics({f"oof_{figure}": value for figure, value in scores[chosen].items()})
        opened.metrics(
            {f"{name}/oof_{figure}": value for name, figures in scores.items() for figure, value in figures.items()}
        )
        opened.artifact(target)
        found = [f"{rules_line(scores, beta)}; used: {chosen}", *alert_lines(alerts)]
        opened.describe("\n\n".join(found))
    for line in found:
        click.echo(f"decide: {line}")


def _recorded(settings: Decide) -> dict[str, object]:
    """Return the settings as MLflow can keep them: a label may hold what a parameter's name must not."""
    wanted = ", ".join(f"{label}: {precision}" for label, precision in settings.alert.items())
    return settings.model_dump() | {"alert": wanted or "none"}
