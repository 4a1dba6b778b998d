"""Discovery: a folder of pictures and a table give all that a data set says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from discoveries import discovered, picture

from igarape.chips.sources.discovery import Discovery, discover, findings
from igarape.errors import InputError


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., Discovery]:
    """Give a function that writes rows below a head, a picture for each, and looks at them."""

    def lay_out(head: str, rows: list[str], **how: Any) -> Discovery:
        return discovered(tmp_path, rows, head=head, **how)

    return lay_out


def test_labels_are_sorted_by_what_they_do(found: Callable[..., Discovery]) -> None:
    """Exclusive, alone, common and rare, the most frequent first; scenes are counted."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(300):
        weather = ["Clear sky", "Haze", "Fog"][rng.choice(3, p=[0.7, 0.2, 0.1])]
        others = [label for label, share in (("Água, doce", 0.5), ("Road", 0.3)) if rng.random() < share]
        own = [weather, *others, *(["Kiln"] if number < 2 and weather != "Fog" else [])]
        rows.append(f'c_{number}.tif,{number // 10},"{";".join(own if weather != "Fog" else [weather])}"')
    seen = found("file,scene,what", rows)
    assert seen.survey.separator == "semicolon" and seen.chips == 300
    assert seen.vocabulary.exclusive == ("Clear sky", "Haze", "Fog") and seen.vocabulary.alone == ("Fog",)
    assert seen.vocabulary.common == ("Água, doce", "Road") and seen.vocabulary.rare == ("Kiln",)
    assert list(seen.counts.values()) == sorted(seen.counts.values(), reverse=True)
    assert len(seen.groups) == 30 and set(seen.groups.values()) == {10}
    text = "\n".join(findings(seen))
    rows[5] = 'c_5.tif,0,"Haze;Fog"'
    torn = found("file,scene,what", rows)
    assert (
        "of: Clear sky, Haze, Fog, except on c_5 (" in "\n".join(findings(torn)) and torn.vocabulary == seen.vocabulary
    )
    for words in (
        "the 30 values of scene",
        "under 1 % of the chips: Kiln",
        "every other label: Fog",
        "(labels.separator)",
    ):
        assert words.replace("(labels.separator)", "labels.separator") in text


@pytest.mark.parametrize(("count", "known"), [(30, False), (60, True)])
def test_a_group_that_may_be_luck_is_told_and_not_taken(
    found: Callable[..., Discovery], count: int, known: bool
) -> None:
    """Thirty chips of one weather each are too few where one weather is rare; sixty are not."""
    weather = ["clear"] * 7 + ["cloudy", "partly_cloudy", "clear"]
    rows = [
        f"c_{n},{weather[n % 10]}{' road' if n % 3 == 0 else ''}{' river' if n % 7 < 3 else ''}" for n in range(count)
    ]
    seen = found("image_name,tags", rows)
    (said,) = [line for line in findings(seen) if "labels.exclusive" in line]
    assert "except on" not in said and seen.odd == []
    if known:
        assert {*seen.vocabulary.exclusive} == {"clear", "cloudy", "partly_cloudy"} and "luck" not in said
    else:
        assert seen.vocabulary.exclusive == () and seen.rule is not None and 30 < seen.rule.needed <= 60
        assert "Of clear, cloudy, partly_cloudy exactly one holds on each of these 30 chips, but so few may" in said
        assert f"; {seen.rule.needed} would be enough" in said


def test_a_folder_for_each_label_needs_no_table(tmp_path: Path) -> None:
    """All labels exclude each other."""
    for number in range(24):
        folder = tmp_path / "a" / ("forest", "river")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(picture(number))
    how: dict[str, Any] = {"labels": None, "group": None, "split": None, "bands": [], "size": None}
    seen = discover(tmp_path, images="a", tags=None, spool=tmp_path / ".spool", report=lambda *_: None, **how)
    assert seen.vocabulary.exclusive == ("forest", "river") and seen.chips == 24 and seen.vocabulary.alone == ()


@pytest.mark.parametrize(
    ("count", "labels", "side", "words"),
    [
        (19, 2, 32, "at least 20 chips that have a picture and a row, found 19"),
        (20, 1, 32, "at least 2 labels, found 1"),
        (20, 2, 31, "at least 32 pixels a side, found 31"),
    ],
)
def test_what_is_too_little_is_refused(
    found: Callable[..., Discovery], count: int, labels: int, side: int, words: str
) -> None:
    """And the least that is not."""
    with pytest.raises(InputError, match=f"expected {words}"):
        found("image_name,tags", [f"c_{number},l{number % labels}" for number in range(count)], side=side)


def test_the_least_is_enough_and_64_labels_are_not_too_many(found: Callable[..., Discovery]) -> None:
    """Twenty chips of two labels; or labels that stand on few chips, which is said."""
    seen = found("image_name,tags", [f"c_{number},l{number % 64} l{number * 7 % 64}" for number in range(130)])
    assert len(seen.counts) == 64 and seen.looks.size == 32
    assert any("on fewer than 6 chips" in line for line in findings(seen))


def test_what_looks_odd_is_said(found: Callable[..., Discovery]) -> None:
    """A word that may stand for no label, and sizes beyond the three that are shown."""
    rows = [f"c_{n},{['a', 'NA', 'b'][n % 3]}" for n in range(24)]
    assert "taken for a label: NA (8). If it says that none holds, empty those fields" in findings(
        found("image_name,tags", rows)
    )
    rows = [row.replace("NA", "c") for row in rows]
    assert "taken for a label" not in "".join(findings(found("image_name,tags", rows)))


def test_one_label_alone_needs_its_contrary(found: Callable[..., Discovery]) -> None:
    """The question whether there is water takes two labels; the error says so."""
    with pytest.raises(InputError, match=r"at least 2 labels, found 1.* Tag the chips without water too, such as no_"):
        found("image_name,tags", [f"c_{n},{'water' if n % 2 else ''}" for n in range(24)])
