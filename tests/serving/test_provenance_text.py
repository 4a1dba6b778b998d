"""Where a version comes from, as a terminal shows it."""

from dataclasses import replace

import pytest

from igarape.serving.provenance import Files, Learner, Provenance
from igarape.serving.provenance_text import commands, in_words
from igarape.tracking.lineage import RESULT
from igarape.tracking.recovery import Commit, Locked, Recovery

CODE, LOCK = "a" * 40, "b" * 40
FACTS = Provenance(
    name="igarape-toy",
    version="3",
    aliases=("champion",),
    mlflow="http://mlflow:5000",
    registered="2026-01-02 03:04",
    registered_by="ana",
    crowned=({"when (UTC)": "2026-01-03 04:05", "who": "ben", "outcome": "promoted", "reason": "finds more mines"},),
    commit=CODE,
    uncommitted=False,
    repro="2026-01-02T01:00:00Z-17",
    dataset="toy",
    seed="2019",
    data={"data/ingest": "c" * 32, RESULT: "d" * 32},
    corrected=3,
    learners=(Learner("tiny", "e" * 32, "f" * 32, 0.75, {"size": "32"}, answers=True),),
    stack="blend",
    teacher=None,
    runs={"evaluate": "0" * 32},
    figures={"f2": 0.9, "f2_low": 0.88, "f2_high": 0.92, "map": 0.8, "n": 300.0},
    files=Files("9" * 32, 12, None, True, ("tiny",), "threshold, beta 2", "3.11.7", ("numpy==2.1", "onnxruntime==1.2")),
)
HERE = Recovery(
    Commit(CODE, "2026-01-01", "zoom"),
    Locked(Commit(LOCK, "2026-01-02", "a stream"), 4, ()),
    uncommitted=False,
    kept={"data/ingest": True, RESULT: False},
    remote=True,
    packages=("keras==3.1", "six==1.0"),
    installed=True,
)


def typed(facts: Provenance, here: Recovery) -> list[str]:
    """Return the commands alone, without that for the model."""
    *stream, model = [command for command, _ in commands(facts, here)]
    assert model == "mlflow artifacts download --artifact-uri models:/igarape-toy/3 --dst-path build/model"
    return stream


def test_everything_is_said_in_one_screen() -> None:
    """Who, when, why; the commit, the data and their hashes; learners with their runs; packages."""
    said = in_words(FACTS, HERE)
    for part in (
        "igarape-toy version 3: champion\n",
        "2026-01-02 03:04 UTC, by ana; MLflow at http://mlflow:5000",
        "2026-01-03 04:05 UTC, promoted by ben: finds more mines",
        "F2 0.9000 (95 %: 0.8800 to 0.9200), mAP 0.8000, 300 chips",
        "toy; seed 2019; labels corrected: 3",
        f"{CODE} (2026-01-01, zoom); nothing beside it was changed",
        "stack blend; rule threshold, beta 2",
        f"12 files, as they were registered; bundle {'9' * 32}",
        "Python 3.11.7; numpy==2.1, onnxruntime==1.2",
        "keras==3.1, by the commit's requirements.lock",
        f"data/ingest    {'c' * 32}  yes",
        f"tiny     0.7500          yes            {'e' * 32}  {'f' * 32}",
        "igarape lineage --version 3 --json",
    ):
        assert part in said
    assert max(map(len, said.split("\n\n", maxsplit=1)[0].splitlines())) <= 120 and "six" not in said


def test_what_is_typed_depends_on_what_the_clone_has() -> None:
    """From DVC's cache, from a remote, from the code alone, or from another clone."""
    checkout = f"git checkout {LOCK[:9]}"
    assert typed(FACTS, HERE) == [checkout, "dvc checkout", "dvc repro"]
    assert HERE.locked
    lacking = replace(HERE, locked=replace(HERE.locked, lacking=(RESULT,)))
    assert typed(FACTS, lacking) == [checkout, "dvc pull", "dvc repro"]
    assert "lacks 1 of 4 outputs: data/evaluate" in in_words(FACTS, lacking)
    alone = replace(lacking, remote=False)
    assert typed(FACTS, alone) == [checkout, "dvc repro"]
    assert "lacks, 1 of 4 outputs: data/evaluate; there is no remote to pull from" in in_words(FACTS, alone)
    code = replace(HERE, locked=None)
    assert typed(FACTS, code) == [f"git checkout {CODE[:9]}", "dvc repro"]
    assert "No dvc.lock of this clone, in a commit or not, names its results" in in_words(FACTS, code)
    lies = replace(code, uncommitted=True)
    said = in_words(replace(FACTS, uncommitted=True), lies)
    assert "git add dvc.lock params.yaml && git commit\nBeside its commit something was changed. Commit that" in said
    assert typed(FACTS, replace(code, installed=False)) == [f"git checkout {CODE[:9]}", "make setup", "dvc repro"]
    away = replace(code, commit=None, packages=())
    assert typed(FACTS, away) == ["git fetch --all", f"git checkout {CODE[:9]}", "dvc repro"]
    assert typed(replace(FACTS, commit=None, data={}), away) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"uncommitted": True}, "Beside its commit something was changed, and is lost"),
        ({"uncommitted": None}, "; not on record"),
        ({"commit": None}, "Its commit is not on record"),
        ({"data": {}}, "Its results are not on record. Where data/ still holds them, this adds that: dvc repro"),
        ({"crowned": ()}, "no promotion is on record"),
        ({"figures": {}}, "hold-out      not on record"),
        ({"teacher": "version 2"}, "distilled     from version 2 of the ensemble"),
        ({"corrected": None, "seed": None, "dataset": None}, "seed not on record; labels corrected: not on record"),
        ({"files": replace(FACTS.files, proved=False)}, "12 files, as bundle.json lists them;"),
        ({"files": replace(FACTS.files, fault="changed: a.onnx")}, "NOT what was registered: changed: a.onnx"),
        ({"files": replace(FACTS.files, count=None, fault="no such file")}, "cannot be looked at: no such file"),
        ({"name": "igarape-toy-student"}, "igarape lineage --model student --version 3 --json"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(changed: dict[str, object], part: str) -> None:
    """A gap is called one, and a fault is not passed over."""
    assert part in in_words(replace(FACTS, **changed), replace(HERE, locked=None))  # type: ignore[arg-type]
