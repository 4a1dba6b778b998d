"""Tests stand where their module stands."""

from pathlib import Path

import grimp

OUTSIDE = {"contracts", "test_services.py", "test_stream.py", "test_tutorial.py", "conftest.py"}
FACE = "igarape/__init__.py"  # what `import igarape` gives, which is tested by test_init.py


def test_each_module_has_its_test_file_and_each_test_file_its_module(root: Path) -> None:
    """src/igarape/a/b.py is tested by tests/a/test_b.py; the tests in OUTSIDE test how parts fit together."""
    package, tests = root / "src/igarape", root / "tests"
    modules = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    wanted = {str(path.with_name(f"test_{path.name}")) for path in modules} | {"test_init.py"}
    written = [path.relative_to(tests) for path in tests.rglob("test_*.py")]
    found = {str(path) for path in written if path.parts[0] not in OUTSIDE}
    assert sorted(wanted - found) == []
    assert sorted(found - wanted) == []


def test_a_package_file_is_empty_but_for_the_face(root: Path) -> None:
    """An __init__.py holds nothing, what a name means is read where it is defined; the package's own names places."""
    full = [path.relative_to(root / "src") for path in (root / "src").rglob("__init__.py") if path.stat().st_size]
    assert [str(path) for path in full] == [FACE]


def test_nothing_inside_goes_through_the_face(graph: grimp.ImportGraph) -> None:
    """It stands before the package: who is inside imports a module where it is, and the hash of its code says so."""
    assert graph.find_modules_that_directly_import("igarape") == set()
