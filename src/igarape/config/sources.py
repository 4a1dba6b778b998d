"""Where a module's source lies, what it defines and which files it imports: read from the text, nothing is imported."""

import ast
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, TypeGuard


@dataclass(frozen=True)
class Module:
    """A module's name, its file, and its home: the folder that its top package lies in.

    alone: whether only its own top package counts as its home, as that of an installed one among others.
    """

    name: str
    file: Path
    home: Path
    alone: bool

    @property
    def shown(self) -> str:
        """Return the file as people know it: within the project's folder, or in full."""
        return str(self.file if self.alone else self.file.relative_to(self.home))

    def names(self) -> Mapping[str, Signature | None]:
        """Return what the module defines or imports at its top: a function's signature, None for what has none here.

        "*" is among them when it imports all of another module. Raises SyntaxError for a file that is not Python.
        """
        found: dict[str, Signature | None] = {}
        for node in _top(_tree(self.file).body):
            if isinstance(node, ast.FunctionDef):
                found[node.name] = None if node.decorator_list else _signature(node.args)
            elif isinstance(node, ast.ClassDef):
                found[node.name] = None
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                found |= {name.id: None for name in ast.walk(node) if _is_bound(name)}
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name.partition(".")[0]: None for alias in node.names}
        return found


def _is_bound(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def find_module(name: str, folder: Path) -> Module | None:
    """Find a module in the project's folder, else where packages are installed; None when there is no such source."""
    installed = ((home, True) for home in _homes(name.partition(".")[0]))
    for home, alone in ((folder, False), *installed):
        file = _located(name, home)
        if file is not None:
            return Module(name, file, home, alone)
    return None


def _located(name: str, home: Path) -> Path | None:
    """Return the source of a module below its home; None where there is none."""
    path = home.joinpath(*name.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _homes(top: str) -> list[Path]:
    """Return the folders that an installed package lies in, as an import would find it, whatever is loaded already."""
    importlib.invalidate_caches()  # a file may be new
    specs = (finder.find_spec(top, None) for finder in sys.meta_path)
    spec = next((spec for spec in specs if spec is not None), None)
    if spec is None:
        return []
    return [Path(place).parent for place in spec.submodule_search_locations or [spec.origin or ""]]


def imported_files(module: Module) -> tuple[Path, ...]:
    """Return a module's file, and those of its home that it imports, however indirectly, also within its functions."""
    found: dict[str, Path] = {}
    waiting = [module.name]
    while waiting:
        name = waiting.pop()
        if name in found or (module.alone and name.partition(".")[0] != module.name.partition(".")[0]):
            continue
        file = _located(name, module.home)
        if file is not None:
            found[name] = file
            waiting += _imports(name, file)
            waiting += [name.rpartition(".")[0]] if "." in name else []  # a package's own file runs first
    return tuple(sorted(found.values()))


def hidden_file(module: Module) -> Path | None:
    """Return one of those files that lies in the project, but whose name an import would find elsewhere, or None."""
    for file in () if module.alone else imported_files(module):
        inside = file.relative_to(module.home)
        top = inside.parts[0].removesuffix(".py")
        elsewhere = (home for home in _homes(top) if home.resolve() != module.home.resolve())
        if top in sys.stdlib_module_names or any(True for _ in elsewhere):
            return inside
    return None


def _imports(name: str, file: Path) -> Iterator[str]:
    """Yield the modules that a module may import; what `from a import b` names may be a module, or within one."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            place = ".".join([*base, *([node.module] if node.module else [])])
            yield from (part for alias in node.names for part in (place, f"{place}.{alias.name}") if place)


def _top(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module's top, also those under if, try and with."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _top([*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])])
            yield from (inner for handler in getattr(node, "handlers", []) for inner in _top(handler.body))


def _signature(args: ast.arguments) -> Signature:
    """Return the signature of a function's arguments as they are written."""
    positional = [*args.posonlyargs, *args.args]
    first = len(positional) - len(args.defaults)  # those before have no default
    found = []
    for place, arg in enumerate(positional):
        kind = Parameter.POSITIONAL_ONLY if place < len(args.posonlyargs) else Parameter.POSITIONAL_OR_KEYWORD
        found.append(_parameter(arg, kind, None if place < first else args.defaults[place - first]))
    found += [Parameter(args.vararg.arg, Parameter.VAR_POSITIONAL)] if args.vararg else []
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found.append(_parameter(arg, Parameter.KEYWORD_ONLY, default))
    found += [Parameter(args.kwarg.arg, Parameter.VAR_KEYWORD)] if args.kwarg else []
    return Signature(found)


class _Written(str):
    """A default as it is written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _parameter(arg: ast.arg, kind: Any, default: ast.expr | None) -> Parameter:
    written = Parameter.empty if default is None else _Written(ast.unparse(default))
    return Parameter(arg.arg, kind, default=written)


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=file.name)
