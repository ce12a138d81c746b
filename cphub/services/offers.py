"""Offers and claims: asking experts, their answers, and the one place of the lead.

However many accept or claim at once, the conditional UPDATE of the request lets exactly one in; the others are told
who was first.
"""

from dataclasses import replace

from sqlalchemy import select, update

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import OFFER_LIFE, Verb, WaitingOn
from cphub.domain.offers import OfferReason, OfferState
from cphub.domain.policy import Subject, Viewer
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import Expert, Json, Offer, Request, db
from cphub.models.engine import begin_write
from cphub.services import matching, requests
from cphub.services.record import record
from cphub.services.requests.moves import apply

#: Offers that may be open at once for one request (design section 4).
AT_ONCE = 2
_ATTEMPTS = 5


def send(viewer: Viewer, number: int, expert_id: int, *, message: str = "", seen: int | None = None) -> Offer:
    """Ask an expert. Commits. Raises Invalid("expert") with the reason when this expert cannot be asked now."""
    begin_write(db.session)
    request, subject = requests.find(viewer, number, Verb.OFFER, fresh=True)
    if seen is not None and seen != request.version:
        raise Conflict("requests-conflict-changed", number=number, since=seen)
    expert = _expert(expert_id)
    if expert.person_id in subject.offered_ids:
        raise Invalid({"expert": "offers-error-asked-already"})
    if len(subject.offered_ids) >= AT_ONCE:
        raise Invalid({"expert": "offers-error-enough"})
    now = clock.now()
    against = matching.barrier_now(request, expert, today=now.date())
    if against is not None:
        raise Invalid({"expert": f"offers-barrier-{against.value}"})
    offer = Offer(
        request_id=number, expert_id=expert.id, person_id=expert.person_id, message=message.strip()[:1000],
        sent_by_id=viewer.person_id, sent_at=now, expires_at=now + OFFER_LIFE,
    )  # fmt: skip
    db.session.add(offer)
    expert.last_asked = now
    apply(request, subject, Verb.OFFER, viewer, now=now, values={})
    _tell(request, EventKind.OFFER_SENT, viewer.person_id, offer)
    db.session.commit()
    return offer


def accept(viewer: Viewer, offer_id: int) -> Request:
    """Say yes and become the lead. Commits. Raises Conflict("offers-conflict-taken") when somebody else leads."""
    offer = _open_offer(viewer, offer_id)
    return _lead(viewer, offer.request_id, Verb.ACCEPT, offer)


def claim(viewer: Viewer, number: int) -> Request:
    """Take a request without being asked and become the lead. Commits. Raises like ``accept``."""
    return _lead(viewer, number, Verb.CLAIM, None)


def decline(viewer: Viewer, offer_id: int, reason: str, text: str = "") -> Offer:
    """Say no, with a reason that only coordinators read. Commits."""
    offer = _open_offer(viewer, offer_id)
    if reason not in set(OfferReason):
        raise Invalid({"offer_reason": "offers-error-reason"})
    return _end(viewer, offer, Verb.DECLINE_OFFER, OfferState.DECLINED, reason=reason, reason_text=text.strip()[:500])


def withdraw(viewer: Viewer, offer_id: int) -> Offer:
    """A coordinator takes an offer back. Commits."""
    offer = db.session.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    requests.find(viewer, offer.request_id, Verb.WITHDRAW_OFFER)
    return _end(viewer, offer, Verb.WITHDRAW_OFFER, OfferState.WITHDRAWN)


def expire(viewer: Viewer, offer_id: int) -> Offer:
    """The time of an offer is over; ``viewer`` is the hub itself. Commits."""
    offer = db.session.get_one(Offer, offer_id)
    return _end(viewer, offer, Verb.EXPIRE_OFFER, OfferState.EXPIRED)


def _lead(viewer: Viewer, number: int, verb: Verb, offer: Offer | None) -> Request:
    """Let the viewer in as the lead, if the place is still free and nothing stands against it at this moment."""
    offer_id = offer.id if offer else None
    for _ in range(_ATTEMPTS):
        begin_write(db.session)
        request = db.session.get(Request, number, populate_existing=True)
        if request is not None and request.lead_id not in (None, viewer.person_id):
            # Who may see the request may know who leads it; who may not gets the same answer as ever.
            requests.find(viewer, number)
            raise Conflict("offers-conflict-taken", number=number, lead=request.lead_id)
        request, subject = requests.find(viewer, number, verb)
        # Two claims by one expert at once must not both find the last place free.
        expert = db.session.scalars(
            select(Expert).where(Expert.person_id == viewer.person_id).with_for_update()
        ).first()
        if expert is None:
            raise Forbidden("offers-error-no-profile")
        now = clock.now()
        against = matching.barrier_now(request, expert, today=now.date())
        if against is not None:
            db.session.rollback()
            raise Conflict(f"offers-barrier-{against.value}", number=number)
        try:
            kind = apply(request, subject, verb, viewer, now=now, values={"lead_id": viewer.person_id})
        except Conflict:
            continue  # something about the request changed meanwhile; whether that was the lead, the next turn sees
        _close_others(request, offer_id)
        payload: Json = {
            "version": request.version,
            "waiting_on": WaitingOn.EXPERT.value,
            "state": request.state.value,
        }
        record(request, kind, actor=viewer.person_id, now=now, payload=payload)
        db.session.commit()
        return request
    raise Conflict("requests-conflict-changed", number=number, since=None)


def _close_others(request: Request, accepted: int | None) -> None:
    """The place is taken: this offer is accepted, every other open one is withdrawn and its expert told."""
    now = clock.now()
    for offer in db.session.scalars(
        select(Offer).where(Offer.request_id == request.id, Offer.state == OfferState.OPEN)
    ).all():
        offer.answered_at = now
        if offer.id == accepted or offer.person_id == request.lead_id:
            offer.state = OfferState.ACCEPTED
        else:
            offer.state = OfferState.WITHDRAWN
            _tell(request, EventKind.OFFER_WITHDRAWN, None, offer)


def _end(viewer: Viewer, offer: Offer, verb: Verb, state: OfferState, **values: str) -> Offer:
    now = clock.now()
    ended = db.session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.state == OfferState.OPEN)
        .values(state=state, answered_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not ended.rowcount:
        raise Conflict("offers-conflict-ended")
    request = db.session.get_one(Request, offer.request_id, populate_existing=True)
    before = requests.subject_of(request)
    # The policy saw the offer open; the domain wants to know how many are left without it.
    subject = _with_part(before, offer) if verb is Verb.DECLINE_OFFER else before
    kind = apply(request, subject, verb, viewer, now=now, values={}, offers=len(before.offered_ids))
    db.session.refresh(offer)
    _tell(request, kind, viewer.person_id, offer, reason=values.get("reason"))
    db.session.commit()
    return offer


def _with_part(subject: Subject, offer: Offer) -> Subject:
    return replace(subject, offered_ids=subject.offered_ids | {offer.person_id})


def _tell(request: Request, kind: EventKind, actor: int | None, offer: Offer, *, reason: str | None = None) -> None:
    db.session.flush()
    payload: Json = {
        "offer": offer.id,
        "expert": offer.expert_id,
        "version": request.version,
        "waiting_on": request.waiting_on.value if request.waiting_on else None,
    }
    if reason:
        payload["reason"] = reason
    about = [] if kind is EventKind.OFFER_DECLINED else [offer.person_id]
    record(request, kind, actor=actor, now=clock.now(), payload=payload, about=about)


def _open_offer(viewer: Viewer, offer_id: int) -> Offer:
    """The viewer's own offer. Raises NotFound for another's, Conflict when it is no longer open."""
    offer = db.session.get(Offer, offer_id)
    if offer is None or offer.person_id != viewer.person_id:
        raise NotFound
    if viewer.blocked:
        raise Forbidden("errors-blocked")
    if offer.state is not OfferState.OPEN:
        request = db.session.get_one(Request, offer.request_id)
        raise Conflict("offers-conflict-ended", number=request.id)
    return offer


def _expert(expert_id: int) -> Expert:
    expert = db.session.get(Expert, expert_id)
    if expert is None:
        raise Invalid({"expert": "offers-error-no-expert"})
    return expert
