"""Two versions meet on the challenger's hold-out: what is on record counts, what is not is asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contest import NAME, answers_of, enroll, ruled, sweep
from mlflow import MlflowClient

from igarape.chips.fingerprints import read_fingerprints
from igarape.errors import InputError
from igarape.scores.answers import Answers
from igarape.serving.bundle import Bundle
from igarape.serving.holdout import open_holdout
from igarape.serving.paired_answers import PairedAnswers, answer_same_chips
from igarape.tables import HOLDOUT
from igarape.workspace import Workspace


def met(here: Workspace, into: Path, *, champion: str = "1", challenger: str = "2") -> tuple[PairedAnswers, list[int]]:
    """Let two versions meet; return the duel, and how many chips the champion was asked about."""
    asked: list[int] = []
    duel = answer_same_chips(
        MlflowClient(),
        NAME,
        champion=champion,
        challenger=challenger,
        workspace=here,
        into=into / f"{champion}-{challenger}",
        report=lambda done, _: asked.append(done),
    )
    return duel, asked[-1:]


def every(here: Workspace) -> Answers:
    """Return what the first version's bundle answers to all chips that are packed."""
    opened = Bundle.load(here.root / "other", threads=1)
    labels = opened.vocabulary.labels
    blank = np.zeros((40, len(labels)), dtype=np.bool_)
    ids = [f"chip-{row:03d}" for row in range(40)]
    prints = read_fingerprints(here.chips("raw") / "fingerprints.parquet", ids)
    pixels = prints.pixels.astype(np.int64)
    held = Answers("toy", labels, ids, ids, pixels, np.full(40, HOLDOUT), blank, blank.astype(np.float32), blank)
    pictures = open_holdout(here, held, "0")
    found = answers_of(here.root / "other", [pictures.load(opened, image_id).image for image_id in ids])
    return replace(found, image_ids=ids)


def test_on_one_hold_out_nothing_is_asked(contest: Workspace, tmp_path: Path) -> None:
    """Both bring their answers; both are timed and weighed."""
    duel, asked = met(contest, tmp_path)
    assert asked == [] and duel.notes == ("24 hold-out chips of version 2",)
    assert duel.held.y.shape == (24, len(duel.held.labels)) and duel.rare == ("kiln",)
    assert np.allclose(duel.champion.p, 1 - duel.challenger.p)
    assert (duel.champion.answers == duel.held.y).mean() > 0.9 > (duel.challenger.answers == duel.held.y).mean()
    for side in (duel.champion, duel.challenger):
        assert side.milliseconds.shape == (8,) and (side.milliseconds > 0).all()
        assert 0 < side.size < 1


def test_on_another_hold_out_the_champion_is_asked_or_left_out(
    contest: Workspace, bundle_folder: Path, tmp_path: Path
) -> None:
    """Of 28 chips it was scored on 12, learned from 12, and never saw 4: those it answers now, as it would have."""
    stream = every(contest)
    folds = np.where(np.arange(40) >= 12, HOLDOUT, 0)
    other = ruled(contest.root / "other", contest.root / "third", 0.9)
    assert enroll(contest, other, replace(stream, folds=folds)) == "3"
    duel, asked = met(contest, tmp_path, challenger="3")
    assert asked == [4]
    assert duel.notes == (
        "16 hold-out chips of version 3",
        "version 1 was not scored on 4 of them: its bundle was asked now",
        "12 more are left out: version 1 learned from them",
    )
    rows = [*range(12, 24), *range(36, 40)]
    assert np.allclose(duel.champion.p, stream.p[rows], atol=1e-6)
    assert np.array_equal(duel.challenger.p, stream.p[rows])
    assert np.array_equal(duel.champion.answers, Bundle.load(bundle_folder, threads=1).rule.apply(duel.champion.p))


def test_what_was_learned_from_is_known_under_another_name_too(contest: Workspace, tmp_path: Path) -> None:
    """Chips that are called otherwise since: to ask the champion about those would flatter it."""
    stream = every(contest)
    held = {image_id for image_id in stream.image_ids if int(image_id[-3:]) % 3}
    folds = np.array([HOLDOUT if image_id in held else 0 for image_id in stream.image_ids])
    other = ruled(contest.root / "other", contest.root / "third", 0.9)
    enroll(contest, other, replace(stream, image_ids=[f"old-{name}" for name in stream.image_ids], folds=folds))
    duel, asked = met(contest, tmp_path, champion="3")
    assert asked == [16] and duel.notes[0] == "16 hold-out chips of version 2"
    assert duel.notes[2] == "8 more are left out: version 3 learned from them"


def test_a_version_without_answers_is_asked_about_all(contest: Workspace, tmp_path: Path) -> None:
    """As those of older code are; that it may have learned from them is said."""
    before, _ = met(contest, tmp_path / "before")
    MlflowClient().delete_model_version_tag(NAME, "1", "answers_run")
    duel, asked = met(contest, tmp_path)
    assert asked == [24] and np.allclose(duel.champion.p, before.champion.p, atol=1e-6)
    assert np.array_equal(duel.champion.answers, before.champion.answers)
    assert "version 1 has no answers on record: whether it learned from any is not known" in duel.notes


def test_a_champion_whose_run_was_removed_for_good_is_asked_too(contest: Workspace, tmp_path: Path) -> None:
    """Who cleans MLflow up does not keep the next challenger from its verdict."""
    sweep(contest, "1")
    duel, asked = met(contest, tmp_path)
    assert asked == [24] and duel.notes[-1].startswith("version 1 has no answers on record")


def test_a_challenger_without_answers_is_refused(contest: Workspace, tmp_path: Path) -> None:
    """There is no hold-out to compare on."""
    MlflowClient().delete_model_version_tag(NAME, "2", "answers_run")
    with pytest.raises(InputError, match=r"version 2 has no answers.*--force register"):
        met(contest, tmp_path)


def test_where_no_chip_is_fair_nothing_is_compared(contest: Workspace, tmp_path: Path) -> None:
    """The champion learned from all of the challenger's hold-out."""
    stream = every(contest)
    other = ruled(contest.root / "other", contest.root / "third", 0.9)
    enroll(contest, other, replace(stream, folds=np.where((np.arange(40) >= 24) & (np.arange(40) < 36), HOLDOUT, 0)))
    with pytest.raises(InputError, match=r"version 1 learned from all 12 hold-out chips of version 3.*seed, split"):
        met(contest, tmp_path, challenger="3")


def test_other_labels_are_not_compared(contest: Workspace, tmp_path: Path) -> None:
    """The message names them."""
    stream = every(contest)
    renamed = replace(stream, labels=(*stream.labels[:-1], "oven"))
    other = ruled(contest.root / "other", contest.root / "third", 0.9)
    enroll(contest, other, renamed)
    with pytest.raises(InputError, match=r"versions 1 and 3 do not answer the same labels: .*kiln, oven"):
        met(contest, tmp_path, challenger="3")


def test_what_is_no_bundle_of_ours_is_said(contest: Workspace, tmp_path: Path) -> None:
    """A version of something else."""
    MlflowClient().create_model_version(NAME, "nowhere")
    with pytest.raises(InputError, match="version 3 is no model of igarape's"):
        met(contest, tmp_path, champion="3")
