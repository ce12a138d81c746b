"""The times of a request, computed from its events."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cphub.domain.clocks import STOPS, Clock, Tick, clocks
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import WaitingOn

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def tick(
    hours: float,
    kind: EventKind,
    waiting_on: WaitingOn | None = None,
    *,
    by_requester: bool = False,
    ends: bool = False,
) -> Tick:
    return Tick(START + hours * HOUR, kind, by_requester, waiting_on, ends)


RECEIVED = tick(0, EventKind.REQUEST_RECEIVED, WaitingOn.COORDINATOR, by_requester=True)


def test_nothing_has_stopped_at_the_start() -> None:
    assert clocks([RECEIVED]) == {}
    assert clocks([]) == {}


def test_a_straight_life() -> None:
    found = clocks(
        [
            RECEIVED,
            tick(2, EventKind.REPLY_WRITTEN),
            tick(5, EventKind.REQUEST_IN_REVIEW, WaitingOn.COMMITTEE),
            tick(30, EventKind.REQUEST_APPROVED, WaitingOn.COORDINATOR),
            tick(31, EventKind.OFFER_SENT, WaitingOn.EXPERT),
            tick(40, EventKind.OFFER_ACCEPTED, WaitingOn.EXPERT),
            tick(100, EventKind.REQUEST_RESOLVED, WaitingOn.REQUESTER),
            tick(110, EventKind.REQUEST_CONFIRMED, by_requester=True, ends=True),
        ]
    )
    none = timedelta()
    assert found == {
        "first_answer": Clock(2 * HOUR, none),
        "decision": Clock(30 * HOUR, none),
        "match": Clock(40 * HOUR, none),
        "resolution": Clock(100 * HOUR, none),
    }


def test_waiting_on_the_requester_does_not_count() -> None:
    found = clocks(
        [
            RECEIVED,
            tick(1, EventKind.REQUEST_ASKED, WaitingOn.REQUESTER),
            tick(25, EventKind.REQUEST_ANSWERED, WaitingOn.COORDINATOR, by_requester=True),
            tick(27, EventKind.REQUEST_TAKEN_ON, WaitingOn.COORDINATOR),
        ]
    )
    assert found["first_answer"] == Clock(HOUR, timedelta())
    assert found["decision"] == Clock(3 * HOUR, 24 * HOUR)


def test_a_second_question_does_not_start_the_wait_again() -> None:
    found = clocks(
        [
            RECEIVED,
            tick(1, EventKind.REQUEST_ASKED, WaitingOn.REQUESTER),
            tick(5, EventKind.REQUEST_ASKED, WaitingOn.REQUESTER),
            tick(11, EventKind.REQUEST_ANSWERED, WaitingOn.COORDINATOR, by_requester=True),
            tick(12, EventKind.REQUEST_RESOLVED, WaitingOn.REQUESTER),
        ]
    )
    assert found["resolution"] == Clock(2 * HOUR, 10 * HOUR)


def test_it_stops_while_the_requester_is_still_waited_for() -> None:
    found = clocks(
        [
            RECEIVED,
            tick(1, EventKind.REQUEST_ASKED, WaitingOn.REQUESTER),
            tick(11, EventKind.REQUEST_RESOLVED, WaitingOn.REQUESTER),
        ]
    )
    assert found["resolution"] == Clock(HOUR, 10 * HOUR)


def test_the_requesters_own_words_answer_nothing() -> None:
    assert clocks([RECEIVED, tick(1, EventKind.REPLY_WRITTEN, by_requester=True)]) == {}


def test_a_note_is_no_answer() -> None:
    assert clocks([RECEIVED, tick(1, EventKind.NOTE_WRITTEN)]) == {}


def test_a_reopened_request_is_resolved_when_it_last_was() -> None:
    found = clocks(
        [
            RECEIVED,
            tick(1, EventKind.REQUEST_CLAIMED, WaitingOn.EXPERT),
            tick(10, EventKind.REQUEST_RESOLVED, WaitingOn.REQUESTER),
            tick(20, EventKind.REQUEST_REOPENED, WaitingOn.EXPERT, by_requester=True),
            tick(25, EventKind.REQUEST_RESOLVED, WaitingOn.REQUESTER),
        ]
    )
    assert found["match"] == Clock(HOUR, timedelta())
    assert found["resolution"] == Clock(15 * HOUR, 10 * HOUR)


kinds = st.sampled_from(EventKind)
holders = st.one_of(st.none(), st.sampled_from(WaitingOn))
later = st.lists(st.tuples(st.integers(0, 1000), kinds, holders, st.booleans()), max_size=30)


@given(later)
def test_counted_and_not_counted_make_up_the_whole(rows: list[tuple[int, EventKind, WaitingOn | None, bool]]) -> None:
    rows.sort(key=lambda row: row[0])
    ticks = [RECEIVED, *(tick(h, k, w, by_requester=b, ends=w is None and b) for h, k, w, b in rows)]
    for name, clock in clocks(ticks).items():
        assert clock.took >= timedelta()
        assert clock.paused >= timedelta()
        moments = [t.at for t in ticks[1:] if t.kind in STOPS[name] and not t.by_requester]
        assert START + clock.took + clock.paused in moments
