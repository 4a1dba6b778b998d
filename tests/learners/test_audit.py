"""The audit: what a fold model has seen is known by the names of its rows; the stage's tests plant leaks."""

from pathlib import Path

from igarape.files import write_text
from igarape.learners.audit import fold_models, rows_hash


def test_rows_are_known_by_their_names_in_any_order() -> None:
    """One more, one less or another name is another hash."""
    assert rows_hash(["b", "a"]) == rows_hash(["a", "b"])
    assert len({rows_hash(["a", "b"]), rows_hash(["a"]), rows_hash(["a", "c"]), rows_hash(["ab"]), rows_hash([])}) == 5


def test_fold_models_come_in_the_order_of_the_folds(tmp_path: Path) -> None:
    """By number, and nothing else that lies there."""
    for name in ("fold-10.onnx", "fold-2.onnx", "fold-2.json", "learner.json"):
        write_text("", tmp_path / name)
    assert [path.name for path in fold_models(tmp_path)] == ["fold-2.onnx", "fold-10.onnx"]
