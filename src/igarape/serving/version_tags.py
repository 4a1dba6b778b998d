"""What a version's tags say: what it scored on the hold-out, and where it came from."""

import re
from collections.abc import Mapping

FIGURE = re.compile(r"holdout_\w+")  # the tags that register sets
LINEAGE = re.compile(r"git_commit|uncommitted_changes|dvc\..+")


def figures_of(tags: Mapping[str, str]) -> dict[str, float]:
    """Return the hold-out's figures among a version's tags, by the names of the tags."""
    return {key: float(value) for key, value in tags.items() if FIGURE.fullmatch(key) and _is_number(value)}


def lineage_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the commit and DVC's hashes of the data among a version's tags, by the names of the tags."""
    return {key: value for key, value in tags.items() if LINEAGE.fullmatch(key)}


def _is_number(text: str) -> bool:
    """Say whether a tag holds a number: anybody may have written it."""
    try:
        float(text)
    except ValueError:
        return False
    return True
