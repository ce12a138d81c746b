"""Pages travel compressed: a list of 30 kB becomes one of 6 kB, which on a slow phone is the difference."""

import gzip

from flask import Flask, Response, request, session

from cphub.web.current import PERSON

#: Below this many bytes the answer fits into one packet anyway.
LEAST = 1000
_TYPES = {"text/html", "text/plain", "application/json", "application/atom+xml", "application/xml"}


def init_app(app: Flask) -> None:
    """Compress what is worth it and asked for. Static files have compressed copies of their own."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype not in _TYPES or response.direct_passthrough or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    # A page that was asked for from another site's page stays as it is for people with secrets: by the size of
    # compressed answers such a site could guess what is in them (BREACH).
    tempted = PERSON in session and request.headers.get("Sec-Fetch-Site") == "cross-site"
    if (
        tempted
        or "Content-Encoding" in response.headers
        or "ETag" in response.headers
        or not request.accept_encodings["gzip"]
        or len(body := response.get_data()) < LEAST
    ):
        return response
    response.set_data(gzip.compress(body, 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return response
