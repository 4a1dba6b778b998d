"""What the page of the data shows, gathered from what the steps before wrote."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from igarape.chips.corrections import read_applied
from igarape.chips.store import Store
from igarape.config.datasets import Dataset
from igarape.config.params import Params
from igarape.errors import InputError
from igarape.labels import Booleans, Vocabulary
from igarape.reports.data import (
    Dehazed,
    Haze,
    Overview,
    Sheet,
    Shown,
    Twins,
    TwinSheet,
    choose_dehazed,
    draw_images,
    presences,
    spread,
    thumbnail,
    together,
)
from igarape.tables import FAULT, Fault, labelled, read_catalog, read_folds, read_table, truth
from igarape.workspace import Workspace

FOUND = ["airlight_r", "airlight_g", "airlight_b", "mean_t", "change"]
PAIR = ["image_id", "other", "kind", "distance"]
UNLABELLED = "no labels"
GREY_LEVELS = 5.0  # the scale of the change ends at a multiple of these


@dataclass(frozen=True)
class Found:
    """What the steps before wrote, each table by image and in the order of the catalog; y: (chips, labels).

    folds: of the labelled chips. pairs: chips that look alike, and whether the split parts them. corrected: how many
    labels are not as the source says them.
    """

    vocabulary: Vocabulary
    catalog: pd.DataFrame
    y: Booleans
    folds: pd.Series
    quality: pd.DataFrame
    pairs: pd.DataFrame
    faults: list[Fault]
    corrected: int

    @property
    def labelled(self) -> Booleans:
        """Return which rows of the catalog carry labels."""
        return labelled(self.catalog)


def gather(workspace: Workspace, vocabulary: Vocabulary) -> Found:
    """Read what the steps before wrote. Chips that labels.thin sets aside are left out: no step sees them."""
    catalog = read_catalog(workspace.catalog(), vocabulary.labels)
    aside = read_table(workspace.aside, ["image_id"])["image_id"]
    catalog = catalog[~catalog["image_id"].isin(aside)].reset_index(drop=True)
    folds = read_folds(workspace.folds).set_index("image_id")["fold"]
    lost = catalog[labelled(catalog) & ~catalog["image_id"].isin(folds.index)]
    if len(lost):
        raise InputError(
            f"{workspace.folds}: {lost.iloc[0]['image_id']} is labelled, but has no fold. Run: dvc repro split"
        )
    faults = read_table(workspace.chips("raw") / "faults.parquet", FAULT, key=FAULT)[FAULT]
    return Found(
        vocabulary=vocabulary,
        catalog=catalog.set_index("image_id"),
        y=truth(catalog, vocabulary.labels),
        folds=folds,
        quality=_quality(workspace, catalog),
        pairs=_pairs(workspace, folds),
        faults=[Fault(*row) for row in faults.itertuples(index=False)],
        corrected=len(read_applied(workspace.applied)),
    )


def _quality(workspace: Workspace, catalog: pd.DataFrame) -> pd.DataFrame:
    """Read what dehazing found in each chip, in the order of the catalog."""
    path = workspace.chips("dehazed") / "quality.parquet"
    quality = read_table(path, ["image_id", *FOUND]).set_index("image_id")
    lost = catalog[~catalog["image_id"].isin(quality.index)]
    if len(lost):
        raise InputError(
            f"{path}: {lost.iloc[0]['image_id']} is not in it: it is of other chips. Run: dvc repro dehaze"
        )
    return quality.loc[catalog["image_id"]]


def _pairs(workspace: Workspace, folds: pd.Series) -> pd.DataFrame:
    """Read which chips look alike, nearest first; apart: they lie in two parts of the split."""
    pairs = read_table(workspace.folder("split") / "pairs.parquet", PAIR, key=PAIR)[PAIR].sort_values(PAIR[::-1])
    one, other = (folds.reindex(pairs[name]).to_numpy(dtype=np.float64) for name in ("image_id", "other"))
    return pairs.assign(apart=(one != other) & ~np.isnan(one + other))  # a chip without labels lies in no part


def look(workspace: Workspace, found: Found, params: Params, dataset: Dataset) -> Overview:
    """Put everything together that the page shows.

    Parameters
    ----------
    workspace
        Where the chips lie.
    found
        The tables of the steps before.
    params
        How much is shown, and the seed of what is drawn.
    dataset
        Its note stands on the page.
    """
    rng = np.random.default_rng(params.seed)
    labelled = found.labelled
    own = presences(
        found.y[labelled],
        found.folds.loc[found.catalog.index[labelled]].to_numpy(),
        labels=found.vocabulary.labels,
    )
    album = Album(workspace, found)
    reach = max(1.0, np.ceil(found.quality["change"].max() / GREY_LEVELS)) * GREY_LEVELS
    chosen = choose_dehazed(found.quality.reset_index(), count=params.describe.pairs, rng=rng)
    return Overview(
        dataset=params.dataset,
        note=dataset.note,
        vocabulary=found.vocabulary,
        figures=_figures(found) | {"largest_deviation": max(abs(label.furthest.deviation) for label in own)},
        presences=own,
        together=together(found.y[labelled]),
        sheets=_sheets(found, album, count=params.describe.chips, rng=rng),
        hazes=_hazes(found, reach=reach),
        reach=reach,
        dehazed={reason: [album.dehazed(image_id) for image_id in image_ids] for reason, image_ids in chosen.items()},
        twins=[
            TwinSheet(
                str(kind), len(rows), [album.twins(row) for _, row in rows.head(params.describe.pairs).iterrows()]
            )
            for kind, rows in found.pairs.groupby("kind")
        ],
        faults=found.faults,
    )


class Album:
    """The pictures of the chips that the page shows; no others are read."""

    def __init__(self, workspace: Workspace, found: Found) -> None:
        """Open the raw and the dehazed chips."""
        vocabulary = found.vocabulary
        dehazed = read_catalog(workspace.catalog("dehazed"), vocabulary.labels)
        self._raw = Store(workspace.chips("raw"), found.catalog.reset_index())
        self._clear = Store(workspace.chips("dehazed"), dehazed)
        self._found = found

    def chip(self, image_id: str) -> Shown:
        """Show a chip as it came."""
        row = self._found.y[self._found.catalog.index.get_loc(image_id)]
        return Shown(image_id, thumbnail(self._raw.rgb(image_id)), self._found.vocabulary.names(row))

    def dehazed(self, image_id: str) -> Dehazed:
        """Show a chip before and after dehazing."""
        red, green, blue, mean_t, change = (
            self._found.quality.loc[[image_id], FOUND].to_numpy(dtype=np.float64)[0].tolist()
        )
        return Dehazed(
            before=self.chip(image_id),
            after=thumbnail(self._clear.rgb(image_id)),
            airlight=(round(255 * red), round(255 * green), round(255 * blue)),
            mean_t=mean_t,
            change=change,
        )

    def twins(self, pair: "pd.Series[Any]") -> Twins:
        """Show two chips that look alike, side by side."""
        return Twins(
            self.chip(pair["image_id"]), self.chip(pair["other"]), float(pair["distance"]), bool(pair["apart"])
        )


def _figures(found: Found) -> dict[str, float]:
    """Return the figures of the page's head, which MLflow remembers too."""
    labelled = found.labelled
    y, left_out = found.y[labelled], sum(fault.left_out for fault in found.faults)
    return {
        "chips": len(found.catalog),
        "labelled": len(y),
        "unlabelled": len(found.catalog) - len(y),
        "left_out": left_out,
        "reported_faults": len(found.faults) - left_out,
        "corrected": found.corrected,
        "near_duplicates": len(found.pairs),
        "near_duplicates_apart": int(found.pairs["apart"].sum()),
        "tags_per_chip": float(y.sum(axis=1).mean()),
        "combinations": len(np.unique(y, axis=0)),
        "mean_t": float(found.quality["mean_t"].mean()),
        "mean_change": float(found.quality["change"].mean()),
    }


def _sheets(found: Found, album: Album, *, count: int, rng: np.random.Generator) -> list[Sheet]:
    """Draw a contact sheet of each label, and one of the unlabelled chips where there are any."""
    members = np.column_stack([found.y, ~found.labelled])
    drawn = draw_images(list(found.catalog.index), members, count=count, rng=rng)
    return [
        Sheet(title, int(held), [album.chip(image_id) for image_id in image_ids])
        for title, held, image_ids in zip(
            (*found.vocabulary.labels, UNLABELLED), members.sum(axis=0), drawn, strict=True
        )
        if held
    ]


def _hazes(found: Found, *, reach: float) -> list[Haze]:
    """Sum up what dehazing found in all chips, and in those of each label of the exclusive group: the weather."""
    kinds = {"all chips": np.ones(len(found.y), dtype=np.bool_)}
    kinds |= {label: found.y[:, column] for column, label in enumerate(found.vocabulary.exclusive)}
    return [
        Haze(
            title,
            int(rows.sum()),
            spread(found.quality["mean_t"].to_numpy()[rows], reach=1.0),
            spread(found.quality["change"].to_numpy()[rows], reach=reach),
        )
        for title, rows in kinds.items()
        if rows.any()
    ]
