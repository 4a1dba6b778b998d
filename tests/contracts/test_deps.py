"""A step reruns when its code changes, and only then: its DVC deps are what it imports, however indirectly."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[2]
STEPS = list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
PRODUCED = ("data", "reports")


def source_files(graph: grimp.ImportGraph, step: str) -> set[str]:
    """Return the files that make up a step: its module, all it imports, and the files beside them that they name.

    A module that is named in quotes is loaded when it is wanted, and counts. Empty files, which can only be
    __init__.py, count for nothing.
    """
    files, modules, seen = set(), [f"igarape.stages.{step}"], set()
    while modules:
        module = modules.pop()
        if module in seen or module.split(".")[0] != "igarape":
            continue
        seen.add(module)
        path = ROOT / "src" / Path(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r'"(igarape(?:\.\w+)+)"', text)) & graph.modules
        modules += [*graph.find_upstream_modules(module), *named]
        files |= {path} if text else set()
        files |= {file for file in path.parent.iterdir() if file.suffix not in {"", ".py"} and file.name in text}
    return {str(path.relative_to(ROOT)) for path in files}


def expand(dep: str) -> set[str]:
    """Return the source files that a dep stands for: itself, or all those in the folder."""
    path = ROOT / dep
    if not path.is_dir():
        return {dep}
    files = [file for file in path.rglob("*") if file.is_file() and file.stat().st_size and file.suffix != ".pyc"]
    return {str(file.relative_to(ROOT)) for file in files}


@pytest.mark.parametrize("step", STEPS)
def test_the_deps_of_a_step_are_its_data_and_the_code_it_imports(
    step: str, pipeline: Mapping[str, Mapping[str, Any]], graph: grimp.ImportGraph
) -> None:
    """No module is missing, and none is there that the step does not use."""
    deps = pipeline[step].get("deps", [])
    data = [dep for dep in deps if dep.split("/")[0] in PRODUCED]
    code = sorted(source_files(graph, step))
    found = set().union(*(expand(dep) for dep in deps if dep not in data))
    block = "\n".join(["deps:", *(f"  - {dep}" for dep in [*code, *data])])
    missing, unused = sorted(set(code) - found), sorted(found - set(code))
    if missing or unused:
        pytest.fail(f"dvc.yaml: {step}: missing {missing}; not imported {unused}. Paste:\n\n{block}\n", pytrace=False)


@pytest.mark.parametrize("step", STEPS)
def test_the_data_that_a_step_depends_on_is_written_by_another(
    step: str, pipeline: Mapping[str, Mapping[str, Any]]
) -> None:
    """A dep under data/ or reports/ is an output, or holds outputs, of a step that stands before."""
    written: set[str] = set()
    for before in STEPS[: STEPS.index(step)]:
        for key in ("outs", "metrics", "plots"):
            written |= {next(iter(out)) if isinstance(out, dict) else out for out in pipeline[before].get(key, [])}
    for dep in pipeline[step].get("deps", []):
        if dep.split("/")[0] in PRODUCED:
            assert any(dep == out or out.startswith(f"{dep}/") for out in written), dep
