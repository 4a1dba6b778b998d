"""describe: one page of the data for people, and its figures for MLflow."""

from collections.abc import Callable
from typing import Any

import mlflow
import pandas as pd
import pytest

from igarape.chips.store import Store
from igarape.config.documents import RunFacts
from igarape.errors import InputError
from igarape.files import read_json
from igarape.stages import describe as stage
from igarape.tables import write_table
from igarape.tracking.costs import PROCESSOR, SECONDS
from igarape.workspace import Workspace

Browse = Callable[[str], Any]

Y = ["y_sun", "y_fog", "y_tree", "y_pond", "y_kiln"]


def summary(here: Workspace) -> Any:
    """Return what describe wrote for other programs."""
    return read_json(here.root / "data/describe/summary.json")


@pytest.fixture
def described(copy: Workspace) -> Workspace:
    """Run describe in a copy of the small project."""
    stage.run(copy)
    return copy


def test_the_figures_are_those_of_the_tables(described: Workspace) -> None:
    """Chips, faults, tags, and what dehazing did."""
    quality, found = pd.read_parquet(described.root / "data/dehaze/quality.parquet"), summary(described)
    assert (found["chips"], found["labelled"], found["unlabelled"]) == (60, 60, 0)
    assert (found["left_out"], found["reported_faults"]) == (1, 2)
    labels = pd.read_parquet(described.catalog())[Y]
    assert found["tags_per_chip"] == pytest.approx(labels.sum(axis=1).mean())
    assert found["combinations"] == len(labels.drop_duplicates())
    assert found["mean_t"] == pytest.approx(quality["mean_t"].mean())
    assert found["mean_change"] == pytest.approx(quality["change"].mean())
    assert found["largest_deviation"] > 0


def test_the_figures_and_the_page_are_in_mlflow(described: Workspace) -> None:
    """In the run that the summary names, under the same names."""
    figures = summary(described)
    run = mlflow.get_run(RunFacts.read(described.run("describe")).run_id)
    assert run.data.metrics == pytest.approx(run.data.metrics | figures)
    assert set(run.data.metrics) == {*figures, SECONDS, PROCESSOR}
    assert run.data.tags["igarape.step"] == "describe"
    kept = {item.path for item in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)}
    assert "data.html" in kept


def test_each_label_has_its_sheet_and_no_other_chip_is_read(
    copy: Workspace, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most as many raw chips are decoded as sheets and pairs show."""
    read = []
    rgb = Store.rgb

    def counted(store: Store, image_id: str) -> Any:
        read.append(image_id)
        return rgb(store, image_id)

    monkeypatch.setattr(Store, "rgb", counted)
    stage.run(copy)
    text = (copy.reports / "data.html").read_text(encoding="utf-8")
    counts = pd.read_parquet(copy.catalog())[Y].sum()
    titles = [f"{str(label)[2:]} {'12 of ' if count > 12 else ''}{count} chips" for label, count in counts.items()]
    assert [title for title in titles if title not in browse(text).text] == []
    assert len(read) == text.count("data:image/jpeg;base64,") == counts.clip(upper=12).sum() + 3 * 6 * 2


def test_the_same_data_give_the_same_page(described: Workspace) -> None:
    """Whatever the order of the tables that the steps before wrote."""
    before = (described.reports / "data.html").read_bytes()
    for path in (described.catalog(), described.chips("dehazed") / "quality.parquet", described.folds):
        write_table(pd.read_parquet(path)[::-1], path)
    stage.run(described)
    assert (described.reports / "data.html").read_bytes() == before


def test_unlabelled_chips_have_a_sheet_of_their_own(copy: Workspace, browse: Browse) -> None:
    """They are counted apart, and have no tags and no fold."""
    catalog, folds = pd.read_parquet(copy.catalog()), pd.read_parquet(copy.folds)
    catalog.loc[:2, "split"] = "test"
    catalog.loc[:2, Y] = 0
    write_table(catalog, copy.catalog())
    write_table(folds[~folds["image_id"].isin(catalog["image_id"][:3])], copy.folds)
    stage.run(copy)
    assert (summary(copy)["labelled"], summary(copy)["unlabelled"]) == (57, 3)
    assert "no labels 3 chips" in browse((copy.reports / "data.html").read_text(encoding="utf-8")).text


def test_near_duplicates_are_shown_where_split_looked_for_them(described: Workspace, browse: Browse) -> None:
    """The nearest of each kind; those that the split parts are counted, and marked."""
    assert summary(described)["near_duplicates"] == 0
    folds = pd.read_parquet(described.folds)
    first = folds.iloc[0]
    same = folds[(folds["fold"] == first["fold"]) & (folds["image_id"] != first["image_id"])].iloc[0]["image_id"]
    apart = folds[folds["fold"] != first["fold"]].iloc[0]["image_id"]
    pairs = pd.DataFrame(
        {"image_id": first["image_id"], "other": [apart, same], "kind": "copy", "distance": [0.5, 0.25]}
    )
    write_table(pairs, described.root / "data/split/pairs.parquet")
    stage.run(described)
    assert (summary(described)["near_duplicates"], summary(described)["near_duplicates_apart"]) == (2, 1)
    text = browse((described.reports / "data.html").read_text(encoding="utf-8")).text
    assert text.index("distance 0.25") < text.index("distance 0.5")
    assert text.count("in two parts of the split") == 2  # once in words, once at its pair


def test_columns_that_dehazing_adds_do_no_harm(described: Workspace) -> None:
    """The quality table may grow."""
    before, path = (described.reports / "data.html").read_bytes(), described.root / "data/dehaze/quality.parquet"
    write_table(pd.read_parquet(path).assign(method="other", share=0.5), path)
    stage.run(described)
    assert (described.reports / "data.html").read_bytes() == before


def test_a_chip_without_a_fold_is_an_error(copy: Workspace) -> None:
    """The chips have changed since the split."""
    path = copy.folds
    write_table(pd.read_parquet(path).iloc[1:], path)
    with pytest.raises(InputError, match=r"folds\.parquet: chip-\d\d is labelled, but has no fold\. Run: dvc repro"):
        stage.run(copy)
