"""Every way a page can fail, as a page that says what to do. Nothing that was typed is lost.

A form that comes without a session (it ended, or cookies were cleared) is parked and given back after signing in.
Only one of our own pages: another site's words must not end up in somebody's form. What is too long to be parked is
put on the page to be copied.
When the database is away nothing can be parked: then the page itself carries what was typed, to be sent again.
"""

import logging
import re
from collections.abc import Mapping

from flask import Flask, Response, make_response, redirect, render_template, request, session
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import db
from cphub.services import parking
from cphub.web import current
from cphub.web.current import ReadOnly, SignInNeeded, person
from cphub.web.security import from_our_page, is_local_path

log = logging.getLogger(__name__)

#: Keys, in the session: the path to return to, and what was parked ("path#key of the form" -> where it is).
RETURN = "return"
PARKED = "parked"
#: More forms than this are not kept; the session is a cookie, which holds 4 kB.
PARKED_MOST = 5
#: The database is away, read-only, or too slow. Its other errors are mistakes of ours.
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
#: Fields that are for the form itself.
_OURS = {"csrf_token", "next", "page"}
#: What a form sends that nobody typed: codes and keys.
_CODE = re.compile(r"[\w.:-]{,64}", re.ASCII)


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(SignInNeeded, _sign_in_needed)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(NotFound, lambda e: page(404, "errors-not-found"))
    app.register_error_handler(Forbidden, lambda e: page(403, e.reason))
    app.register_error_handler(Conflict, lambda e: page(409, e.message))
    app.register_error_handler(Invalid, lambda e: page(422, "errors-invalid", fields=e.fields))
    app.register_error_handler(ReadOnly, _read_only)
    for error in AWAY:
        app.register_error_handler(error, _no_database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _mistake)


def page(status: int, message: str, *, fields: Mapping[str, str] | None = None) -> Response:
    """An error page. ``message``: key of what to do; its heading is ``errors-title-…``."""
    try:
        return make_response(render_template("error.html", status=status, message=message, fields=fields or {}), status)
    except AWAY as error:
        return _no_database(error)


def park(path: str) -> bool:
    """Keep the fields of the present form for the page at ``path``. Whether it was kept."""
    path = _bare(path)
    fields = {name: values for name, values in request.form.to_dict(flat=False).items() if name not in _OURS}
    if not fields or not from_our_page(request) or not (key := parking.park(path, fields)):
        return False
    # The same form sent twice is kept once; two tabs with the same page are two forms.
    name = f"{path}#{request.form.get('key', '')[:64]}"
    others = {each: kept for each, kept in _parked().items() if each != name}
    session[PARKED] = dict([*others.items(), (name, key)][-PARKED_MOST:])
    return True


def typed() -> dict[str, list[str]]:
    """What was typed at this page before the session ended; given back once, the latest first."""
    name = _latest(request.path)
    if name is None or request.method != "GET":
        return {}
    parked = _parked()
    found = parking.fetch(parked.pop(name), request.path)
    session[PARKED] = parked
    if not parked:
        session.pop(PARKED)
    return found


def is_kept(path: str) -> bool:
    """Whether something typed waits at the page at ``path``."""
    return _latest(_bare(path)) is not None


def unkept() -> str:
    """The words of the present form, to be copied from a page. Codes of choices are left out."""
    if not from_our_page(request):
        return ""
    words = (value for name, value in request.form.items(multi=True) if name not in _OURS)
    return "\n\n".join(value for value in words if not _CODE.fullmatch(value))


def _parked() -> dict[str, str]:
    parked = session.get(PARKED)
    return dict(parked) if isinstance(parked, dict) else {}


def _latest(path: str) -> str | None:
    return next((name for name in reversed(_parked()) if name.partition("#")[0] == path), None)


def _bare(path: str) -> str:
    return path.partition("?")[0].partition("#")[0]


def _park_here() -> dict[str, object]:
    """Remember the page to come back to and, when this is a form, what was typed. Gives what templates say of it."""
    if request.method in ("GET", "HEAD"):
        session[RETURN] = request.full_path.rstrip("?")
        return {"kept": is_kept(request.path)}
    session[RETURN] = _page_of_form()
    kept = park(session[RETURN])
    return {"kept": kept, "unkept": "" if kept else unkept()}


def _page_of_form() -> str:
    """The page that showed the form: as the form says, else where it was sent to."""
    given = request.form.get("page", "")
    return given if is_local_path(given) else request.path


def _sign_in_needed(_: SignInNeeded) -> Response:
    said = _park_here()
    return make_response(
        render_template("sign_in/needed.html", **said, path=_way_back()),
        200 if request.method == "GET" else 401,
    )


def _stale_form(error: CSRFError) -> Response:
    log.info("form without a valid token: %s", error.description)
    if person() is None:
        if request.endpoint == "sign_in.sign_out":  # whoever wanted to be signed out is
            return make_response(redirect("/", 303))
        if request.endpoint != "sign_in.sign_in":
            return _sign_in_needed(SignInNeeded())
    said = _park_here()
    return make_response(render_template("sign_in/stale.html", **said, path=_way_back()), 400)


def _way_back() -> str:
    """The page to come back to; a sign-in itself says which one, and is none."""
    if request.endpoint == "sign_in.sign_in":
        given = request.form.get("next", "")
        session[RETURN] = given if is_local_path(given) else "/"
    path: str = session[RETURN]
    return path


def _no_database(error: Exception) -> Response:
    log.error("database: %s", type(error).__name__, exc_info=error)
    current.nobody()
    db.session.rollback()
    return _unavailable("errors-unavailable")


def _read_only(_: ReadOnly) -> Response:
    return _unavailable("errors-read-only")


def _unavailable(message: str) -> Response:
    """A page that needs neither database nor session."""
    again = None
    if request.method == "POST" and from_our_page(request):
        again = list(request.form.items(multi=True))
    response = make_response(render_template("unavailable.html", message=message, again=again), 503)
    response.headers["Retry-After"] = "60"
    return response


def _mistake(error: InternalServerError) -> Response:
    """A bug, or a database that went away while another error page was being made."""
    if isinstance(error.original_exception, AWAY):
        return _no_database(error.original_exception)
    return page(500, "errors-server")


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    known = {
        404: "errors-not-found",
        405: "errors-not-found",
        413: "errors-too-large",
        429: "errors-too-many",
    }
    return page(error.code, known.get(error.code, "errors-server" if error.code >= 500 else "errors-bad"))
