"""The coordinators' queue, and what the worker has still to deliver."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from cphub import clock
from cphub.domain.lifecycle import OPEN, State, Track
from cphub.models.queries import outbox as waiting
from cphub.models.queries.health import SILENCE
from cphub.models.queries.queue import COUNT_MOST, View, queue
from cphub.models.queries.requests import Filter
from cphub.services import outbox
from cphub.taxonomies import KINDS, LANGUAGES
from cphub.web import choices, current, forms
from cphub.web.paging import address, given, next_page

bp = Blueprint("queue", __name__)


@bp.get("/queue")
@current.signed_in
def index() -> str:
    """One of the counted views; the view and every filter are in the address."""
    speaker = current.speaker()
    view = View(given("view", list(View)) or View.UNASSIGNED)
    state, track = given("state", OPEN), given("track", list(Track))
    wanted = Filter(
        state=State(state) if state else None,
        track=Track(track) if track else None,
        kind=given("kind", KINDS),
        language=given("language", LANGUAGES),
    )
    today = clock.now().date()
    found = queue(current.viewer(), view, wanted, today=today, after=request.args.get("after"))
    return render_template(
        "queue/index.html",
        view=view,
        tabs=[(each, address(view=each.value), found.counts[each]) for each in View],
        most=COUNT_MOST,
        rows=found.page.rows,
        next_page=next_page(found.page.next),
        wanted=wanted,
        filtered=wanted != Filter(),
        states=[state for state in State if state in OPEN],
        tracks=list(Track),
        kinds=choices.entries(speaker, KINDS),
        tongues=choices.languages(speaker),
        today=today,
    )


@bp.get("/queue/deliveries")
@current.signed_in
def deliveries() -> str:
    """What waits to leave, what could not, and whether the worker is alive."""
    return render_template("queue/deliveries.html", found=waiting.deliveries(current.viewer()), silence=SILENCE)


@bp.post("/queue/deliveries/<int:row_id>/again")
@current.writes
def again(row_id: int) -> Response:
    """Have a given-up delivery tried again."""
    outbox.again(current.viewer(), row_id)
    forms.tell("queue-told-again")
    return redirect("/queue/deliveries", 303)
