"""Modules are found and read from their text; nothing is imported."""

from pathlib import Path

import pytest

from igarape.config.sources import Module, find_module, imported_files

MODELS = """
import json, os.path
from functools import partial as half
from sys import *
raise RuntimeError("this would be an import")

LIMIT: int = 3
one, (two, *three) = 1, (2, 3)
if LIMIT:
    def small(images, /, width=0.5, *, depth, **rest): pass
else:
    small_again = small
try:
    class Wide: pass
except Exception:
    class Wider: pass

@half
def wrapped(): inner = 3
"""


def lay_out(folder: Path, files: dict[str, str]) -> None:
    """Write files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def find(name: str, folder: Path) -> Module:
    """Find a module that is there."""
    module = find_module(name, folder)
    assert module is not None
    return module


def test_names_are_what_the_top_of_a_module_binds(tmp_path: Path) -> None:
    """Also under if and try, not within functions; a function has its signature, where nothing wraps it."""
    lay_out(tmp_path, {"my_models.py": MODELS})
    names = find("my_models", tmp_path).names()
    imported = {"json", "os", "half", "*"}
    assert set(names) == imported | {"LIMIT", "one", "two", "three", "small", "small_again", "Wide", "Wider", "wrapped"}
    assert str(names["small"]) == "(images, /, width=0.5, *, depth, **rest)"
    assert names["wrapped"] is None and names["Wide"] is None


def test_a_module_is_looked_for_in_the_projects_folder_first(tmp_path: Path) -> None:
    """Then among what is installed; a folder alone, and what is nowhere, is none."""
    lay_out(tmp_path, {"json.py": "A = 1\n", "mine/deep/er.py": "B = 1\n", "data/x.txt": ""})
    own = find("json", tmp_path)
    assert own.file == tmp_path / "json.py" and own.shown == "json.py" and not own.alone
    assert find("mine.deep.er", tmp_path).shown == "mine/deep/er.py"
    installed = find("email.mime.text", tmp_path)
    assert installed.alone and installed.home == installed.file.parents[2] and installed.shown == str(installed.file)
    assert find("email", tmp_path).home == installed.home
    for name in ("data", "data.x", "gone", "json.gone", "sys"):
        assert find_module(name, tmp_path) is None


def test_a_file_counts_with_what_it_imports_of_the_project(tmp_path: Path) -> None:
    """However indirectly, relatively, or within a function; what is installed does not."""
    files = {
        "my_models.py": "import numpy\nimport mine.blocks\n\ndef f():\n    from more import part\n",
        "mine/__init__.py": "from . import setting\n",
        "mine/blocks.py": "from .deep import (er as e)\nfrom ..mine import other\n",
        "mine/deep/__init__.py": "from .. import sibling\n",
        "mine/deep/er.py": "from ... import nothing\n",
        "mine/setting.py": "",
        "mine/other.py": "import my_models\n",
        "mine/sibling.py": "",
        "mine/unused.py": "",
        "more/part.py": "",
        "unused.py": "",
    }
    lay_out(tmp_path, files)
    found = imported_files(find("my_models", tmp_path))
    assert found == tuple(sorted(tmp_path / name for name in files if "unused" not in name))


def test_of_what_is_installed_its_own_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other."""
    installed = tmp_path / "site"
    lay_out(installed, {"theirs/__init__.py": "", "theirs/a.py": "from . import b\nimport others\n"})
    lay_out(installed, {"theirs/b.py": "import theirs.c\n", "theirs/c.py": "", "others.py": ""})
    monkeypatch.syspath_prepend(installed)
    found = imported_files(find("theirs.a", tmp_path))
    assert {path.name for path in found} == {"__init__.py", "a.py", "b.py", "c.py"}


def test_a_file_that_is_not_python_is_an_error_with_its_name(tmp_path: Path) -> None:
    """And its line."""
    lay_out(tmp_path, {"my_models.py": "import my_blocks\n", "my_blocks.py": "A = 1\ndef (:\n"})
    with pytest.raises(SyntaxError, match=r"my_blocks\.py, line 2"):
        imported_files(find("my_models", tmp_path))
