"""The guided form: each step's POST saves the draft and goes on by redirect, the last one sends it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from flask import jsonify, redirect, render_template, request
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.wrappers import Response

from cphub import clock
from cphub.domain import draft as rules
from cphub.domain.draft import Draft
from cphub.domain.lifecycle import State
from cphub.domain.policy import Act, may
from cphub.errors import CphubError, Forbidden, Invalid
from cphub.models import Request
from cphub.models.queries import me
from cphub.services import requests
from cphub.web import current, forms
from cphub.web.asking import fields, steps
from cphub.web.asking.blueprint import bp
from cphub.web.asking.sheet import Sheet, parked
from cphub.web.asking.steps import Step
from cphub.web.current import SignInNeeded
from cphub.web.forms import Form
from cphub.web.security import csrf

#: So long after sending, the empty form still points to what was sent.
JUST_NOW = timedelta(hours=1)

Page = str | Response | tuple[str, int]


@bp.get("/requests/new")
def new() -> Page:
    """A new form, a step of a draft, or what was typed before the session ended."""
    viewer = current.viewer()
    if viewer.blocked:
        return render_template("asking/blocked.html")
    for_other = request.args.get("for") == "other"
    if for_other and not may(viewer, Act.ASK_FOR_OTHERS):
        raise SignInNeeded if viewer.person_id is None else Forbidden
    if viewer.person_id is not None and (typed := parked()):
        step, names = _shown_in(typed)
        return _posted(typed).draw(step, names=names, unsaved=True)
    if viewer.person_id is None and "draft" in request.args:
        raise SignInNeeded
    sheet = Sheet.of(forms.key("draft", form=request.args), request.args, for_other=for_other)
    if sheet.stored is None:
        return _empty_form(sheet)
    if sheet.sent:
        return redirect(_receipt(sheet.stored), 303)
    return sheet.draw(steps.at(request.args.get("step", ""), sheet.base.track))


def _empty_form(sheet: Sheet) -> str:
    """An address can choose card and track. Drafts, and what was sent a moment ago, are shown so that nobody who
    went back writes it all again."""
    viewer = current.viewer()
    wishes = [name for name in ("card", "track") if name in sheet.typed]
    if viewer.person_id is None:
        return sheet.draw(Step.AIM, names=wishes)
    just_sent = me.just_sent(viewer, since=clock.now() - JUST_NOW)
    return sheet.draw(Step.AIM, names=wishes, drafts=me.drafts(viewer, 3), just_sent=just_sent)


@bp.post("/requests/new")
@current.writes
def take() -> Page:
    """Save a step and go where its button leads; without a step, send everything at once."""
    sheet = _posted(request.form)
    step, names = _shown_in(request.form)
    do = request.form.get("do") or ("next" if "step" in request.form and "send" not in request.form else "send")
    if do == "discard":
        return _discard(sheet)
    try:
        draft = fields.read(request.form, sheet.base, names)
        if sheet.stored is not None and sheet.sent:
            return _again(sheet, sheet.stored, draft, names)
        if do == "send":
            return _send(sheet, draft)
        saved = requests.save(current.viewer(), sheet.key, draft, on_behalf_of=sheet.new_name)
        if do == "next":
            _complete(sheet, step, draft)
    except Invalid as invalid:
        return _posted(request.form).draw(step, problems=invalid.fields, names=names), 422
    if saved.state is not State.DRAFT:
        return redirect(_receipt(saved), 303)
    if do == "later":
        forms.tell("requests-form-later")
        return redirect("/me", 303)
    if do == "look":
        return redirect(f"{sheet.address(step, draft.track)}#preview", 303)
    return redirect(sheet.address(steps.beside(step, draft.track, -1 if do == "back" else 1), draft.track), 303)


@bp.post("/requests/new/save")
def save() -> tuple[Response, int]:
    """Save what is being typed. Answers with what to tell the person, and never with a page."""
    if current.person() is None:
        return _told(401, "requests-form-not-saved-signed-out")
    try:
        csrf.protect()
    except CSRFError:
        # Signed in anew in another tab. No other site can read the token out of this answer.
        return _told(400, "requests-form-not-saved", csrf_token=generate_csrf())
    try:
        sheet = _posted(request.form)
        _, names = _shown_in(request.form)
        draft = fields.read(request.form, sheet.base, names, lenient=True)
        saved = _save(sheet, draft)
    except Invalid:
        return _told(422, "requests-form-not-saved-wrong")
    except CphubError:
        return _told(403, "requests-form-not-saved-refused")
    if saved.state is not State.DRAFT:
        return _told(409, "requests-form-not-saved-sent")
    time = current.speaker().time(clock.now(), request.form.get("zone"))
    step = steps.named(request.form.get("step")) or Step.AIM
    return _told(200, "requests-form-saved", time, address=sheet.address(step))


# Without a valid token it must answer in its own way.
csrf.exempt(save)


@current.writes
def _save(sheet: Sheet, draft: Draft) -> Request:
    return requests.save(current.viewer(), sheet.key, draft)


def _told(status: int, message: str, *params: object, **more: str) -> tuple[Response, int]:
    return jsonify(said=current.speaker().text(message, *params), **more), status


def _posted(form: Form) -> Sheet:
    return Sheet.of(forms.key(form=form), form, for_other=form.get("for") == "other")


def _shown_in(form: Form) -> tuple[Step, list[str]]:
    """The step whose page a form came from, and the fields that it brings."""
    step = steps.named(form.get("step"))
    return (Step.ALL, fields.given(form)) if step is None else (step, list(steps.FIELDS[step]))


def _send(sheet: Sheet, draft: Draft) -> Response:
    return redirect(_receipt(requests.send(current.viewer(), sheet.key, draft, on_behalf_of=sheet.new_name)), 303)


def _again(sheet: Sheet, sent: Request, draft: Draft, names: Collection[str]) -> Page:
    """A form that was sent before: its receipt, or a form of its own for other words."""
    if requests.clean(draft) == requests.clean(sheet.base):
        return redirect(_receipt(sent), 303)
    fresh = replace(sheet, key=forms.new_key(), stored=None, base=draft)
    return fresh.draw(Step.ALL, names=names, again=sent.id), 409


def _complete(sheet: Sheet, step: Step, draft: Draft) -> None:
    """Say what a step misses when it is left for the next one. Raises Invalid."""
    problems = rules.missing(draft, today=clock.now().date())
    if sheet.on_behalf_of == "":
        problems["on_behalf_of"] = "requests-error-on-behalf-of"
    here = {name: problem for name, problem in problems.items() if name in steps.FIELDS[step]}
    if here:
        raise Invalid(here)


def _discard(sheet: Sheet) -> Response:
    if sheet.stored is not None:
        requests.discard(current.viewer(), sheet.key)
    forms.tell("requests-form-discarded")
    return redirect("/me", 303)


def _receipt(sent: Request) -> str:
    return f"/requests/{sent.id}/receipt"
