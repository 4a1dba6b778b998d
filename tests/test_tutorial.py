"""The tutorial runs from its first cell to its last, in a process of its own, and leaves nothing behind."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import igarape

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs/tutorial.ipynb"
CELLS: list[Mapping[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
COMPARED = r": [+-]0\.\d{3} \(95 %: [+-]0\.\d{3} to [+-]0\.\d{3}\)"


def source(cell: Mapping[str, Any]) -> str:
    """Return what a cell says."""
    return "".join(cell["source"])


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the cells in order where Jupyter does, in the notebook's folder, and return what they print."""
    folder = tmp_path_factory.mktemp("tutorial")
    beside = sorted(NOTEBOOK.parent.rglob("*"))
    program = folder / "tutorial.py"
    program.write_text("\n\n".join(map(source, CODE)), encoding="utf-8")
    variables = os.environ | {"TMPDIR": str(folder)}
    words = [sys.executable, str(program)]
    done = subprocess.run(words, cwd=NOTEBOOK.parent, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(folder.glob("igarape-*")) == [], "the notebook's project is still there"
    assert sorted(NOTEBOOK.parent.rglob("*")) == beside
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_goes_from_chips_to_a_compared_experiment(printed: str) -> None:
    """Chips are drawn, haze is found where there is some, and a change is judged with an interval."""
    assert "72 chips of (256, 256, 3), 17 labels" in printed
    found = re.search(r"transmission: (0\.\d\d) is true, (0\.\d\d) was found", printed)
    assert found is not None and float(found[1]) <= float(found[2]) < 1
    assert re.search(f"small_dehazed - small{COMPARED}", printed)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_ends_with_a_network_of_ones_own(printed: str) -> None:
    """A function in a module beside the experiments is trained and compared as any other backbone."""
    assert re.search(f"small_net - small{COMPARED}", printed)


def test_it_is_plain_python_in_short_cells() -> None:
    """So that its cells run anywhere, and are linted with all other code; a text stands before each."""
    assert [cell["cell_type"] for cell in CELLS] == ["markdown", "code"] * len(CODE)
    for cell in CODE:
        ast.parse(source(cell))
        assert len(source(cell).splitlines()) <= 25


def test_what_it_shows_is_of_no_machine() -> None:
    """Kept outputs are short texts without paths, addresses of memory or warnings."""
    for cell in CODE:
        for output in cell["outputs"]:
            assert output["output_type"] != "error" and output.get("name") != "stderr"
            text = "".join(output.get("text", output.get("data", {}).get("text/plain", [])))
            assert set(output.get("data", {})) <= {"text/plain"}
            assert len(text) < 500 and not re.search(r"(?<![\w.])[/~]\w|0x[0-9a-f]{4}", text)


def test_each_name_of_the_package_is_used() -> None:
    """It is the tour of what `import igarape` gives; load_bundle, which wants a registered model, stands in a text."""
    assert set(igarape.__all__) <= set(re.findall(r"\bigarape\.(\w+)", "\n".join(map(source, CELLS))))
