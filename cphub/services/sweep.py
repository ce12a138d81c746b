"""What happens by time alone: offers run out, confirmed or not a resolved request closes, old leftovers go."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select

from cphub import clock
from cphub.domain.lifecycle import State, Verb
from cphub.domain.offers import OfferState
from cphub.errors import Conflict
from cphub.models import Offer, ParkedForm, Request, db
from cphub.services import offers
from cphub.services.requests.moves import HUB, carry_out
from cphub.services.requests.subject import subject_of

#: What somebody typed before a session ended is kept this long.
PARKED_LIFE = timedelta(days=7)
_AT_ONCE = 200


def run() -> int:
    """Do all of it once; says how many things changed. One transaction each, so that one failing stops no other."""
    return _expire_offers() + _close_unanswered() + _forget_parked()


def _expire_offers() -> int:
    due = db.session.scalars(
        select(Offer.id).where(Offer.state == OfferState.OPEN, Offer.expires_at <= clock.now()).limit(_AT_ONCE)
    ).all()
    db.session.rollback()
    return sum(_settled(lambda offer_id=offer_id: offers.expire(HUB, offer_id)) for offer_id in due)


def _close_unanswered() -> int:
    due = db.session.scalars(
        select(Request.id).where(Request.state == State.RESOLVED, Request.due_on < clock.now().date()).limit(_AT_ONCE)
    ).all()
    db.session.rollback()
    return sum(_settled(lambda number=number: _close(number)) for number in due)


def _close(number: int) -> None:
    request = db.session.get_one(Request, number, populate_existing=True)
    carry_out(HUB, request, subject_of(request), Verb.LAPSE)


def _settled(change: Callable[[], object]) -> int:
    try:
        change()
    except Conflict:  # somebody did it meanwhile
        db.session.rollback()
        return 0
    return 1


def _forget_parked() -> int:
    gone = db.session.execute(delete(ParkedForm).where(ParkedForm.created_at < clock.now() - PARKED_LIFE))
    db.session.commit()
    return int(gone.rowcount)
