"""Which code made this: one hash of what a module and all that it imports mean, for DVC, shards, chips and results."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "igarape"
ROOT = Path(__file__).parent
# These say how it goes, where things lie, who does them and which values are allowed; what comes out does not depend on
# them. Values count by themselves: DVC compares those of params.yaml, and keys hold them.
NEUTRAL = (
    "igarape.cli",
    "igarape.cluster",
    "igarape.code",
    "igarape.commands",
    "igarape.config.params",
    "igarape.config.schema",
    "igarape.errors",
    "igarape.executors",
    "igarape.learners.memory",
    "igarape.progress",
    "igarape.reports",
    "igarape.stages",
    "igarape.tracking",
    "igarape.workspace",
)
# What decodes, computes or trains: another version may give other bits.
LIBRARIES = (
    "imagecodecs",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "tf2onnx",
    "tifffile",
    "xgboost",
)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_hash(*modules: str, files: tuple[Path, ...] = (), weights: tuple[Path, ...] = ()) -> str:
    """Return a hash of what modules of this package, such as igarape.stages.split, and all that they import mean.

    files: sources from outside the package that count too; weights: files whose bytes count. One that is not there
    counts as empty: the step that reads it says so. Comments, docstrings, the words of errors, and the modules of
    NEUTRAL do not count, but for those that are named. Imports are read from the text, nothing is imported. Raises
    ModuleNotFoundError for a module that is not there.
    """
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(closure(*modules)):
        total.update(f"{name}\n{_meaning(_path(name))}\n".encode())
    for file in sorted(files):
        total.update(f"{file.name}\n{_meaning(file)}\n".encode())
    for file in weights:
        total.update(file.read_bytes() if file.is_file() else b"")
    return total.hexdigest()


def libraries() -> dict[str, str]:
    """Return the versions of LIBRARIES that are installed, by name; "missing" for what is not."""
    return {name: _version(name) for name in LIBRARIES}


def closure(*modules: str) -> set[str]:
    """Return modules and those of this package that they import, however indirectly; neutral ones are left out.

    So is the package's own file: it names what others may want, and a module that wants it imports it where it is.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _imports(name) if not _is_neutral(other)]
    return found


def _is_neutral(name: str) -> bool:
    return name == PACKAGE or any(name == neutral or name.startswith(f"{neutral}.") for neutral in NEUTRAL)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


@cache
def _path(name: str) -> Path:
    """Return a module's file; raise ModuleNotFoundError when there is none."""
    path = ROOT.joinpath(*name.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if name.split(".", maxsplit=1)[0] == PACKAGE and file.is_file():
            return file
    raise ModuleNotFoundError(f"{name}: no such module in {ROOT}", name=name)


@cache
def _imports(name: str) -> frozenset[str]:
    """Return the modules of this package that a module imports, also within its functions."""
    found: set[str] = set()
    for node in ast.walk(_tree(_path(name))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            found |= {_imported(str(node.module), alias.name) for alias in node.names}
    return frozenset(found)


def _imported(module: str, name: str) -> str:
    """Return what `from module import name` imports: a module of that name, or something of the module."""
    path = ROOT.joinpath(*module.split(".")[1:], name)
    return f"{module}.{name}" if path.with_suffix(".py").is_file() or path.is_dir() else module


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _meaning(path: Path) -> str:
    """Return a module's syntax as text: alike for all layouts, comments, docstrings and words of errors."""
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args = []
    return "".join(_written(tree))


def _written(node: object) -> Iterator[str]:
    """Write a node without places, and without what is empty: that differs from one version of Python to another."""
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in ast.iter_fields(node):
            if value is not None and value != [] and name not in {"kind", "type_comment"}:
                yield f"{name}="
                yield from _written(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for one in node:
            yield from _written(one)
        yield "]"
    else:
        yield f"{node!r},"
