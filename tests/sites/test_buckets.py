"""What is new in a bucket is copied, once; against moto's server."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from buckets import Store

from igarape.errors import InputError
from igarape.sites.buckets import fetch, local


def test_scenes_and_items_are_copied_once_and_again_when_they_change(store: Store, tmp_path: Path) -> None:
    """With the folders below the prefix; nothing else, and nothing outside the folder."""
    client = store.client()
    names = ("river/2024/a.tif", "river/a.json", "river/notes.txt", "river/../../out.tif", "other/b.tif")
    for name in names:
        client.put_object(Bucket="scenes", Key=name, Body=name.encode())
    fetched: list[int] = []
    inbox = tmp_path / "site/inbox"
    assert fetch("s3://scenes/river", inbox, report=lambda done, _: fetched.append(done)) == inbox
    found = {path.relative_to(inbox).as_posix(): path.read_text() for path in inbox.rglob("*") if path.is_file()}
    assert found == {"2024/a.tif": names[0], "a.json": names[1]} and len(fetched) == 2
    fetch("s3://scenes/river/", inbox, report=lambda done, _: fetched.append(done))
    assert len(fetched) == 2
    client.put_object(Bucket="scenes", Key="river/2024/a.tif", Body=b"longer than it was before")
    bar = nullcontext(lambda done, _: fetched.append(done))
    for asked, found_at in (("s3://scenes/river", inbox), (tmp_path, tmp_path)):
        assert local(asked, inbox, show=lambda: bar) == found_at
    assert len(fetched) == 3 and (inbox / "2024/a.tif").read_text() == "longer than it was before"
    assert not list(tmp_path.rglob("out.tif"))


def test_a_bucket_that_is_none_and_one_without_scenes_are_told(store: Store, tmp_path: Path) -> None:
    """In one line, with what to look at."""
    store.client().create_bucket(Bucket="empty")
    for address, said in (
        ("s3://empty/river", "no scene in it"),
        ("s3://nowhere/x", "NoSuchBucket.*AWS_ENDPOINT_URL"),
    ):
        with pytest.raises(InputError, match=said):
            fetch(address, tmp_path / "inbox", report=lambda *_: None)
    assert not (tmp_path / "inbox").exists()
