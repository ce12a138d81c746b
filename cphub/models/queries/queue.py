"""The coordinators' queue: counted views over the open requests, soonest due first."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select, union

from cphub.domain.lifecycle import State, WaitingOn
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Request, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.models.queries.requests import Filter, Row, conditions, finish, rows

#: Counts stop here ("99+"): nobody works through more, and counting all would read the whole table.
COUNT_MOST = 100
#: By date, or by person where one has few; left to itself MariaDB may come from all requests of a kind.
_INDEXES = "FORCE INDEX (ix_request_due, ix_request_coordinator, ix_request_lead)"


class View(StrEnum):
    """The views of the queue. ``unassigned``: open, and nobody leads it yet."""

    UNASSIGNED = "unassigned"
    MINE = "mine"
    WAITING_ON_ME = "waiting_on_me"
    DUE = "due"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Queue:
    counts: dict[View, int]
    page: Page[Row]


def queue(viewer: Viewer, view: View, wanted: Filter, *, today: date, after: str | None = None) -> Queue:
    """One page of a view, and the counts of all views. Raises Forbidden."""
    if not may(viewer, Act.SEE_QUEUE):
        raise Forbidden
    # Exactly while a request is open somebody is waited for, and there is a date. The indexes by person go on with
    # who is waited for; the index that has the page in order begins with the date.
    waited, dated = Request.waiting_on.is_not(None), Request.due_on.is_not(None)
    counts = [_count(_ways(each, viewer, today, waited)).label(each.value) for each in View]
    counted = db.session.execute(select(*counts)).one()
    query = rows(viewer).with_hint(Request, _INDEXES, "mysql")
    query = query.where(dated, or_(*_ways(view, viewer, today, dated)), *conditions(viewer, wanted))
    query = keyset.soonest_first(query, Request.due_on, Request.id, after)
    page = keyset.page(db.session.execute(query).all(), lambda row: keyset.day_mark(row.due_on, row.id))
    most = {each: min(count, COUNT_MOST) for each, count in zip(View, counted, strict=True)}
    return Queue(most, Page(finish(page.rows), page.next))


def _ways(view: View, viewer: Viewer, today: date, is_open: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """The ways in which a request comes into a view; for each there is an index."""
    me = viewer.person_id
    on_coordinator = Request.waiting_on == WaitingOn.COORDINATOR
    match view:
        case View.UNASSIGNED:
            return [and_(is_open, Request.lead_id.is_(None), Request.state != State.RESOLVED)]
        case View.MINE:
            return [and_(is_open, Request.coordinator_id == me), and_(is_open, Request.lead_id == me)]
        case View.WAITING_ON_ME:
            return [
                and_(on_coordinator, Request.coordinator_id == me),
                and_(on_coordinator, Request.coordinator_id.is_(None)),
                and_(Request.waiting_on == WaitingOn.EXPERT, Request.lead_id == me),
            ]
        case View.DUE:
            return [Request.due_on <= today]
        case View.ALL:
            return [is_open]


def _count(ways: list[ColumnElement[bool]]) -> ScalarSelect[int]:
    """How many requests come in one of these ways: as it is below COUNT_MOST, and at least that from there on."""
    some = [select(Request.id).where(way).limit(COUNT_MOST).subquery() for way in ways]
    found = union(*(select(each.c.id) for each in some)) if len(some) > 1 else select(some[0].c.id)
    return select(func.count()).select_from(found.subquery()).scalar_subquery()
