"""split: a fold for each labelled chip, by chip or by scene, as params.yaml asks."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from igarape.errors import InputError
from igarape.stages import split as stage
from igarape.tables import HOLDOUT, read_folds, write_table

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": ["kiln"]}
COUNT = 240


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project in which ingest has listed 240 labelled chips, four to a scene, and ten without labels."""
    monkeypatch.chdir(tmp_path)
    source = {"kind": "drawn", "chips": COUNT, "side": 2}
    dataset = {"source": source, "size": 32, "note": "", "labels": LABELS, "params": {}}
    Path("datasets").mkdir()
    Path("datasets/toy.yaml").write_text(yaml.safe_dump(dataset), encoding="utf-8")
    settings(by="scene")
    write_table(catalog(), Path("data/ingest/catalog.parquet"))
    return tmp_path


def settings(*, by: str, seed: int = 0) -> None:
    """Write params.yaml."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    changes = {"dataset": "toy", "seed": str(seed), "  folds": "5", "  holdout": "0.2", "  by": by}
    for name, value in changes.items():
        text = re.sub(f"(?m)^{name}: \\S+", f"{name}: {value}", text)
    Path("params.yaml").write_text(text, encoding="utf-8")


def catalog() -> pd.DataFrame:
    """Make a catalog; where the chips lie plays no part."""
    number = np.arange(COUNT + 10)
    fog = number % 5 == 0
    return pd.DataFrame(
        {
            "image": [f"chip-{one}" for one in number],
            "split": np.where(number < COUNT, "train", "test"),
            "shard": "shard-00000.tar",
            "offset": 0,
            "length": 1,
            "group": [f"scene-{one // 4}" for one in number],
            "sun": (~fog).astype(int),
            "fog": fog.astype(int),
            "tree": (~fog & (number % 2 == 0)).astype(int),
            "kiln": (~fog & (number % 16 == 1)).astype(int),
        }
    )


def dealt() -> pd.DataFrame:
    """Run the step and join its folds with the catalog."""
    stage.run()
    return read_folds(Path("data/split/folds.parquet")).merge(catalog(), on="image", validate="one_to_one")


@pytest.mark.parametrize("by", ["chip", "scene"])
def test_each_labelled_chip_gets_a_fold_or_is_held_out(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Five folds and a fifth held out, each with every label; unlabelled chips get none."""
    settings(by=by)
    rows = dealt()
    assert list(rows["image"]) == [f"chip-{number}" for number in range(COUNT)]
    sizes = rows["fold"].value_counts()
    assert set(sizes.index) == {HOLDOUT, 0, 1, 2, 3, 4}
    assert abs(sizes[HOLDOUT] - 48) <= 8 and all(abs(sizes[fold] - 38.4) <= 8 for fold in range(5))
    assert (rows.groupby("fold")[["sun", "fog", "tree", "kiln"]].sum() > 0).all(axis=None)
    assert f"{COUNT - sizes[HOLDOUT]} chips in 5 folds, {sizes[HOLDOUT]} held out" in capsys.readouterr().out


def test_by_scene_a_scene_stays_whole_and_by_chip_it_does_not() -> None:
    """Neighbours look alike: a fold that has seen one has seen the other."""
    parts = {}
    for by in ("scene", "chip"):
        settings(by=by)
        parts[by] = dealt().groupby("group")["fold"].nunique()
    assert parts["scene"].max() == 1 and parts["chip"].max() > 1


def test_the_seed_decides_and_the_order_of_the_catalog_does_not() -> None:
    """The same seed gives the same folds, from a catalog in any order; another seed gives others."""
    first = dealt().set_index("image")["fold"]
    write_table(catalog().sample(frac=1, random_state=1), Path("data/ingest/catalog.parquet"))
    again = dealt().set_index("image")["fold"]
    assert again.loc[first.index].equals(first)
    settings(by="scene", seed=1)
    assert (dealt().set_index("image")["fold"].loc[first.index] != first).any()


def test_too_few_scenes_are_an_error_that_names_the_knobs() -> None:
    """Sixteen chips of four scenes cannot be dealt by scene into five folds and a hold-out."""
    write_table(catalog().head(16), Path("data/ingest/catalog.parquet"))
    with pytest.raises(InputError, match=r"at least 6 groups of chips, found 4\. Lower split\.folds, or set split\.by"):
        stage.run()


def test_without_a_catalog_the_error_says_what_to_run(project: Path) -> None:
    """An earlier step writes it."""
    (project / "data/ingest/catalog.parquet").unlink()
    with pytest.raises(
        InputError, match=r"data/ingest/catalog\.parquet: not found; an earlier step writes it.*dvc repro"
    ):
        stage.run()
