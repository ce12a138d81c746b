"""The steps of a request's life that need words: each has a small page of its own, which works without JavaScript."""

from flask import redirect, render_template, request

from cphub.domain.lifecycle import Verb
from cphub.errors import Conflict, Invalid, NotFound
from cphub.models import db
from cphub.services import requests
from cphub.services.requests import Facts
from cphub.services.requests.moves import WORDED
from cphub.web import current, errors, forms
from cphub.web.forms import Form
from cphub.web.requests.blueprint import bp
from cphub.web.requests.page import Answer, Tried, find, next_step

_WORDS = (
    "reason",
    "alternative",
    "outcome",
    "outcome_detail",
    "missing_service",
    "summary",
    "duplicate_of",
    "waiting_on",
    "next_step_text",
)


@bp.get("/requests/<int:number>/do/<verb>")
@current.signed_in
def ask(number: int, verb: str) -> str:
    """The form of a verb. Raises what carrying it out would, when it cannot be."""
    chosen = _verb(verb)
    requests.find(current.viewer(), number, chosen)
    typed = Form((name, value) for name, values in errors.typed().items() for value in values)
    return _page(number, chosen, Tried("do", typed))


@bp.post("/requests/<int:number>/do/<verb>")
@current.writes
def do(number: int, verb: str) -> Answer:
    """Carry it out; who is too late is told what changed and keeps what they typed."""
    chosen = _verb(verb)
    try:
        facts = Facts(**{name: forms.text(name) for name in _WORDS}, due_on=forms.day("due_on"))
        requests.act(current.viewer(), number, chosen, facts, seen=forms.seen())
    except Invalid as invalid:
        db.session.rollback()
        return _page(number, chosen, Tried("do", request.form, invalid.fields)), 422
    except Conflict as conflict:
        db.session.rollback()
        return _page(number, chosen, Tried("do", request.form, {}, conflict.message, forms.seen())), 409
    forms.tell(f"requests-do-{chosen.replace('_', '-')}-done")
    return redirect(f"/requests/{number}", 303)


def _page(number: int, verb: Verb, tried: Tried) -> str:
    page = find(current.viewer(), number)
    return render_template(
        "requests/do.html",
        page=page,
        verb=verb,
        tried=tried,
        step=next_step(page),
        possible=verb in page.verbs,
        changed=[] if tried.message is None or tried.since is None else page.since(tried.since),
    )


def _verb(name: str) -> Verb:
    found = next((verb for verb in WORDED if verb == name), None)
    if found is None:
        raise NotFound
    return found
