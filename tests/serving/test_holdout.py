"""The hold-out's pictures are those that a version was scored on, or none."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contest import answers_of, pack

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.scores.answers import Answers
from igarape.serving.bundle import Bundle, pictures_and_nir
from igarape.serving.holdout import ROUNDS, milliseconds, open_holdout
from igarape.workspace import Workspace

WAY_OUT = "check out its commit .*dvc pull"


@pytest.fixture
def held(tmp_path: Path, bundle_folder: Path, images: list[Pixels]) -> tuple[Workspace, Answers]:
    """Pack five pictures; give the project, and what the small bundle answers."""
    here = Workspace(tmp_path)
    labels = Bundle.load(bundle_folder, threads=1).vocabulary.labels
    return here, answers_of(bundle_folder, pack(here, images, np.zeros((5, 5)), labels))


def test_they_are_read_as_a_bundle_reads_them(held: tuple[Workspace, Answers], bundle_folder: Path) -> None:
    """And give the answers that are on record."""
    here, answers = held
    bundle = Bundle.load(bundle_folder, threads=1)
    pictures = open_holdout(here, answers, "1")
    images, planes = pictures_and_nir([pictures.load(bundle, image_id) for image_id in answers.image_ids])
    assert planes is None and np.allclose(bundle.probabilities(images), answers.p, atol=1e-6)


def test_near_infrared_goes_with_them_where_it_is_needed(
    held: tuple[Workspace, Answers], nir_bundle_folder: Path
) -> None:
    """From what the step nir has packed; without that the step is named."""
    here, answers = held
    bundle = Bundle.load(nir_bundle_folder, threads=1)
    with pytest.raises(InputError, match=r"data/nir.*dvc repro nir"):
        open_holdout(here, answers, "1").load(bundle, "chip-000")
    shutil.copytree(here.chips("raw"), here.chips("nir"))
    seen = open_holdout(here, answers, "1").load(bundle, "chip-000")
    assert seen.nir is not None and np.array_equal(seen.image, seen.nir)


def test_without_the_pictures_it_says_how_to_get_them(held: tuple[Workspace, Answers]) -> None:
    """None packed; others packed; another picture under the name."""
    here, answers = held
    others = replace(answers, image_ids=[*answers.image_ids[:4], "chip-999"])
    with pytest.raises(InputError, match=f"no fingerprint of chip-999.*version 1.*{WAY_OUT}"):
        open_holdout(here, others, "1")
    changed = replace(answers, pixels=answers.pixels + np.eye(5, dtype=np.int64)[2])
    with pytest.raises(InputError, match=f"chip-002 is another picture.*version 1.*{WAY_OUT}"):
        open_holdout(here, changed, "1")
    with pytest.raises(InputError, match=rf"catalog\.parquet: not found.*{WAY_OUT}"):
        open_holdout(Workspace(here.root / "elsewhere"), answers, "1")


def test_each_bundle_is_timed_on_the_same_pictures(
    held: tuple[Workspace, Answers], bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In turn, so that a busy moment costs both; one round warms up."""
    here, answers = held
    pair = [Bundle.load(bundle_folder, threads=1) for _ in range(2)]
    seen: list[int] = []
    real = Bundle.tag_decoded

    def tag_decoded(self: Bundle, *words: object) -> object:
        seen.append(pair.index(self))
        return real(self, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(Bundle, "tag_decoded", tag_decoded)
    found = milliseconds(pair, open_holdout(here, answers, "1"), answers.image_ids)
    assert [times.shape for times in found] == [(5,), (5,)] and all((times > 0).all() for times in found)
    assert seen == [0, 1] * 5 * (ROUNDS + 1)
