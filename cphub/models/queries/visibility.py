"""The policy's reach and audiences, in SQL. Tests compare its answer with the policy's for every viewer and request."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true
from sqlalchemy.orm import aliased

from cphub.domain.events import Audience
from cphub.domain.lifecycle import State
from cphub.domain.offers import OfferState
from cphub.domain.policy import Role, Viewer, Visibility, reach
from cphub.models import Event, Offer, Request, TeamMember


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """The requests that were sent and that this viewer may see."""
    sent = Request.state != State.DRAFT
    scope = reach(viewer)
    if scope.everything:
        return sent
    if scope.person_id is None:
        return and_(sent, Request.visibility == Visibility.PUBLIC)
    return and_(sent, or_(Request.visibility == Visibility.PUBLIC, takes_part(scope.person_id)))


def takes_part(person_id: int, *, joined: bool = True) -> ColumnElement[bool]:
    """The requests in which somebody is requester, lead, on the team, or asked by an open offer.

    ``joined``: also those that others sent and that ask the same as one of theirs.
    """
    team = select(TeamMember.request_id).where(TeamMember.person_id == person_id)
    if not joined:
        team = team.where(TeamMember.role != "joined")
    return or_(
        Request.requester_id == person_id,
        Request.lead_id == person_id,
        Request.id.in_(team),
        Request.id.in_(select(Offer.request_id).where(Offer.person_id == person_id, Offer.state == OfferState.OPEN)),
    )


def unmasked(viewer: Viewer) -> ColumnElement[bool]:
    """Whether the viewer may see what a request withholds from the public."""
    scope = reach(viewer)
    if scope.everything:
        return true()
    return takes_part(scope.person_id, joined=False) if scope.person_id is not None else false()


def asks_unnamed(viewer: Viewer) -> ColumnElement[bool]:
    """Whether an event is the act of somebody who asked the same elsewhere, and whose name is withheld from the
    viewer; for a query over requests and events."""
    theirs = aliased(Request)
    return and_(
        # Coordinators know who asked the same, except around their own case.
        Request.requester_id == viewer.person_id if Role.COORDINATOR in viewer.roles else true(),
        Event.actor_id != viewer.person_id,
        Event.actor_id != Request.requester_id,
        exists().where(
            TeamMember.request_id == Request.id,
            TeamMember.person_id == Event.actor_id,
            TeamMember.role == "joined",
            theirs.requester_id == Event.actor_id,
            theirs.withhold_name,
            theirs.state == State.DUPLICATE,
        ),
    )


def readable(viewer: Viewer) -> ColumnElement[bool]:
    """The events this viewer may read on requests they can see; for a query over both tables."""
    me = viewer.person_id
    if me is None:
        return Event.audience == Audience.PUBLIC
    # Nobody handles their own case, hence reads what is said about it behind the scenes.
    not_mine = Request.requester_id != me
    coordinator = not_mine if Role.COORDINATOR in viewer.roles else false()
    hub = not_mine if viewer.roles & {Role.COORDINATOR, Role.COMMITTEE} else false()
    works = select(TeamMember.request_id).where(TeamMember.person_id == me, TeamMember.role != "joined")
    team = or_(Request.lead_id == me, Request.id.in_(works))
    asked = select(Offer.request_id).where(Offer.person_id == me, Offer.state == OfferState.OPEN)
    inside = or_(Request.requester_id == me, team, Request.id.in_(asked), hub)
    return or_(
        Event.audience == Audience.PUBLIC,
        and_(Event.audience == Audience.PARTICIPANTS, inside),
        and_(Event.audience == Audience.TEAM, or_(team, coordinator)),
        and_(Event.audience == Audience.COORDINATORS, coordinator),
    )
