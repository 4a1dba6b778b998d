"""Plugins: the user's own callables, named in a YAML as module:callable or by an entry point; found without import."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import entry_points
from inspect import Signature
from pathlib import Path
from traceback import walk_tb
from typing import Any

from igarape.config.sources import Module, find_module, hidden_file, imported_files
from igarape.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Role:
    """What a plugin is for.

    setting: the key that names it. words: what stands there besides. group: of entry points. parameters: how it is
    written. gives: from what to what. call: how igarape calls it, as positions and names.
    """

    setting: str
    words: tuple[str, ...]
    group: str
    parameters: str
    gives: str
    call: tuple[int, tuple[str, ...]]

    def check(self, word: str) -> str:
        """Return a word that names one of ours, or a plugin whose source is there and takes the arguments.

        Nothing is imported. Raises ValueError that names the file and the signature otherwise.
        """
        if word not in self.words:
            path, name = self._place(word)
            self._require_callable(self._module(path, name), name)
        return word

    def sources(self, word: str) -> tuple[Path, ...]:
        """Return the files that a word stands for: the plugin's module, and those of the same home that it imports."""
        return () if word in self.words else imported_files(self._module(*self._place(word)))

    def load(self, word: str) -> Callable[..., Any]:
        """Import a plugin; raise InputError that names the file when its module cannot be imported."""
        path, name = self._place(word)
        module = self._module(path, name)
        if _PROJECT not in sys.meta_path:
            sys.meta_path.append(_PROJECT)
        if getattr(sys.modules.get(path), "__file__", str(module.file)) != str(module.file):
            del sys.modules[path]  # of another project, in the same process
        try:
            found = getattr(import_module(path), name)
        except (Exception, SystemExit) as error:
            raise InputError(self.failure(word, error, "cannot be imported: ")) from error
        if not callable(found):
            raise InputError(self.fault(word, f"{name} is no function, but {type(found).__name__}"))
        return found  # type: ignore[no-any-return]

    def fault(self, word: str, what: str) -> str:
        """Say what is wrong with a plugin that is there: its setting, its file, and the signature that is expected."""
        path, name = self._place(word)
        return f"{self.setting}: {word}: {self._module(path, name).shown}: {what}; {self.expected(name)}"

    def failure(self, word: str, error: BaseException, doing: str = "") -> str:
        """Say what a plugin has raised, and in which line of its file, where the error has come through that."""
        module = self._module(*self._place(word))
        lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == str(module.file)]
        where = f"line {lines[-1]}: " if lines else ""
        return self.fault(word, f"{where}{doing}{type(error).__name__}: {error}")

    def expected(self, name: str) -> str:
        """Say how a plugin of this name is written."""
        return f"expected def {name}({self.parameters}): {self.gives}"

    def _place(self, word: str) -> tuple[str, str]:
        """Return (module, callable); raise ValueError for what is not ours, module:callable or an entry point."""
        value = word if ":" in word else self._entry_points().get(word)
        if value is None:
            known = {*self.words, *self._entry_points()}
            raise ValueError(
                f"should be one that there is, or a plugin of yours as module:callable{did_you_mean(word, known)}"
            )
        path, _, name = value.partition(":")
        if not (name.isidentifier() and all(part.isidentifier() for part in path.split("."))):
            raise ValueError(f"should be module:callable, such as my_models:small; {self.expected('small')}")
        return path, name

    def _entry_points(self) -> dict[str, str]:
        return {point.name: point.value.partition(" ")[0] for point in entry_points(group=self.group)}

    def _module(self, path: str, name: str) -> Module:
        """Find a plugin's module in the project's folder, or where packages are installed."""
        module = find_module(path, Path.cwd())
        if module is None:
            file = f"{path.replace('.', '/')}.py"
            raise ValueError(
                f"there is no {file} in {Path.cwd()}, and no module {path} is installed; {self.expected(name)}"
            )
        return module

    def _require_callable(self, module: Module, name: str) -> None:
        """Raise ValueError when a module has no such name, or a function that cannot be called as igarape does."""
        try:
            taken = hidden_file(module)
            names = module.names()
        except (SyntaxError, UnicodeDecodeError) as error:
            raise ValueError(f"{module.shown}: not Python: {error}") from error
        if taken:
            raise ValueError(
                f"{taken}: an installed module is called so too, and would be imported in its place. Rename the file; "
                f"{self.expected(name)}"
            )
        if name not in names and "*" not in names:
            near = did_you_mean(name, names) if names else ""
            raise ValueError(f"{module.shown} has no {name}{near}; {self.expected(name)}")
        signature = names.get(name)
        positions, keywords = self.call
        try:
            if isinstance(signature, Signature):
                signature.bind(*range(positions), **dict.fromkeys(keywords))
        except TypeError as error:
            raise ValueError(f"{module.shown}: {name}{signature}: {error}; {self.expected(name)}") from error


class _Project(MetaPathFinder):
    """Finds modules in the project's folder, and only those that nobody else has.

    A numpy.py that lies there would be in everybody's way if the folder were the first of sys.path.
    """

    def find_spec(self, name: str, path: object, *_target: object) -> ModuleSpec | None:
        """Find a module in the folder that we stand in; those within a package are found by its own path."""
        return PathFinder.find_spec(name, [str(Path.cwd())]) if path is None else None


_PROJECT = _Project()
