"""The invented requests are such as the tool itself would have made."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench import words
from bench.stories import COORDINATOR, LONG_EVERY, MEMBER, Stories
from bench.words import Vocabulary
from cphub.domain.lifecycle import OPEN
from cphub.domain.search import document
from cphub.models import Base, Event, Reply, Request
from tests.bench.conftest import NOW, SIZE


def test_the_same_size_gives_the_same_rows() -> None:
    assert list(Stories(40, NOW).rows()) == list(Stories(40, NOW).rows())


def test_every_row_points_at_rows_that_are_there(filled: Session) -> None:
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            column, target = key.parent, key.column
            lost = sa.select(sa.func.count()).where(column.is_not(None), column.not_in(sa.select(target)))
            assert filled.scalar(lost) == 0, f"{table.name}.{column.name}"


def test_one_in_twenty_is_open_and_held_by_somebody(filled: Session) -> None:
    found = filled.scalars(sa.select(Request)).all()
    waited_for = [request for request in found if request.waiting_on]
    assert len(found) == SIZE
    assert {request.state for request in waited_for} <= OPEN
    assert 0.02 < len(waited_for) / SIZE < 0.09


def test_a_long_request_has_twenty_events_and_nothing_happened_in_the_future(filled: Session) -> None:
    number = filled.scalar(sa.select(sa.func.count()).where(Event.request_id == LONG_EVERY))
    assert number == 20
    assert filled.scalars(sa.select(sa.func.max(Event.at))).one() <= NOW
    said = set(filled.scalars(sa.select(Reply.id)))
    assert said == {event.payload["reply"] for event in filled.scalars(sa.select(Event)) if "reply" in event.payload}


def test_the_people_who_look_have_something_to_look_at(filled: Session) -> None:
    asked = sa.select(sa.func.count()).where(Request.requester_id == MEMBER)
    handled = sa.select(sa.func.count()).where(Request.coordinator_id == COORDINATOR)
    assert filled.scalar(asked) == 20
    assert (filled.scalar(handled) or 0) > 20


def test_search_finds_the_words_it_is_measured_with(filled: Session) -> None:
    for word, least in ((words.FREQUENT, SIZE // 10), (words.ORDINARY, 1)):
        match = sa.text("SELECT COUNT(*) FROM request_search WHERE MATCH (open_tokens) AGAINST (:word IN BOOLEAN MODE)")
        assert filled.scalar(match, {"word": f"+{document(word)}"}) >= least


def test_words_are_indexed_as_the_tool_does() -> None:
    vocabulary = Vocabulary()
    some = [vocabulary.word(place) for place in range(0, 4_000, 100)]
    assert vocabulary.document(some) == document(" ".join(some))
