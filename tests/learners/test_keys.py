"""The key of an unfinished result: another one whenever the result would be another."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tiny

from igarape import code
from igarape.config.kinds import Experiment
from igarape.learners import keys
from igarape.learners.examples import Examples
from igarape.learners.keys import result_key

EXAMPLES = Examples(
    image_ids=["a", "b"],
    images=np.zeros((2, 32, 32, 3), dtype=np.uint8),
    y=np.eye(2, dtype=np.bool_),
    folds=np.array([0, 1]),
    groups=["a", "b"],
    digest="d41d8",
)


def test_the_same_examples_and_settings_have_the_same_key() -> None:
    """Also when they are made again."""
    assert result_key("search", replace(EXAMPLES), tiny.tiny(), 3) == result_key("search", EXAMPLES, tiny.tiny(), 3)


@pytest.mark.parametrize(
    ("examples", "experiment", "budget"),
    [
        (replace(EXAMPLES, digest="98f00"), tiny.tiny(), 3),
        (EXAMPLES, tiny.tiny({"dropout": 0.1}), 3),
        (EXAMPLES, tiny.tiny(), 4),
    ],
)
def test_whatever_changes_changes_the_key(examples: Examples, experiment: Experiment, budget: int) -> None:
    """What is learned from, a hyperparameter, another setting."""
    assert result_key("search", examples, experiment, budget) != result_key("search", EXAMPLES, tiny.tiny(), 3)


def test_other_weights_under_the_same_name_have_another_key(tmp_path: Path) -> None:
    """A file counts by what it holds."""
    weights = tmp_path / "mine.weights.h5"
    weights.write_bytes(b"first")
    wanted = tiny.tiny({"width": 1.0}, backbone="mobilenet", weights=str(weights))
    before = result_key("search", EXAMPLES, wanted)
    assert result_key("search", EXAMPLES, wanted) == before
    weights.write_bytes(b"second")
    assert result_key("search", EXAMPLES, wanted) != before


def test_other_libraries_have_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folds that one version has trained are not put beside those of another."""
    before, installed = result_key("train", EXAMPLES, tiny.tabular()), version
    monkeypatch.setattr("igarape.code.version", lambda name: "0.1" if name == "xgboost" else installed(name))
    assert result_key("train", EXAMPLES, tiny.tabular()) != before


def test_other_code_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other code has begun is not gone on with; the code is that of the step and of the kind of learner."""
    kinds = (tiny.tiny(), tiny.tabular(), tiny.kernel(), tiny.fisher(), tiny.probe())
    found = {result_key(step, EXAMPLES, kind) for step in ("search", "train") for kind in kinds}
    assert len(found) == 10
    monkeypatch.setattr(keys, "code_hash", lambda *modules, files, weights: str((*modules, *files, *weights)))
    assert keys.learner_code("train", tiny.tiny()) == str(
        ("igarape.stages.train", "igarape.learners.networks.training", "igarape.learners.networks.sessions")
    )
    assert keys.learner_code("search", tiny.tabular()) == str(
        ("igarape.stages.search", "igarape.learners.trees.boosting", "igarape.learners.trees.forest")
    )
    assert keys.learner_code("train", tiny.kernel()) == str(
        ("igarape.stages.train", "igarape.learners.kernels.solving", "igarape.learners.kernels.machine")
    )
    assert keys.learner_code("train", tiny.fisher()) == str(
        ("igarape.stages.train", "igarape.learners.fisher.solving", "igarape.learners.fisher.machine")
    )
    assert keys.learner_code("train", tiny.probe()) == str(
        ("igarape.stages.train", "igarape.learners.probes.probing", "igarape.learners.networks.sessions")
    )


def test_the_source_of_a_plug_is_part_of_what_a_result_is_known_by(plugin_folder: Path) -> None:
    """By what it means, and with what it imports of the project's folder; other learners have nothing to do with it."""
    blocks = plugin_folder / "my_blocks.py"
    (plugin_folder / "my_models.py").write_text(
        "from my_blocks import mean\n\ndef small(images, *, width):\n    return mean(images)\n", encoding="utf-8"
    )
    hashes = []
    for text in ("A = 1\n", "A = 1  # one\n", "A = 2\n"):
        blocks.write_text(f"{text}\ndef mean(x):\n    return x\n", encoding="utf-8")
        code._meaning.cache_clear()
        kinds = (tiny.tiny(backbone="my_models:small"), tiny.tiny(), tiny.tabular())
        hashes.append([keys.learner_code("train", kind) for kind in kinds])
    assert hashes[0] == hashes[1]
    assert hashes[1][0] != hashes[2][0] and hashes[1][1:] == hashes[2][1:]
    assert len(set(hashes[0])) == 3
