"""What people see of an answer: for each learner of a bundle, where it looked."""

import base64
from pathlib import Path

import numpy as np

from igarape.chips.pictures import Pixels, decode
from igarape.serving.bundle import Bundle, DecodedChip
from igarape.serving.saliency import GRID, data_url, explain


def test_each_learner_has_a_map_of_each_of_its_labels(bundle_folder: Path, images: list[Pixels]) -> None:
    """As the learner's own answers fall; what it sees is shown with it."""
    bundle = Bundle.load(bundle_folder, threads=1)
    found = explain(bundle, DecodedChip(images[0], None, (16, 16)))
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
    found = explain(bundle, DecodedChip(images[0], bundle.decode_nir(tif_files[0], "tif"), (16, 16)))
    assert "nir" in {learner["chips"] for learner in found["learners"]}
