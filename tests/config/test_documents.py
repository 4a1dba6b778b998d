"""The JSON that steps hand over: read as it was written, and refused otherwise."""

import json
from pathlib import Path

import pytest

from igarape.config.documents import (
    Decision,
    FoldFacts,
    LearnerManifest,
    OperatingPoint,
    RuleSettings,
    RunFacts,
)
from igarape.errors import InputError

MANIFEST = LearnerManifest(
    name="plain",
    chips="raw",
    size=64,
    scope="all",
    labels=("road", "bare ground"),
    tta=True,
    f2=0.5,
    map=0.25,
    settings={"epochs": 3},
    folds=(FoldFacts(rows=4, learned="0123"),),
)
POINT = OperatingPoint(
    asked=0.8,
    threshold=0.4,
    positives=3,
    precision=0.75,
    precision_interval=(0.5, 1.0),
    recall=0.0,
    recall_interval=None,
)
DECISION = Decision(
    rule=RuleSettings(name="per_label", beta=2.0, threshold=None, thresholds={"road": 0.2}),
    rules={"per_label": {"f2": 1.0}},
    alerts={"bare ground": POINT},
)


def test_a_document_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Also its lists and its nested parts."""
    for document in (MANIFEST, DECISION):
        document.write(tmp_path / "a/document.json")
        assert type(document).read(tmp_path / "a/document.json") == document


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"scope": "some"}, r"scope  should be 'all', 'rare' or 'named' \(got 'some'\)"),
        ({"sise": 64}, r"sise  is not known; did you mean size\?"),
        ({"size": "64"}, r"size  should be a valid integer \(got '64'\)"),
    ],
)
def test_what_is_not_as_the_schema_says_is_refused(tmp_path: Path, changes: dict[str, object], fault: str) -> None:
    """In the file's own words."""
    path = tmp_path / "learner.json"
    path.write_text(json.dumps(MANIFEST.model_dump(mode="json") | changes), encoding="utf-8")
    with pytest.raises(InputError, match=rf"learner\.json: 1 problem\n  {fault}"):
        LearnerManifest.read(path)


def test_a_document_that_is_missing_names_what_writes_it(tmp_path: Path) -> None:
    """Nothing is made up."""
    with pytest.raises(InputError, match=r"search\.json: not found; an earlier step writes it"):
        RunFacts.read(tmp_path / "search.json")


def test_one_of_another_igarape_says_what_to_do(tmp_path: Path) -> None:
    """A rule without a beta was written by an older one."""
    path = tmp_path / "rule.json"
    old = {"rule": {"name": "fixed", "threshold": 0.2}, "rules": {"fixed": {"f2": 1.0}}}
    path.write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(InputError, match=r"rule\.beta +is missing(?s:.*)run the step that writes it once more"):
        Decision.read(path)
