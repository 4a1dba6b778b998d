"""The audit: what a fold model has seen is known by the names of its rows; the stage's tests plant leaks."""

from pathlib import Path

import pytest

from igarape.config.documents import FoldFacts, LearnerManifest
from igarape.errors import InputError
from igarape.files import write_text
from igarape.learners.audit import check_models, fold_models, rows_hash
from igarape.workspace import Workspace


def test_rows_are_known_by_their_names_in_any_order() -> None:
    """One more, one less or another name is another hash."""
    assert rows_hash(["b", "a"]) == rows_hash(["a", "b"])
    assert len({rows_hash(["a", "b"]), rows_hash(["a"]), rows_hash(["a", "c"]), rows_hash(["ab"]), rows_hash([])}) == 5


def test_fold_models_come_in_the_order_of_the_folds(tmp_path: Path) -> None:
    """By number, and nothing else that lies there."""
    for name in ("fold-10.onnx", "fold-2.onnx", "fold-2.json", "learner.json"):
        write_text("", tmp_path / name)
    assert [path.name for path in fold_models(tmp_path)] == ["fold-2.onnx", "fold-10.onnx"]


def test_the_models_that_are_lost_are_named(tmp_path: Path) -> None:
    """Of whatever kind they are; the whole learner passes."""
    here, facts = Workspace(tmp_path), FoldFacts(rows=1, learned="")
    manifest = LearnerManifest(
        name="tiny",
        chips="raw",
        size=32,
        scope="all",
        labels=("sun",),
        tta=False,
        f2=0.5,
        map=0.5,
        settings={},
        folds=(facts, facts, facts),
    )
    folder = here.folder("train", "tiny")
    folder.mkdir(parents=True)
    (folder / "fold-1.onnx").touch()
    with pytest.raises(InputError, match=r"train/tiny: has no model fold-0, fold-2, .* dvc repro -f train@tiny"):
        check_models(here, {"tiny": manifest})
    for name in ("fold-0.npz", "fold-2.ubj"):
        (folder / name).touch()
    check_models(here, {"tiny": manifest})
