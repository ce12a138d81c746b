"""Experts answer an offer, or take a request without being asked; coordinators take an offer back.

Links in mails open pages; only a form that is sent changes something.
"""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from cphub.errors import Conflict, Invalid
from cphub.services import offers
from cphub.web import current, forms
from cphub.web.requests.page import Answer, again, take

bp = Blueprint("offers", __name__)


@bp.post("/requests/<int:number>/claim")
@current.writes
def claim(number: int) -> Answer:
    return take(number, "claim", lambda: offers.claim(current.viewer(), number), say="requests-page-claimed")


@bp.get("/offers/<int:offer_id>")
@bp.get("/offers/<int:offer_id>/<any(accept, decline, withdraw):_do>")
@current.signed_in
def show(offer_id: int, _do: str = "") -> Response:
    """An offer has no page of its own: it is answered on the request's."""
    return redirect(f"/requests/{offers.request_of(current.viewer(), offer_id)}#offer", 303)


@bp.post("/offers/<int:offer_id>/accept")
@current.writes
def accept(offer_id: int) -> Answer:
    number = offers.request_of(current.viewer(), offer_id)
    return take(number, "accept", lambda: offers.accept(current.viewer(), offer_id), say="requests-page-accepted")


@bp.post("/offers/<int:offer_id>/decline")
@current.writes
def decline(offer_id: int) -> Answer:
    viewer = current.viewer()
    number = offers.request_of(viewer, offer_id)
    try:
        offers.decline(viewer, offer_id, forms.text("offer_reason"), forms.text("reason_text"))
    except (Invalid, Conflict) as refused:
        return again(number, "decline", refused)
    forms.tell("requests-page-offer-declined")
    return redirect("/me", 303)


@bp.post("/offers/<int:offer_id>/withdraw")
@current.writes
def withdraw(offer_id: int) -> Answer:
    number = offers.request_of(current.viewer(), offer_id)
    return take(number, "withdraw", lambda: offers.withdraw(current.viewer(), offer_id), at="#experts")
