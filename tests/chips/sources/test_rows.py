"""Rows: tags taken apart, and the separator that would have been right."""

import pytest

from igarape.chips.sources.rows import other_separator, split_tags

LABELS = ["Arable land", "Land, natural", "Pastures"]


@pytest.mark.parametrize(
    ("text", "separator", "tags"),
    [
        ("road  water", "blank", ("road", "water")),
        ("Arable land, Pastures,", "comma", ("Arable land", "Pastures")),
        ("Land, natural;Pastures", "semicolon", ("Land, natural", "Pastures")),
        ("a|b", "pipe", ("a", "b")),
        ("['Land, natural', 'Pastures']", "list", ("Land, natural", "Pastures")),
        ('["a"]', "list", ("a",)),
        ("", "blank", ()),
        ("", "list", ()),
        ("road", "list", ("road",)),
        ("[open(1)]", "list", ("[open(1)]",)),
    ],
)
def test_a_text_is_taken_apart_by_its_separator(text: str, separator: str, tags: tuple[str, ...]) -> None:
    """Blanks around tags do not count; what is no list is one tag, and is never run."""
    assert split_tags(text, separator) == tags


def test_another_separator_is_found_where_it_gives_known_labels_only() -> None:
    """A label that holds the separator itself is no reason to suggest it."""
    assert other_separator("Arable land;Pastures", "comma", LABELS) == "semicolon"
    assert other_separator("['Pastures']", "comma", LABELS) == "list"
    assert other_separator("Arable land;Pasture", "comma", LABELS) is None
    assert other_separator("Pastures", "comma", LABELS) is None
