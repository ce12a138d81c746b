"""Handing a request over to the person it was written down for, once they have signed in with an account."""

from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import update

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Conflict, Forbidden, NotFound
from cphub.hub import hub
from cphub.models import InboxItem, Person, Request, TeamMember, db
from cphub.models.engine import begin_write
from cphub.services.record import record
from cphub.services.requests.subject import find

#: A link is good for this long; a coordinator can always make another.
LINK_LIFE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Handover:
    """What somebody who was given a link is told before they take the request over."""

    number: int
    title: str
    name: str


def handover_link(viewer: Viewer, number: int) -> str | None:
    """The address to give to the guest a request was entered for; None when its requester has an account."""
    request, _ = find(viewer, number, Act.STAFF)
    if request.requester.central_id is not None:
        return None
    token = _signer().dumps([request.id, request.requester_id, _today()])
    return f"{hub().settings.BASE_URL.rstrip('/')}/requests/take-over/{token}"


def see_handover(token: str) -> Handover:
    """What the link is for. Raises NotFound for a wrong or old link, Conflict for one that was used."""
    request = _open(token)
    return Handover(request.id, request.title, request.requester.name)


def take_over(viewer: Viewer, token: str) -> Request:
    """Make the viewer the requester in the guest's place; of several who try, the first. The guest is forgotten.

    Raises what ``see_handover`` raises, and Forbidden for the coordinator who wrote the request down.
    """
    if viewer.person_id is None or not may(viewer, Act.WRITE):
        raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
    begin_write(db.session)
    request = _open(token, lock=True)
    if request.entered_by_id == viewer.person_id:
        raise Forbidden("requests-error-take-over-own")
    guest = request.requester
    for told in (InboxItem, TeamMember):
        db.session.execute(update(told).where(told.person_id == guest.id).values(person_id=viewer.person_id))
    request.requester_id = viewer.person_id
    db.session.flush()
    db.session.expire(request, ["requester"])
    db.session.delete(guest)
    record(
        request,
        EventKind.REQUEST_HANDED_OVER,
        actor=viewer.person_id,
        now=clock.now(),
        payload={"person": viewer.person_id},
    )
    db.session.commit()
    return request


def _open(token: str, *, lock: bool = False) -> Request:
    try:
        number, guest_id, made = _signer().loads(token)
    except (BadSignature, ValueError):
        raise NotFound from None
    if _today() - made > LINK_LIFE.days:
        raise NotFound
    request = db.session.get(Request, number, with_for_update=lock or None, populate_existing=True)
    if request is None:
        raise NotFound
    guest = db.session.get(Person, request.requester_id)
    if request.requester_id != guest_id or guest is None or guest.central_id is not None:
        raise Conflict("requests-conflict-taken-over", number=number)
    return request


def _today() -> int:
    return clock.now().toordinal()


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(hub().settings.SECRET_KEY.reveal(), salt="handover")
