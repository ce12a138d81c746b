"""What happens by time alone: offers run out, confirmed or not a resolved request closes, old leftovers go."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from cphub import clock
from cphub.domain.lifecycle import State, Verb
from cphub.domain.offers import OfferState
from cphub.errors import Conflict
from cphub.models import Offer, ParkedForm, Request, db
from cphub.models.engine import affected
from cphub.services import offers, requests
from cphub.services.requests.moves import HUB, carry_out

log = logging.getLogger(__name__)

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
    return sum(_settled(partial(offers.expire, offer_id)) for offer_id in due)


def _close_unanswered() -> int:
    due = db.session.scalars(
        select(Request.id).where(Request.state == State.RESOLVED, Request.due_on < clock.now().date()).limit(_AT_ONCE)
    ).all()
    db.session.rollback()
    return sum(_settled(partial(_close, number)) for number in due)


def _close(number: int) -> None:
    request = requests.read(number, lock=True)
    if request is None or request.due_on is None or request.due_on >= clock.now().date():
        raise Conflict("requests-conflict-changed")
    carry_out(HUB, request, requests.subject_of(request), Verb.LAPSE)


def _settled(change: Callable[[], object]) -> bool:
    try:
        change()
    except Conflict:  # somebody did it meanwhile
        db.session.rollback()
        return False
    except OperationalError:
        raise
    except Exception:
        db.session.rollback()
        log.exception("what was due by time could not be done")
        return False
    return True


def _forget_parked() -> int:
    gone = affected(db.session, delete(ParkedForm).where(ParkedForm.created_at < clock.now() - PARKED_LIFE))
    db.session.commit()
    return gone
