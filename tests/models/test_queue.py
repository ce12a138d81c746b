"""The queue: each view shows what it says, the counts agree with the lists, and pages are complete."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from cphub.domain.lifecycle import OPEN, WORKING, State, Track, WaitingOn
from cphub.domain.policy import ANONYMOUS, Role, Viewer, Visibility
from cphub.errors import Forbidden, Invalid
from cphub.models import Person, Request, RequestKind, db
from cphub.models.queries import me, queue
from cphub.models.queries.keyset import PAGE
from cphub.models.queries.queue import COUNT_MOST, View
from cphub.models.queries.requests import Filter
from tests.conftest import FixedClock
from tests.services import making

MEI = Viewer(1, frozenset({Role.COORDINATOR}))


@pytest.fixture
def database_url(engine_url: str) -> str:
    return engine_url


@pytest.fixture(autouse=True)
def _inside(app: Flask, clock: FixedClock) -> Iterator[None]:
    with app.app_context():
        for number, name in ((1, "Mei"), (2, "Noor"), (3, "Asha"), (4, "Kofi")):
            db.session.add(Person(id=number, central_id=f"{number}", name=name, created_at=clock()))
        db.session.commit()
        yield


@pytest.fixture
def today(clock: FixedClock) -> date:
    return clock().date()


@pytest.fixture
def put(clock: FixedClock, today: date):  # type: ignore[no-untyped-def]
    """Writes a request as it would stand in the table; gives its number."""

    def _put(state: State = State.RECEIVED, due: int = 3, **values: object) -> int:
        held = state in OPEN
        given = {
            "key": f"key-{making.next_key()}", "title": "Maps", "body": "Many maps.", "requester_id": 3,
            "state": state, "waiting_on": WaitingOn.COORDINATOR if held else None,
            "next_step": "coordinator_reads" if held else None, "due_on": today + timedelta(days=due) if held else None,
            "created_at": clock(), "updated_at": clock(),
        } | values  # fmt: skip
        request = Request(**given)
        db.session.add(request)
        db.session.commit()
        return request.id

    return _put


@pytest.fixture
def shown(today: date):  # type: ignore[no-untyped-def]
    def _shown(view: View, viewer: Viewer = MEI, **wanted: object) -> list[int]:
        return [row.number for row in queue.queue(viewer, view, Filter(**wanted), today=today).page.rows]  # type: ignore[arg-type]

    return _shown


@pytest.mark.parametrize(
    "viewer",
    [ANONYMOUS, Viewer(3), Viewer(3, expert=True), Viewer(3, frozenset({Role.COMMITTEE, Role.ADMIN}))],
)
def test_only_coordinators_have_a_queue(viewer: Viewer, today: date) -> None:
    with pytest.raises(Forbidden):
        queue.queue(viewer, View.ALL, Filter(), today=today)


def test_views(put, shown) -> None:  # type: ignore[no-untyped-def]
    fresh = put()
    mine = put(State.IN_REVIEW, coordinator_id=1, waiting_on=WaitingOn.COMMITTEE, next_step="committee_decides")
    hers = put(State.MATCHING, coordinator_id=2)
    led = put(State.IN_PROGRESS, lead_id=4, coordinator_id=2, waiting_on=WaitingOn.EXPERT, next_step="lead_works")
    i_lead = put(State.IN_PROGRESS, lead_id=1, coordinator_id=2, waiting_on=WaitingOn.EXPERT, next_step="lead_works")
    answered = put(State.RESOLVED, waiting_on=WaitingOn.REQUESTER, next_step="requester_confirms")
    put(State.CLOSED)
    put(State.DRAFT)
    put(State.WITHDRAWN, coordinator_id=1)
    assert shown(View.ALL) == [fresh, mine, hers, led, i_lead, answered]
    assert shown(View.UNASSIGNED) == [fresh, mine, hers]
    assert shown(View.MINE) == [mine, i_lead]
    assert shown(View.WAITING_ON_ME) == [fresh, i_lead]


def test_due_is_what_is_due_today_or_was_before(put, shown) -> None:  # type: ignore[no-untyped-def]
    late, today_, _ = put(due=-2), put(due=0), put(due=1)
    assert shown(View.DUE) == [late, today_]


def test_every_open_state_is_in_all_and_no_other(put, shown) -> None:  # type: ignore[no-untyped-def]
    numbers = {put(state): state for state in State}
    assert {numbers[n] for n in shown(View.ALL)} == set(OPEN)
    assert {numbers[n] for n in shown(View.UNASSIGNED)} == set(WORKING)


def test_requests_of_the_hub_are_in_it_and_nothing_is_masked_for_coordinators(put, shown, today: date) -> None:  # type: ignore[no-untyped-def]
    put(visibility=Visibility.HUB, withhold_name=True, withhold_country=True, country="GH")
    (row,) = queue.queue(MEI, View.ALL, Filter(), today=today).page.rows
    assert (row.requester, row.country) == ("Asha", "GH")


def test_filters(put, shown) -> None:  # type: ignore[no-untyped-def]
    plain = put(language="en", track=Track.QUESTION)
    upload = put(State.MATCHING, language="fr", track=Track.PROJECT)
    db.session.add_all([RequestKind(request_id=upload, kind="upload"), RequestKind(request_id=upload, kind="training")])
    db.session.commit()
    assert shown(View.ALL, kind="upload") == [upload]
    assert shown(View.ALL, language="en") == [plain]
    assert shown(View.ALL, state=State.MATCHING) == [upload]
    assert shown(View.ALL, track=Track.QUESTION) == [plain]
    assert shown(View.ALL, track=Track.QUESTION, kind="upload") == []


def test_kinds_come_with_the_row(put, today: date) -> None:  # type: ignore[no-untyped-def]
    number = put()
    db.session.add_all([RequestKind(request_id=number, kind=kind) for kind in ("upload", "training")])
    db.session.commit()
    (row,) = queue.queue(MEI, View.ALL, Filter(), today=today).page.rows
    assert set(row.kinds) == {"upload", "training"}


def test_counts_are_of_all_views_whatever_is_filtered(put, today: date) -> None:  # type: ignore[no-untyped-def]
    put(due=-1, coordinator_id=1)
    put(coordinator_id=2)
    counts = queue.queue(MEI, View.DUE, Filter(language="xx"), today=today).counts
    assert counts == {View.UNASSIGNED: 2, View.MINE: 1, View.WAITING_ON_ME: 1, View.DUE: 1, View.ALL: 2}


def test_counting_stops_at_a_hundred(put, today: date) -> None:  # type: ignore[no-untyped-def]
    for _ in range(COUNT_MOST + 5):
        put()
    assert queue.queue(MEI, View.MINE, Filter(), today=today).counts[View.ALL] == COUNT_MOST


def test_pages_are_soonest_first_complete_and_without_repetition(put, today: date) -> None:  # type: ignore[no-untyped-def]
    numbers = [put(due=n % 4) for n in range(2 * PAGE + 7)]
    seen: list[tuple[date | None, int]] = []
    after = None
    for _ in range(3):
        page = queue.queue(MEI, View.ALL, Filter(), today=today, after=after).page
        seen += [(row.due_on, row.number) for row in page.rows]
        after = page.next
    assert after is None
    assert seen == sorted(seen)
    assert {number for _, number in seen} == set(numbers)


@pytest.mark.parametrize("mark", ["x", "20260101", "20260101-", "20269999-1", "2026-01-01-1"])
def test_a_mark_that_is_not_ours_is_refused(mark: str, today: date) -> None:
    with pytest.raises(Invalid):
        queue.queue(MEI, View.ALL, Filter(), today=today, after=mark)


def test_statements_do_not_grow_with_the_rows(put, today: date) -> None:  # type: ignore[no-untyped-def]
    def statements() -> int:
        seen: list[str] = []

        def note(_connection, _cursor, statement: str, *_: object) -> None:  # type: ignore[no-untyped-def]
            seen.append(statement)

        db.session.rollback()
        sa.event.listen(db.engine, "before_cursor_execute", note)
        try:
            queue.queue(MEI, View.ALL, Filter(), today=today)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    put()
    few = statements()
    for _ in range(20):
        put()
    assert statements() == few == 2


# What a person has to do with


def test_a_draft_written_for_somebody_belongs_to_the_writer(put) -> None:  # type: ignore[no-untyped-def]
    put(State.DRAFT, title="For Asha", entered_by_id=1)
    put(State.DRAFT, title="Her own")
    assert [draft.title for draft in me.mine(Viewer(3)).drafts] == ["Her own"]
    assert [draft.title for draft in me.mine(Viewer(1)).drafts] == ["For Asha"]


def test_mine_waiting_is_what_waits_on_this_person(put) -> None:  # type: ignore[no-untyped-def]
    asked = put(State.RECEIVED, waiting_on=WaitingOn.REQUESTER, next_step="requester_answers", coordinator_id=1)
    put(State.RECEIVED, coordinator_id=2)
    works = put(State.IN_PROGRESS, waiting_on=WaitingOn.EXPERT, next_step="lead_works", lead_id=4, requester_id=2)
    hers = put(State.RECEIVED, coordinator_id=1, requester_id=2)

    def waiting(person: int) -> list[int]:
        return [row.number for row in me.mine(Viewer(person)).waiting]

    assert (waiting(3), waiting(4), waiting(1)) == ([asked], [works], [hers])
    assert [row.number for row in me.mine(Viewer(4)).working] == [works]
