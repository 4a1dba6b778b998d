"""Spellings: one label that a table writes in several ways, such as Trees beside trees, bare_soil beside bare-soil."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from unicodedata import normalize

Tags = tuple[str, ...]


def spelled_alike(tags: Iterable[Tags]) -> dict[str, str]:
    """Return each spelling that differs from a more frequent one by case, blanks, _ and - only, with that one.

    tags: of each chip. Of spellings that are equally frequent the one in small letters counts.
    """
    counts = Counter(tag for own in tags for tag in own)
    alike: dict[str, list[str]] = defaultdict(list)
    for tag in sorted(counts, key=lambda tag: (-counts[tag], tag != tag.lower(), tag)):
        alike[re.sub(r"[\s_-]+", " ", normalize("NFKC", tag).casefold())].append(tag)
    return dict(sorted((other, first) for first, *others in alike.values() for other in others))


def spell(tags: Iterable[str], spellings: Mapping[str, str]) -> Tags:
    """Return tags in the data set's spelling, each once."""
    return tuple(dict.fromkeys(spellings.get(tag, tag) for tag in tags))
