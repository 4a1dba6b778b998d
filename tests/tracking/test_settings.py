"""Settings: what dvc.lock keeps of a stream's YAMLs and code, and what differs."""

import yaml

from igarape.tracking.settings import Setting, Settings, differing, read_settings

LOCK = b"""
schema: '2.0'
stages:
  split:
    cmd: igarape split
    deps:
    - {path: data/code/split, hash: md5, md5: 5ba09eef93d875914da4bbbfde1bf099, size: 32}
    - {path: data/ingest, hash: md5, md5: 8d5ab442db81f8b22b63a022f39ba2bd.dir}
    - {path: s3://chips/list.csv, etag: 8d5ab442db81f8b2}
    params:
      params.yaml: {seed: 1, split: {folds: 5, by: scene}}
      datasets/toy.yaml: {labels: {alone: []}}
  train@plain:
    cmd: igarape train
    params:
      params.yaml: {experiments: [plain], train.budget: 1.0, stack: {depths: [1, 2]}}
    deps:
    - {path: data/resolve/plain.json, hash: md5, md5: 0f09eef93d875914da4bbbfde1bf099}
"""
PLAIN = b'{"experiment": "plain", "settings": {"epochs": 4, "hyperparameters": {"tta": true}}}'


def settings(lock: bytes, experiment: bytes | None = PLAIN) -> Settings:
    """Read the settings of a lock; experiment: what DVC has of each, None where it has it no more."""
    return read_settings(lock, "here", lambda _: experiment)


def test_settings_are_told_by_the_file_that_they_stand_in() -> None:
    """Of all steps together, nested ones and those with dots alike; code is known by its hash."""
    values = {"seed": 1, "split.folds": 5, "split.by": "scene", "train.budget": 1.0, "stack.depths": [1, 2]}
    expected = {
        "data/code/split": {"": "5ba09ee"},
        "params.yaml": values | {"experiments: plain": "there"},
        "datasets/toy.yaml": {"labels.alone": []},
        "experiments/plain.yaml": {"": "0f09eef", "epochs": 4, "hyperparameters.tta": True},
    }
    assert settings(LOCK) == expected
    for gone in (None, b"{", b"[]", b'{"experiment": "plain"}', b'{"settings": 1}'):  # or of another version's form
        assert settings(LOCK, gone) == expected | {"experiments/plain.yaml": {"": "0f09eef"}}
    assert settings(b"") == {}


def test_what_differs_is_told_and_nothing_else() -> None:
    """A value, one that only one stream has, a name in a list, code, and a file that only one has."""
    one = settings(LOCK)
    assert differing(one, one) == []
    other = LOCK.replace(b"folds: 5, by: scene", b"folds: 10").replace(b"5ba0", b"6ba0").replace(b"plain", b"deep")
    assert differing(one, settings(other)) == [
        Setting("data/code/split", "5ba09ee", "6ba09ee"),
        Setting("experiments/deep.yaml", "-", "there"),
        Setting("experiments/plain.yaml", "there", "-"),
        Setting("params.yaml experiments: deep", "-", "there"),
        Setting("params.yaml experiments: plain", "there", "-"),
        Setting("params.yaml split.by", "scene", "-"),
        Setting("params.yaml split.folds", "5", "10"),
    ]


def test_an_experiment_that_one_side_knows_by_its_hash_only_is_compared_by_that() -> None:
    """Its settings would all be told as if they differed; where the chips it sees differ alone, none does."""
    known, lost = settings(LOCK), settings(LOCK, None)
    assert differing(known, lost) == differing(lost, known) == []
    other = LOCK.replace(b"0f09eef", b"1f09eef")
    assert differing(lost, settings(other)) == [Setting("experiments/plain.yaml", "0f09eef", "1f09eef")]
    assert differing(known, settings(other)) == []


def test_learners_that_were_taken_out_say_nothing() -> None:
    """DVC leaves their steps in dvc.lock, with the settings of that time."""
    stages = yaml.safe_load(LOCK)["stages"]
    stages["evaluate"] = {"params": {"params.yaml": {"experiments": ["plain"]}}}
    old = {"params": {"params.yaml": {"seed": 7}}, "deps": [{"path": "data/resolve/old.json", "md5": "0" * 32}]}
    lock = yaml.safe_dump({"stages": stages | {"train@old": old, "search@old": old}}, sort_keys=False).encode()
    assert differing(settings(LOCK), settings(lock)) == []


def test_any_value_is_told_in_one_line() -> None:
    """Of what YAML holds; what nobody would see is written out."""
    values = b'{a: null, b: 2024-01-01, c: [{d: 1}, 2], e: {}, f: "x\\ny\\e[2J", 3: .nan}'
    lock = b"stages: {one: {params: {params.yaml: " + values + b"}}}"
    assert [one.a for one in differing(settings(lock), {"params.yaml": {}})] == [
        *("NaN", "null", '"2024-01-01"', '[{"d": 1}, 2]', "{}", r'"x\ny\u001b[2J"'),
    ]
