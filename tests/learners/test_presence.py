"""A learner without one of its models is refused."""

from pathlib import Path

import pytest

from igarape.config.documents import FoldFacts, LearnerManifest
from igarape.errors import InputError
from igarape.learners.presence import check_models
from igarape.workspace import Workspace


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
