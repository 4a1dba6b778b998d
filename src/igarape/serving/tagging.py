"""Tagging of files: pictures and folders of pictures, with the TIFs that go with them, become one table of answers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from igarape.chips.formats import CONVERT, unread
from igarape.chips.pictures import NAMED, Pixels, stem
from igarape.errors import InputError
from igarape.serving.bundle import BATCH, Bundle

TIFS = (".tif", ".tiff")


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures at paths, those of a folder in the order of their names.

    Raises InputError for a path that is not there, a folder without any, and two pictures of one name, which could not
    be told apart.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: not found; expected a picture or a folder of pictures")
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in NAMED) if path.is_dir() else [path]
        if not inside:
            found = passed_over([path]) or "none"
            raise InputError(f"{path}: no picture in it; found {found}; expected files that end in {', '.join(NAMED)}")
        files.extend(inside)
    return list(_by_name(files).values())


def passed_over(paths: Sequence[Path]) -> str:
    """Say what find_pictures passes over in the folders among paths that may hold pictures: nothing, or how many."""
    inside = [file for path in paths if path.is_dir() for file in sorted(path.iterdir()) if file.name[0] != "."]
    forms = Counter(form for file in inside if (form := unread(file.name)))
    folders = sum(file.is_dir() and file.suffix.lower() not in NAMED for file in inside)
    said = [f"{folders} folders, which have to be named themselves"] if folders else []
    said += [f"{count} {form}" for form, count in sorted(forms.items())]
    return ", ".join(said) + (f", which is not read: {CONVERT}" if forms else "")


def check_out(out: Path, files: Sequence[Path], nir: Path | None) -> None:
    """Raise InputError where the table of answers would take the place of a folder, a device or a file that is read.

    And where it would lie in what is no folder. files: the pictures. nir: the folder of their TIFs, if there is one.
    """
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder. Name a file in it: {out / 'answers.csv'}")
    if out.exists() and not out.is_file():
        raise InputError(f"--out {out}: is a device or a pipe, no file. Name a file, such as answers.csv")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir():
        raise InputError(f"--out {out}: {above} is no folder. Name a file in one, such as answers.csv")
    if out.exists() and any(out.samefile(file) for file in [*files, *_tifs(nir)] if file.exists()):
        raise InputError(
            f"--out {out}: is read as a picture, and would be lost. Name another file, such as answers.csv"
        )


def find_tifs(bundle: Bundle, folder: Path | None) -> Mapping[str, Path] | None:
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
    return _by_name(_tifs(folder))


def _tifs(folder: Path | None) -> list[Path]:
    """Return the TIFs in a folder, if it is one."""
    inside = folder.iterdir() if folder and folder.is_dir() else ()
    return sorted(file for file in inside if file.suffix.lower() in TIFS)


def _by_name(files: Sequence[Path]) -> dict[str, Path]:
    """Return files by name without suffix; refuse two of one name."""
    seen: dict[str, Path] = {}
    for file in files:
        if stem(file.name) in seen:
            raise InputError(
                f"{file} and {seen[stem(file.name)]} have one name; keep one, or tag them apart, with an --out each"
            )
        seen[stem(file.name)] = file
    return seen


def tag_files(
    bundle: Bundle,
    files: Sequence[Path],
    *,
    tifs: Mapping[str, Path] | None,
    complain: Callable[[str], None],
    report: Callable[[int, int], None],
) -> tuple[pd.DataFrame, list[Path]]:
    """Answer for the pictures in files; what cannot be read costs its own row only.

    Parameters
    ----------
    bundle
        What answers.
    files
        Pictures.
    tifs
        Their near-infrared by their names, as find_tifs gives it.
    complain
        Called with what is wrong with a file, as soon as that shows.
    report
        Called with (pictures done, of how many).

    Returns
    -------
    pandas.DataFrame
        Columns image_name, tags, p_<label>..., in the order of files; alerts after tags, where the bundle has any.
    list[Path]
        The files that could not be read.
    """
    tables, failed = [bundle.tag([])], []
    for start in range(0, len(files), BATCH):
        images: dict[str, Pixels] = {}
        infrared: list[Pixels] = []
        for file in files[start : start + BATCH]:
            try:
                image = bundle.read(file.read_bytes(), str(file))
                if tifs is not None:
                    infrared.append(_read_tif(bundle, file, tifs))
                images[stem(file.name)] = image
            except (InputError, OSError) as error:
                complain(str(error))
                failed.append(file)
        tables.append(bundle.tag(list(images.values()), infrared).assign(image_name=list(images)))
        report(min(start + BATCH, len(files)), len(files))
    columns = ["image_name", *tables[0].columns]
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)[columns], failed


def _read_tif(bundle: Bundle, file: Path, tifs: Mapping[str, Path]) -> Pixels:
    """Read the near-infrared that goes with a picture."""
    tif = tifs.get(stem(file.name))
    if tif is None:
        raise InputError(f"{file}: no TIF of its name in the folder that --nir names")
    return bundle.read_nir(tif.read_bytes(), str(tif))
