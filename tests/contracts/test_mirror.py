"""Tests stand where their module stands."""

from pathlib import Path

OUTSIDE = {"contracts", "test_stream.py", "conftest.py"}


def test_each_module_has_its_test_file_and_each_test_file_its_module(root: Path) -> None:
    """src/igarape/a/b.py is tested by tests/a/test_b.py; contracts/ and test_stream.py test how parts fit together."""
    package, tests = root / "src/igarape", root / "tests"
    modules = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    wanted = {str(path.with_name(f"test_{path.name}")) for path in modules}
    written = [path.relative_to(tests) for path in tests.rglob("test_*.py")]
    found = {str(path) for path in written if path.parts[0] not in OUTSIDE}
    assert sorted(wanted - found) == []
    assert sorted(found - wanted) == []


def test_a_package_file_is_empty(root: Path) -> None:
    """An __init__.py holds nothing: what a name means is read where it is defined."""
    assert [str(path) for path in (root / "src").rglob("__init__.py") if path.stat().st_size] == []
