"""An S3 for tests of sites."""

from collections.abc import Iterator

import pytest
from buckets import KEY, REGION, SECRET, Store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give a store, to which the environment leads."""
    store = Store()
    told = {"ENDPOINT_URL": store.endpoint, "ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET, "DEFAULT_REGION": REGION}
    for name, value in told.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    store.client().create_bucket(Bucket="scenes")
    yield store
    store.stop()
