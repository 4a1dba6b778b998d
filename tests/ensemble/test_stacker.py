"""A fitted stack: what it answers, and that it survives the disk."""

from pathlib import Path

import numpy as np
import pytest
from opinions import LABELS, LEARNERS, boosted, draw

from igarape.ensemble.linear import Linear, columns, logit, mean_weights, sigmoid, stack_columns
from igarape.ensemble.stacker import Stacker, check_learners
from igarape.errors import InputError
from igarape.files import read_json, write_json

NAMED = dict(LEARNERS)


def mean() -> Stacker:
    """Return the stack that averages."""
    return Stacker("mean", LABELS, NAMED, mean_weights(LEARNERS, LABELS))


def test_without_trees_it_answers_the_sum() -> None:
    """As float32, and says which learner's prediction of a label weighs how much."""
    p, _, _ = draw(40, seed=1)
    answer = mean().predict(p)
    assert answer.dtype == np.float32
    assert answer[:, 0] == pytest.approx((p["plain"][:, 0] + p["deep"][:, 0]) / 2)
    assert mean().weights()["tank"] == pytest.approx({"plain": 1 / 3, "deep": 1 / 3, "rare": 1 / 3})
    assert mean().weights()["sea"] == {"plain": 0.5, "deep": 0.5}


def test_trees_add_the_mean_of_their_corrections_to_the_logit() -> None:
    """Of the labels that have some; the others keep the sum."""
    p, y, _ = draw(60, seed=2)
    linear = Linear("logits", np.random.default_rng(2).random((10, 4)), np.zeros(4))
    boosters = {"dock": boosted(p, y, learners=LEARNERS, labels=LABELS).boosters["dock"]}
    answer = Stacker("xgboost", LABELS, NAMED, linear, boosters).predict(p)
    features, margin = logit(stack_columns(p, LEARNERS)).astype(np.float32), linear.margin(stack_columns(p, LEARNERS))
    corrections = [booster.inplace_predict(features, predict_type="margin") for booster in boosters["dock"]]
    assert answer[:, 1] == pytest.approx(sigmoid(margin[:, 1] + np.mean(corrections, axis=0)), abs=1e-6)
    assert answer[:, 0] == pytest.approx(sigmoid(margin[:, 0]), abs=1e-6)


@pytest.mark.parametrize("method", ["mean", "xgboost"])
def test_a_saved_stacker_answers_the_same_to_the_bit(method: str, tmp_path: Path) -> None:
    """Saved, loaded, asked chip by chip or all at once: the same float32, whatever characters the labels have."""
    p, y, _ = draw(120, seed=3)
    stacker = mean() if method == "mean" else boosted(p, y, learners=LEARNERS, labels=LABELS)
    stacker.save(tmp_path / "stacker")
    loaded = Stacker.load(tmp_path / "stacker")
    assert (loaded.method, loaded.labels, loaded.learners) == (method, LABELS, NAMED)
    every = stacker.predict(p)
    assert (loaded.predict(p) == every).all()
    one_by_one = [loaded.predict({name: values[i : i + 1] for name, values in p.items()})[0] for i in range(120)]
    assert (np.array(one_by_one) == every).all()


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    """Fitted twice, saved twice: the same bytes, so DVC sees no change; what an earlier save left is gone."""
    p, y, _ = draw(120, seed=4)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "booster_99_0.json").write_text("stale")
        boosted(p, y, learners=LEARNERS, labels=LABELS).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    expected = [f"booster_{label:02d}_{seed}.json" for label in range(4) for seed in range(2)]
    assert files == [*expected, "stacker.json"]
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def weighted(*used: str) -> Linear:
    """Return a sum of logits in which only some learners have weights."""
    rows = [name in used for name, _ in columns(LEARNERS)]
    return Linear("logits", np.random.default_rng(6).random((10, 4)) * np.array(rows)[:, None], np.arange(4.0))


def test_a_learner_without_weight_is_left_out_and_changes_no_bit() -> None:
    """One that has a weight is not idle; nor are all of them, or nothing would say how many rows there are."""
    p, _, _ = draw(40, seed=7)
    stacker = Stacker("blend", LABELS, NAMED, weighted("plain"))
    assert stacker.idle() == ("deep", "rare")
    np.testing.assert_array_equal(stacker.without(("deep", "rare")).predict({"plain": p["plain"]}), stacker.predict(p))
    with pytest.raises(InputError, match="stack: plain cannot be left out"):
        stacker.without(("deep", "plain"))
    with pytest.raises(InputError, match="expected predictions by"):
        stacker.predict({"plain": p["plain"]})
    assert Stacker("blend", LABELS, NAMED, weighted()).idle() == ()


def test_a_learner_that_trees_look_at_stays_though_its_weight_is_0(tmp_path: Path) -> None:
    """Those of any label and seed, also of another label's prediction; what none looks at may go."""
    p, y, _ = draw(80, seed=8)
    for seen in ("deep", "rare"):
        told = {name: values if name == seen else np.full_like(values, 0.5) for name, values in p.items()}
        boosters = {"dock": boosted(told, y, learners=LEARNERS, labels=LABELS).boosters["dock"]}
        Stacker("xgboost", LABELS, NAMED, weighted("plain"), boosters).save(tmp_path / seen)
        stacker = Stacker.load(tmp_path / seen)
        (idle,) = {"deep", "rare"} - {seen}
        assert stacker.idle() == (idle,)
        given = {name: values for name, values in p.items() if name != idle}
        np.testing.assert_array_equal(stacker.without((idle,)).predict(given), stacker.predict(p))


def test_what_does_not_fit_the_vocabulary_is_refused() -> None:
    """A label nobody predicts, and one that the data set does not have."""
    with pytest.raises(InputError, match="no learner predicts sea, dock"):
        check_learners({"rare": LEARNERS["rare"]}, LABELS)
    with pytest.raises(InputError, match="predicts 'dock'"):
        check_learners({"plain": ("sea", "dock")}, ("sea",))


def test_a_folder_that_is_no_stacker_is_refused(tmp_path: Path) -> None:
    """Nothing there, a booster gone, or one that another version wrote."""
    p, y, _ = draw(20, seed=5)
    with pytest.raises(InputError, match=r"stacker\.json: not found"):
        Stacker.load(tmp_path)
    boosted(p, y, learners=LEARNERS, labels=LABELS).save(tmp_path)
    next(tmp_path.glob("booster_*.json")).unlink()
    with pytest.raises(InputError, match=r"stacker\.json beside it names it"):
        Stacker.load(tmp_path)
    content = read_json(tmp_path / "stacker.json")
    del content["linear"]
    write_json(content, tmp_path / "stacker.json")
    with pytest.raises(InputError, match="written by another version of igarape"):
        Stacker.load(tmp_path)
