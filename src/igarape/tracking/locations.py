"""The folders that MLflow's database names. They are absolute, so a project that has moved takes them along."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from igarape.errors import InputError

ARTIFACTS = "mlruns"
ADDRESS = "MLFLOW_TRACKING_URI"
COPIES = (".dvc", "tmp", "exps")  # where `dvc exp run --temp` and DVC's queue copy a project to
EXPERIMENTS = ("experiments", "artifact_location")
# What else names a folder: table and column.
OTHERS = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
SECONDS = 30.0  # to wait for somebody else who is writing


def project(folder: Path = Path()) -> Path:
    """Return the folder of the project that a folder belongs to: itself, or what DVC has copied it from for a while."""
    parts = folder.absolute().parts
    for start in range(len(parts) - len(COPIES)):
        if parts[start : start + len(COPIES)] == COPIES:
            return Path(*parts[:start])
    return folder


def check_encoded(folder: Path) -> None:
    """Refuse a project in which `mlflow run` would break off, before anything is computed.

    By itself MLflow 3.17 makes the folder of its database under its percent-encoded name too, beside the project's own
    folder: /data/a%20b for /data/a b (mlflow.store.db.utils). It fails where one may not write to /data.
    """
    here = folder.absolute()
    encoded = Path(quote(str(here)))
    nearest = next(path for path in (encoded, *encoded.parents) if path.exists())
    made = encoded.is_dir() or (nearest.is_dir() and os.access(nearest, os.W_OK))
    if not made and ADDRESS not in os.environ:
        raise InputError(
            f"{here}: MLflow would make {encoded} too, and may not write there. Type, in each terminal: "
            f"export {ADDRESS}=sqlite:///mlflow.db; or move the project to a path of plain letters"
        )


def mend(database: Path) -> list[str]:
    """Let a project's database name the folder mlruns beside it; return the folders that it named before.

    It names others after the project was moved, renamed or copied, and where its path holds a percent sign, which
    MLflow takes for an encoded character. Folders that somebody chose elsewhere stay. Raises InputError where the
    database cannot be written.
    """
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(database, timeout=SECONDS)) as connection:
            left = _left(_values(connection, *EXPERIMENTS), database.parent / ARTIFACTS)
            if left:
                with connection:
                    _replace(connection, left, (database.parent / ARTIFACTS).as_uri())
    except sqlite3.Error as error:
        raise InputError(
            f"{database}: {error}. MLflow's database names folders that the project has left, or cannot be read; "
            "expected to read and write it. See who may write it, or restore it from a copy"
        ) from error
    return left


def _values(connection: sqlite3.Connection, table: str, column: str) -> list[str]:
    """Return the different folders in a column; none where this MLflow has no such table yet."""
    known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if table not in known:
        return []
    # The names are ours, from the table above.
    query = f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608
    return [value for (value,) in connection.execute(query)]


def _root(location: str) -> str:
    """Return the part of a location up to its last folder mlruns; "" where it has none, or is not on this machine."""
    if urlsplit(location).scheme not in {"", "file"}:
        return ""
    head, found, _ = location.rpartition(f"/{ARTIFACTS}/")
    return head + found.rstrip("/") if found else ""


def _left(locations: list[str], here: Path) -> list[str]:
    """Return the roots of experiments' folders that are not here any more: gone, or copied to here."""
    left = set()
    for location in locations:
        root = _root(location)
        named = Path(unquote(urlsplit(root).path if root.startswith("file:") else root))  # as MLflow reads it
        if not root or named == here:
            continue
        # The first: with a percent sign in it, MLflow looks elsewhere.
        gone = root == str(here) or not named.exists() or project(named) == here.parent
        if gone or ((here / location[len(root) + 1 :]).exists() and not here.samefile(named)):
            left.add(root)
    return sorted(left)


def _replace(connection: sqlite3.Connection, left: list[str], here: str) -> None:
    """Put the folder here in the place of those that were left, everywhere."""
    for table, column in (EXPERIMENTS, *OTHERS):
        changed = [(_moved(value, left, here), value) for value in _values(connection, table, column)]
        connection.executemany(
            f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608
            [(new, old) for new, old in changed if new != old],
        )


def _moved(location: str, left: list[str], here: str) -> str:
    """Return where a location is now."""
    root = _root(location)
    return here + location[len(root) :] if root in left else location
