"""Finding a request for somebody, and the policy's view of it."""

from sqlalchemy import literal, select, union_all

from cphub.domain import lifecycle
from cphub.domain.lifecycle import State, Verb
from cphub.domain.offers import OfferState
from cphub.domain.policy import Act, Subject, Viewer, may, parts
from cphub.errors import Conflict, Forbidden, NotFound
from cphub.models import Event, Offer, Request, TeamMember, db
from cphub.models.engine import begin_write


def subject_of(request: Request) -> Subject:
    """The policy's view of a request, with its team and open offers as they are now."""
    team: set[int] = set()
    joined: set[int] = set()
    offered: set[int] = set()
    for person_id, role in db.session.execute(
        union_all(
            select(TeamMember.person_id, TeamMember.role).where(TeamMember.request_id == request.id),
            select(Offer.person_id, literal("offered")).where(
                Offer.request_id == request.id, Offer.state == OfferState.OPEN
            ),
        )
    ):
        {"joined": joined, "offered": offered}.get(role, team).add(person_id)
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
    viewer: Viewer, number: int, act: Act | Verb = Act.SEE, *, lock: bool = False, seen: int | None = None
) -> tuple[Request, Subject]:
    """The request with this number and the policy's view of it.

    ``lock``: as it is now, and nobody else changes it until the transaction ends. Every use case that writes an
    event asks for it, for two that append to one request would otherwise wait for each other on MariaDB.
    ``seen``: the version of it that the viewer was looking at.

    Raises NotFound when there is none or the viewer may not know of it; Conflict("requests-conflict-changed") when
    it is no longer the version seen, to those who may do this or took part; Conflict("requests-conflict-verb") when
    the verb no longer fits its state; Forbidden when they may not do this at all.
    """
    request = read(number, lock=lock)
    if request is None:
        raise NotFound
    subject = subject_of(request)
    if not may(viewer, Act.SEE, subject):
        raise NotFound
    allowed = may(viewer, act, subject)
    if viewer.blocked and not allowed:
        raise Forbidden("errors-blocked")
    fits = isinstance(act, Verb) and lifecycle.ever(act, parts(viewer, subject))
    # Whoever was too late is told what changed, even where the change took them out of it.
    if seen is not None and seen != request.version and (allowed or fits or _took_part(viewer, number)):
        raise Conflict("requests-conflict-changed", number=number, since=seen)
    if not allowed:
        if isinstance(act, Verb) and fits:
            raise Conflict("requests-conflict-verb", state=request.state.value, verb=act.value)
        raise Forbidden
    return request, subject


def _took_part(viewer: Viewer, number: int) -> bool:
    mine = select(Event.id).where(Event.request_id == number, Event.actor_id == viewer.person_id)
    return viewer.person_id is not None and db.session.scalar(mine.limit(1)) is not None


def read(number: int, *, lock: bool = False) -> Request | None:
    """The request, whoever may see it; ``lock`` as for ``find``."""
    if lock:
        begin_write(db.session)
    return db.session.get(Request, number, populate_existing=lock, with_for_update=lock or None)
