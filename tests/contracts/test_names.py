"""One name per step: in dvc.yaml, as a command, in stages/, under data/, in params.yaml, in MLproject and in MLflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grimp
import yaml

from igarape.cli import main
from igarape.config.params import Params
from igarape.config.schema import Section

WITHOUT_KNOBS = {"code", "resolve", "register"}
# Outside the stream: what decides who is champion is launched and recorded as steps are, and promote has knobs.
DECISIONS = {"promote", "rollback"}


def modules(root: Path) -> set[str]:
    """Return the names of the modules in stages/."""
    return {path.stem for path in (root / "src/igarape/stages").glob("*.py")} - {"__init__"}


def tracked(graph: grimp.ImportGraph, steps: set[str]) -> set[str]:
    """Return the steps that tell MLflow what they do."""
    return {
        step
        for step in steps
        if "igarape.tracking.step" in graph.find_modules_directly_imported_by(f"igarape.stages.{step}")
    }


def test_each_command_is_a_module_in_stages_and_each_module_a_command(root: Path) -> None:
    """`igarape NAME` runs stages/NAME.py, and nothing else."""
    assert set(main.commands) == modules(root)


def test_each_dvc_stage_is_a_module_in_stages(root: Path, pipeline: Mapping[str, Any]) -> None:
    """A stage of dvc.yaml is one of the commands."""
    assert set(pipeline) <= modules(root)


def test_the_sections_of_the_parameters_are_the_steps_that_have_knobs(pipeline: Mapping[str, Any]) -> None:
    """params.yaml has a section for each step, and those of serve, which evaluate heeds, and of promote."""
    fields = Params.model_fields.items()
    sections = {
        name for name, field in fields if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
    }
    assert sections == set(pipeline) - WITHOUT_KNOBS | {"promote", "serve"}


def test_the_entry_points_of_the_mlproject_are_the_steps_that_track(
    root: Path, pipeline: Mapping[str, Any], graph: grimp.ImportGraph
) -> None:
    """`mlflow run . -e STEP` works for each step that imports tracking, and for decisions; it runs `igarape STEP`."""
    points = yaml.safe_load((root / "MLproject").read_text(encoding="utf-8"))["entry_points"]
    assert set(points) == tracked(graph, set(pipeline)) | DECISIONS
    for step, point in points.items():
        assert point["command"].split()[:2] == ["igarape", step]


def test_an_entry_point_asks_for_what_its_command_knows(root: Path) -> None:
    """Its defaults make a command that `igarape` parses, and the student can be promoted and rolled back too."""
    points = yaml.safe_load((root / "MLproject").read_text(encoding="utf-8"))["entry_points"]
    for point in points.values():
        asked = point.get("parameters", {})
        given = {name: "plain" if kind == "string" else kind["default"] or "why" for name, kind in asked.items()}
        _, step, *words = point["command"].format(**given).split()
        main.commands[step].make_context(step, words)
    for step in DECISIONS:
        words = points[step]["command"].format(model="student", reason="why").split()[2:]
        assert main.commands[step].make_context(step, words).params["model"] == "student"


def test_dvc_launches_a_tracked_step_through_mlproject_and_the_others_directly(
    pipeline: Mapping[str, Any], graph: grimp.ImportGraph
) -> None:
    """A step that tracks is launched as `mlflow run . -e STEP` into the MLflow experiment igarape/STEP."""
    told = tracked(graph, set(pipeline))
    for step, stage in pipeline.items():
        words = stage["cmd"].split()
        if step in told:
            assert words[words.index("-e") + 1] == step
            assert words[words.index("--experiment-name") + 1] == f"igarape/{step}"
        else:
            assert words == ["igarape", step]


def test_each_step_writes_the_folder_of_its_name(pipeline: Mapping[str, Any]) -> None:
    """STEP writes data/STEP, or data/STEP/E for each experiment E; beside it what tells of the run, and reports/.

    train writes a hash of each listed learner too, which later steps depend on, and ingest which files it packed.
    """
    for step, stage in pipeline.items():
        outs = [next(iter(out)) if isinstance(out, dict) else out for out in stage["outs"]]
        own = [out for out in outs if not out.startswith(("reports/", "data/trained/", "data/source.json"))]
        alone = [[f"data/{step}"], [f"data/{step}", f"data/runs/{step}.json"]]
        assert own in (*alone, [f"data/{step}/${{item}}", f"data/runs/{step}@${{item}}.json"])
