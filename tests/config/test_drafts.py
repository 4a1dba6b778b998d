"""Drafts: YAML that the schema takes, that says what may be changed; where the root is; what suits a small set."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from igarape.config.datasets import Dataset
from igarape.config.drafts import Draft, draft_text, locate, suitable_params
from igarape.config.schema import validate
from igarape.errors import InputError

DRAFT = Draft(
    name="toy",
    images="toy/a",
    tags="toy/t.csv",
    columns={"image": "file", "tags": None, "group": "scene", "split": None},
    separator="semicolon",
    spellings={},
    bands=["blue", "green", "red", "nir"],
    white=3000,
    resize="fit",
    size=64,
    resolution=0.6,
    exclusive=["no", "Água, doce: #1"],
    alone=["no"],
    common=["1", "null"],
    rare=[],
    params={"split": {"by": "chip"}, "experiments": ["plain"]},
)


def test_a_draft_is_a_data_set() -> None:
    """Whatever the labels are called: YAML's own words and signs are quoted."""
    text = draft_text(DRAFT)
    dataset = validate(Dataset, yaml.safe_load(text), "toy")
    assert dataset.resolution == 0.6
    assert dataset.labels.vocabulary().labels == ("no", "Água, doce: #1", "1", "null")
    assert dataset.reading == {"resize": "fit", "bands": ("blue", "green", "red", "nir"), "white": 3000}
    assert dataset.source.model_dump()["columns"] == dict(DRAFT.columns)
    assert text.startswith("# toy: ") and dataset.params == DRAFT.params
    assert "experiments: [plain] # on photographs" in text


def test_what_is_usual_is_not_said() -> None:
    """No column, no white, no bands, no size but one; without a table the folders name the labels."""
    columns = {"image": "image_name", "tags": "tags", "group": None, "split": None}
    plain = replace(DRAFT, columns=columns, bands=[], white=None, resize="refuse", tags=None)
    text = draft_text(plain)
    assert not any(word in text for word in ("columns:", "bands:", "white:", "resize:"))
    assert validate(Dataset, yaml.safe_load(text), "toy").source.model_dump()["tags"] == ()


@pytest.mark.parametrize(
    ("units", "largest", "scenes", "split"),
    [
        (1000, 0.01, False, ("chip", 5)),
        (20, 0.05, False, ("chip", 3)),
        (6, 0.17, True, ("scene", 2)),
        (40, 0.2, True, ("scene", 4)),
        (40, 0.6, True, ("chip", 2)),
    ],
)
def test_folds_suit_the_number_of_groups(units: int, largest: float, scenes: bool, split: tuple[str, int]) -> None:
    """The largest group fits into a fold, or the split is by chip."""
    params = suitable_params(experiments=["plain"], rare=True, units=units, largest=largest, scenes=scenes)
    assert (params["split"]["by"], params["split"]["folds"]) == split


def test_experiments_suit_the_labels_and_are_there() -> None:
    """A learner of rare labels only where there are some."""
    how: dict[str, Any] = {"units": 99, "largest": 0.1, "scenes": False}
    there = ["mobilenet", "fisher", "kernel", "plain", "rare", "tabular"]
    every = ["plain", "rare", "tabular", "kernel", "fisher"]
    assert suitable_params(experiments=there, rare=True, **how)["experiments"] == every
    assert suitable_params(experiments=there, rare=False, **how)["experiments"] == [every[0], *every[2:]]


def test_the_root_is_igarape_data_or_what_holds_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path through a link below the root is taken as it is typed; one elsewhere is refused with what to type."""
    for folder in ("root/in/a", "out/a"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "root/link").symlink_to(tmp_path / "out")
    root = tmp_path / "root"
    monkeypatch.setenv("IGARAPE_DATA", str(root))
    assert locate("toy", [root / "in/a", root / "in"]) == (root, ["in/a", "in"])
    assert locate("toy", [root / "link/a"]) == (root, ["link/a"])
    with pytest.raises(
        InputError, match=r"out/a: lies outside of IGARAPE_DATA=.*ln -s '.*/out' '.*/root/toy'; or type"
    ):
        locate("toy", [tmp_path / "out/a"])
    with pytest.raises(InputError, match=f"^{root}: is IGARAPE_DATA itself.*IGARAPE_DATA='{tmp_path}'"):
        locate("toy", [root, root / "in"])
    with pytest.raises(InputError, match="gone: not found"):
        locate("toy", [root / "gone"])
    monkeypatch.delenv("IGARAPE_DATA")
    assert locate("toy", [tmp_path / "out/a", root / "in"]) == (tmp_path, ["out/a", "root/in"])
