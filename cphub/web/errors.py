"""Every way a page can fail, as a page that says what to do. Nothing that was typed is lost.

A form that comes without a session (it ended, or cookies were cleared) is parked and given back after signing in.
When the database is away nothing can be parked: then the page itself carries what was typed, to be sent again.
"""

import logging
from collections.abc import Mapping

from flask import Flask, Response, make_response, redirect, render_template, request, session
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.models import db
from cphub.services import parking
from cphub.web import current
from cphub.web.current import ReadOnly, SignInNeeded, person
from cphub.web.security import is_local_path

log = logging.getLogger(__name__)

#: Key, in the session, of the path to return to and of what was typed there.
RETURN = "return"
PARKED = "parked"
#: The database is away, read-only, or too slow. Its other errors are mistakes of ours.
AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)
#: Fields that are for the form itself.
_OURS = {"csrf_token", "next", "page"}


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


def park(path: str) -> None:
    """Keep the fields of the present form for the page at ``path``."""
    fields = {name: values for name, values in request.form.to_dict(flat=False).items() if name not in _OURS}
    if fields and _from_here() and (key := parking.park(path.partition("?")[0], fields)):
        session[PARKED] = key


def typed() -> dict[str, list[str]]:
    """What was typed at this page before the session ended; given back once."""
    key = session.get(PARKED)
    if not key or request.method != "GET":
        return {}
    found = parking.fetch(key, request.path)
    if found:
        session.pop(PARKED)
    return found


def _park_here() -> None:
    """Remember the page to come back to and, when this is a form, what was typed."""
    if request.method in ("GET", "HEAD"):
        session[RETURN] = request.full_path.rstrip("?")
    else:
        session[RETURN] = _page_of_form()
        park(session[RETURN])


def _page_of_form() -> str:
    """The page that showed the form: as the form says, else where it was sent to."""
    given = request.form.get("page", "")
    return given if is_local_path(given) else request.path


def _from_here() -> bool:
    """Whether the form came from our own page: another site's words must not end up in somebody's form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin == hub().settings.BASE_URL.rstrip("/") or origin == request.host_url.rstrip("/")


def _sign_in_needed(_: SignInNeeded) -> Response:
    _park_here()
    return make_response(
        render_template("sign_in/needed.html", kept=PARKED in session, path=session[RETURN]),
        200 if request.method == "GET" else 401,
    )


def _stale_form(error: CSRFError) -> Response:
    log.info("form without a valid token: %s", error.description)
    if person() is None:
        if request.endpoint == "sign_in.sign_out":  # whoever wanted to be signed out is
            return make_response(redirect("/", 303))
        if request.endpoint != "sign_in.sign_in":
            return _sign_in_needed(SignInNeeded())
    _park_here()
    if request.endpoint == "sign_in.sign_in":
        given = request.form.get("next", "")
        session[RETURN] = given if is_local_path(given) else "/"
    return make_response(render_template("sign_in/stale.html", kept=PARKED in session, path=session[RETURN]), 400)


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
    if request.method == "POST" and _from_here():
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
