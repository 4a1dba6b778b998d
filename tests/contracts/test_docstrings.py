"""Who calls a function with many arguments finds each of them in its docstring: numpydoc's sections."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/igarape"
FEW = 3  # arguments that one sentence has room for


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield the public functions of a module and the public methods of its public classes, with their names."""
    for node in body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from functions(node.body, f"{prefix}{node.name}.")
            elif not is_command(node):
                yield f"{prefix}{node.name}", node


def is_command(node: Function) -> bool:
    """Say whether click makes a command of a function: its docstring is the help, in which options have their own."""
    commands = re.compile(r"(main|click|site)\.command\b")
    return any(commands.match(ast.unparse(decorator)) for decorator in node.decorator_list)


def arguments(node: Function) -> list[str]:
    """Return the names of a function's arguments, but for self and cls."""
    asked = node.args
    names = [argument.arg for argument in (*asked.posonlyargs, *asked.args, *asked.kwonlyargs)]
    names += [f"*{asked.vararg.arg}"] if asked.vararg else []
    names += [f"**{asked.kwarg.arg}"] if asked.kwarg else []
    return [name for name in names if name not in {"self", "cls"}]


def parameters(docstring: str) -> list[str]:
    """Return the names that the section Parameters has entries of; several may share one: a, b."""
    _, _, section = docstring.partition("\nParameters\n----------\n")
    lines = re.split(r"\n\n\w+\n-+\n", section)[0].splitlines()
    return [
        name for line in lines if line and not line.startswith(" ") for name in line.partition(" : ")[0].split(", ")
    ]


def asked_for() -> list[tuple[str, str, Function]]:
    """Return each public function of more than FEW arguments: its file, its name, its syntax."""
    return [
        (str(path.relative_to(PACKAGE)), name, node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for name, node in functions(ast.parse(path.read_text(encoding="utf-8")).body)
        if len(arguments(node)) > FEW
    ]


EVERY = asked_for()


@pytest.mark.parametrize(("path", "name", "node"), EVERY, ids=[f"{path}:{name}" for path, name, _ in EVERY])
def test_each_argument_has_its_entry_in_the_order_of_the_signature(path: str, name: str, node: Function) -> None:
    """And no entry is left of an argument that is gone."""
    assert parameters(ast.get_docstring(node) or "") == arguments(node)


def test_what_is_looked_for_is_found() -> None:
    """Methods, joined entries and stars are seen."""
    assert ("learners/predictor.py", "Predictor.predict") in [each[:2] for each in EVERY]
    text = "Do.\n\nParameters\n----------\na, b\n    Two.\n**c\n    Others.\n\nReturns\n-------\nint\n    One."
    assert parameters(text) == ["a", "b", "**c"]
    assert parameters("Do. a: one.") == []
