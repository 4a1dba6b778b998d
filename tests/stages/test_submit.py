"""submit writes the competition's CSV of all unlabelled chips with the champion, and looks through such a file."""

from pathlib import Path

import pandas as pd
import pytest
from unlabelled import NAMES, add_planes, lay_out, small

from igarape.errors import InputError
from igarape.files import resumable
from igarape.serving.bundle import Bundle
from igarape.stages import submit
from igarape.workspace import Workspace


@pytest.fixture
def here(champion: Path) -> Workspace:
    """Give a project with a champion and 150 unlabelled chips."""
    return lay_out(Workspace(champion))


def sample(here: Workspace, names: list[str]) -> Path:
    """Write the competition's sample file."""
    path = here.root / "sample.csv"
    pd.DataFrame({"image_name": names, "tags": "sun tree"}).to_csv(path, index=False)
    return path


def test_the_champions_tags_come_in_the_samples_order_and_pass_the_check(
    here: Workspace, bundle_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CSV lies in data/submit, and a copy where it is asked for; what a run before left is told of."""
    names = NAMES[::-1]
    with pytest.raises(KeyboardInterrupt), resumable(here.folder("submit"), "another"):
        raise KeyboardInterrupt
    submit.run(here, sample=sample(here, names), out=here.root / "answers/mine.csv")
    said = capsys.readouterr().out
    assert "submit: begins anew" in said and "mine.csv: 150 chips tagged" in said
    mine = (here.root / "answers/mine.csv").read_bytes()
    assert mine == (here.root / "data/submit/submission.csv").read_bytes()
    table = pd.read_csv(here.root / "answers/mine.csv", keep_default_na=False)
    assert list(table["image_name"]) == names
    bundle = Bundle.load(bundle_folder, threads=1)
    answers = bundle.answer([small(here, bundle).raw.bytes(name) for name in names])
    assert list(table["tags"]) == list(answers["tags"])
    submit.run(here, check=here.root / "answers/mine.csv", sample=here.root / "sample.csv")
    assert "mine.csv: 150 rows, nothing to refuse" in capsys.readouterr().out
    submit.run(here, check=here.root / "answers/mine.csv")
    with pytest.raises(InputError, match="would be refused: 1 kind of faults in 150 rows"):
        submit.run(here, check=here.root / "answers/mine.csv", sample=sample(here, NAMES))
    assert "submit: order: row 1 is file_49, expected test_0" in capsys.readouterr().out


def test_other_chips_than_the_samples_are_an_error_and_nothing_is_written(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names and the count are in one line."""
    path = sample(here, [*NAMES[1:], "test_100", "test_101"])
    monkeypatch.setattr(submit, "load", None)  # nothing of this waits for a model
    with pytest.raises(
        InputError, match=r"2 of its 151 chips are missing: test_100, test_101; 1 unlabelled.*: test_0\."
    ):
        submit.run(here, sample=path)
    with pytest.raises(InputError, match=r"sample\.csv: is the sample file"):
        submit.run(here, sample=path, out=path)
    assert not here.folder("submit").exists()


def test_a_model_that_sees_near_infrared_needs_it_of_each_chip(nir_champion: Path) -> None:
    """The error counts those without."""
    here = lay_out(Workspace(nir_champion), NAMES[:3])
    add_planes(here, without=["test_1"])
    with pytest.raises(InputError, match="1 of 3 unlabelled chips have no TIF: test_1"):
        submit.run(here)


def test_without_a_champion_it_says_what_to_run(registry: Path) -> None:
    """As predict does."""
    with pytest.raises(InputError, match=r"models:/igarape-toy@champion: no champion yet\. Run: make repro"):
        submit.run(lay_out(Workspace(registry), NAMES[:2]))


@pytest.fixture
def checked(registry: Path) -> Workspace:
    """Give a project with three unlabelled chips, and no model: to check a file none is needed."""
    return lay_out(Workspace(registry), ["test_0", "test_2", "test_10"])


def test_a_file_that_would_be_refused_is_an_error_of_one_line_for_each_kind(
    checked: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a sample file it is compared with the data set's own unlabelled chips."""
    path = checked.root / "file.csv"
    path.write_text("image_name,tags\ntest_0,\ntest_2,sun moon\ntest_2,tree\n")
    with pytest.raises(InputError, match=r"file\.csv: would be refused: 4 kinds of faults in 3 rows"):
        submit.run(checked, check=path)
    assert capsys.readouterr().out.splitlines() == [
        "submit: missing: 1 of 3 names: test_10",
        "submit: twice: 1 name: test_2",
        "submit: empty tags: 1 row: test_0",
        "submit: unknown labels: 1 row: test_2 'moon'; known are: fog, kiln, pond, sun, tree",
        "submit: warning: exclusive: 1 row: test_2 has none of sun fog",
    ]


def test_broken_rules_alone_are_no_error(checked: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    """The competition takes them."""
    path = checked.root / "file.csv"
    path.write_text("image_name,tags\ntest_0,fog tree\ntest_2,sun\ntest_10,sun fog\n")
    submit.run(checked, check=path)
    said = capsys.readouterr().out
    assert said.count("warning") == 2 and "3 rows, nothing to refuse" in said


def test_a_check_writes_nothing(checked: Workspace) -> None:
    """So it takes neither a model nor a place to write to."""
    with pytest.raises(InputError, match=r"--check file\.csv: only looks through that file\. Leave --out"):
        submit.run(checked, check=Path("file.csv"), out=Path("mine.csv"))
