"""A data set of a project of tests."""

from collections.abc import Mapping
from typing import Any

import yaml

from igarape.workspace import Workspace


def drawn(chips: int = 40, side: int = 2) -> dict[str, Any]:
    """Give a source of drawn chips."""
    return {"kind": "drawn", "chips": chips, "side": side}


def write_dataset(
    here: Workspace, source: Mapping[str, Any], labels: Mapping[str, Any], *, size: int, name: str = "toy", **more: Any
) -> None:
    """Write datasets/NAME.yaml."""
    content = {"source": source, "size": size, "note": "", "resolution": None, "labels": dict(labels), "params": {}}
    here.datasets.mkdir(parents=True, exist_ok=True)
    (here.datasets / f"{name}.yaml").write_text(yaml.safe_dump(content | more), encoding="utf-8")
