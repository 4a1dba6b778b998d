"""Which band of a scene is which: as somebody says, or else as the file does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from igarape.errors import InputError

SHORT = {"r": "red", "g": "green", "b": "blue", "nir": "nir"}
COLOURS = ("red", "green", "blue")
SAY = (
    "Say which is which, counted from 1, such as --bands r=3,g=2,b=1 or r=3,g=2,b=1,nir=4; of a site, by bands in its "
    "YAML"
)


@dataclass(frozen=True)
class Bands:
    """The numbers of a scene's bands, counted from 1. nir: None where none is named."""

    red: int
    green: int
    blue: int
    nir: int | None = None

    @property
    def used(self) -> list[int]:
        """Return all numbers: red, green, blue, and near-infrared where it is named."""
        return [self.red, self.green, self.blue, *([self.nir] if self.nir else [])]


def parse_bands(text: str, where: str = "--bands") -> Bands:
    """Read bands as they are typed: r=3,g=2,b=1 or r=3,g=2,b=1,nir=4. Raises InputError that begins with where."""
    places: dict[str, int] = {}
    for part in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(r|g|b|nir|red|green|blue)=([1-9][0-9]{0,4})", part.lower())
        if found is None:
            raise InputError(f"{where} {text}: {part!r} names no band. {SAY}")
        name = SHORT.get(found[1], found[1])
        if name in places or int(found[2]) in places.values():
            raise InputError(f"{where} {text}: a band is named twice. {SAY}")
        places[name] = int(found[2])
    if missing := [name for name in COLOURS if name not in places]:
        raise InputError(f"{where} {text}: {missing[0]} is missing. {SAY}")
    return Bands(**places)


def find_bands(said: Bands | None, where: str, *, descriptions: Sequence[str | None], colours: Sequence[str]) -> Bands:
    """Return which band is which.

    Parameters
    ----------
    said
        What somebody says, which counts more than what the file says; None: nothing.
    where
        What an error begins with.
    descriptions
        What the file calls each band; None: nothing.
    colours
        How it interprets each one: red, green, blue, or anything else. That counts where there are three bands: of
        more, writers call the first three red, green and blue whatever they are.

    Raises
    ------
    InputError
        When nothing says it, and when a band is named that is not there.
    """
    count = len(descriptions)
    if said is not None:
        if max(said.used) > count:
            raise InputError(f"{where}: expected a band {max(said.used)}, found {count} bands. {SAY}")
        return said
    names = [(description or "").strip().lower() for description in descriptions]
    if not set(COLOURS) <= set(names) and count == len(COLOURS):
        names = list(colours)
    if any(names.count(colour) != 1 for colour in COLOURS):
        raise InputError(f"{where}: nothing says which of its {count} bands is red, green and blue. {SAY}")
    red, green, blue = (names.index(colour) + 1 for colour in COLOURS)
    return Bands(red, green, blue, names.index("nir") + 1 if names.count("nir") == 1 else None)
