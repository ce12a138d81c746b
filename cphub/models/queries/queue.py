"""The coordinators' queue: counted views over the open requests, soonest due first."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, func, or_, select

from cphub.domain.lifecycle import WORKING, WaitingOn
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Request, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.models.queries.requests import Filter, Row, conditions, finish, rows

#: Counts stop here ("99+"): nobody works through more, and counting all would read the whole table.
COUNT_MOST = 100


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
    counts = [
        select(func.count())
        # Says again that they are open, because the indexes by holder have ``waiting_on`` next.
        .select_from(
            select(Request.id)
            .where(_in(v, viewer, today), Request.waiting_on.is_not(None))
            .limit(COUNT_MOST)
            .subquery()
        )
        .scalar_subquery()
        .label(v.value)
        for v in View
    ]
    counted = db.session.execute(select(*counts)).one()
    query = rows(viewer).where(_in(view, viewer, today), *conditions(viewer, wanted))
    query = keyset.soonest_first(query, Request.due_on, Request.id, after)
    page = keyset.page(db.session.execute(query).all(), lambda row: keyset.day_mark(row.due_on, row.id))
    return Queue({v: counted[i] for i, v in enumerate(View)}, Page(finish(page.rows), page.next))


def _in(view: View, viewer: Viewer, today: date) -> Any:
    # Exactly while a request is open it has a date, and by that the queue is in order.
    held = Request.due_on.is_not(None)
    me = viewer.person_id
    match view:
        case View.UNASSIGNED:
            return and_(held, Request.lead_id.is_(None), Request.state.in_(WORKING))
        case View.MINE:
            return and_(held, or_(Request.coordinator_id == me, Request.lead_id == me))
        case View.WAITING_ON_ME:
            mine = or_(Request.coordinator_id == me, Request.coordinator_id.is_(None))
            on_coordinator = and_(Request.waiting_on == WaitingOn.COORDINATOR, mine)
            on_lead = and_(Request.waiting_on == WaitingOn.EXPERT, Request.lead_id == me)
            return and_(held, or_(on_coordinator, on_lead))
        case View.DUE:
            return and_(held, Request.due_on <= today)
        case View.ALL:
            return held
