"""From fold models to a bundle that answers as the pipeline did."""

from pathlib import Path

import numpy as np
import pandas as pd

from igarape.chips.pictures import Pixels, encode_png
from igarape.chips.shards import open_shard
from igarape.chips.store import Store
from igarape.config.documents import LearnerManifest
from igarape.files import write_text
from igarape.learners.novelty import Novelty
from igarape.serving.assembly import learn_novelty, learner_part


def test_the_fold_models_go_into_the_bundle_by_their_number(tmp_path: Path) -> None:
    """Of whichever kind they are; what else lies there stays."""
    folder = tmp_path / "trees"
    for name in ("fold-10.ubj", "fold-2.ubj", "fold-2.json", "predictions.parquet"):
        write_text("", folder / name)
    manifest = LearnerManifest(
        name="trees",
        chips="raw",
        size=32,
        scope="all",
        labels=("tree",),
        tta=False,
        f2=0.5,
        map=0.5,
        settings={},
        folds=(),
    )
    assert learner_part(folder, manifest).files == (f"{folder}/fold-2.ubj", f"{folder}/fold-10.ubj")


def test_the_usual_is_learned_from_the_chips_of_the_folds_and_the_hold_out(
    tmp_path: Path, images: list[Pixels]
) -> None:
    """As they are packed; progress counts both."""
    ids = [f"chip-{row}" for row in range(len(images))]
    with open_shard(tmp_path / "shard-00000.tar") as shard:
        places = [(name, *shard.add(name, encode_png(image))) for name, image in zip(ids, images, strict=True)]
    store = Store(tmp_path, pd.DataFrame(places, columns=["image_id", "shard", "offset", "length"]))
    seen: list[tuple[int, int]] = []
    usual = learn_novelty(ids[:3], ids[3:], raw=store, report=lambda *done: seen.append(done))
    expected = Novelty.fit(images[:3], images[3:])
    np.testing.assert_array_equal(usual.known, expected.known)
    np.testing.assert_array_equal(usual.held, expected.held)
    assert seen == [(done, len(ids)) for done in range(1, len(ids) + 1)]
