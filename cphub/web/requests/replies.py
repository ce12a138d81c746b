"""Saying something on a request, correcting it, taking it back."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from cphub.errors import Conflict, Invalid
from cphub.models import db
from cphub.services import replies
from cphub.web import current, errors, forms
from cphub.web.requests.blueprint import bp
from cphub.web.requests.page import Answer, again


@bp.post("/requests/<int:number>/reply")
@current.writes
def reply(number: int) -> Answer:
    return _say(number, "reply")


@bp.post("/requests/<int:number>/note")
@current.writes
def note(number: int) -> Answer:
    return _say(number, "note")


@bp.get("/replies/<int:reply_id>/edit")
@current.signed_in
def edit(reply_id: int) -> str:
    said = replies.own(current.viewer(), reply_id)
    typed = errors.typed().get("body", [said.body])[0]
    return render_template("requests/reply_edit.html", said=said, body=typed, errors={})


@bp.post("/replies/<int:reply_id>/edit")
@current.writes
def correct(reply_id: int) -> Answer:
    body = forms.text("body")
    try:
        said = replies.edit(current.viewer(), reply_id, body)
    except Invalid as invalid:
        db.session.rollback()
        said = replies.own(current.viewer(), reply_id)
        return render_template("requests/reply_edit.html", said=said, body=body, errors=invalid.fields), 422
    return redirect(f"/requests/{said.request_id}#reply-{said.id}", 303)


@bp.get("/replies/<int:reply_id>/withdraw")
@current.signed_in
def confirm(reply_id: int) -> str:
    """Are you sure?"""
    return render_template("requests/reply_withdraw.html", said=replies.own(current.viewer(), reply_id))


@bp.post("/replies/<int:reply_id>/withdraw")
@current.writes
def withdraw(reply_id: int) -> Response:
    said = replies.withdraw(current.viewer(), reply_id)
    forms.tell("replies-withdrawn")
    return redirect(f"/requests/{said.request_id}#reply-{said.id}", 303)


@bp.get("/replies/<int:reply_id>/versions")
def versions(reply_id: int) -> str:
    """What it said before."""
    said, earlier = replies.versions(current.viewer(), reply_id)
    return render_template("requests/reply_versions.html", said=said, earlier=earlier)


def _say(number: int, kind: str) -> Answer:
    try:
        said = replies.write(
            current.viewer(),
            number,
            request.form.get("body", ""),
            key=forms.key(),
            note=kind == "note",
            ask=forms.flag("ask"),
        )
    except (Invalid, Conflict) as refused:
        return again(number, kind, refused)
    return redirect(f"/requests/{number}#reply-{said.id}", 303)
