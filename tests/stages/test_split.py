"""split: a fold for each labelled chip, by chip or by scene, near-duplicates always together."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import clusters
import cv2
import driven
import numpy as np
import pandas as pd
import pytest
from split_million import write_fingerprints
from toy_dataset import drawn, write_dataset

from igarape.chips import borders
from igarape.chips.corrections import Corrections, apply_corrections, correction_table
from igarape.chips.faults import fault_table
from igarape.chips.fingerprints import fingerprint, fingerprint_table
from igarape.chips.pictures import Pixels
from igarape.config.datasets import read_dataset
from igarape.errors import InputError
from igarape.stages import split as stage
from igarape.tables import HOLDOUT, read_folds, write_table
from igarape.workspace import Workspace

ROOT = Path(__file__).parents[2]
LABELS = {"exclusive": ["sun", "fog"], "alone": ["fog"], "common": ["tree"], "rare": ["kiln"]}
COUNT = 240
MANY = 70_000  # chips: in cells, and several tasks


@pytest.fixture
def project(tmp_path: Path) -> Workspace:
    """Give a project in which ingest has listed 240 labelled chips, four to a scene, and ten without labels."""
    here = Workspace(tmp_path)
    write_dataset(here, drawn(COUNT), LABELS, size=32)
    settings(here, by="scene")
    write_table(catalog(), here.catalog())
    write_table(correction_table({}), here.applied)
    write_prints(here, noise())
    return here


def noise() -> list[Pixels]:
    """Draw a picture of noise for each chip; no two have anything in common."""
    return list(np.random.default_rng(7).integers(0, 256, (COUNT + 10, 32, 32, 3), dtype=np.uint8))


def landscape(seed: int) -> list[Pixels]:
    """Draw a landscape of smooth hills in 2 x 2 chips."""
    points = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    land = np.asarray(cv2.resize(points, (128, 128), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    return [land[y : y + 64, x : x + 64] for y in (0, 64) for x in (0, 64)]


def write_prints(here: Workspace, images: Sequence[Pixels]) -> None:
    """Write the fingerprints of the chips, as ingest does."""
    prints = {f"chip-{number}": fingerprint(image) for number, image in enumerate(images)}
    write_table(fingerprint_table(prints), here.root / "data/ingest/fingerprints.parquet")


def settings(here: Workspace, *, by: str, seed: int = 0) -> None:
    """Write params.yaml."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    changes = {"dataset": "toy", "seed": str(seed), "  folds": "5", "  holdout": "0.2", "  by": by}
    for name, value in changes.items():
        text = re.sub(f"(?m)^{name}: \\S+", f"{name}: {value}", text)
    here.params.write_text(text, encoding="utf-8")


def catalog(labelled: int = COUNT) -> pd.DataFrame:
    """Make a catalog; where the chips lie plays no part."""
    number = np.arange(labelled + 10)
    fog = number % 5 == 0
    return pd.DataFrame(
        {
            "image_id": [f"chip-{one}" for one in number],
            "split": np.where(number < labelled, "train", "test"),
            "shard": "shard-00000.tar",
            "offset": 0,
            "length": 1,
            "group": [f"scene-{one // 4}" for one in number],
            "y_sun": (~fog).astype(int),
            "y_fog": fog.astype(int),
            "y_tree": (~fog & (number % 2 == 0)).astype(int),
            "y_kiln": (~fog & (number % 16 == 1)).astype(int),
        }
    )


def dealt(here: Workspace) -> pd.DataFrame:
    """Run the step and join its folds with the catalog."""
    stage.run(here)
    return read_folds(here.folds).merge(catalog(), on="image_id", validate="one_to_one")


@pytest.mark.parametrize("by", ["chip", "scene"])
def test_each_labelled_chip_gets_a_fold_or_is_held_out(
    project: Workspace, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five folds and a fifth held out, each with every label; unlabelled chips get none."""
    settings(project, by=by)
    rows = dealt(project)
    assert list(rows["image_id"]) == [f"chip-{number}" for number in range(COUNT)]
    sizes = rows["fold"].value_counts()
    assert set(sizes.index) == {HOLDOUT, 0, 1, 2, 3, 4}
    assert abs(sizes[HOLDOUT] - 48) <= 4 and all(abs(sizes[fold] - 38.4) <= 4 for fold in range(5))
    assert (rows.groupby("fold")[["y_sun", "y_fog", "y_tree", "y_kiln"]].sum() > 0).all(axis=None)
    said = capsys.readouterr().out
    assert f"{COUNT - sizes[HOLDOUT]} chips in 5 folds, {sizes[HOLDOUT]} held out" in said
    assert f"{', '.join(str(sizes[fold]) for fold in range(5))} chips in the folds" in said


def test_by_scene_a_scene_stays_whole_and_by_chip_it_does_not(project: Workspace) -> None:
    """Neighbours look alike: a fold that has seen one has seen the other."""
    parts = {}
    for by in ("scene", "chip"):
        settings(project, by=by)
        parts[by] = dealt(project).groupby("group")["fold"].nunique()
    assert parts["scene"].max() == 1 and parts["chip"].max() > 1


def test_labels_can_be_made_rarer(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """What is set aside is in no fold, and listed; the hold-out stays; a count above what there is names the label."""
    whole = dealt(project)
    for count in (6, 500):
        write_dataset(project, drawn(COUNT), LABELS | {"thin": {"kiln": count}}, size=32)
        if count == 500:
            with pytest.raises(InputError, match=r"labels\.thin: kiln: 500: only \d+ chips"):
                stage.run(project)
            continue
        rows, aside = dealt(project), set(pd.read_parquet(project.aside)["image_id"])
        assert aside == {f"chip-{number}" for number in range(COUNT)} - set(rows["image_id"])
        assert rows.loc[rows["fold"] >= 0, "y_kiln"].sum() == 6
        held = [set(table.loc[table["fold"] == HOLDOUT, "image_id"]) for table in (whole, rows)]
        assert held[0] == held[1]
        assert f"split: {len(aside)} chips set aside" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["chip", "scene"])
def test_near_duplicates_stay_in_one_fold(project: Workspace, by: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The first chip of ten scenes is in another scene too; so is the last, a little darker: by chip and by scene."""
    settings(project, by=by)
    images = noise()
    for scene in range(10):
        images[4 * scene + 40] = images[4 * scene].copy()
        images[4 * scene + 83] = (images[4 * scene + 3] * 0.96).astype(np.uint8)
    write_prints(project, images)
    fold = list(dealt(project)["fold"])
    for scene in range(10):
        for one, other in ((4 * scene, 4 * scene + 40), (4 * scene + 3, 4 * scene + 83)):
            assert fold[one] == fold[other]
    pairs = pd.read_parquet(project.root / "data/split/pairs.parquet")
    assert list(pairs["kind"]) == ["same"] * 10 + ["alike"] * 10
    groups = 220 if by == "chip" else 40
    assert re.search(
        rf"split: {groups} groups, the largest of \d+ chips; pairs: 10 same, 10 alike; neighbours: 0 right, 0 below",
        capsys.readouterr().out,
    )


def test_neighbours_stay_in_one_fold_when_a_split_by_scene_asks_for_it(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the data set names no groups, matching borders do: ten landscapes in four chips each are ten groups."""
    table = catalog()
    write_table(table.assign(group=table["image_id"]), project.catalog())
    images = noise()
    for number in range(10):
        images[4 * number : 4 * number + 4] = landscape(number)
    write_prints(project, images)
    dealt(project)
    groups = pd.read_parquet(project.root / "data/split/groups.parquet")
    assert list(groups["image_id"]) == [f"chip-{number}" for number in range(COUNT)]
    expected = [
        min(f"chip-{row // 4 * 4 + part}" for part in range(4)) if row < 40 else f"chip-{row}" for row in range(COUNT)
    ]
    assert list(groups["group"]) == expected
    assert (
        "split: 210 groups, the largest of 4 chips; pairs: 0 same, 0 alike; neighbours: 20 right, 20 below"
        in capsys.readouterr().out
    )
    settings(project, by="chip")
    stage.run(project)
    assert pd.read_parquet(project.root / "data/split/groups.parquet")["group"].nunique() == COUNT


def test_an_unlabelled_chip_connects_nothing(project: Workspace) -> None:
    """It gets no fold; two labelled chips that are its near-duplicates are one another's anyway."""
    images = noise()
    images[COUNT] = images[0].copy()
    write_prints(project, images)
    settings(project, by="chip")
    assert len(dealt(project)) == COUNT
    assert pd.read_parquet(project.root / "data/split/pairs.parquet").empty


def test_a_group_larger_than_a_fold_is_an_error_and_its_pairs_can_be_looked_at(project: Workspace) -> None:
    """A chip that is there sixty times cannot be dealt; the pairs table is there, the folds are not."""
    images = noise()
    images[:60] = [images[0].copy() for _ in range(60)]
    write_prints(project, images)
    with pytest.raises(InputError, match=r"the group of chip-0 has 60 chips.*room for 39.*data/split/pairs\.parquet"):
        stage.run(project)
    assert len(pd.read_parquet(project.root / "data/split/pairs.parquet")) == 59
    assert not project.folds.exists()


def test_without_fingerprints_the_error_says_what_to_run(project: Workspace) -> None:
    """Ingest writes them."""
    (project.root / "data/ingest/fingerprints.parquet").unlink()
    with pytest.raises(InputError, match=r"fingerprints\.parquet: not found; an earlier step writes it.*dvc repro"):
        stage.run(project)


def test_the_seed_decides_and_the_order_of_the_catalog_does_not(project: Workspace) -> None:
    """The same seed gives the same folds, from a catalog in any order; another seed gives others."""
    first = dealt(project).set_index("image_id")["fold"]
    write_table(catalog().sample(frac=1, random_state=1), project.catalog())
    again = dealt(project).set_index("image_id")["fold"]
    assert again.loc[first.index].equals(first)
    settings(project, by="scene", seed=1)
    assert (dealt(project).set_index("image_id")["fold"].loc[first.index] != first).any()


def test_corrected_labels_move_no_chip(project: Workspace) -> None:
    """Folds and hold-out are dealt by what the source says; by the corrected labels they would be others."""
    corrections: Corrections = {(f"chip-{number}", "tree"): True for number in range(1, 200, 2) if number % 5}
    before = dealt(project)
    vocabulary = read_dataset("toy", project.datasets).labels.vocabulary()
    tables = {"catalog": catalog(), "faults": fault_table([])}
    tables = apply_corrections(tables, corrections, vocabulary, where="toy.csv")
    write_table(tables["catalog"], project.catalog())
    assert not dealt(project).equals(before)
    write_table(tables["corrections"], project.applied)
    assert dealt(project).equals(before)


def test_too_few_scenes_are_an_error_that_names_the_knobs(project: Workspace) -> None:
    """Sixteen chips of four scenes cannot be dealt by scene into five folds and a hold-out."""
    write_table(catalog().head(16), project.catalog())
    with pytest.raises(
        InputError, match=r"at least 6 groups of chips, found 4 of 16 chips\. Set split\.folds to 3, or set split\.by"
    ):
        stage.run(project)


def test_the_data_sets_own_test_chips_are_the_hold_out(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """All others are dealt into folds; those that are near relations across are counted aloud."""
    table = catalog()
    held = (table.index % 5 == 4) & (table["split"] == "train")
    write_table(table.assign(split=table["split"].mask(held, "holdout")), project.catalog())
    settings(project, by="chip")
    images = noise()
    images[3] = images[4].copy()
    write_prints(project, images)
    rows = dealt(project)
    fold = rows.set_index("image_id")["fold"]
    chosen = table.loc[held, "image_id"]
    assert len(fold) == COUNT and set(fold[chosen]) == {HOLDOUT} and set(fold.drop(chosen)) == {0, 1, 2, 3, 4}
    assert "what the data set calls test, and split.holdout plays no part; 1 of its chips" in capsys.readouterr().out


def test_without_a_catalog_the_error_says_what_to_run(project: Workspace) -> None:
    """An earlier step writes it."""
    (project.root / "data/ingest/catalog.parquet").unlink()
    with pytest.raises(
        InputError, match=r"data/ingest/catalog\.parquet: not found; an earlier step writes it.*dvc repro"
    ):
        stage.run(project)


def test_the_number_of_workers_changes_no_byte(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chips that are many are shared by processes; what these were given is removed."""
    images = noise()
    for number in range(10):
        images[4 * number : 4 * number + 4] = landscape(number)
    write_prints(project, images)
    stage.run(project)
    alone = driven.result(project.folder("split"))
    monkeypatch.setattr(borders, "TASK", 100)
    for workers in ("1", "2"):
        monkeypatch.setenv("IGARAPE_WORKERS", workers)
        stage.run(project)
        assert driven.result(project.folder("split")) == alone
    assert not (project.data / ".unfinished").exists()
    assert len(pd.read_parquet(project.root / "data/split/pairs.parquet")) == 40


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_a_cluster_changes_no_byte_even_where_a_node_is_removed(project: Workspace, cluster: Any) -> None:
    """What a node that is gone has sought is sought by another one."""
    table = catalog(MANY)
    write_table(table.assign(group=table["image_id"]), project.catalog())
    write_fingerprints(list(table["image_id"]), project.chips("raw") / "fingerprints.parquet")
    stage.run(project)
    alone = driven.result(project.folder("split"))
    process = driven.begin("split", folder=project.root, address=cluster.address)
    driven.until(process, (project.data / ".unfinished/split/right/reach.npy").exists)
    clusters.remove_one(cluster)
    said = driven.end(process)
    assert driven.result(project.folder("split")) == alone
    assert re.search(r"neighbours: \d{5} right, \d{5} below", said)
    assert not (project.data / ".unfinished").exists()
