"""Pictures and a table laid out, and looked at as `igarape add` does, for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from igarape.chips.pictures import encode_jpeg
from igarape.chips.sources.discovery import Discovery, discover
from igarape.progress import no_report


def picture(seed: int, side: int = 32) -> bytes:
    """Encode a picture of noise."""
    return encode_jpeg(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8), 90)


def discovered(
    root: Path,
    rows: Sequence[str],
    *,
    head: str = "image_name,tags",
    count: int | None = None,
    side: int = 32,
    **how: Any,
) -> Discovery:
    """Lay out a table and pictures, c_0 and so on, and look at them. count: of pictures; None: one for each row."""
    (root / "a").mkdir(exist_ok=True)
    for number in range(len(rows) if count is None else count):
        (root / f"a/c_{number}.jpg").write_bytes(picture(number, side))
    (root / "t.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    usual: dict[str, Any] = {
        "labels": None,
        "group": None,
        "split": None,
        "bands": [],
        "size": None,
        "tags": "t.csv",
        "images": "a",
    }
    return discover(root, spool=root / ".spool", report=no_report, **usual | how)
