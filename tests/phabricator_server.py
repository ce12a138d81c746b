"""A small Phabricator that really listens, on a free port of loopback, for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from cphub.gateways.phabricator import Phabricator
from cphub.sandbox.phabricator import PhabricatorSandbox

BOT_TOKEN = "api-" + "b" * 28
HUMAN_TOKEN = "api-" + "h" * 28
USER_AGENT = "cphub-tests/1.0 (https://example.org/; helpdesk@example.org)"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """A test tells what went wrong, the server need not."""


@contextmanager
def listening(app: PhabricatorSandbox) -> Iterator[str]:
    """The address of the running application."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        app.faults.release()
        server.shutdown()
        thread.join()
        server.server_close()


def client(url: str, token: str = BOT_TOKEN, *, timeout: float = 10.0) -> Phabricator:
    return Phabricator(url, token, user_agent=USER_AGENT, timeout=timeout)
