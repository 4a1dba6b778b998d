"""The champion as it is served: which version the alias names, and its bundle, of which no code is run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from igarape.errors import InputError
from igarape.serving.batching import Served
from igarape.serving.registry import CHAMPION, client_of, version_of
from igarape.serving.registry import load as load_model
from igarape.serving.service import Load
from igarape.serving.version_tags import figures_of, lineage_of

MOST_SKIPPED = 64


@dataclass(frozen=True)
class Version:
    """A version of a registered model, what it scored on the hold-out, and the commit and the data it came from."""

    name: str
    number: str
    figures: Mapping[str, float]
    lineage: Mapping[str, str]

    @property
    def uri(self) -> str:
        """Return its address in the registry."""
        return f"models:/{self.name}/{self.number}"


@dataclass(frozen=True)
class _Broken:
    """A version that could not be loaded, and how many looks pass without another try: in all, and left."""

    number: str
    skipped: int
    left: int


def find_champion(name: str, folder: Path = Path()) -> Version:
    """Return the version of a model that is the champion, in the registry of the project in folder.

    Raises InputError when there is none, or MLflow's server does not answer.
    """
    number = version_of(name, CHAMPION, folder)
    with client_of(name, folder) as client:
        found = client.get_model_version(name, number)
    return Version(name, number, figures_of(found.tags), lineage_of(found.tags))


def following(version: Version, folder: Path = Path(), *, threads: int = 0) -> Load:
    """Return what loads a version to be served; asked again, the champion where that is another one by then.

    A champion that cannot be loaded is tried again after one look without a try, then after two, four and so on, up to
    MOST_SKIPPED: each try fetches all its files. Another champion is tried at once.

    version: as find_champion gives it. Folder, threads and errors are those of registry.load.
    """
    broken = _Broken("", 0, 0)

    def load(served: Served | None) -> Served | None:
        nonlocal broken
        found = version if served is None else find_champion(version.name, folder)
        if served is not None and served.version == found.number:
            return None
        if found.number == broken.number and broken.left:
            broken = replace(broken, left=broken.left - 1)
            return None
        try:
            bundle = load_model(found.uri, folder, threads=threads)
        except InputError:
            skipped = min(2 * broken.skipped, MOST_SKIPPED) if found.number == broken.number else 1
            broken = _Broken(found.number, skipped, skipped)
            raise
        return Served(bundle, found.name, found.number, found.figures, found.lineage)

    return load
