"""Files that are whole or not there."""

import errno
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from igarape import files
from igarape.errors import InputError
from igarape.files import atomic_path, check_place, digest, fresh_folder, read_json, resumable, write_json, write_text


def left_by_the_dead(path: Path) -> Path:
    """Return the name that a process writes a file under, which has died since."""
    imports = "import os, sys; from pathlib import Path; from igarape.files import atomic_path"
    write = f"{imports}; print(atomic_path(Path(sys.argv[1])).__enter__(), flush=True); os._exit(0)"
    words = [sys.executable, "-c", write, str(path)]
    return Path(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip())


def test_two_processes_that_write_one_file_spoil_nothing(tmp_path: Path) -> None:
    """Each writes under a name of its own, and what one leaves unfinished another one that lives does not remove."""
    script = """if True:
        import sys
        from pathlib import Path
        from igarape.files import atomic_path
        with atomic_path(Path(sys.argv[1])) as unfinished:
            unfinished.write_text("half")
            print(unfinished.name, flush=True)
            sys.stdin.read()
            unfinished.write_text(unfinished.read_text() + " and whole")
    """
    path = tmp_path / "model"
    words = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline().strip() in {file.name for file in tmp_path.iterdir()}
        write_text("ours", path)
        assert path.read_text(encoding="utf-8") == "ours"
        other.communicate()
    assert path.read_text(encoding="utf-8") == "half and whole"
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_machine_has_begun_stays_until_the_step_ends(tmp_path: Path) -> None:
    """Nobody here knows whether its process lives; with the step it has ended."""
    path = tmp_path / "data" / "train"
    with resumable(path, "key") as (folder, _):
        (folder / ".unfinished-1@elsewhere-model").touch()
        write_text("ours", folder / "model")
        assert (folder / ".unfinished-1@elsewhere-model").exists()
    assert [file.name for file in path.iterdir()] == ["model"]


def test_a_file_takes_its_name_only_when_the_block_ended_well(tmp_path: Path) -> None:
    """While it is written there is no file of that name; afterwards there is, and nothing else."""
    path = tmp_path / "new" / "table.csv"
    with atomic_path(path) as unfinished:
        unfinished.write_text("a", encoding="utf-8")
        assert not path.exists()
    assert [file.name for file in path.parent.iterdir()] == ["table.csv"]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves it whole or not there: one that is empty would count as finished. So with a folder's files."""
    synced, sync = set[int](), os.fsync

    def noted(descriptor: int) -> None:
        assert not (tmp_path / "table.csv").exists() and not (tmp_path / "model").exists()
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    with atomic_path(tmp_path / "model") as unfinished:
        (unfinished / "stacker").mkdir(parents=True)
        for name in ("weights", "stacker/trees"):
            (unfinished / name).write_text("a", encoding="utf-8")
    assert synced == {path.stat().st_ino for path in tmp_path.rglob("*") if path.is_file()}
    shutil.rmtree(tmp_path / "model")
    write_text("a", tmp_path / "table.csv")
    assert (tmp_path / "table.csv").stat().st_ino in synced


def test_a_folder_that_another_one_has_just_removed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps side by side keep what is unfinished in one folder, which the one that ends removes when it is empty."""
    tries = list[Path]()

    class Raced(FileLock):
        def acquire(self, *words: Any, **named: Any) -> Any:
            tries.append(Path(self.lock_file))
            if len(tries) == 1:
                tries[0].parent.rmdir()
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", self.lock_file)
            return super().acquire(*words, **named)

    monkeypatch.setattr(files, "FileLock", Raced)
    with resumable(tmp_path / "train", "key") as (folder, _):
        (folder / "model").touch()
    assert len(tries) == 2 and [path.name for path in tmp_path.iterdir()] == ["train"]


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    """Root could do so even with /dev/null, and break the machine."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: is a device or a pipe, no file, and would be lost"):
        write_text("text", tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo() and [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_place_where_no_file_can_be_made_is_told_before_all_else(tmp_path: Path) -> None:
    """Whether or not the folder above is there; where Arrow is to open it, its name is text."""
    latin = tmp_path / b"jo\xe3o.csv".decode("utf-8", "surrogateescape")
    for file in (tmp_path / "a.csv", tmp_path / "new/a.csv", latin):
        check_place(file, "--out")
    for file in (tmp_path / f"{'a' * 600}/a.csv", tmp_path / f"new/{'a' * 600}"):
        with pytest.raises(InputError, match=rf"^--out: no file can be made in {tmp_path} \(File name too long\)"):
            check_place(file, "--out")
    with pytest.raises(InputError, match=r"^--out: is not in UTF-8"):
        check_place(latin, "--out", utf8=True)
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    """Half a file never stands under the final name."""
    path = tmp_path / "table.csv"
    write_text("old", path)

    def half() -> None:
        with atomic_path(path) as unfinished:
            unfinished.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_whole_or_not_there_too(tmp_path: Path) -> None:
    """What a killed process left under the unfinished name is not mixed with the new."""
    left = left_by_the_dead(tmp_path / "model")
    left.mkdir()
    (left / "stale").touch()
    with atomic_path(tmp_path / "model") as unfinished:
        unfinished.mkdir()
        (unfinished / "weights").touch()
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["weights"]
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT"])
def test_a_full_disk_says_where_and_what_next(tmp_path: Path, code: str) -> None:
    """Nothing half-written is left; any other trouble with the disk comes through as it is."""

    def fill(number: int) -> None:
        with atomic_path(tmp_path / "table.csv") as unfinished:
            unfinished.touch()
            raise OSError(number, os.strerror(number))

    with pytest.raises(
        InputError, match=r"table\.csv: no room to write it \(.*MB are free there\)\. Make room and run"
    ):
        fill(getattr(errno, code))
    with pytest.raises(PermissionError):
        fill(errno.EACCES)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_finished_is_there_for_the_next_with_the_same_key(tmp_path: Path) -> None:
    """With another key it starts anew; the folder takes its name, all at once, when the block ends well."""
    path = tmp_path / "data" / "ingest"

    def write(key: str, name: str, *, killed: bool) -> list[str]:
        with resumable(path, key) as (folder, notes):
            (notes / name).touch()
            (folder / name).touch()
            if killed:
                raise KeyboardInterrupt
        return sorted(file.name for file in path.iterdir())

    write_text("old", path / "old")
    for key, name in (("a", "one"), ("b", "two")):
        with pytest.raises(KeyboardInterrupt):
            write(key, name, killed=True)
    assert [file.name for file in path.iterdir()] == ["old"]
    assert write("b", "three", killed=False) == ["three", "two"]
    assert write("b", "four", killed=False) == ["four"]
    assert not (path.parent / ".unfinished").exists()


@pytest.mark.parametrize("links", [True, False])
def test_a_result_is_written_once_where_the_disk_knows_links(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became the result is the very file that was written; elsewhere it is a copy."""

    def refuse(_source: str, _target: str) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "data/ingest"
    with resumable(path, "key") as (folder, _):
        (folder / "shard.tar").write_text("chips", encoding="utf-8")
        written = (folder / "shard.tar").stat()
    found = (path / "shard.tar").stat()
    assert (found.st_ino == written.st_ino) == links and found.st_nlink == 1
    assert (path / "shard.tar").read_text(encoding="utf-8") == "chips" and found.st_mtime_ns == written.st_mtime_ns


def test_two_processes_do_not_write_the_same(tmp_path: Path) -> None:
    """The second is told so at once, whatever its key, and spoils nothing of the first's."""
    path = tmp_path / "train" / "plain"
    with resumable(path, "a") as (folder, _):
        (folder / "fold-0").touch()
        for key in ("a", "b"):
            with pytest.raises(InputError, match=r"train/plain: another process is writing it.*run the step again"):
                resumable(path, key).__enter__()
        (folder / "fold-1").touch()
    assert sorted(file.name for file in path.iterdir()) == ["fold-0", "fold-1"]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def killed_at(allowed: int, path: Path) -> bool:
    """Write a result, and be killed after so many calls at its end that change the disk; say whether it was."""
    calls = itertools.count()

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*words: Any, **named: Any) -> Any:
            if next(calls) >= allowed:
                raise Killed
            return change(*words, **named)

        return changed

    try:
        with pytest.MonkeyPatch.context() as patch, resumable(path, "a") as (folder, notes):
            (folder / "model").touch()
            (notes / "trial").touch()
            for owner, name in ((shutil, "rmtree"), (shutil, "copytree"), (Path, "replace"), (Path, "unlink")):
                patch.setattr(owner, name, counted(getattr(owner, name)))
    except Killed:
        return True
    return False


def test_wherever_the_end_is_killed_nothing_is_lost(tmp_path: Path) -> None:
    """Though whoever runs the step again removes its result first, as DVC does: until all is over, all is there."""
    allowed = 0
    while killed_at(allowed, path := tmp_path / str(allowed) / "plain"):
        left = [file.name for file in path.iterdir()] if path.exists() else []
        assert left in ([], ["model"])
        shutil.rmtree(path, ignore_errors=True)
        with resumable(path, "a") as (folder, notes):
            found = {file.name for part in (folder, notes) for file in part.iterdir()}
        assert found == {"model", "trial"} or (found == set() and left)
        allowed += 1
    assert allowed > 4


def test_a_digest_tells_contents_and_their_order_apart(tmp_path: Path) -> None:
    """Texts, bytes and files count by what they hold; where one ends and the next begins counts too.

    A text may be a path that is no UTF-8.
    """
    (tmp_path / "file").write_text("one", encoding="utf-8")
    assert digest(["one", b"two"]) == digest([tmp_path / "file", "two"])
    kinds = [["one", "two"], ["two", "one"], ["onetwo"], ["one"], ["on", "etwo"], [], ["\udce9"]]
    assert len({digest(contents) for contents in kinds}) == len(kinds)


def test_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Text outside ASCII stays readable in the file."""
    path = tmp_path / "rule.json"
    write_json({"label": "garapé", "threshold": 0.2}, path)
    assert read_json(path) == {"label": "garapé", "threshold": 0.2}
    assert "garapé" in path.read_text(encoding="utf-8")


def test_a_path_of_another_encoding_outlives_json(tmp_path: Path) -> None:
    """What is no UTF-8 is written as JSON spells it, and read as the same path."""
    path = b"/disk/jo\xe3o/a.tif".decode("utf-8", "surrogateescape")
    write_json({"path": path}, tmp_path / "map.json")
    assert read_json(tmp_path / "map.json") == {"path": path}


def test_json_holds_no_nan(tmp_path: Path) -> None:
    """A score that is not a number is an error, not a file that other programs cannot read."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json({"f2": float("nan")}, tmp_path / "metrics.json")
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize("text", ["", '{"a": '])
def test_json_that_is_cut_short_says_what_to_run(tmp_path: Path, text: str) -> None:
    """No traceback of the parser."""
    (tmp_path / "cut.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"cut\.json: no JSON, or cut short: .*Remove it, then: dvc repro"):
        read_json(tmp_path / "cut.json")


def test_a_missing_json_file_says_what_to_run(tmp_path: Path) -> None:
    """The reader learns the file's name and the next command."""
    with pytest.raises(InputError, match=r"best\.json: not found.*dvc repro"):
        read_json(tmp_path / "best.json")


def test_a_fresh_folder_is_empty(tmp_path: Path) -> None:
    """What an earlier run left does not mix with the new."""
    folder = tmp_path / "data" / "train"
    write_text("stale", fresh_folder(folder) / "sub" / "fold-9.onnx")
    assert list(fresh_folder(folder).iterdir()) == []
