"""Files that are whole or not there: written under another name first, then renamed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from igarape.errors import InputError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, what was written there takes the name path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished-{path.name}")
    yield unfinished
    unfinished.replace(path)


def write_text(text: str, path: Path) -> None:
    """Write a text file whole."""
    with whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(content: Any, path: Path) -> None:
    """Write content as JSON that people can read."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier step wrote."""
    if not path.exists():
        raise InputError(f"{path}: not found; an earlier step writes it. Run: dvc repro")
    return json.loads(path.read_text(encoding="utf-8"))


def fresh_folder(path: Path) -> Path:
    """Empty the folder, or make it, and return it."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
