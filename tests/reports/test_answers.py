"""The answers table of a stream: out of fold by the rules of the other folds, the hold-out by the rule that is used."""

from pathlib import Path

import numpy as np

from igarape.chips.fingerprints import fingerprint, fingerprint_table
from igarape.config.documents import CALIBRATED, Decision, RuleSettings, StackSummary
from igarape.ensemble.decision import Rule
from igarape.labels import Vocabulary
from igarape.reports.answers import answers_of
from igarape.reports.results import Results
from igarape.tables import write_table
from igarape.workspace import Workspace

VOCABULARY = Vocabulary(exclusive=("sun", "fog"), alone=(), common=("tree",), rare=("kiln",))


def test_it_says_of_each_chip_what_the_stream_says(tmp_path: Path) -> None:
    """Its pixels by their fingerprint, its fold, what holds, and what is answered."""
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    ids = [f"chip-{row}" for row in range(12)]
    p = rng.random((12, 4)).astype(np.float32)
    rule = Rule("fixed", VOCABULARY, 2.0, threshold=0.2)
    results = Results(
        image_ids=ids,
        groups=[str(row // 3) for row in range(12)],
        folds=np.arange(12) % 3 - 1,
        y=rng.random((12, 4)) < 0.5,
        stacked={CALIBRATED: p},
        manifests={},
        learners={},
        stack=StackSummary(chosen="mean", stackers={}, weights={}, kept={}, calibration={}),
        decision=Decision(rule=RuleSettings(**rule.to_json()), rules={}, alerts={}),
        rule=rule,
    )
    here = Workspace(tmp_path)
    prints = {name: fingerprint(picture) for name, picture in zip(ids, pictures, strict=True)}
    write_table(fingerprint_table(prints), here.chips("raw") / "fingerprints.parquet")
    found = answers_of(results, here, "toy")
    assert (found.dataset, found.labels, found.image_ids) == ("toy", VOCABULARY.labels, ids)
    assert found.groups == results.groups
    assert found.pixels.tolist() == [prints[name].pixels for name in ids]
    assert np.array_equal(found.y, results.y) and np.array_equal(found.p, p)
    held = ~results.inside
    assert np.array_equal(found.answers[held], rule.apply(p)[held])
    assert np.array_equal(found.answers[results.inside], results.answers)
