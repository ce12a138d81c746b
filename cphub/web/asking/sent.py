"""After sending: the receipt, correcting what was sent, and taking over what somebody else wrote down."""

from collections.abc import Mapping

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from cphub.domain.draft import Draft, changed_since, fingerprint, merged
from cphub.domain.lifecycle import PATH, State
from cphub.domain.policy import Act, Role, may
from cphub.errors import Conflict, Invalid, NotFound
from cphub.models import Request
from cphub.models.queries.names import holders
from cphub.services import requests
from cphub.web import current, forms
from cphub.web.asking import fields, steps
from cphub.web.asking.blueprint import bp
from cphub.web.asking.said import said
from cphub.web.asking.sheet import NO_PROBLEMS, options, parked
from cphub.web.asking.steps import Step
from cphub.web.forms import Form

Page = str | Response | tuple[str, int]
_NAMES = steps.FIELDS[Step.ALL]


@bp.get("/requests/<int:number>/receipt")
@current.signed_in
def receipt(number: int) -> str:
    """What was sent, who looks at it, and what happens when; for those inside."""
    viewer = current.viewer()
    sent, subject = requests.find(viewer, number)
    if sent.state is State.DRAFT or not may(viewer, Act.SEE_WITHHELD, subject):
        raise NotFound
    return render_template(
        "asking/receipt.html",
        sent=sent,
        path=PATH[sent.track],
        mine=viewer.person_id == sent.requester_id,
        coordinators=holders(Role.COORDINATOR),
        link=requests.handover_link(viewer, number) if may(viewer, Act.STAFF, subject) else None,
    )


@bp.get("/requests/<int:number>/edit")
@current.signed_in
def edit(number: int) -> str:
    """The sent request in the form, all on one page."""
    sent, _ = requests.find(current.viewer(), number, Act.EDIT)
    draft = requests.as_draft(sent)
    typed = parked()
    values = fields.overlay(fields.as_form(draft), typed, _NAMES) if typed else fields.as_form(draft)
    return _edit_page(sent, draft, values, seen=typed.get("seen", fingerprint(draft)))


@bp.post("/requests/<int:number>/edit")
@current.writes
def correct(number: int) -> Page:
    """Store the corrections; who was too late gets their words and what the request says now."""
    viewer, seen = current.viewer(), request.form.get("seen")
    sent, _ = requests.find(viewer, number, Act.EDIT)
    before = requests.as_draft(sent)
    draft = before
    try:
        draft = fields.read(request.form, before, _NAMES)
        requests.edit(viewer, number, draft, seen=seen)
    except Invalid as invalid:
        values = fields.overlay(fields.as_form(before), request.form, _NAMES)
        return _edit_page(sent, before, values, seen=seen or "", problems=invalid.fields), 422
    except Conflict:
        now = requests.as_draft(requests.find(viewer, number)[0])
        return _too_late(sent, requests.clean(draft), now, seen=seen or ""), 409
    forms.tell("requests-form-corrected")
    return redirect(f"/requests/{number}", 303)


@bp.get("/requests/take-over/<token>")
def see_handover(token: str) -> str:
    """What the link is for, before anything happens: mail programs open links by themselves."""
    return render_template("asking/take_over.html", handover=requests.see_handover(token))


@bp.post("/requests/take-over/<token>")
@current.writes
def take_over(token: str) -> Response:
    """The request is now the signed-in person's."""
    taken = requests.take_over(current.viewer(), token)
    forms.tell("requests-form-taken-over")
    return redirect(f"/requests/{taken.id}", 303)


def _too_late(sent: Request, mine: Draft, now: Draft, *, seen: str) -> str:
    """The form with what this person changed, and in all else with what the request says ``now``."""
    others = {name.partition("-")[0] for name in changed_since(seen, now)}
    told = [name for name in Draft.__slots__ if name in others and getattr(now, name) != getattr(mine, name)]
    speaker = current.speaker()
    return _edit_page(
        sent,
        now,
        fields.as_form(merged(seen, mine, now)),
        seen=fingerprint(now),
        changed={name: said(speaker, now, name) for name in told},
    )


def _edit_page(
    sent: Request,
    draft: Draft,
    values: Form,
    *,
    seen: str,
    problems: Mapping[str, str] = NO_PROBLEMS,
    changed: Mapping[str, str] = NO_PROBLEMS,
) -> str:
    return render_template(
        "asking/edit.html",
        sent=sent,
        draft=draft,
        values=values,
        seen=seen,
        errors=problems,
        changed=changed,
        **options(draft),
    )
