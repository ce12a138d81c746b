"""Server trouble on demand, so that tests can see what the client makes of it."""

from collections import deque
from enum import StrEnum
from threading import Event, Lock

from flask import Response

LONGEST_HANG = 30.0  # seconds; a test that forgets to release must still end


class Fault(StrEnum):
    """What goes wrong. ``*_AFTER`` happens when the call has already been carried out."""

    HANG_BEFORE = "hang-before"
    HANG_AFTER = "hang-after"
    BAD_GATEWAY = "bad-gateway"
    BAD_GATEWAY_AFTER = "bad-gateway-after"
    RATE_LIMITED = "rate-limited"
    FATAL_AFTER = "fatal-after"


_PAGES = {
    Fault.BAD_GATEWAY: (502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>"),
    Fault.BAD_GATEWAY_AFTER: (502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>"),
    Fault.RATE_LIMITED: (
        429,
        "text/plain",
        "TOO MANY REQUESTS\nYou are issuing too many requests too quickly.\n",
    ),
    Fault.FATAL_AFTER: (
        500,
        "text/plain",
        ">>> UNRECOVERABLE FATAL ERROR <<<\n\nMaximum execution time exceeded\n",
    ),
}


class Faults:
    """A queue of troubles, used up one call at a time. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._queue: deque[tuple[Fault, str | None]] = deque()
        self._released = Event()

    def add(self, fault: Fault, *, times: int = 1, method: str | None = None) -> None:
        """The next calls (of this method, if one is named) go wrong. A named one waits for its method."""
        with self._lock:
            self._released.clear()
            self._queue.extend([(fault, method)] * times)

    def release(self) -> None:
        """Forget what has not happened yet, and let hanging calls end."""
        with self._lock:
            self._queue.clear()
            self._released.set()

    def take(self, method: str) -> Fault | None:
        with self._lock:
            for index, (fault, wanted) in enumerate(self._queue):
                if wanted in (None, method):
                    del self._queue[index]
                    return fault
        return None

    def hang(self) -> None:
        self._released.wait(LONGEST_HANG)

    @staticmethod
    def answer(fault: Fault) -> Response:
        status, kind, text = _PAGES[fault]
        return Response(text, status, content_type=kind)
