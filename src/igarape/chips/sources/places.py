"""Places: paths that lead through archives as if they were folders."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from igarape.chips.formats import CONVERT, NAMED, stem, unread
from igarape.chips.sources.archives import LEADS_OUT, Contents, is_archive, is_of_use, list_tar, list_zip
from igarape.chips.sources.origins import Extent, Origin, loose
from igarape.chips.sources.spool import keep, unpack_7z
from igarape.errors import InputError
from igarape.progress import Report
from igarape.tables import Fault

SHOWN = 4  # kinds of files, in an error


@dataclass(frozen=True)
class Place:
    """What a path leads to: a file, or a folder (on the disk, in an archive, or all of an archive).

    path: how people find it. file: where the file's bytes are; None for a folder. files: where the bytes of each file
    below a folder are, by its path from there; on the disk only what lies directly in it. refused: why others are not
    read, by their path in the archive.
    """

    path: str
    file: Origin | None = None
    files: dict[str, Origin] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def unreadable(self) -> list[Fault]:
        """Return a fault for each picture that an archive should not hold, or that is of a format that is not read."""
        refused = [
            Fault(
                name if why == LEADS_OUT else stem(PurePosixPath(name).name),
                f"{name} {why}",
                "make the archive anew without it",
                left_out=True,
            )
            for name, why in self.refused.items()
            if is_picture(name)
        ]
        return refused + [
            Fault(stem(PurePosixPath(name).name), f"{name} is {form}, which is not read", CONVERT, left_out=True)
            for name in sorted(self.files)
            if (form := unread(name))
        ]

    def holds(self) -> str:
        """Say how many files of which kind lie in it, and in which of its folders: for errors, as it looks deep."""
        if self.file is not None:
            return "a file that is no folder and no zip, tar or 7z (a compressed tar has to be unpacked first)"
        here = Path(self.path)
        deep = (
            [path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()] if here.is_dir() else []
        )
        kinds = Counter(
            f"{PurePosixPath(name).suffix.lower() or 'without suffix'} in {PurePosixPath(name).parent}"
            for name in deep or [*self.files, *self.refused]
        )
        said = [f"{count} {kind}".removesuffix(" in .") for kind, count in kinds.most_common(SHOWN)]
        return ", ".join([*said, *(["and more"] if len(kinds) > SHOWN else [])]) or "nothing"


def is_picture(name: str) -> bool:
    """Say whether a file's name is that of a picture that is read."""
    return PurePosixPath(name).suffix.lower() in NAMED


class Finder:
    """Finds places under a root. An archive is listed once, and unpacked (into the spool) only if it has to be."""

    def __init__(self, root: Path, spool: Path, report: Report) -> None:
        """report: called with the bytes unpacked so far, and all, while an archive is unpacked."""
        self._root = root
        self._spool = spool
        self._report = report
        self._listed: dict[Extent, Contents] = {}

    def find(self, path: str) -> Place | None:
        """Return the first place on a path from the root; None where there is none.

        On the disk, * in the path stands for any letters. Raises InputError for a damaged archive on the way.
        """
        try:
            return next(self._places(path), None)
        except OSError as error:
            raise InputError(f"{self._root / path}: cannot be read ({error.strerror})") from error

    def find_pictures(self, path: str) -> Place | None:
        """Return a place with the pictures directly in it, or where there are none, those in the folders below it."""
        place = self.find(path)
        return place if place and any(map(is_picture, place.files)) else self.find_below(path)

    def find_below(self, path: str) -> Place | None:
        """Return a place as find does, with all that lies in the folders below it, by FOLDER/NAME, also on the disk."""
        place = self.find(path)
        if place is None or not Path(place.path).is_dir():
            return place
        try:
            return Place(place.path, files=dict(below(Path(place.path))))
        except OSError as error:
            raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from error

    def _places(self, path: str) -> Iterator[Place]:
        """Yield the places that a path leads to, in the order of names."""
        for here, rest in on_disk(self._root, path.split("/")):
            if here.is_dir():
                with_stat = (
                    (file, loose(file)) for file in sorted(here.iterdir()) if is_of_use(file.name) and file.is_file()
                )
                yield Place(str(here), files={file.name: origin for file, origin in with_stat})
            elif is_archive(here.name):
                yield from self._inside(loose(here), str(here), rest)
            else:
                yield Place(str(here), file=loose(here))

    def _inside(self, archive: Origin, path: str, parts: Sequence[str]) -> Iterator[Place]:
        """Yield the place that the parts of a path lead to in an archive, if there is one.

        An archive that holds one archive and nothing else (.tar.7z) is looked through.
        """
        contents = self._contents(archive, path)
        inner = {name: origin for name, origin in contents.files.items() if is_archive(name)}
        wanted = "/".join(parts)
        if wanted in contents.files and wanted not in inner:
            yield Place(f"{path}/{wanted}", file=contents.files[wanted])
            return
        for name, origin in inner.items():
            if wanted == name or wanted.startswith(f"{name}/"):
                yield from self._inside(origin, f"{path}/{name}", parts[len(name.split("/")) :])
                return
        if len(inner) == len(contents.files) == 1:
            yield from self._inside(next(iter(inner.values())), path, parts)
            return
        start = f"{wanted}/" if parts else ""
        files = {name.removeprefix(start): at for name, at in contents.files.items() if name.startswith(start)}
        refused = {name: why for name, why in contents.refused.items() if name.startswith(start) or why == LEADS_OUT}
        if files or not parts:
            yield Place("/".join([path, *parts]), files=files, refused=refused)

    def _contents(self, archive: Origin, path: str) -> Contents:
        """List an archive, whatever it lies in; path is what people call it."""
        name = (archive.name or archive.path.name).lower()
        # A tar in a tar lies there as it is; another archive in an archive has to be a file of its own to be read.
        in_place = isinstance(archive, Extent) and (name.endswith(".tar") or not archive.name)
        file = archive if isinstance(archive, Extent) and in_place else keep(archive, self._spool)
        if file not in self._listed:
            if name.endswith(".tar"):
                self._listed[file] = list_tar(file, path)
            elif name.endswith(".zip"):
                self._listed[file] = list_zip(file, path)
            else:
                self._listed[file] = unpack_7z(file, path, spool=self._spool, report=self._report)
        return self._listed[file]


def on_disk(here: Path, parts: Sequence[str]) -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield the folders and files that the parts of a path lead to, and what is left of it: the way in an archive."""
    if here.is_dir() and parts:
        for step in sorted(here.glob(parts[0])) if "*" in parts[0] else [here / parts[0]]:
            yield from on_disk(step, parts[1:])
    elif here.is_dir() or (here.is_file() and (is_archive(here.name) or not parts)):
        yield here, parts


def below(here: Path) -> Iterator[tuple[str, Extent]]:
    """Yield the files below a folder, by their paths from there; links are followed, but for one that leads back up."""

    def stop(error: OSError) -> None:
        raise error

    for folder, inner, names in os.walk(here, followlinks=True, onerror=stop):
        path = Path(folder)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and not _leads_up(path / name))
        for file in (path / name for name in sorted(names) if is_of_use(name)):
            if file.is_file():
                yield file.relative_to(here).as_posix(), loose(file)


def _leads_up(path: Path) -> bool:
    """Say whether a path is a link to a folder that it lies in."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())
