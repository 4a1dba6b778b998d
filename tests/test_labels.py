"""Vocabularies: tags <-> booleans in one order, and the rules that tags can break."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igarape.errors import InputError
from igarape.labels import SEPARATORS, Targets, Vocabulary

WEATHER = Vocabulary(exclusive=("sun", "fog"), alone=("fog",), common=("tree", "pond"), rare=("kiln",))
PLAIN = Vocabulary(exclusive=(), alone=(), common=("tree", "pond"), rare=())


def test_the_columns_are_the_exclusive_then_the_common_then_the_rare_labels() -> None:
    """The order of columns is the data set's own."""
    assert WEATHER.labels == ("sun", "fog", "tree", "pond", "kiln")


def test_a_subset_is_all_labels_or_the_rare_ones() -> None:
    """An experiment's `labels:` picks its columns."""
    assert WEATHER.subset("all") == WEATHER.labels
    assert WEATHER.subset("rare") == ("kiln",)
    assert PLAIN.subset("rare") == ()


def test_a_subset_by_name_has_the_order_of_the_columns() -> None:
    """Its targets have no group unless it is all labels; a name that there is not is an error."""
    assert WEATHER.subset(["kiln", "tree"]) == ("tree", "kiln")
    assert WEATHER.targets(["sun", "kiln"]) == Targets(("sun", "kiln"), partial=True)
    assert WEATHER.targets(WEATHER.labels[::-1]) == WEATHER.targets("all")
    with pytest.raises(InputError, match="unknown tag 'kilm'; did you mean kiln"):
        WEATHER.subset(["kilm"])


def test_the_targets_of_all_labels_know_the_vocabularys_rules() -> None:
    """Which come first, exclude each other and stand alone; they are not a part of something."""
    assert WEATHER.targets("all") == Targets(WEATHER.labels, exclusive=("sun", "fog"), alone=("fog",))
    assert WEATHER.targets("all").grouped == 2


def test_the_targets_of_the_rare_labels_are_partial() -> None:
    """They have no group; where all labels are rare, there is nothing besides."""
    assert WEATHER.targets("rare") == Targets(("kiln",), partial=True)
    assert not Vocabulary(exclusive=(), alone=(), common=(), rare=("kiln",)).targets("rare").partial


@pytest.mark.parametrize(
    ("exclusive", "alone", "fault"), [(("fog",), (), "exclusive labels .* first"), ((), ("sun",), "stand alone among")]
)
def test_targets_in_another_order_are_a_mistake_of_ours(
    exclusive: tuple[str, ...], alone: tuple[str, ...], fault: str
) -> None:
    """Losses and networks take the first columns for the group."""
    with pytest.raises(ValueError, match=fault):
        Targets(("sun", "fog"), exclusive=exclusive, alone=alone)


@given(st.sets(st.sampled_from(WEATHER.labels)))
def test_decoding_undoes_encoding(tags: set[str]) -> None:
    """Any set of tags survives the way to booleans and back."""
    assert set(WEATHER.decode(WEATHER.encode(tags)).split()) == tags


def test_tags_are_a_set() -> None:
    """Order and repeats do not matter: real rows repeat a tag."""
    expected = WEATHER.encode(["sun", "tree"])
    assert expected.dtype == np.bool_
    assert (WEATHER.encode(["tree", "sun", "tree"]) == expected).all()


def test_decoded_tags_stand_in_column_order() -> None:
    """Equal booleans give equal text."""
    assert WEATHER.decode(WEATHER.encode(["kiln", "tree", "sun"])) == "sun tree kiln"


def test_an_unknown_tag_is_refused_with_a_suggestion() -> None:
    """A tag outside the vocabulary stops, it is not dropped."""
    with pytest.raises(InputError, match="unknown tag 'tre'; did you mean tree"):
        WEATHER.encode(["sun", "tre"])


def test_decoding_refuses_another_number_of_columns() -> None:
    """Columns of another vocabulary are not read as if they were these."""
    with pytest.raises(ValueError, match="shorter"):
        WEATHER.decode([True, False])


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("", "has no tag"),
        ("tree", "exactly one of sun, fog should hold, found none"),
        ("sun fog", "exactly one of sun, fog should hold, found fog, sun"),
        ("fog tree kiln", "fog rules out every other label, found kiln, tree"),
    ],
)
def test_a_contradiction_is_said_in_the_labels_words(tags: str, words: str) -> None:
    """Each rule of the vocabulary has its sentence."""
    assert WEATHER.contradiction(WEATHER.encode(tags.split())) == words


@pytest.mark.parametrize("tags", ["fog", "sun", "sun tree pond kiln"])
def test_what_the_rules_allow_is_no_contradiction(tags: str) -> None:
    """A label that stands alone may, and the others may stand beside the rest."""
    assert WEATHER.contradiction(WEATHER.encode(tags.split())) is None


def test_without_an_exclusive_group_only_an_empty_row_is_at_fault() -> None:
    """Aerial chips have no weather."""
    assert PLAIN.contradiction(PLAIN.encode(["tree", "pond"])) is None
    assert PLAIN.contradiction(PLAIN.encode([])) == "has no tag"


@pytest.mark.parametrize(
    ("labels", "separator"),
    [
        (("tree", "pond"), " "),
        (("Airports", "Inland waters"), ","),
        (("Land, with trees", "Água doce"), ";"),
        (("a b,c", "d;e"), "|"),
    ],
)
def test_tags_in_one_text_can_be_told_apart_whatever_labels_hold(labels: tuple[str, ...], separator: str) -> None:
    """By a blank, or by the first separator that no label holds; as a list they need none."""
    vocabulary = Vocabulary(exclusive=(), alone=(), common=labels, rare=())
    assert vocabulary.separator == separator and separator in SEPARATORS.values()
    assert vocabulary.decode([True, True]).split(separator) == list(labels) == vocabulary.names([True, True])
    assert vocabulary.contradiction([True, False]) is None
