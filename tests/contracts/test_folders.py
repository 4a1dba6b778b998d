"""Tests work from wherever pytest stands: a test hands a folder over, and stands in none."""

import ast
from collections.abc import Iterator
from pathlib import Path

# Files whose tests are about the folder that one stands in.
STAND = {
    "conftest.py": "plugin_folder: a plugin is looked for in the folder that one stands in",
    "cluster/test_nodes.py": "a task stands in the folder in which it was handed over, which is a project's",
    "config/test_plugins.py": "so another project's plugin of the same name is found where one stands now",
    "serving/test_loading.py": "load_bundle looks for the project that one stands in",
    "sites/test_mapping.py": "a killed process and the one that goes on are given the same words, from one folder",
    "stages/test_map.py": "a scene is typed as it lies from where one stands, and its map goes there",
    "test_model_commands.py": "what is typed reaches the stage",
    "test_site_commands.py": "a path that is typed is one from where one stands",
    "test_cli.py": "a command finds the project that one stands in, and goes there",
    "test_workspace.py": "Workspace.find looks above where one stands, and gives a path from there",
    "tracking/test_address.py": "MLflow's own default address, which ours is compared with, is of where one stands",
    "tracking/test_locations.py": "MLflow itself writes the folder that one stands in into its database",
}


def stands(path: Path) -> bool:
    """Say whether a file names chdir or fchdir outside of its texts."""
    return any(name in {"chdir", "fchdir"} for name in names(ast.parse(path.read_text(encoding="utf-8"))))


def names(tree: ast.AST) -> Iterator[str]:
    """Yield the names and attributes in a tree, and what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def test_only_tests_of_where_one_stands_change_the_folder(root: Path) -> None:
    """Those of STAND, each with its reason; and each of them does."""
    tests = root / "tests"
    found = {str(path.relative_to(tests)) for path in tests.rglob("*.py") if stands(path)}
    assert sorted(found - set(STAND)) == [], "hand the folder over: Workspace(tmp_path), or cwd= of a process"
    assert sorted(set(STAND) - found) == []
