"""predict: tag pictures with a registered model, and write a CSV."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pandas as pd
from tqdm import tqdm

from igarape.chips.pictures import NAMED, Pixels, stem
from igarape.config.params import read_params
from igarape.errors import InputError
from igarape.files import whole
from igarape.progress import progress
from igarape.serving.bundle import BATCH, Bundle
from igarape.serving.registry import champion_uri, load, model_name
from igarape.workspace import Workspace

LISTED = 10
TIFS = (".tif", ".tiff")


def run(workspace: Workspace, paths: Sequence[Path], *, model: str | None, out: Path, nir: Path | None = None) -> None:
    """Tag the pictures at paths, or in the folders there; columns image_name, tags, p_<label>...

    model: an MLflow URI; None is the champion of the data set in params.yaml. nir: the folder of the TIFs that go with
    the pictures, named as they are, where the model sees near-infrared. A picture that cannot be read is reported
    and left out, and InputError names all of them at the end.
    """
    files = _pictures(paths)
    bundle = load(
        model or champion_uri(model_name(read_params(workspace.params).dataset), workspace.root), workspace.root
    )
    answers, failed = _tag(bundle, files, _tifs(bundle, nir))
    with whole(out) as unfinished:
        answers.to_csv(unfinished, index=False)
    click.echo(f"{out}: {len(answers)} pictures tagged")
    if failed:
        names = ", ".join(str(path) for path in failed[:LISTED])
        more = f" and {len(failed) - LISTED} more" if len(failed) > LISTED else ""
        raise InputError(f"{len(failed)} of {len(files)} pictures are not in {out}: {names}{more}. Why, stands above")


def _pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the pictures, those of a folder in the order of their names; two of one name could not be told apart."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: not found; expected a picture or a folder of pictures")
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in NAMED) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: no picture in it; expected files that end in {', '.join(NAMED)}")
        files.extend(inside)
    return list(_by_name(files).values())


def _tifs(bundle: Bundle, folder: Path | None) -> Mapping[str, Path] | None:
    """Return the TIFs in a folder by their names; None where the model sees pictures only."""
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
    return _by_name(sorted(file for file in folder.iterdir() if file.suffix.lower() in TIFS))


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


def _tag(bundle: Bundle, files: Sequence[Path], tifs: Mapping[str, Path] | None) -> tuple[pd.DataFrame, list[Path]]:
    """Return the answers, and the files that could not be read, which are reported as they come."""
    tables, failed = [bundle.tag([])], []
    with progress("predict", "picture") as report:
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
                    tqdm.write(str(error), file=sys.stderr)
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
