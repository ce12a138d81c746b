"""What a page costs on a slow line: bytes over the wire, everything counted, and nothing from anywhere else."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.conftest import OpenWindow, Stack
from tests.browser.pages import PLACES, Place

FIRST_VISIT = 60_000
SECOND_VISIT = 15_000


class Wire:
    """Counts what a page loads. ``bytes`` are those that travelled, headers included."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        self.addresses: dict[str, int] = {}
        self._names: dict[str, str] = {}
        session: CDPSession = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.loadingFinished", self._finished)

    def _asked(self, event: dict[str, Any]) -> None:
        self._names[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: dict[str, Any]) -> None:
        size = int(event["encodedDataLength"])
        self.bytes += size
        self.addresses[self._names[event["requestId"]]] = size


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_page_is_light_and_keeps_to_itself(place: Place, window: OpenWindow, stack: Stack) -> None:
    page = window(place.who).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    weights = []
    for _visit in ("first", "second"):
        wire = Wire(page)
        response = page.goto(place.path)
        assert response is not None
        assert response.status == place.status
        weights.append((wire.bytes, wire.addresses))
        assert {address for address in wire.addresses if not address.startswith((f"{stack.url}/", "data:"))} == set()
    # Chromium itself remarks on a page that was not found.
    assert [text for text in said if not (place.status >= 400 and "the server responded with a status" in text)] == []
    assert weights[0][0] < FIRST_VISIT, weights[0][1]
    assert weights[1][0] < SECOND_VISIT, weights[1][1]
