"""Headers, cookies and cross-site request forgery: what protects every page alike."""

from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as WerkzeugResponse

from cphub.hub import hub

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Check every form's token; send the headers with every answer."""
    # First, because the session that a form's token belongs to is one host name's.
    app.before_request(_one_name)
    csrf.init_app(app)
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
