"""What a person has to do with: their requests and drafts, their offers, what waits on them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select, union

from cphub.domain.lifecycle import State, WaitingOn
from cphub.domain.offers import OfferState
from cphub.domain.policy import Viewer
from cphub.models import Offer, Request, TeamMember, db
from cphub.models.queries.requests import Row, finish, rows

MOST = 100


@dataclass(frozen=True, slots=True)
class DraftRow:
    key: str
    title: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    number: int
    title: str


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An open offer to this person."""

    id: int
    number: int
    title: str
    message: str
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Mine:
    """``waiting``: open requests where this person is the one waited for."""

    drafts: list[DraftRow]
    offers: list[OfferRow]
    waiting: list[Row]
    asked: list[Row]
    working: list[Row]


def drafts(viewer: Viewer, most: int = MOST) -> list[DraftRow]:
    """What this person has begun to write and not sent, the latest first."""
    me = viewer.person_id
    found = db.session.execute(
        select(Request.key, Request.title, Request.updated_at)
        .where(
            Request.state == State.DRAFT,
            # What a coordinator writes down for somebody is theirs until it is sent.
            or_(Request.entered_by_id == me, and_(Request.entered_by_id.is_(None), Request.requester_id == me)),
        )
        .order_by(Request.updated_at.desc())
        .limit(most)
    )
    return [DraftRow(*row) for row in found]


def just_sent(viewer: Viewer, *, since: datetime) -> Sent | None:
    """The last request that this person asked for and sent since a moment."""
    found = db.session.execute(
        select(Request.id, Request.title)
        .where(Request.requester_id == viewer.person_id, Request.updated_at > since, Request.sent_at > since)
        .order_by(Request.sent_at.desc())
        .limit(1)
    ).first()
    return Sent(*found) if found else None


def mine(viewer: Viewer) -> Mine:
    """The ``/me`` page of a signed-in person."""
    me = viewer.person_id
    offers = db.session.execute(
        select(Offer.id, Offer.request_id, Request.title, Offer.message, Offer.sent_at, Offer.expires_at)
        .join(Request, Request.id == Offer.request_id)
        .where(Offer.person_id == me, Offer.state == OfferState.OPEN)
        .order_by(Offer.expires_at)
        .limit(MOST)
    )
    sent = Request.state != State.DRAFT
    asked = db.session.execute(
        rows(viewer)
        .where(sent, Request.requester_id == me)
        .order_by(Request.updated_at.desc(), Request.id.desc())
        .limit(MOST)
    ).all()
    # Not an OR: to that MariaDB would look at every request.
    theirs = union(
        select(Request.id).where(Request.lead_id == me),
        select(TeamMember.request_id).where(TeamMember.person_id == me),
    ).subquery()
    working = db.session.execute(
        rows(viewer)
        .join(theirs, theirs.c.id == Request.id)
        .where(sent)
        .order_by(Request.updated_at.desc(), Request.id.desc())
        .limit(MOST)
    ).all()
    waiting = db.session.execute(
        rows(viewer)
        .where(
            or_(
                and_(Request.waiting_on == WaitingOn.REQUESTER, Request.requester_id == me),
                and_(Request.waiting_on == WaitingOn.EXPERT, Request.lead_id == me),
                and_(Request.waiting_on == WaitingOn.COORDINATOR, Request.coordinator_id == me),
            )
        )
        .order_by(Request.due_on, Request.id)
        .limit(MOST)
    ).all()
    return Mine(
        drafts=drafts(viewer),
        offers=[OfferRow(*row) for row in offers],
        waiting=finish(waiting),
        asked=finish(asked),
        working=finish(working),
    )
