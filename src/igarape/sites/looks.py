"""The looks at a site: a table for each scene, written once and never changed.

looks.parquet/DATE-SCENE.parquet    tile, valid, and the probabilities of the labels and the weather, float32; in its
                                    metadata the scene, its date, the model, and whether it is like the training data
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from igarape.config.sites import Site
from igarape.errors import InputError, some
from igarape.files import atomic_path, digest
from igarape.labels import Booleans
from igarape.sites.change import Integers
from igarape.sites.evidence import Floats

FACTS = b"igarape"
SHORT = 16  # digits of a scene's hash in a name


@dataclass(frozen=True)
class Facts:
    """What is known of a scene's looks: its name and hash, its day, the model, whether it is like the training data.

    grid, said: hashes of the grid that its tiles are named on, and of what the model says of them; nothing in tables of
    before.
    """

    scene: str
    sha256: str
    date: str
    model: str
    bundle: str
    trusted: bool
    grid: str = ""
    said: str = ""

    @property
    def key(self) -> str:
        """Return what tells its looks from others at the same scene, such as those of another model or stretch."""
        return digest([_text(self)])

    @property
    def name(self) -> str:
        """Return what its table is called: the names are in the order of days."""
        return f"{self.date}-{self.sha256[:SHORT]}.parquet"

    @property
    def day(self) -> int:
        """Return its day, counted as dates are."""
        return date.fromisoformat(self.date).toordinal()


@dataclass(frozen=True)
class Day:
    """The looks of a day, at the tiles of which ground was seen. rows: their places, in order.

    p: (rows, labels). cloud, hazy: probabilities that no ground was seen, and that it was seen through haze, (rows,).
    scene: which of the day's each is of, (rows,); trusted: whether that is like the training data, (rows,). cloudy:
    tiles that were covered, but not seen.
    """

    day: int
    rows: Integers
    p: Floats
    cloud: Floats
    hazy: Floats
    trusted: Booleans
    scene: Integers
    cloudy: int

    def only(self, which: Booleans) -> "Day":
        """Return the same of some of the rows, named by a mask."""
        arrays = {name: getattr(self, name)[which] for name in ("rows", "p", "cloud", "hazy", "trusted", "scene")}
        return replace(self, **arrays)


def columns(site: Site) -> list[str]:
    """Return the columns of probabilities that a site's looks have."""
    return [f"p_{label}" for label in (*site.labels, *site.weather.cloud, *site.weather.haze)]


def add_looks(tiles: pd.DataFrame, facts: Facts, folder: Path, *, site: Site, known: Mapping[str, int]) -> bool:
    """Add the looks of a scene, and say whether they are new: the same scene twice is one look.

    Parameters
    ----------
    tiles
        A map's: tile, valid, p_<label>...
    facts
        Of the scene.
    folder
        looks.parquet.
    site
        What is watched.
    known
        The place of each tile of the site by its name.

    Raises
    ------
    InputError
        When the map lacks a label that is watched, or shows none of the site's tiles.
    """
    if (folder / facts.name).exists():
        return False
    missing = [name for name in columns(site) if name not in tiles]
    if missing:
        raise InputError(
            f"{facts.scene}: the model {facts.model} does not know {some([name[2:] for name in missing])}, which the "
            "site names. Change the site's labels or weather, or name another --model"
        )
    inside = tiles[tiles["tile"].isin(known) & (tiles["valid"] > 0)]
    if not len(inside):
        raise InputError(f"{facts.scene}: shows nothing of this site. Is it a scene of another one?")
    kept = inside[["tile", "valid", *columns(site)]].sort_values("tile", key=lambda names: names.map(known))
    schema = pa.schema([("tile", pa.string()), *((name, pa.float32()) for name in kept.columns[1:])])
    table = pa.Table.from_pandas(kept, schema=schema, preserve_index=False)
    said = digest(["\n".join(kept["tile"]), *(column.to_numpy().tobytes() for column in table.columns[1:])])
    told = _text(replace(facts, said=said))
    with atomic_path(folder / facts.name) as unfinished:
        pq.write_table(table.replace_schema_metadata({FACTS: told.encode()}), unfinished)
    return True


def _text(facts: Facts) -> str:
    """Return facts as they stand in a table's metadata."""
    return json.dumps(asdict(facts), ensure_ascii=False, sort_keys=True)


def list_looks(folder: Path) -> list[Facts]:
    """Return what is known of all looks, in the order of days.

    Raises InputError for a table that is none of these, and for one that is called otherwise, as copies are: its looks
    would count twice.
    """
    found = []
    for path in sorted(folder.glob("*.parquet")):
        with _told(path):
            metadata = pq.read_schema(path).metadata or {}
            facts = Facts(**json.loads(metadata[FACTS]))
        if path.name != facts.name:
            raise InputError(f"{path}: its looks are those of {facts.name}. Is it a copy? Then remove it")
        found.append(facts)
    return found


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of a file that is none of ours, or damaged, that it is."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise InputError(
            f"{path}: is no table of looks, or cut short. Remove it, then watch its scene once more"
        ) from error


def by_day(looks: Sequence[Facts]) -> list[list[Facts]]:
    """Return looks, which are in the order of days, together with those of the same day."""
    return [list(scenes) for _, scenes in groupby(looks, key=lambda facts: facts.date)]


def read_day(scenes: Sequence[Facts], folder: Path, *, site: Site, known: Mapping[str, int]) -> Day:
    """Return the looks of one day.

    Of two scenes that cover one tile that day, one that is a look of it counts before one that is none: then the one in
    which more of what is there is seen. Less is, where the tile is in part beyond the scene, under cloud, or veiled. Of
    equals, that of the lower hash.

    Parameters
    ----------
    scenes
        Those of the day.
    folder
        looks.parquet.
    site
        What is watched, and what counts as a look.
    known
        The place of each tile of the site by its name.

    Raises
    ------
    InputError
        For a table that is damaged, and one of other labels than those of the site.
    """
    tables = [
        _read(folder / facts.name, site).assign(sha256=facts.sha256, trusted=facts.trusted, scene=number)
        for number, facts in enumerate(scenes)
    ]
    each = pd.concat(tables, ignore_index=True)
    each = each[each["tile"].isin(known)]
    cloud, hazy = (_sum(each, labels) for labels in (site.weather.cloud, site.weather.haze))
    p, valid = each[[f"p_{label}" for label in site.labels]], each["valid"].to_numpy()
    each = each.assign(
        place=each["tile"].map(known),
        cloud=cloud,
        hazy=hazy,
        # A look: enough of the tile is there, its ground was seen, and all was answered.
        seen=(valid >= site.evidence.valid) & (cloud <= site.evidence.cloudy) & p.notna().all(axis=1),
        shown=valid * (1 - cloud - (1 - site.evidence.seen) * hazy),  # the share of what is there that is seen
    )
    best_first = each.sort_values(["seen", "shown", "sha256"], ascending=[False, False, True], na_position="last")
    each = best_first.drop_duplicates("place").sort_values("place")
    looks = each[each["seen"]]
    return Day(
        day=scenes[0].day,
        rows=looks["place"].to_numpy(dtype=np.int64),
        p=looks[p.columns].to_numpy(dtype=np.float64),
        cloud=looks["cloud"].to_numpy(),
        hazy=looks["hazy"].to_numpy(),
        trusted=looks["trusted"].to_numpy(dtype=np.bool_),
        scene=looks["scene"].to_numpy(dtype=np.int64),
        cloudy=len(each) - len(looks),
    )


def _read(path: Path, site: Site) -> pd.DataFrame:
    """Read the looks of a scene; raise InputError as read_day does."""
    with _told(path):
        table = pd.read_parquet(path)
    if missing := [name for name in ("tile", "valid", *columns(site)) if name not in table]:
        raise InputError(
            f"{path}: lacks {some([name.removeprefix('p_') for name in missing])}: the site names other labels than "
            "when it was watched. Name those of before, or watch with --replay"
        )
    return table


def _sum(table: pd.DataFrame, labels: Sequence[str]) -> Floats:
    """Return the probability that one of some labels that exclude each other holds, (rows,)."""
    total = table[[f"p_{label}" for label in labels]].to_numpy(dtype=np.float64).sum(axis=1)
    return np.asarray(np.minimum(total, 1.0), np.float64)
