"""What becomes of the open offers of a request when the request itself moves on, and the events about offers."""

from sqlalchemy import select

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.offers import OfferState
from cphub.models import Json, Offer, Request, db
from cphub.services.record import record


def close(request: Request, *, accepted: int | None = None) -> None:
    """No expert is looked for any more: this offer is accepted (or the new lead's own), every other one withdrawn,
    and its expert told. Does not commit."""
    now = clock.now()
    for offer in db.session.scalars(
        select(Offer).where(Offer.request_id == request.id, Offer.state == OfferState.OPEN).order_by(Offer.id)
    ).all():
        offer.answered_at = now
        if offer.id == accepted or offer.person_id == request.lead_id:
            offer.state = OfferState.ACCEPTED
        else:
            offer.state = OfferState.WITHDRAWN
            tell(request, EventKind.OFFER_WITHDRAWN, None, offer)


def tell(request: Request, kind: EventKind, actor: int | None, offer: Offer) -> None:
    """Write the event of an offer and tell its expert, unless they did it themselves. Does not commit."""
    db.session.flush()
    payload: Json = {
        "offer": offer.id,
        "expert": offer.expert_id,
        "version": request.version,
        "waiting_on": request.waiting_on.value if request.waiting_on else None,
    }
    if offer.reason:
        payload |= {"reason": offer.reason, "reason_text": offer.reason_text}
    about = [] if kind is EventKind.OFFER_DECLINED else [offer.person_id]
    record(request, kind, actor=actor, now=clock.now(), payload=payload, about=about)
