"""Which code made this: a hash that follows imports, and meaning alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grimp
import pytest

from igarape import code
from igarape.code import NEUTRAL, closure, code_hash

SOURCE = '''
"""A module."""
from igarape.other import LIMIT
import os

def double(x: int) -> int:
    """Double."""
    if x > LIMIT:
        raise ValueError(f"{x} is too large")
    return 2 * x
'''
Hash = Callable[[dict[str, str]], str]


@pytest.fixture
def hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hash]:
    """Give what writes a package of two modules, with changes, and hashes the one that imports the other."""

    def write(changes: dict[str, str]) -> str:
        for name, text in ({"one": SOURCE, "other": "LIMIT = 3\n", "tracking": "ON = 1\n"} | changes).items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        for cached in (code._path, code._imports, code._meaning):
            cached.cache_clear()
        return code_hash("igarape.one")

    monkeypatch.setattr(code, "ROOT", tmp_path)
    yield write
    for cached in (code._path, code._imports, code._meaning):
        cached.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        SOURCE.replace("Double.", "Return twice as much."),
        SOURCE.replace("    return", "    # it is even\n\n    return"),
        SOURCE.replace("is too large", "should be smaller"),
        SOURCE.replace("2 * x", "(2 *\n        x)"),
        SOURCE.replace("import os", "import os\nfrom igarape import tracking"),
    ],
    ids=["docstring", "comment", "words of an error", "layout", "a neutral import's module"],
)
def test_what_changes_no_meaning_changes_no_hash(hashed: Hash, text: str) -> None:
    """But for the import statement itself, which is code."""
    if "tracking" in text:
        before = hashed({"one": text})
        assert hashed({"one": text, "tracking": "ON = 2\n"}) == before
    else:
        assert hashed({"one": text}) == hashed({})


def test_the_packages_own_file_does_not_count(hashed: Hash) -> None:
    """It names what all rooms hold: who imports from it would depend on everything that is named there."""
    face = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from igarape.other import LIMIT\n"
    through = SOURCE.replace("from igarape.other import LIMIT", "import igarape\nfrom igarape import LIMIT")
    one = hashed({"one": through, "__init__": face})
    assert closure("igarape.one") == {"igarape.one"}
    assert hashed({"one": through, "__init__": face + "X = 1\n", "other": "LIMIT = 4\n"}) == one


@pytest.mark.parametrize(
    "changes",
    [
        {"one": SOURCE.replace("2 * x", "3 * x")},
        {"one": SOURCE.replace("x > LIMIT", "x >= LIMIT")},
        {"other": "LIMIT = 4\n"},
    ],
    ids=["a number", "an operator", "what is imported"],
)
def test_another_meaning_has_another_hash(hashed: Hash, changes: dict[str, str]) -> None:
    """Here, or in what is imported."""
    assert hashed(changes) != hashed({})


def test_files_from_outside_the_package_count(tmp_path: Path) -> None:
    """A user's own module does as the package's do."""
    mine = tmp_path / "my_losses.py"
    hashes = []
    for text in ("A = 1\n", "A = 1  # one\n", "A = 2\n"):
        mine.write_text(text, encoding="utf-8")
        code._meaning.cache_clear()
        hashes.append(code_hash("igarape.files", files=(mine,)))
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_module_that_is_not_there_is_an_error() -> None:
    """Nothing is hashed as if it were empty."""
    with pytest.raises(ModuleNotFoundError, match=r"igarape\.nothing: no such module"):
        code_hash("igarape.nothing")


@pytest.mark.parametrize("step", ["ingest", "train", "evaluate"])
def test_the_closure_is_what_the_interpreter_would_import(step: str) -> None:
    """As grimp, which builds the graph of all imports, has it; but for neutral modules and what only they import."""
    graph = grimp.build_graph("igarape", cache_dir=None)
    for module in list(graph.modules):
        package = (code.ROOT / Path(*module.split(".")[1:])).is_dir()  # removing it would remove what it holds
        neutral = not package and any(module == name or module.startswith(f"{name}.") for name in NEUTRAL)
        if neutral and module != f"igarape.stages.{step}":
            graph.remove_module(module)
    expected = graph.find_upstream_modules(f"igarape.stages.{step}") | {f"igarape.stages.{step}"}
    assert closure(f"igarape.stages.{step}") == expected
