"""Finding a request for somebody, and the policy's view of it."""

from sqlalchemy import select

from cphub.domain.lifecycle import State, Verb
from cphub.domain.offers import OfferState
from cphub.domain.policy import Act, Subject, Viewer, may
from cphub.errors import Conflict, Forbidden, NotFound
from cphub.models import Offer, Request, TeamMember, db


def subject_of(request: Request) -> Subject:
    """The policy's view of a request, with its team and open offers as they are now."""
    team: set[int] = set()
    joined: set[int] = set()
    for person_id, role in db.session.execute(
        select(TeamMember.person_id, TeamMember.role).where(TeamMember.request_id == request.id)
    ):
        (joined if role == "joined" else team).add(person_id)
    offered = db.session.scalars(
        select(Offer.person_id).where(Offer.request_id == request.id, Offer.state == OfferState.OPEN)
    )
    owners = {request.requester_id}
    if request.state is State.DRAFT and request.entered_by_id is not None:
        owners = {request.entered_by_id}
    return Subject(
        state=request.state,
        track=request.track,
        visibility=request.visibility,
        owner_ids=frozenset(owners),
        lead_id=request.lead_id,
        team_ids=frozenset(team),
        joined_ids=frozenset(joined),
        offered_ids=frozenset(offered),
        waiting_on=request.waiting_on,
    )


def find(
    viewer: Viewer, number: int, act: Act | Verb = Act.SEE, *, fresh: bool = False, lock: bool = False
) -> tuple[Request, Subject]:
    """The request with this number and the policy's view of it. ``fresh``: read it again, whatever is in memory.
    ``lock``: nobody else changes it until the transaction ends.

    Raises NotFound when there is none or the viewer may not know of it, Conflict("requests-conflict-verb") when
    they may see it but the verb no longer fits its state, Forbidden when they may not do this.
    """
    request = db.session.get(Request, number, populate_existing=fresh, with_for_update=lock or None)
    if request is None:
        raise NotFound
    subject = subject_of(request)
    if not may(viewer, Act.SEE, subject):
        raise NotFound
    if not may(viewer, act, subject):
        if viewer.blocked:
            raise Forbidden("errors-blocked")
        if isinstance(act, Verb) and viewer.person_id is not None:
            raise Conflict("requests-conflict-verb", state=request.state.value, verb=act.value)
        raise Forbidden
    return request, subject
