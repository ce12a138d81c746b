"""Every way a page can fail, as a page that says what to do. Nothing that was typed is lost.

A form that comes without a session (it ended, or cookies were cleared) is parked and given back after signing in.
"""

import logging

from flask import Flask, Response, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.models import db
from cphub.services import parking
from cphub.web.current import SignInNeeded, person
from cphub.web.security import is_local_path

log = logging.getLogger(__name__)

#: Key, in the session, of the path to return to and of what was typed there.
RETURN = "return"
PARKED = "parked"


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(SignInNeeded, _sign_in_needed)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(NotFound, lambda e: page(404, "errors-not-found"))
    app.register_error_handler(Forbidden, lambda e: page(403, e.reason))
    app.register_error_handler(Conflict, lambda e: page(409, e.message, facts=e.facts))
    app.register_error_handler(Invalid, lambda e: page(422, "errors-invalid", fields=e.fields))
    app.register_error_handler(OperationalError, _no_database)
    app.register_error_handler(PoolTimeout, _no_database)
    app.register_error_handler(DBAPIError, _no_database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(500, lambda e: page(500, "errors-server"))


def page(status: int, message: str, **facts: object) -> Response:
    """An error page: a message key of subject ``errors`` with ``-title`` and what to do."""
    return make_response(render_template("error.html", status=status, message=message, **facts), status)


def park_here() -> None:
    """Keep the form of the present request, to be given back at its page after signing in."""
    path = request.path
    session[RETURN] = request.full_path.rstrip("?") if request.method == "GET" else _page_of(path)
    if request.method == "POST" and request.form and _from_here():
        key = parking.park(session[RETURN], request.form.to_dict(flat=False))
        if key:
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


def _page_of(path: str) -> str:
    """The page that shows the form which posts to ``path``: itself, or the page of the request it belongs to."""
    given = request.form.get("page", "")
    return given if is_local_path(given) else path


def _from_here() -> bool:
    """Whether the form came from our own page: another site's words must not end up in somebody's form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin == hub().settings.BASE_URL.rstrip("/") or origin == request.host_url.rstrip("/")


def _sign_in_needed(_: SignInNeeded) -> Response:
    park_here()
    return make_response(
        render_template("sign_in/needed.html", kept=PARKED in session, path=session[RETURN]),
        200 if request.method == "GET" else 401,
    )


def _stale_form(error: CSRFError) -> Response:
    log.info("form without a valid token: %s", error.description)
    if person() is None:
        return _sign_in_needed(SignInNeeded())
    park_here()
    return make_response(render_template("sign_in/stale.html", kept=PARKED in session, path=session[RETURN]), 400)


def _no_database(error: Exception) -> Response:
    """The database is away, read-only or too slow: a page that needs none."""
    log.error("database: %s", type(error).__name__, exc_info=error)
    db.session.rollback()
    session.modified = False
    response = make_response(render_template("unavailable.html"), 503)
    response.headers["Retry-After"] = "60"
    return response


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return redirect(url_for("home.index"), 303)  # type: ignore[return-value]
    known = {404: "errors-not-found", 405: "errors-not-found", 413: "errors-too-large", 429: "errors-too-many"}
    return page(error.code, known.get(error.code, "errors-server" if error.code >= 500 else "errors-bad"))
