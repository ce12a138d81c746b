"""Offers and claims: asking experts, their answers, and the one place of the lead.

However many accept or claim at once, the conditional UPDATE of the request lets exactly one in; the others are told
who was first.
"""

from sqlalchemy import ColumnElement, select

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import OFFER_LIFE, Verb
from cphub.domain.offers import OfferReason, OfferState
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import Expert, Offer, Request, db
from cphub.services import matching, requests
from cphub.services.record import record
from cphub.services.requests import offered
from cphub.services.requests.moves import HUB, apply, held

#: Offers that may be open at once for one request (design section 4).
AT_ONCE = 2
MESSAGE_MOST = 1_000
REASON_MOST = 500


def send(viewer: Viewer, number: int, expert_id: int, *, message: str = "", seen: int | None = None) -> Offer:
    """Ask an expert. Commits. Raises Invalid("expert") with the reason when this expert cannot be asked now."""
    request, subject = requests.find(viewer, number, Verb.OFFER, lock=True, seen=seen)
    if len(message.strip()) > MESSAGE_MOST:
        raise Invalid({"message": "requests-error-too-long"})
    if len(subject.offered_ids) >= AT_ONCE:
        raise Invalid({"expert": "offers-error-enough"})
    expert = _lock(Expert.id == expert_id)
    if expert is None:
        raise Invalid({"expert": "offers-error-no-expert"})
    if expert.person_id in subject.offered_ids:
        raise Invalid({"expert": "offers-error-asked-already"})
    now = clock.now()
    against = matching.barrier_now(request, expert, today=now.date())
    if against is not None:
        raise Invalid({"expert": f"offers-barrier-{against.value}"})
    apply(request, subject, Verb.OFFER, viewer, now=now, values={})
    offer = Offer(
        request_id=number, expert_id=expert.id, person_id=expert.person_id, message=message.strip(),
        sent_by_id=viewer.person_id, sent_at=now, expires_at=now + OFFER_LIFE,
    )  # fmt: skip
    db.session.add(offer)
    expert.last_asked = now
    offered.tell(request, EventKind.OFFER_SENT, viewer.person_id, offer)
    db.session.commit()
    return offer


def accept(viewer: Viewer, offer_id: int) -> Request:
    """Say yes and become the lead. Commits. Raises Conflict("offers-conflict-taken") when somebody else leads."""
    offer = _mine(viewer, offer_id)
    try:
        return _lead(viewer, offer.request_id, Verb.ACCEPT, offer)
    except NotFound:  # it is not public, and was shown to them for the time of the offer
        raise Conflict("offers-conflict-ended", number=offer.request_id) from None


def claim(viewer: Viewer, number: int) -> Request:
    """Take a request without being asked and become the lead. Commits. Raises like ``accept``."""
    return _lead(viewer, number, Verb.CLAIM, None)


def request_of(viewer: Viewer, offer_id: int) -> int:
    """The number of the request an offer is for. Raises NotFound for who has nothing to do with the offer."""
    offer = db.session.get(Offer, offer_id)
    if offer is None or viewer.person_id is None:
        raise NotFound
    if offer.person_id != viewer.person_id and not may(
        viewer, Act.SEE_MATCHES, requests.find(viewer, offer.request_id)[1]
    ):
        raise NotFound
    return offer.request_id


def decline(viewer: Viewer, offer_id: int, reason: str, text: str = "") -> Offer:
    """Say no, with a reason that only coordinators read. Commits."""
    offer = _mine(viewer, offer_id)
    problems = {}
    if reason not in set(OfferReason):
        problems["offer_reason"] = "offers-error-reason"
    if len(text.strip()) > REASON_MOST:
        problems["reason_text"] = "requests-error-too-long"
    if problems:
        raise Invalid(problems)
    return _end(viewer, offer, Verb.DECLINE_OFFER, OfferState.DECLINED, reason=reason, reason_text=text.strip())


def withdraw(viewer: Viewer, offer_id: int) -> Offer:
    """A coordinator takes an offer back. Commits."""
    offer = db.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    if not may(viewer, Act.STAFF, requests.find(viewer, offer.request_id)[1]):
        raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
    return _end(viewer, offer, Verb.WITHDRAW_OFFER, OfferState.WITHDRAWN)


def expire(offer_id: int) -> Offer:
    """The time of an offer is over. Commits."""
    return _end(HUB, db.session.get_one(Offer, offer_id), Verb.EXPIRE_OFFER, OfferState.EXPIRED)


def _lead(viewer: Viewer, number: int, verb: Verb, offer: Offer | None) -> Request:
    """Let the viewer in as the lead, if the place is still free and nothing stands against it at this moment."""
    request, subject = requests.find(viewer, number, lock=True)
    if viewer.person_id is not None and request.lead_id == viewer.person_id:
        return request  # a second click
    if request.lead_id is not None:
        raise Conflict("offers-conflict-taken", number=number, lead=request.lead_id)
    if offer is not None and viewer.person_id not in subject.offered_ids:
        raise Conflict("offers-conflict-ended", number=number)
    if viewer.person_id in subject.owner_ids:
        raise Conflict("offers-barrier-self", number=number)
    if verb is Verb.CLAIM and not viewer.expert:
        raise Forbidden("errors-blocked" if viewer.blocked else "offers-error-no-profile")
    requests.find(viewer, number, verb)
    # Two claims by one expert at once must not both find the last place free.
    expert = _lock(Expert.person_id == viewer.person_id)
    if expert is None:
        raise Forbidden("offers-error-no-profile")
    now = clock.now()
    against = matching.barrier_now(request, expert, today=now.date())
    if against is not None:
        raise Conflict(f"offers-barrier-{against.value}", number=number)
    kind = apply(request, subject, verb, viewer, now=now, values={"lead_id": viewer.person_id})
    offered.close(request, accepted=offer.id if offer else None)
    record(request, kind, actor=viewer.person_id, now=now, payload=held(request))
    db.session.commit()
    return request


def _end(viewer: Viewer, offer: Offer, verb: Verb, state: OfferState, **values: str) -> Offer:
    """An offer ends without a yes; of two who end it at once, the first does."""
    request = requests.read(offer.request_id, lock=True)
    db.session.refresh(offer)
    if request is None or offer.state is not OfferState.OPEN:
        raise Conflict("offers-conflict-ended", number=offer.request_id)
    now = clock.now()
    subject = requests.subject_of(request)
    left = len(subject.offered_ids) - 1
    kind = apply(request, subject, verb, viewer, now=now, values={}, offers=left)
    offer.state, offer.answered_at = state, now
    offer.reason, offer.reason_text = values.get("reason"), values.get("reason_text", "")
    offered.tell(request, kind, viewer.person_id, offer)
    db.session.commit()
    return offer


def _mine(viewer: Viewer, offer_id: int) -> Offer:
    """The viewer's own offer, whatever became of it. Raises NotFound for another's."""
    offer = db.session.get(Offer, offer_id)
    if offer is None or viewer.person_id is None or offer.person_id != viewer.person_id:
        raise NotFound
    if viewer.blocked:
        raise Forbidden("errors-blocked")
    return offer


def _lock(which: ColumnElement[bool]) -> Expert | None:
    """A profile as it is now; nobody else asks this expert, or is let in as them, until the transaction ends."""
    return db.session.scalars(
        select(Expert).where(which).with_for_update().execution_options(populate_existing=True)
    ).first()
