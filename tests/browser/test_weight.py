"""What a page costs on a slow line: bytes over the wire, everything counted, and nothing from anywhere else."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.conftest import OpenWindow, Stack
from tests.browser.pages import PLACES, Place

FIRST_VISIT = 60_000
SECOND_VISIT = 15_000
#: No page with its stylesheets is smaller.
LEAST = 10_000


class Wire:
    """Counts what a page loads."""

    def __init__(self, page: Page) -> None:
        self._sizes: dict[str, int] = {}
        self._names: dict[str, str] = {}
        session: CDPSession = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._finished)

    def since_last(self) -> dict[str, int]:
        """Each address that was loaded, with the bytes that travelled for it, headers included."""
        sizes, self._sizes = self._sizes, {}
        return sizes

    def _asked(self, event: dict[str, Any]) -> None:
        self._names[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        address = self._names[event["requestId"]]
        self._sizes[address] = self._sizes.get(address, 0) + int(event["encodedDataLength"])


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_page_is_light_and_keeps_to_itself(place: Place, window: OpenWindow, stack: Stack) -> None:
    page = window(place.who).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    wire = Wire(page)
    visits: list[dict[str, int]] = []
    for _visit in ("first", "second"):
        response = page.goto(place.path)
        assert response is not None
        assert response.status == place.status
        visits.append(wire.since_last())
        assert {address for address in visits[-1] if not address.startswith((f"{stack.url}/", "data:"))} == set()
    # Chromium itself remarks on a page that was not found.
    assert [text for text in said if not (place.status >= 400 and "the server responded with a status" in text)] == []
    assert sum(visits[0].values()) > LEAST, "nothing was counted"
    for visit, most in zip(visits, (FIRST_VISIT, SECOND_VISIT), strict=True):
        assert sum(visit.values()) < most, visit
