"""The evaluation; tests/stages/test_evaluate.py looks at what follows from a whole stream."""

from pathlib import Path

import pytest
import yaml

from igarape.config.params import Params, read_params
from igarape.reports import evaluation as module
from igarape.reports.ladder import Ladder
from igarape.reports.results import Results

ROOT = Path(__file__).parents[2]


@pytest.fixture
def params() -> Params:
    """Give the project's own parameters, with few resamples."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert content["evaluate"]["resamples"] >= 100
    return read_params(ROOT / "params.yaml")


def test_learners_of_all_labels_are_compared_with_the_best_of_them(results: Results, params: Params) -> None:
    """The best one has nothing to be compared with; a learner of the rare labels has another F2."""
    ladder = module._ladder(results, params)
    assert ladder.best == "sure" and set(ladder.learners) == {"unsure"}
    mean, low, high = ladder.learners["unsure"]
    assert mean < 0 and low <= mean <= high


def test_the_figures_out_of_fold_are_those_of_the_chosen_rule_and_stacker(results: Results, params: Params) -> None:
    """And the hold-out's are of what the rule answers there."""
    rows = ~results.inside
    metrics = module._metrics(results, results.rule.apply(results.p[rows]), Ladder(None, {}, None), params)
    assert metrics["oof"] == {"f2": 0.55, "map": 1.0}
    assert (metrics["holdout"]["f2"], metrics["holdout"]["n"]) == (1.0, 2)
    assert set(metrics["learners"]) == {"sure", "unsure", "rare"}
