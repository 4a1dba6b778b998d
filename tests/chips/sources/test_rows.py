"""Rows: tags taken apart, and the separator that would have been right."""

import pytest

from igarape.chips.sources.rows import other_separator, parse_csv, split_tags
from igarape.errors import InputError

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


def test_two_columns_of_one_name_are_refused() -> None:
    """Which of them is meant, nobody knows; columns without a name may be many."""
    for head in (b"image,tags, tags,,", "a;S\u00e3o;Sa\u0303o;;".encode(), b'\xef\xbb\xbf"x, y"\t"x, y"\t'):
        with pytest.raises(
            InputError, match=r"^t\.csv: two columns of one name: (tags|S\u00e3o|x, y)\. Remove or rename"
        ):
            parse_csv("t.csv", head + b"\n")
    assert list(parse_csv("t.csv", b"a,b,,\n1,2,,\n")[["a", "b"]].iloc[0]) == ["1", "2"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "sep=,"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_excels_line_above_the_columns_is_passed_over(line: str, end: str) -> None:
    """Errors count lines as an editor does."""
    separator = line.strip('"')[-1]
    rows = [line, *(row.replace(",", separator) for row in ("image,tags", "a,road", "b,"))]
    table = parse_csv("t.csv", f"\ufeff{end.join(rows)}{end}".encode())
    assert table.to_dict("list") == {"image": ["a", "b"], "tags": ["road", ""]}
    with pytest.raises(InputError, match="line 5: expected 2 fields"):
        parse_csv("t.csv", end.join([*rows, f"c{separator}road{separator}water"]).encode())
