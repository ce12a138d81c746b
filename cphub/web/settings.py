"""What people set for themselves: language, time zone and mail."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from cphub.errors import Invalid
from cphub.hub import hub
from cphub.models import Person
from cphub.services import mail, people
from cphub.web import current, errors, forms, zones

bp = Blueprint("settings", __name__)


@bp.get("/me/settings")
@current.signed_in
def edit() -> str:
    return _page({name: values[-1] for name, values in errors.typed().items()})


@bp.post("/me/settings")
@current.signed_in
def save() -> Response | tuple[str, int]:
    """Language and time zone; a blocked account may still choose in which language it reads."""
    language, time_zone = forms.text("language"), forms.text("time_zone")
    try:
        people.prefer(current.viewer(), language=language or None, time_zone=time_zone or None)
    except Invalid as invalid:
        return _page({"language": language, "time_zone": time_zone}, invalid.fields), 422
    forms.tell("settings-told-saved")
    response = redirect("/me/settings", 303)
    # A language chosen in passing would win over the one that was chosen here.
    response.delete_cookie(current.LANGUAGE_COOKIE)
    return response


@bp.post("/me/settings/mail")
@current.signed_in
def save_mail() -> Response | tuple[str, int]:
    """The mail address, and whether mail is wanted."""
    address, wanted = forms.text("mail"), forms.flag("wanted")
    try:
        mail.set_address(current.viewer(), address, wanted=wanted)
    except Invalid as invalid:
        return _page({"mail": address, "wanted": "on" if wanted else ""}, invalid.fields), 422
    me = current.person()
    waits = me is not None and me.mail and not me.mail_confirmed
    forms.tell("settings-told-link-sent" if waits else "settings-told-saved")
    return redirect("/me/settings", 303)


@bp.get("/me/settings/confirm/<token>")
@current.signed_in
def confirm(token: str) -> str | tuple[str, int]:
    """The link of the mail. Programs that look at mails follow links, hence only the button confirms."""
    try:
        mail.check(current.viewer(), token)
    except Invalid as invalid:
        return render_template("me/confirm.html", token=token, problem=invalid.fields["mail"]), 404
    return render_template("me/confirm.html", token=token, problem=None)


@bp.post("/me/settings/confirm/<token>")
@current.signed_in
def confirmed(token: str) -> Response | tuple[str, int]:
    try:
        mail.confirm(current.viewer(), token)
    except Invalid as invalid:
        return render_template("me/confirm.html", token=token, problem=invalid.fields["mail"]), 422
    forms.tell("settings-told-confirmed")
    return redirect("/me/settings", 303)


def _page(typed: Mapping[str, str], problems: Mapping[str, str] | None = None) -> str:
    me, speaker = current.person(), current.speaker()
    values = (_stored(me) if me else {}) | dict(typed)
    return render_template(
        "me/settings.html",
        values=values,
        errors=problems or {},
        me=me,
        readable=[(code, speaker.autonym(code)) for code in hub().catalogue.languages],
        zones=zones.options(speaker, values.get("time_zone")),
    )


def _stored(me: Person) -> dict[str, str]:
    return {
        "language": me.language or "",
        "time_zone": me.time_zone or "",
        "mail": me.mail or "",
        "wanted": "on" if me.mail_wanted else "",
    }
