"""Drafting: what was discovered becomes a data set, and the draft is tried before it is written."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from discoveries import discovered

from igarape.chips.sources.discovery import Discovery, findings
from igarape.chips.sources.drafting import draft_dataset, list_draft
from igarape.chips.sources.listing import Listing
from igarape.config.datasets import Dataset
from igarape.config.drafts import Draft, draft_text
from igarape.config.schema import validate
from igarape.errors import InputError
from igarape.progress import no_report

COUNT = 40


def drafted(found: Discovery, experiments: Sequence[str] = ("plain", "rare", "tabular", "kernel")) -> Draft:
    """Draft the data set."""
    return draft_dataset(found, "mine", images="a", tags="t.csv", bands=[], experiments=experiments)


def listed(draft: Draft, root: Path) -> Listing:
    """List the chips of a draft."""
    return list_draft(draft, root, where="datasets/mine.yaml", spool=root / ".spool", report=no_report)


def test_a_draft_is_a_data_set_that_lists_its_chips(tmp_path: Path) -> None:
    """With the vocabulary, the side and the separator that were found."""
    kinds = [("dry" if n % 2 else "wet", *["road"] * (n % 3 > 0), *["pond"] * (n % 5 > 1)) for n in range(COUNT)]
    found = discovered(tmp_path, [f"c_{n},{';'.join(own)}" for n, own in enumerate(kinds)], count=COUNT)
    draft = drafted(found)
    dataset = validate(Dataset, yaml.safe_load(draft_text(draft)), "draft")
    assert dataset.labels.vocabulary() == found.vocabulary
    assert (dataset.size, dataset.labels.separator) == (32, "semicolon")
    assert draft.params["experiments"] == ["plain", "tabular", "kernel"] and draft.params["split"]["by"] == "chip"
    listing = listed(draft, tmp_path)
    assert len(listing.chips) == COUNT and listing.faults == []


def test_labels_that_differ_by_their_spelling_only_are_one(tmp_path: Path) -> None:
    """The YAML says so, and ingest reads the table by it."""
    rows = [
        f"c_{n},{('Dry' if n % 4 == 1 else 'dry') if n % 2 else 'wet_land'} {'WET-LAND' * (n == 0)}"
        for n in range(COUNT)
    ]
    found = discovered(tmp_path, rows, count=COUNT)
    assert dict(found.counts) == {"dry": 20, "wet_land": 20} and found.spellings == {
        "Dry": "dry",
        "WET-LAND": "wet_land",
    }
    assert "taken for one label: Dry is dry, WET-LAND is wet_land (labels.spellings)" in findings(found)
    listing = listed(drafted(found), tmp_path)
    assert listing.faults == [] and {chip.tags for chip in listing.chips} == {("dry",), ("wet_land",)}


def test_scenes_stay_together_where_none_is_too_large_for_a_fold(tmp_path: Path) -> None:
    """Ten groups of four chips are split by scene; with half of the chips in one, by chip."""
    rows = [f"c_{n},{'dry' if n % 2 else 'wet'},s{n // 4}" for n in range(COUNT)]
    found = discovered(tmp_path, rows, head="image_name,tags,scene", count=COUNT)
    assert drafted(found).params["split"]["by"] == "scene"
    (tmp_path / "other").mkdir()
    rows = [f"c_{n},{'dry' if n % 2 else 'wet'},s{max(0, n - 20)}" for n in range(COUNT)]
    found = discovered(tmp_path / "other", rows, head="image_name,tags,scene", count=COUNT)
    assert drafted(found).params["split"]["by"] == "chip"


def test_what_has_no_partner_is_a_fault_of_the_listing(tmp_path: Path) -> None:
    """As long as more fits together than is left over."""
    found = discovered(tmp_path, [f"c_{n},{'dry' if n % 2 else 'wet'}" for n in range(20, COUNT)], count=COUNT)
    listing = listed(drafted(found), tmp_path)
    assert len(listing.chips) == 20 and len(listing.faults) == 20


def test_a_draft_of_which_more_is_left_over_is_refused(tmp_path: Path) -> None:
    """With the first of them, and a way out."""
    rows = [f"c_{n},{'dry' if n % 2 else 'wet'}" for n in range(20, COUNT)]
    found = discovered(tmp_path, [*rows, "gone,dry"], count=COUNT)
    with pytest.raises(InputError, match=r"^21 rows and pictures are left over, 20 fit together\. The first: gone: "):
        listed(drafted(found), tmp_path)
