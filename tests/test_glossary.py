"""A word of the trade is linked to the glossary where it first stands, in the order of the book."""

import pytest
from glossary_walk import CHAPTERS, prose, terms, uses

# Words that are first used in their everyday sense.
EVERYDAY = {"loss", "switch", "connection", "front", "map", "field", "head"}
pytestmark = pytest.mark.texts

TEXTS = {path.stem: prose(path) for path in CHAPTERS}


def test_there_are_words_and_chapters_to_walk_through():
    assert len(terms()) > 90
    assert len(TEXTS) > 19
    assert sum(any(uses(term, TEXTS)) for term in terms()) > 80


@pytest.mark.parametrize("term", sorted(set(terms()) - EVERYDAY))
def test_a_word_is_linked_where_it_first_stands(term):
    first = next(uses(term, TEXTS), None)
    assert first is None or first.linked, (
        f"{term!r} first stands in {first.chapter}, without a link: ... {first.words} ..."
    )
