"""What people see of an answer: for each learner of a bundle, where it looked."""

import asyncio
import base64
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import Pixels, decode
from igarape.serving.bundle import Bundle, DecodedChip
from igarape.serving.manifest import Learner
from igarape.serving.saliency import GRID, data_url, explain
from igarape.tables import Probabilities


def test_each_learner_has_a_map_of_each_of_its_labels(bundle_folder: Path, images: list[Pixels]) -> None:
    """As the learner's own answers fall; what it sees is shown with it."""
    bundle = Bundle.load(bundle_folder, threads=1)
    found = asyncio.run(explain(bundle, DecodedChip(images[0], None, (16, 16))))
    assert [learner["name"] for learner in found["learners"]] == [learner.name for learner in bundle.manifest.learners]
    seen = bundle.inputs([images[0]])
    for learner, told in zip(bundle.manifest.learners, found["learners"], strict=True):
        assert list(told["falls"]) == list(learner.labels)
        assert np.shape(list(told["falls"].values())) == (len(learner.labels), GRID, GRID)
        assert np.abs(list(told["falls"].values())).max() > 0
        assert told["picture"] == data_url(seen[learner.chips][0])
    assert decode(base64.b64decode(found["dehazed"].partition(",")[2]), "dehazed").shape == images[0].shape


def test_near_infrared_is_looked_at_where_it_is_seen(
    nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """Its planes are covered as colours are."""
    bundle = Bundle.load(nir_bundle_folder, threads=1)
    chip = DecodedChip(images[0], bundle.decode_nir(tif_files[0], "tif"), (16, 16))
    found = asyncio.run(explain(bundle, chip))
    assert "nir" in {learner["chips"] for learner in found["learners"]}


def test_no_more_learners_are_asked_for_whoever_has_left(
    bundle_folder: Path, images: list[Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is being asked ends; those after it never begin."""
    bundle = Bundle.load(bundle_folder, threads=1)
    asked, begun, left = list[str](), threading.Event(), threading.Event()

    def predict_learner(learner: Learner, pictures: Sequence[Pixels]) -> Probabilities:
        asked.append(learner.name)
        begun.set()
        assert left.wait(30)
        return np.full((len(pictures), len(learner.labels)), 0.5, dtype=np.float32)

    async def leave() -> None:
        looking = asyncio.create_task(explain(bundle, DecodedChip(images[0], None, (16, 16))))
        assert await asyncio.to_thread(begun.wait, 30)
        looking.cancel()
        left.set()
        with pytest.raises(asyncio.CancelledError):
            await looking

    monkeypatch.setattr(bundle, "predict_learner", predict_learner)
    asyncio.run(leave())  # which waits for its threads
    assert set(asked) == {bundle.manifest.learners[0].name} and len(bundle.manifest.learners) > 1
