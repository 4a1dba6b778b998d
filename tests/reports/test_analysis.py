"""The analysis as a whole, from results to figures; test_verdict.py looks at its part of the page."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, VOCABULARY, draw

from igarape.config.documents import CALIBRATED, Decision, LearnerManifest, RuleSettings, StackSummary
from igarape.config.params import read_params
from igarape.ensemble.decision import Rule
from igarape.ensemble.linear import mean_weights
from igarape.ensemble.stacker import Stacker
from igarape.reports.analysis import BLEND, analyse
from igarape.reports.results import Results

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results() -> Results:
    """Give what two learners of all labels, which differ in their chips, and one of rare labels predicted."""
    p, y, folds = draw(200, seed=1)
    manifests = {
        name: LearnerManifest(
            name=name,
            chips="dehazed" if name == "deep" else "raw",
            size=32,
            scope="all" if labels == LABELS else "rare",
            labels=labels,
            tta=False,
            f2=0.5,
            map=0.5,
            settings={"backbone": "plain", "labels": str(len(labels))},
            folds=(),
        )
        for name, labels in LEARNERS.items()
    }
    blend = p["plain"]
    return Results(
        image_ids=[f"chip-{row}" for row in range(200)],
        groups=[f"chip-{row}" for row in range(200)],
        folds=folds,
        y=y,
        stacked={BLEND: blend, CALIBRATED: blend},
        without={"rare": blend, "deep": 1 - blend},
        without_rare=1 - blend,
        manifests=manifests,
        learners=p,
        stack=StackSummary(chosen=BLEND, stackers={}, weights={}, kept={}, calibration={}),
        decision=Decision(rule=RuleSettings(name="fixed", beta=2.0, threshold=0.2, thresholds={}), rules={}, alerts={}),
        rule=Rule("fixed", VOCABULARY, 2.0, threshold=0.2),
    )


def test_it_looks_at_the_rows_in_the_folds_and_into_the_stack_by_the_hold_out(results: Results) -> None:
    """What is the same without a learner is worth nothing; who cannot be left out is named; each part has its rows."""
    stacker = Stacker("mean", LABELS, dict(LEARNERS), mean_weights(LEARNERS, LABELS))
    params = read_params(ROOT / "params.yaml")
    found = analyse(results, stacker, params)
    assert set(found.worths) == {"rare", "deep"} and found.irreplaceable == ("plain",)
    assert found.worths["rare"].f2 == found.worths["rare"].map == (0, 0, 0)
    assert found.worths["deep"].map.low > 0
    assert [(views.before, views.after) for views in found.views] == [("plain", "deep")]
    inside = results.inside
    assert [curve.chips for curve in found.curves] == results.y[inside].sum(axis=0).tolist()
    missed = (results.y[inside] & ~results.answers).sum(axis=0)
    assert {cost.label: cost.missed for cost in found.budget} == dict(zip(LABELS, missed.tolist(), strict=True))
    assert found.contributions.chips == (~inside).sum() and found.group is None
    figures = found.to_json()
    assert set(figures) == {"rare", "rare_map", "worth", "views", "budget"} and set(figures["budget"]) == set(LABELS)
    assert set(figures["views"]) == {"deep - plain"} and set(figures["worth"]) == {"rare", "deep"}
    assert set(figures["rare"]) == set(VOCABULARY.rare) and figures["rare_map"]["low"] > 0
    alone = analyse(dataclasses.replace(results, without_rare=None), stacker, params)
    assert alone.rare is None and alone.to_json()["rare"] == alone.to_json()["rare_map"] == {}
    # Turning over the hold-out's truth changes nothing of it.
    turned = dataclasses.replace(results, y=np.where(inside[:, None], results.y, ~results.y))
    assert analyse(turned, stacker, params).to_json() == figures
