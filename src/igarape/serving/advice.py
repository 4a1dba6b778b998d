"""What to type where the registry does not have what is asked for: that depends on what lies in the project."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from igarape.files import read_json
from igarape.serving.manifest import MANIFEST

BUNDLE = Path("data/evaluate/bundle")
VERSION = Path("data/register/version.json")
OF_STUDENT = (Path("data/register/student.json"), Path("data/evaluate/student"))
LOCK = Path("dvc.lock")
STUDENTS = "-student"  # what the name of a student's registered model ends with
REGISTER = "dvc repro --single-item --force register"


def option(name: str) -> str:
    """Return what a command needs besides to mean the model of a name."""
    return " --model student" if name.endswith(STUDENTS) else ""


def how_to_register(name: str, folder: Path = Path()) -> str:
    """Say how the model of a name gets into this registry.

    A project that was cloned has the bundle, or can pull it, but not the mlflow.db of the one that registered it; and
    a version may have been deleted. In both cases DVC takes the step for done.
    """
    version, bundle = OF_STUDENT if name.endswith(STUDENTS) else (VERSION, BUNDLE)
    if _registered(name, folder) and (folder / bundle / MANIFEST).exists():
        return f"{version} names a version that this MLflow does not have. To register {bundle} here: {REGISTER}"
    if _is_locked(folder) and not (folder / BUNDLE).exists():
        return f"dvc.lock has a result that is not here. Run: dvc pull, then: {REGISTER}; or make it anew: make repro"
    if name.endswith(STUDENTS):
        return "Name an experiment for it in params.yaml (distill.experiment: student). Then run: make repro"
    return "Run: make repro"


def how_to_promote(name: str, aliases: Mapping[str, str], versions: Sequence[str], folder: Path = Path()) -> str:
    """Say how a version becomes the champion.

    Parameters
    ----------
    name
        Of the registered model.
    aliases
        Which version has which alias.
    versions
        Those that the model has, in order.
    folder
        The project's.
    """
    promote = f"igarape promote{option(name)}"
    if "challenger" in aliases:
        return f"Run: {promote}"
    if versions:
        return f"There are versions {', '.join(versions)}. Run: {promote} --version {versions[-1]}"
    return f"{how_to_register(name, folder)}, then: {promote}"


def other_here(name: str, challenger: str, versions: Sequence[str], folder: Path) -> str | None:
    """Say so where a folder's own result is another version than the challenger: an older one, which DVC brought back.

    DVC takes what was registered once for done, and moves no alias.

    Parameters
    ----------
    name
        Of the registered model.
    challenger
        The version that has the alias.
    versions
        Those that the model has.
    folder
        The project's.

    Returns
    -------
    str or None
        None where it is the same, or none of versions.
    """
    own = _registered(name, folder)
    if own == challenger or own not in versions:
        return None
    return (
        f"{name}: version {challenger} is the challenger, but what lies in data/ is version {own}. To promote that: "
        f"igarape promote{option(name)} --version {own}"
    )


def _registered(name: str, folder: Path) -> str | None:
    """Return the version of a model that a folder's own result was registered as; None of another data set's."""
    version, _ = OF_STUDENT if name.endswith(STUDENTS) else (VERSION, BUNDLE)
    written = read_json(folder / version) if (folder / version).exists() else None
    return str(written["version"]) if written and written["name"] == name else None


def _is_locked(folder: Path) -> bool:
    """Say whether DVC has kept what the step register wrote."""
    path = folder / LOCK
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
    return "register" in ((content or {}).get("stages") or {})
