"""A small client: one connection, one request at a time, and how long each took."""

import http.client
from time import perf_counter
from types import TracebackType
from urllib.parse import urlencode

#: Seconds after which a page has failed.
PATIENCE = 60


class Failed(Exception):
    """A page did not answer as it should. The message says which and how."""


class Client:
    """Keeps its connection for as long as the server does, and sends the same cookie each time."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Accept-Language": "en"} | ({"Cookie": cookie} if cookie else {})

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    def send(self, path: str, form: dict[str, str] | None = None) -> tuple[float, bytes]:
        """Milliseconds until the last byte, and the page. Raises Failed unless it is 200, or 303 for a form."""
        headers, body = self._headers, None
        if form is not None:
            body = urlencode(form)
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        start = perf_counter()
        try:
            response = self._ask(path, body, headers)
        except ConnectionError:  # the server has closed a connection that was idle for too long
            self._connection.close()
            start = perf_counter()
            response = self._ask(path, body, headers)
        page = response.read()
        took = (perf_counter() - start) * 1000
        if response.status != (200 if form is None else 303):
            raise Failed(f"{path}: {response.status}\n{page[:2000].decode(errors='replace')}")
        return took, page

    def _ask(self, path: str, body: str | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("GET" if body is None else "POST", path, body, headers)
        return self._connection.getresponse()
