"""The submission: all unlabelled chips, in batches; what a killed run has finished is not done again."""

import io
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import unlabelled
from unlabelled import NAMES, VOCABULARY, add_planes, lay_out, small, submit

from igarape.chips.pictures import Pixels
from igarape.errors import InputError
from igarape.files import resumable
from igarape.serving.bundle import BATCH, Bundle, DecodedChip
from igarape.serving.submission import (
    answers_key,
    check_copy,
    left_over,
    seen_by,
    write_submission,
)
from igarape.workspace import Workspace

SILENT: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """Give a project with 150 unlabelled chips."""
    return lay_out(Workspace(tmp_path))


@pytest.fixture
def bundle(bundle_folder: Path) -> Bundle:
    """Give the small bundle."""
    return Bundle.load(bundle_folder, threads=1)


class Watched(Bundle):
    """A bundle that notes what it is asked for."""

    seen: list[str]
    tagged: list[int]

    def decode(self, data: bytes, where: str, nir: Pixels | None = None) -> DecodedChip:
        """Note that a picture is decoded."""
        self.seen.append(where)
        return super().decode(data, where, nir)

    def tag(self, images: Sequence[Pixels], *rest: Any, **how: Any) -> pd.DataFrame:
        """Note that pictures are tagged."""
        self.tagged.append(len(images))
        return super().tag(images, *rest, **how)


@pytest.fixture
def watched(bundle_folder: Path) -> Watched:
    """Give the small bundle, watched."""
    loaded = Watched.load(bundle_folder, threads=1)
    assert isinstance(loaded, Watched)
    loaded.seen, loaded.tagged = [], []
    return loaded


def test_each_unlabelled_chip_has_a_row_with_the_bundles_own_tags(here: Workspace, bundle: Bundle) -> None:
    """By their numbers, whatever the order of the shards; labelled chips have none."""
    table = pd.read_csv(io.BytesIO(submit(here, bundle)), keep_default_na=False)
    assert list(table.columns) == ["image_name", "tags"] and list(table["image_name"]) == NAMES
    chips = small(here, bundle)
    expected = bundle.answer([chips.raw.bytes(name) for name in NAMES])
    assert list(table["tags"]) == list(expected["tags"])
    assert len(set(table["tags"])) > 1


def test_after_kill_9_finished_batches_stand_and_the_file_is_the_same_to_the_byte(
    here: Workspace, bundle_folder: Path, watched: Watched, tmp_path: Path
) -> None:
    """Nothing lies under the final name before it is whole."""
    words = [sys.executable, unlabelled.__file__, str(here.root), str(bundle_folder), str(2 * BATCH)]
    killed = subprocess.run(words, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not here.folder("submit").exists()
    assert left_over(here.folder("submit"), "key") == ["goes on with what a run before has left: 2 batches of 64 chips"]
    resumed = submit(here, watched)
    assert len(set(watched.seen)) == len(watched.seen) == sum(watched.tagged) == 22  # nothing else, and nothing twice
    assert left_over(here.folder("submit"), "key") == []
    whole = submit(lay_out(Workspace(tmp_path / "other")), Bundle.load(bundle_folder, threads=1))
    assert resumed == whole


def test_what_is_of_another_key_is_told_and_dropped(tmp_path: Path) -> None:
    """It would be of another model, or of other chips."""
    target = tmp_path / "submit"
    (tmp_path / ".unfinished/submit/old/notes").mkdir(parents=True)  # as a killed run leaves it
    assert left_over(target, "new") == [
        "begins anew: what a run before has left is of another model, other chips or another order"
    ]
    with resumable(target, "new") as (_, parts):
        assert list(parts.iterdir()) == []


def test_the_key_tells_model_chips_and_order(here: Workspace, bundle: Bundle, tmp_path: Path) -> None:
    """Another of them gives another key; the same ones the same."""
    chips = small(here, bundle)
    key = answers_key(chips, "one")
    assert answers_key(small(here, bundle), "one") == key
    sample = tmp_path / "sample.csv"
    sample.write_text("image_name,tags\n" + "".join(f"{name},\n" for name in NAMES[::-1]))
    turned = small(here, bundle, sample)
    assert turned.names == NAMES[::-1]
    others = lay_out(Workspace(tmp_path / "others"), seed=1)
    keys = {key, answers_key(chips, "two"), answers_key(turned, "one"), answers_key(small(others, bundle), "one")}
    assert len(keys) == 4


def test_near_infrared_goes_with_the_pictures_and_its_lack_is_told(
    here: Workspace, nir_bundle_folder: Path, tmp_path: Path
) -> None:
    """Each unlabelled chip needs it, where the model sees it; whether labelled ones have it does not matter."""
    bundle = Bundle.load(nir_bundle_folder, threads=1)
    add_planes(here, without=["test_7", "file_1", "train_0"])
    with pytest.raises(InputError, match=r"2 of 150 unlabelled chips have no TIF: test_7, file_1\. Put them"):
        small(here, bundle)
    add_planes(here, without=["train_0"])
    chips = small(here, bundle)
    assert chips.nir is not None
    (tmp_path / "parts").mkdir()
    write_submission(tmp_path / "a.csv", chips, bundle=bundle, parts=tmp_path / "parts", report=SILENT)
    planes = [chips.nir.rgb(name) for name in NAMES]
    pictures = [chips.load(bundle, name).image for name in NAMES]
    found = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert list(found["tags"]) == list(bundle.tag(pictures, planes)["tags"])


def test_a_full_disk_is_said_and_what_is_finished_is_kept(
    here: Workspace, bundle: Bundle, bounded: Callable[[int], None], tmp_path: Path
) -> None:
    """The next run goes on."""
    (tmp_path / "parts").mkdir()
    chips = small(here, bundle)
    how: dict[str, Any] = {"bundle": bundle, "parts": tmp_path / "parts", "report": SILENT}
    bounded(1500)  # a batch fits, the file of all of them does not
    with pytest.raises(InputError, match=r"a\.csv: no room to write it"):
        write_submission(tmp_path / "a.csv", chips, **how)
    assert not (tmp_path / "a.csv").exists() and len(list((tmp_path / "parts").glob("*.csv"))) == 3


def test_a_chip_that_cannot_be_read_ends_it(here: Workspace, bundle: Bundle, tmp_path: Path) -> None:
    """The competition wants a row for each."""
    (tmp_path / "parts").mkdir()
    chips = small(here, bundle)
    shard = here.chips("raw") / "shard-00000.tar"
    shard.write_bytes(shard.read_bytes()[:-40_000])
    with pytest.raises(InputError, match=r"shard-00000\.tar: cut short, \w+ should end at \d+\. Remove the file"):
        write_submission(tmp_path / "a.csv", chips, bundle=bundle, parts=tmp_path / "parts", report=SILENT)
    assert not (tmp_path / "a.csv").exists()


def test_a_data_set_without_unlabelled_chips_says_where_they_are_looked_for(tmp_path: Path, bundle: Bundle) -> None:
    """It names the data set's YAML and the key."""
    here = lay_out(Workspace(tmp_path), [])
    with pytest.raises(InputError, match=r"data set toy: has no unlabelled chips.*toy\.yaml, under source\.unlabelled"):
        small(here, bundle)


def test_a_model_of_other_labels_is_refused(here: Workspace, bundle: Bundle) -> None:
    """It is another data set's."""
    with pytest.raises(
        InputError, match=r"labels of data set toy, as .* are others than those of planet\. Name .* or: igarape use toy"
    ):
        seen_by(bundle, small(here, bundle), here, "planet", ("sun", "fog"))


def test_labels_that_blanks_would_take_apart_are_refused(here: Workspace, bundle: Bundle) -> None:
    """The competition could not read them."""
    chips, labels = small(here, bundle), tuple(f"{label} x" for label in VOCABULARY.labels)
    bundle.vocabulary = type(VOCABULARY)(exclusive=labels, alone=(), common=(), rare=())
    with pytest.raises(InputError, match=r"sun x, fog x, tree x and 2 more: the competition separates tags by blanks"):
        seen_by(bundle, chips, here, "toy", labels)


def test_a_copy_takes_no_place_of_what_is_there(tmp_path: Path) -> None:
    """Of the sample file, a folder, a device; an older CSV may go. And it lies where it stays."""
    sample, old = tmp_path / "sample.csv", tmp_path / "old.csv"
    for path in (sample, old):
        path.touch()
    folder = tmp_path / "data/submit"
    check_copy(old, sample, folder=folder)
    check_copy(tmp_path / "new/new.csv", None, folder=folder)
    for out, problem in (
        (sample, "is the sample file"),
        (tmp_path, "is a folder"),
        (Path("/dev/null"), "a device"),
        (old / "a/b.csv", r"old\.csv is no folder"),
        (folder, "is made anew, with submission"),
        (folder / "copy.csv", "a copy there would be lost"),
    ):
        with pytest.raises(InputError, match=problem):
            check_copy(out, sample, folder=folder)
