"""Headers, cookies and cross-site request forgery: what protects every page alike."""

from urllib.parse import urlsplit

from flask import Flask, Request, Response, redirect, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response as WerkzeugResponse

from cphub.hub import hub

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check every form's token; send the headers with every answer."""
    # First, because the session that a form's token belongs to is one host name's.
    app.before_request(_one_name)
    csrf.init_app(app)
    app.session_interface = _OwnSession()
    app.url_map.converters["int"] = _Id
    policy = _content_policy(app)

    @app.after_request
    def protect(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if request.endpoint != "static":
            # Pages differ by person and by language, and hold what is not everybody's.
            headers.setdefault("Cache-Control", "private, no-cache")
            response.vary.update(("Accept-Language", "Cookie"))
        return response


class _Id(IntegerConverter):
    """A number that a column can hold, in ASCII digits; an address with any other leads nowhere."""

    regex = "[0-9]{1,10}"

    def __init__(self, rules: Map) -> None:
        super().__init__(rules, max=2**31 - 1)


class _OwnSession(SecureCookieSessionInterface):
    """Another site's form comes without our cookie (SameSite): an answer with a new one would end the real session."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.method in ("GET", "HEAD") or not from_elsewhere(request):
            super().save_session(app, session, response)


def from_elsewhere(sent: Request) -> bool:
    """Whether the browser says that a page of another site sent this."""
    site = sent.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = sent.headers.get("Origin")
    return origin is not None and not _is_ours(origin)


def from_our_page(sent: Request) -> bool:
    """Whether the browser says that a page of ours sent this; one that says nothing is not believed."""
    site = sent.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return _is_ours(sent.headers.get("Origin") or sent.headers.get("Referer", ""))


def _is_ours(address: str) -> bool:
    given = urlsplit(address)
    return f"{given.scheme}://{given.netloc}" in (hub().settings.BASE_URL.rstrip("/"), request.host_url.rstrip("/"))


def _one_name() -> WerkzeugResponse | None:
    """Whoever types ``localhost`` for the 127.0.0.1 of a local run would come back from the wiki without a session."""
    base = urlsplit(hub().settings.BASE_URL)
    if base.hostname == "127.0.0.1" and request.host == f"localhost:{base.port}" and request.method == "GET":
        return redirect(f"{base.scheme}://{base.netloc}{request.full_path.rstrip('?')}", 307)
    return None


def _content_policy(app: Flask) -> str:
    with app.app_context():
        wiki = urlsplit(hub().settings.WIKI_INDEX_URL)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            # Codex draws some of its icons as data: addresses in its stylesheet.
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            # The sign-in form is a POST that ends at the wiki by redirect.
            f"form-action 'self' {wiki.scheme}://{wiki.netloc}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


def is_local_path(path: str) -> bool:
    """Whether a redirect to ``path`` stays on this site: ``/x``, but neither ``//x`` nor anything with a backslash."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and not any(c in path for c in "\\\r\n\t\0")
