"""The policy's reach, in SQL. A test compares its answer with the policy's for every viewer and request."""

from sqlalchemy import ColumnElement, and_, or_, select, true

from cphub.domain.lifecycle import State
from cphub.domain.offers import OfferState
from cphub.domain.policy import Viewer, Visibility, reach
from cphub.models import Offer, Request, TeamMember


def visible(viewer: Viewer) -> ColumnElement[bool]:
    """The requests that were sent and that this viewer may see."""
    sent = Request.state != State.DRAFT
    scope = reach(viewer)
    if scope.everything:
        return sent
    if scope.person_id is None:
        return and_(sent, Request.visibility == Visibility.PUBLIC)
    return and_(sent, or_(Request.visibility == Visibility.PUBLIC, takes_part(scope.person_id)))


def takes_part(person_id: int) -> ColumnElement[bool]:
    """The requests in which somebody is requester, lead, on the team, or asked by an open offer."""
    return or_(
        Request.requester_id == person_id,
        Request.lead_id == person_id,
        Request.id.in_(select(TeamMember.request_id).where(TeamMember.person_id == person_id)),
        Request.id.in_(select(Offer.request_id).where(Offer.person_id == person_id, Offer.state == OfferState.OPEN)),
    )


def unmasked(viewer: Viewer) -> ColumnElement[bool]:
    """Whether the viewer may see what a request withholds from the public."""
    scope = reach(viewer)
    if scope.everything:
        return true()
    return takes_part(scope.person_id) if scope.person_id is not None else ~true()
