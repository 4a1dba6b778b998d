"""Spellings: what differs by case, blanks, _ and - only is one label."""

from igarape.chips.sources.spellings import spell, spelled_alike

CHIPS = [("trees", "Bare-Soil"), ("Trees", "bare_soil"), ("trees", "bare soil"), ("bare soil", "tree"), ("sea", "Sea")]


def test_the_most_frequent_spelling_counts() -> None:
    """Of equally frequent ones the one in small letters; other words stay what they are."""
    assert spelled_alike(CHIPS) == {
        "Trees": "trees",
        "Bare-Soil": "bare soil",
        "bare_soil": "bare soil",
        "Sea": "sea",
    }


def test_after_that_nothing_is_spelled_alike() -> None:
    """Each label stands once, whatever ways a chip writes it in; the order is kept."""
    spellings = spelled_alike(CHIPS)
    spelled = [spell(tags, spellings) for tags in CHIPS]
    assert spelled[0] == ("trees", "bare soil") and spelled[-1] == ("sea",)
    assert spelled_alike(spelled) == {}
