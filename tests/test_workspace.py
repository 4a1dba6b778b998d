"""The project's folder: found from below, and the one place that knows where results lie."""

from pathlib import Path

import pytest

from igarape.errors import InputError
from igarape.workspace import PER_EXPERIMENT, STEPS, Workspace


def test_a_project_is_found_from_any_folder_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By params.yaml; the path is relative to where we stand, as people type paths."""
    (tmp_path / "params.yaml").touch()
    (tmp_path / "a/b").mkdir(parents=True)
    for below in ("", "a", "a/b"):
        assert Workspace.find(tmp_path / below).params.resolve() == tmp_path / "params.yaml"
    monkeypatch.chdir(tmp_path / "a")
    assert Workspace.find().root == Path("..")
    monkeypatch.chdir(tmp_path)
    assert Workspace.find() == Workspace(Path())


def test_outside_of_a_project_the_error_names_the_folder(tmp_path: Path) -> None:
    """And says where to go."""
    with pytest.raises(InputError, match=rf"params\.yaml: not found in {tmp_path}, nor .* Run igarape in the project"):
        Workspace.find(tmp_path)


def test_no_two_results_share_a_place() -> None:
    """Each step, each experiment, and each run has its own."""
    here = Workspace(Path("p"))
    names = [(step, name) for step in STEPS for name in (("a", "b") if step in PER_EXPERIMENT else (None,))]
    for place in (here.folder, here.run, here.code):
        assert len({place(step, name) for step, name in names}) == len(names)
    assert {here.chips(kind).name for kind in ("raw", "dehazed", "nir")} == {"ingest", "dehaze", "nir"}


def test_a_folder_may_be_given_as_text(tmp_path: Path) -> None:
    """As notebooks do."""
    assert Workspace("p") == Workspace(Path("p")) and Workspace("p").params == Path("p/params.yaml")
    (tmp_path / "params.yaml").touch()
    assert Workspace.find(str(tmp_path)) == Workspace.find(tmp_path)
