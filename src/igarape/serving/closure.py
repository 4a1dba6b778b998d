"""What a served model needs besides itself: the modules of igarape that it imports, and the packages that those import.

Both are computed from the sources, so that no list stands beside the imports that it should mirror.
"""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "igarape"
ENTRANCE = "igarape.serving.pyfunc"
# What no import names, but a package that is imported asks for by itself: tifffile, to read compressed TIFs.
UNNAMED = ("imagecodecs",)


@cache
def modules(entrance: str = ENTRANCE) -> dict[str, Path]:
    """Return the modules of igarape that importing one imports, however indirectly or late, and their files."""
    found: dict[str, Path] = {}
    waiting = [entrance]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in found or path is None:
            continue
        found[name] = path
        waiting += [name.rpartition(".")[0], *(each for each in _imports(path) if _is_ours(each))]
    return dict(sorted(found.items()))


@cache  # all that is installed is listed for it, which takes a second
def requirements(entrance: str = ENTRANCE) -> tuple[str, ...]:
    """Return the packages that those modules import, pinned to what is installed: name==version, in order of names."""
    distributions = packages_distributions()
    names = set(UNNAMED)
    for path in modules(entrance).values():
        for module in _imports(path):
            top = module.partition(".")[0]
            if top not in sys.stdlib_module_names and top != PACKAGE:
                names.add(_distribution(top, distributions.get(top, [])))
    return tuple(f"{name}=={version(name)}" for name in sorted(names, key=str.lower))


def copy_code(folder: Path) -> Path:
    """Copy the modules of a served model into a folder, and return the package that is there then."""
    for name, path in modules().items():
        place = folder.joinpath(*name.split("."))
        target = place / path.name if path.name == "__init__.py" else place.with_suffix(".py")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder / PACKAGE


def _distribution(module: str, candidates: list[str]) -> str:
    """Return the distribution that brings a module: of several, the one that is called as it is."""
    known = sorted(set(candidates))
    return module if module in known or not known else known[0]


def _file(module: str) -> Path | None:
    """Return a module's source; None where the name is no module, but something inside of one."""
    try:
        spec = find_spec(module) if module else None
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _is_ours(module: str) -> bool:
    """Say whether a module is igarape's."""
    return module.partition(".")[0] == PACKAGE


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules that a source imports, and the names that it takes from them, which may be modules too.

    A module of ours that is named in quotes counts, as it may be loaded by that name.
    What a package's own __init__.py imports inside of functions is left out: it is for those who call them.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _statements(tree, inside=path.name != "__init__.py"):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            if _is_ours(node.module):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and re.fullmatch(rf"{PACKAGE}(\.\w+)+", str(node.value)):
            yield str(node.value)  # a module that is loaded by its name


def _statements(tree: ast.AST, *, inside: bool) -> Iterator[ast.AST]:
    """Yield all parts of a source but those for type checkers only; inside: also what lies in functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if inside or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _statements(node, inside=inside)
