"""The hold-out is answered by fewer views: by those that are served all of it, and never other answers than those."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from igarape.chips.pictures import Pixels, encode_png
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.errors import InputError
from igarape.learners.views import COUNTS, ByViews
from igarape.serving import views as module
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import Packed
from igarape.serving.views import ask_by_views, check_bundle


@pytest.fixture
def packed(tmp_path: Path, images: list[Pixels]) -> Packed:
    """Pack the pictures."""
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        places = [(f"chip-{row}", *shard.add(f"chip-{row}", encode_png(image))) for row, image in enumerate(images)]
    store = Store(tmp_path, pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"]))
    return Packed(store, store)


def by(bundle: Path, folder: Path, **changes: object) -> Path:
    """Copy a bundle, and change its manifest."""
    shutil.copytree(bundle, folder)
    content = json.loads((bundle / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(content | changes))
    return folder


def ask(folder: Path, packed: Packed, count: int) -> ByViews:
    """Ask a bundle that has learners with several views."""
    names = [f"chip-{row}" for row in range(count)]
    asked = ask_by_views(Bundle.load(folder, threads=1), names, packed=packed, report=lambda *_: None)
    assert asked is not None
    return asked


def test_each_number_of_views_is_what_a_bundle_that_serves_it_answers(
    bundle_folder: Path, packed: Packed, images: list[Pixels], tmp_path: Path
) -> None:
    """To the last bits, with the learners that have one view only; they take less time."""
    asked = ask(bundle_folder, packed, len(images))
    assert list(asked.rows) == list(range(len(images)))
    for count in COUNTS:
        served = Bundle.load(by(bundle_folder, tmp_path / f"bundle-{count}", views=count), threads=1)
        np.testing.assert_allclose(served.probabilities(images), asked.p[count], atol=1e-6)
        np.testing.assert_array_equal(
            served.probabilities(images), Bundle.load(bundle_folder).answering_by(count).probabilities(images)
        )
    assert np.abs(asked.p[8] - asked.p[1]).max() > 1e-3
    assert set(asked.milliseconds) == set(COUNTS) and min(asked.milliseconds.values()) > 0


def test_some_chips_tell_the_cost_and_all_tell_the_score(
    bundle_folder: Path, packed: Packed, images: list[Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where fewer views are served, the whole hold-out is answered by them."""
    monkeypatch.setattr(module, "ASKED", 3)
    assert list(ask(bundle_folder, packed, len(images)).rows) == [0, 2, len(images) - 1]
    fewer = by(bundle_folder, tmp_path / "fewer", views=2)
    assert list(ask(fewer, packed, len(images)).rows) == list(range(len(images)))


def test_learners_of_one_view_have_nothing_to_tell(bundle_folder: Path, packed: Packed, tmp_path: Path) -> None:
    """So nobody is asked."""
    content = json.loads((bundle_folder / "bundle.json").read_text())
    learners = [learner | {"tta": False} for learner in content["learners"]]
    one = by(bundle_folder, tmp_path / "one", learners=learners)
    assert ask_by_views(Bundle.load(one, threads=1), ["chip-0"], packed=packed, report=lambda *_: None) is None


def test_a_bundle_has_to_answer_as_the_pipeline_did(bundle_folder: Path, packed: Packed, images: list[Pixels]) -> None:
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
