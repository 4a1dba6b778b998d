"""Samples of a site's tiles, for people to judge, and the shares that follow from them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from igarape.chips.sources.rows import parse_csv
from igarape.errors import InputError, counted, did_you_mean
from igarape.files import write_text
from igarape.sites.change import NEVER
from igarape.sites.conservation import SAMPLE, Share, difference, draw_sample, judged_share
from igarape.sites.evidence import Floats
from igarape.sites.site_folder import SiteFolder
from igarape.sites.state import Engine, State

DECIMALS = 5  # of a degree: a metre
COLUMNS = ["label", "date", "share", "low", "high", "mapped", "judged"]


def present(place: SiteFolder, label: str, day: date) -> Floats:
    """Return the probability that each tile holds a label, by all looks up to a day; NaN without any.

    Raises InputError for a label that is not watched.
    """
    if label not in place.labels:
        raise InputError(f"{place.name}: {label!r} is not watched{did_you_mean(label, place.labels)}")
    engine = Engine.of(place.site)
    state = State.begin(len(place.area.names), engine)
    for looks in place.days([facts for facts in place.listed() if facts.day <= day.toordinal()]):
        state.look(looks, engine)
    found = state.belief.present()[:, place.labels.index(label)]
    return np.where(state.belief.seen == NEVER, np.nan, found)


def write_sample(place: SiteFolder, path: Path, *, label: str | None, day: date, size: int) -> str:
    """Write a sample of tiles for people to judge, and say what to do with it.

    Parameters
    ----------
    place
        The site.
    path
        Of the CSV; a file that is there is refused, as somebody may have filled it in.
    label
        What is judged; None is refused.
    day
        As of when.
    size
        How many tiles.

    Raises
    ------
    InputError
        For these, and where no tile was looked at by then.
    """
    if label is None:
        raise InputError(f"--sample: of which label? Name it by --label: {', '.join(place.labels)}")
    if path.exists():
        raise InputError(f"{path}: is there already, and may have been filled in. Name another file")
    drawn = draw_sample(
        present(place, label, day), place.area.names, label=label, day=day.isoformat(), size=size, seed=day.toordinal()
    )
    if not len(drawn):
        raise InputError(f"{place.name}: no tile was looked at up to {day}")
    middles = place.area.middles[[place.area.known[tile] for tile in drawn["tile"]]].round(DECIMALS)
    located = drawn.assign(latitude=middles[:, 0], longitude=middles[:, 1])
    write_text(located.to_csv(index=False, lineterminator="\n"), path)
    return (
        f"{path}: {counted(len(drawn), 'tile')}. Write yes or no into its column holds, for each tile as it was on "
        f"{day}; then: igarape log {place.name} --judged {path}"
    )


def judged_table(place: SiteFolder, samples: Sequence[Path]) -> pd.DataFrame:
    """Return a row for each sample: the share that holds its label, its 95 % interval, and what the map alone says.

    A file that is named twice counts once. Of two samples of one label, a third row has the difference of the later to
    the earlier. Raises InputError for a sample that is none, or not filled in.
    """
    shares = sorted((_share(place, path) for path in dict.fromkeys(samples)), key=lambda each: each[1])
    rows = [(label, day, *share[:-1], str(share.n)) for label, day, share in shares]
    if len(shares) == 2 and shares[0][0] == shares[1][0] and shares[0][1] < shares[1][1]:
        (label, first, before), (_, last, after) = shares
        rows.append((label, f"{first} to {last}", *difference(before, after), after.mapped - before.mapped, ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def _share(place: SiteFolder, path: Path) -> tuple[str, str, Share]:
    """Return the label of a judged sample, its day, and what follows from it."""
    if not path.exists():
        raise InputError(f"{path}: not found; expected a sample that igarape log {place.name} --sample has written")
    try:
        table = parse_csv(str(path), path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    table = table.apply(lambda column: column.str.strip())
    if not set(SAMPLE) <= set(table.columns) or table[["label", "date"]].drop_duplicates().shape[0] != 1:
        raise InputError(f"{path}: expected the columns {', '.join(SAMPLE)}, of one label and date")
    table = table[SAMPLE]
    label, day = str(table["label"].iloc[0]), str(table["date"].iloc[0])
    try:
        taken = date.fromisoformat(day)
    except ValueError as error:
        raise InputError(f"{path}: {day!r} is no day") from error
    table["holds"] = table["holds"].str.lower()  # spreadsheets write YES for yes
    return label, day, judged_share(table, present(place, label, taken), place.area.names, str(path))
