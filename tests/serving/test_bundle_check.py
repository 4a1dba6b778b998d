"""The hold-out is answered in each mode: in that which is served all of it, and never other answers than those."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.learners.views import COUNTS, PIPELINE, ByMode, Mode
from igarape.serving import bundle_check as module
from igarape.serving.bundle import Bundle
from igarape.serving.bundle_check import check_bundle, predict_by_mode
from igarape.serving.holdout import PackedChips
from igarape.tables import Probabilities


def by(bundle: Path, folder: Path, **changes: object) -> Path:
    """Copy a bundle, and change its manifest."""
    shutil.copytree(bundle, folder)
    content = json.loads((bundle / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(content | changes))
    return folder


def ask(folder: Path, packed: PackedChips, count: int, p: Probabilities | None = None) -> ByMode:
    """Ask a bundle that has several modes; p: what the pipeline answers."""
    names, bundle = [f"chip-{row}" for row in range(count)], Bundle.load(folder, threads=1)
    told = np.zeros((count, len(bundle.vocabulary.labels)), dtype=np.float32) if p is None else p
    asked = predict_by_mode(bundle, bundle, names, p=told, packed=packed, report=lambda *_: None)
    assert asked is not None
    return asked


def test_each_number_of_views_is_what_a_bundle_that_serves_it_answers(
    bundle_folder: Path, packed: PackedChips, images: list[Pixels], tmp_path: Path
) -> None:
    """To the last bits, with the learners that have one view only; they take less time."""
    asked = ask(bundle_folder, packed, len(images))
    assert list(asked.rows) == list(range(len(images)))
    for count in COUNTS:
        served = Bundle.load(by(bundle_folder, tmp_path / f"bundle-{count}", views=count), threads=1)
        np.testing.assert_allclose(served.probabilities(images), asked.p[Mode(count)], atol=1e-6)
        np.testing.assert_array_equal(
            served.probabilities(images), Bundle.load(bundle_folder).with_views(count).probabilities(images)
        )
    assert asked.served == PIPELINE and np.abs(asked.p[PIPELINE] - asked.p[Mode(1)]).max() > 1e-3
    assert set(asked.milliseconds) == set(map(Mode, COUNTS)) and min(asked.milliseconds.values()) > 0


def test_integers_stand_beside_the_pipelines_own_answers(
    bundle_folder: Path, packed: PackedChips, images: list[Pixels], tmp_path: Path
) -> None:
    """By each number of views, on all of the hold-out; by one mode where no learner has several views."""
    images, p = images[:3], np.full((3, 5), 0.25, dtype=np.float32)
    content = json.loads((bundle_folder / "bundle.json").read_text())
    integers = by(bundle_folder, tmp_path / "integers", quantised=["plain"], views=4)
    asked = ask(integers, packed, len(images), p)
    assert asked.served == Mode(4, "int8") and list(asked.quantised) == ["plain"]
    assert list(map(str, asked.p)) == ["8", "8-int8", "4-int8", "2-int8", "1-int8"]
    assert list(asked.milliseconds) == list(asked.p)
    np.testing.assert_array_equal(asked.p[PIPELINE], p)
    np.testing.assert_array_equal(asked.p[asked.served], Bundle.load(integers, threads=1).probabilities(images))
    learners = [learner | {"tta": False} for learner in content["learners"]]
    alone = by(bundle_folder, tmp_path / "alone", quantised=["plain"], learners=learners)
    assert list(ask(alone, packed, len(images), p).p) == [PIPELINE, Mode(8, "int8")]


def test_some_chips_tell_the_cost_and_all_tell_the_score(
    bundle_folder: Path, packed: PackedChips, images: list[Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where fewer views are served, the whole hold-out is answered by them."""
    monkeypatch.setattr(module, "ASKED", 3)
    assert list(ask(bundle_folder, packed, len(images)).rows) == [0, 2, len(images) - 1]
    fewer = by(bundle_folder, tmp_path / "fewer", views=2)
    assert list(ask(fewer, packed, len(images)).rows) == list(range(len(images)))


def test_learners_of_one_view_have_nothing_to_tell(bundle_folder: Path, packed: PackedChips, tmp_path: Path) -> None:
    """So nobody is asked."""
    content = json.loads((bundle_folder / "bundle.json").read_text())
    learners = [learner | {"tta": False} for learner in content["learners"]]
    one = by(bundle_folder, tmp_path / "one", learners=learners)
    bundle, p = Bundle.load(one, threads=1), np.zeros((1, 5), dtype=np.float32)
    assert predict_by_mode(bundle, bundle, ["chip-0"], p=p, packed=packed, report=lambda *_: None) is None


def test_a_bundle_has_to_answer_as_the_pipeline_did(
    bundle_folder: Path, packed: PackedChips, images: list[Pixels]
) -> None:
    """From the chips' raw bytes: the first chip whose probabilities differ is named."""
    names = [f"chip-{row}" for row in range(len(images))]
    bundle = Bundle.load(bundle_folder, threads=1)
    p = bundle.probabilities(images)
    seen: list[tuple[int, int]] = []

    def check() -> None:
        check_bundle(bundle, names, p=p, packed=packed, report=lambda *done: seen.append(done))

    check()
    assert seen == [(done, len(names)) for done in range(1, len(names) + 1)]
    p[3, 0] += np.float32(0.01)
    with pytest.raises(InputError, match=r"bundle: chip-3: the bundle's probabilities differ by 0\.01.* dvc repro -f"):
        check()
