"""Plugins: found and checked without an import, loaded when they are asked for."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from igarape.config import plugins
from igarape.config.plugins import Role
from igarape.errors import InputError

ROLE = Role("backbone", ("plain", "wide"), "igarape.backbones", "images, *, width", "in to out", (1, ("width",)))
MODELS = """
BROKEN = 1 / 0 if __name__ == "broken" else 3

def small(images, *, width):
    return images, width

def narrow(images):
    return images

def many(*images, **rest):
    return images
"""


@pytest.fixture(autouse=True)
def project(plugin_folder: Path) -> Path:
    """Give a project's folder with a module of the user's."""
    (plugin_folder / "my_models.py").write_text(MODELS, encoding="utf-8")
    return plugin_folder


@pytest.mark.parametrize("word", ["plain", "my_models:small", "my_models:many", "my_models:BROKEN"])
def test_what_may_be_a_plug_is_let_through_and_not_imported(word: str) -> None:
    """A name that is no function here may be one all the same, as what a call returned."""
    sys.modules.pop("my_models", None)
    assert ROLE.check(word) == word
    assert "my_models" not in sys.modules


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("pl_ain", "as module:callable; did you mean plain?"),
        ("my models:small", "should be module:callable, such as my_models:small; expected def small(images, *, width)"),
        ("my_models:", "should be module:callable"),
        ("my_models:smal", "my_models.py has no smal; did you mean small?; expected def smal(images, *, width): in to"),
        ("my_model:small", "and no module my_model is installed; expected def small("),
        ("mine.my_model:small", "there is no mine/my_model.py in "),
        ("my_models:narrow", "my_models.py: narrow(images): got an unexpected keyword argument 'width'; expected def"),
    ],
)
def test_a_fault_names_the_file_and_the_signature(word: str, message: str) -> None:
    """And the nearest name."""
    with pytest.raises(ValueError, match=r"expected|did you mean") as caught:
        ROLE.check(word)
    assert message in str(caught.value)


def test_a_file_that_is_not_python_is_told_with_its_line(project: Path) -> None:
    """Also one that the plugin's imports."""
    (project / "my_models.py").write_text("import my_blocks\n", encoding="utf-8")
    (project / "my_blocks.py").write_text("def (\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"my_models\.py: not Python: .*my_blocks\.py, line 1"):
        ROLE.check("my_models:small")


def test_a_plug_is_loaded_from_the_projects_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another project's of the same name is another one."""
    assert ROLE.load("my_models:small")(1, width=2) == (1, 2)
    other = project / "other"
    other.mkdir()
    (other / "my_models.py").write_text("def small(images, *, width):\n    return 3\n", encoding="utf-8")
    monkeypatch.chdir(other)
    assert ROLE.load("my_models:small")(1, width=2) == 3


def test_a_module_that_fails_is_an_error_with_its_file(project: Path) -> None:
    """What it needs may not be installed; what it holds may be no function."""
    (project / "broken.py").write_text("import nowhere_to_be_found\nsmall = 3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken:small: broken\.py: line 1: cannot be imported: .*nowhere_to_be"):
        ROLE.load("broken:small")
    (project / "leaving.py").write_text("import sys\nsys.exit(0)\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"leaving\.py: line 2: cannot be imported: SystemExit"):
        ROLE.load("leaving:small")
    with pytest.raises(InputError, match=r"my_models\.py: BROKEN is no function, but int; expected def BROKEN"):
        ROLE.load("my_models:BROKEN")


def test_an_entry_point_is_a_name_of_its_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package offers it; its source counts as a plugin's does."""
    points = [EntryPoint("vit", "my_models:small", "igarape.backbones")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == "igarape.backbones" else [])
    assert ROLE.check("vit") == "vit"
    assert ROLE.sources("vit") == (project / "my_models.py",)
    assert ROLE.load("vit")(1, width=2) == (1, 2)
    with pytest.raises(ValueError, match="did you mean vit"):
        ROLE.check("vitt")


@pytest.mark.parametrize("name", ["numpy", "html", "igarape"])
def test_a_file_of_the_projects_is_in_nobodys_way(project: Path, name: str) -> None:
    """Whoever imports what is installed gets it, also once a plugin is loaded; a plugin that means the file is told."""
    (project / f"{name}.py").write_text("def small(images, *, width):\n    return 5\n", encoding="utf-8")
    assert ROLE.load("my_models:small")(1, width=2) == (1, 2)
    for finder in sys.meta_path:
        if (spec := finder.find_spec(name, None)) is not None:
            break
    assert spec is not None and spec.origin != str(project / f"{name}.py")
    (project / "my_models.py").write_text(f"import {name}\n{MODELS}", encoding="utf-8")
    for word in ("my_models:small", f"{name}:small"):
        with pytest.raises(
            ValueError, match=rf"^{name}\.py: an installed module is called so too, .* Rename the file; exp"
        ):
            ROLE.check(word)
