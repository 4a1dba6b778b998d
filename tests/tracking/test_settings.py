"""Settings: what dvc.lock keeps of a stream's YAMLs and code, and what differs."""

from igarape.tracking.settings import Setting, Settings, differing, read_settings

LOCK = b"""
schema: '2.0'
stages:
  split:
    cmd: igarape split
    deps:
    - {path: data/code/split, hash: md5, md5: 5ba09eef93d875914da4bbbfde1bf099, size: 32}
    - {path: data/ingest, hash: md5, md5: 8d5ab442db81f8b22b63a022f39ba2bd.dir}
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


def settings(lock: bytes) -> Settings:
    """Read the settings of a lock, where DVC has the experiments."""
    return read_settings(lock, "here", lambda _: PLAIN)


def test_settings_are_told_by_the_file_that_they_stand_in() -> None:
    """Of all steps together, nested ones and those with dots alike; code is known by its hash."""
    values = {"seed": 1, "split.folds": 5, "split.by": "scene", "train.budget": 1.0, "stack.depths": [1, 2]}
    expected = {
        "data/code/split": {"": "5ba09ee"},
        "params.yaml": values | {"experiments: plain": "there"},
        "datasets/toy.yaml": {"labels.alone": []},
        "experiments/plain.yaml": {"epochs": 4, "hyperparameters.tta": True},
    }
    assert settings(LOCK) == expected
    by_hash = read_settings(LOCK, "here", lambda _: None)
    assert by_hash == expected | {"experiments/plain.yaml": {"": "0f09eef"}}
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
