"""What is tagged: pictures, folders of pictures, archives and packed chips, with the TIFs that go with them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igarape.chips.formats import CONVERT, NAMED, stem, unread
from igarape.chips.sources.archives import is_archive
from igarape.chips.sources.listing import list_pictures
from igarape.chips.sources.origins import Extent, Origin, loose
from igarape.code import code_hash
from igarape.errors import InputError, counted, some
from igarape.files import begins, check_place, digest
from igarape.progress import Report
from igarape.serving.batches import PARQUET
from igarape.serving.bundle import Bundle, DecodedChip
from igarape.tables import Fault, read_table

TIFS = (".tif", ".tiff")
CATALOG = "catalog.parquet"
BEGINNINGS = (b"image_name,", b"PAR1")  # of a table of answers, as CSV and as Parquet
ANSWERS = "igarape.serving.batches"  # the module that what is answered depends on


@dataclass
class Pictures:
    """What is tagged: where the bytes of each picture, and of its TIF, are by its name; and what was passed over.

    tifs: None where the model sees pictures only.
    """

    origins: dict[str, Origin] = field(default_factory=dict)
    tifs: Mapping[str, Origin] | None = None
    passed_over: list[str] = field(default_factory=list)

    def add(self, name: str, origin: Origin) -> None:
        """Take a picture in; refuse a second one of its name, as the two could not be told apart."""
        if name in self.origins:
            raise InputError(
                f"{origin} and {self.origins[name]} have one name; keep one, or tag them apart, with an --out each"
            )
        self.origins[name] = origin

    def load(self, bundle: Bundle, name: str) -> DecodedChip:
        """Read a picture, and its near-infrared. Raises InputError where that cannot be read, or is not there."""
        origin = self.origins[name]
        if self.tifs is not None and name not in self.tifs:
            raise InputError(f"{origin}: no TIF of its name in the folder that --nir names")
        planes = None if self.tifs is None else bundle.decode_nir(self.tifs[name].read(), str(self.tifs[name]))
        return bundle.decode(origin.read(), str(origin), planes)

    def only(self, names: Sequence[str]) -> "Pictures":
        """Return some of the pictures."""
        tifs = None if self.tifs is None else {name: self.tifs[name] for name in names if name in self.tifs}
        return Pictures({name: self.origins[name] for name in names}, tifs)

    def key(self, model: str) -> str:
        """Return a hash of all that the answers depend on: the model, by what tells it from others; code; pictures.

        A picture is known by its place, its size and when it was last changed.
        """
        places = (f"{name} {origin!a}" for part in (self.origins, self.tifs or {}) for name, origin in part.items())
        return digest([model, code_hash(ANSWERS), *places])


def find_pictures(paths: Sequence[Path], *, spool: Path, report: Report) -> Pictures:
    """Find the pictures at paths: those of a folder or an archive in the order of their names.

    A folder that holds a catalog.parquet, as data/ingest does, is one of packed chips, in the catalog's order.

    Parameters
    ----------
    paths
        Pictures, folders, and archives.
    spool
        The folder where an archive is unpacked that has to be.
    report
        Called with the bytes unpacked so far, and all.

    Raises
    ------
    InputError
        For a path that is not there, a folder or an archive without any picture, two pictures of one name, and a
        picture whose name no table could hold; in a folder or an archive, it is passed over.
    """
    found = Pictures()
    for path in paths:
        if not path.exists():
            raise InputError(
                f"{path}: not found; expected a picture, or a folder or an archive (.zip, .tar, .7z) of pictures"
            )
        for name, origin in _at(path, found, spool, report).items():
            found.add(name, origin)
    return found


def _at(path: Path, found: Pictures, spool: Path, report: Report) -> Mapping[str, Origin]:
    """Return the pictures at a path by their names."""
    if path.is_dir() and (path / CATALOG).is_file():
        return _packed(path)
    if path.is_dir():
        return _in_folder(path, found)
    if not is_archive(path.name):
        return {stem(path.name): loose(path)}
    pictures, faults, _ = list_pictures(path.parent, [[path.name]], what="pictures", spool=spool, report=report)
    if faults:
        said = some([_told(fault) for fault in faults])
        found.passed_over.append(f"{len(faults)} in {path}: {said}")
    return dict(sorted(pictures.items()))


def _told(fault: Fault) -> str:
    """Say what is wrong with a member of an archive, whose name is said once."""
    named = (
        fault.problem.startswith((f"{fault.image_id}.", f"{fault.image_id} ")) or f"/{fault.image_id}." in fault.problem
    )
    return fault.problem if named else f"{fault.image_id} {fault.problem}"


def _packed(folder: Path) -> Mapping[str, Origin]:
    """Return where packed chips lie; raise InputError where a shard is not there, or too short."""
    catalog = read_table(folder / CATALOG, ["image_id", "shard", "offset", "length"])
    shards = {shard: loose(folder / shard) for shard in catalog["shard"].unique()}
    ends = (catalog["offset"] + catalog["length"]).groupby(catalog["shard"]).max()
    for shard, file in shards.items():
        if file.length < ends[shard]:
            raise InputError(
                f"{file}: cut short, its last chip should end at {ends[shard]}. Remove the file and run: dvc repro"
            )
    places = zip(
        catalog["image_id"], catalog["shard"], catalog["offset"].tolist(), catalog["length"].tolist(), strict=True
    )
    return {
        name: Extent(shards[shard].path, offset, length, shards[shard].modified, name)
        for name, shard, offset, length in places
    }


def _in_folder(folder: Path, found: Pictures) -> Mapping[str, Origin]:
    """Return the pictures that lie in a folder, in the order of their names; note what else may hold some."""
    files = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
    if said := _others(files):
        found.passed_over.append(f"{said} in {folder}")
    pictures = _by_name([file for file in files if file.suffix.lower() in NAMED])
    if not pictures.origins:
        there = said or some(pictures.passed_over) or "none"
        raise InputError(f"{folder}: no picture in it; found {there}; expected files that end in {', '.join(NAMED)}")
    found.passed_over += pictures.passed_over
    return pictures.origins


def _others(files: Iterable[Path]) -> str:
    """Say which of some files may hold pictures, and are not read: nothing, or how many."""
    forms = Counter(form for file in files if (form := unread(file.name)))
    folders = sum(file.is_dir() and file.suffix.lower() not in NAMED for file in files)
    themselves = "folder, which has to be named itself", "folders, which have to be named themselves"
    said = [counted(folders, *themselves)] if folders else []
    said += [f"{count} {form}" for form, count in sorted(forms.items())]
    return ", ".join(said) + (f", which is not read: {CONVERT}" if forms else "")


def check_out(out: Path, reads: Iterable[Path]) -> None:
    """Raise InputError where the table of answers would take the place of what is no such table, or is read.

    And where it would lie in what is no folder.
    """
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder. Name a file in it: {out / 'answers.csv'}")
    if out.exists() and not out.is_file():
        raise InputError(f"--out {out}: is a device or a pipe, no file. Name a file, such as answers.csv")
    check_place(out, f"--out {out}", utf8=out.suffix.lower() == PARQUET)
    if out.exists() and any(out.samefile(file) for file in set(reads) if file.exists()):
        raise InputError(f"--out {out}: is read, and would be lost. Name another file, such as answers.csv")
    if out.exists() and not begins(out, *BEGINNINGS):  # words in the wrong order name a picture, or a YAML
        raise InputError(
            f"--out {out}: is there, holds no answers, and would be lost. Name another file, such as answers.csv"
        )


def find_tifs(bundle: Bundle, folder: Path | None) -> Mapping[str, Origin] | None:
    """Return the TIFs in a folder by their names; None where the bundle sees pictures only.

    Raises InputError when the bundle sees near-infrared and there is no folder, and when it does not and there is one.
    """
    if not bundle.needs_nir:
        if folder is not None:
            raise InputError(f"--nir {folder}: the model sees pictures only. Leave --nir out")
        return None
    if folder is None or not folder.is_dir():
        found = "no such folder" if folder else "not given"
        raise InputError(
            f"--nir: {found}. The model sees near-infrared too: name a folder that holds a TIF of four bands for each "
            "picture, under the picture's name: igarape predict PATH --nir FOLDER"
        )
    return _by_name([file for file in sorted(folder.iterdir()) if file.suffix.lower() in TIFS]).origins


def _by_name(files: Sequence[Path]) -> Pictures:
    """Return files by name without suffix, but for those whose name no table could hold; refuse two of one name."""
    found = Pictures()
    for file in files:
        try:
            name = stem(file.name)
        except InputError as error:
            found.passed_over.append(str(error))
        else:
            found.add(name, loose(file))
    return found
