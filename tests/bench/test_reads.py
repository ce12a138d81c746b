"""What a page reads of the tables does not grow with them: an index has it in order, or nearly."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bench.statements import rows_read
from bench.stories import COORDINATOR, LONG_EVERY, MEMBER
from cphub.domain.lifecycle import State, Track
from cphub.domain.policy import ANONYMOUS, Role, Viewer
from cphub.models import db
from cphub.models.queries import inbox, me, queue, request_page, requests
from cphub.models.queries.queue import View
from cphub.models.queries.requests import Filter
from cphub.services.requests import subject_of
from tests.bench.conftest import NOW, SIZE

VIEWERS = {
    "nobody": ANONYMOUS,
    "member": Viewer(MEMBER, expert=True),
    "coordinator": Viewer(COORDINATOR, frozenset({Role.COORDINATOR})),
}
FILTERS = {
    "all": Filter(),
    "state": Filter(state=State.MATCHING),
    "closed": Filter(state=State.CLOSED),
    "track": Filter(track=Track.PROJECT),
    "language": Filter(language="fr"),
    "country": Filter(country="KE"),
    "language and state": Filter(language="fr", state=State.CLOSED),
}
Reads = Callable[[Callable[[], Any]], int]


@pytest.fixture
def reads(app: Flask) -> Reads:
    """How many rows the server reads for a query."""

    def count(query: Callable[[], Any]) -> int:
        found = 0

        def note(connection: Any, _record: object) -> None:
            nonlocal found
            found += rows_read(connection)

        with app.app_context():
            sa.event.listen(db.engine, "checkin", note)
            query()
            db.session.remove()
            sa.event.remove(db.engine, "checkin", note)
        return found

    return count


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_list_reads_little(reads: Reads, viewer: str, wanted: str) -> None:
    assert reads(lambda: requests.browse(VIEWERS[viewer], FILTERS[wanted])) < 800


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_page_far_down_reads_no_more(reads: Reads, viewer: str) -> None:
    deep = "20240301000000000000-1800"
    assert reads(lambda: requests.browse(VIEWERS[viewer], Filter(), after=deep)) < 800
    assert reads(lambda: requests.browse(VIEWERS[viewer], Filter(language="fr"), after=deep)) < 800


@pytest.mark.parametrize("view", View)
def test_the_queue_reads_little(reads: Reads, view: View) -> None:
    today: date = NOW.date()
    assert reads(lambda: queue.queue(VIEWERS["coordinator"], view, Filter(), today=today)) < 1_500


def test_pages_of_ones_own_read_little(reads: Reads) -> None:
    assert reads(lambda: me.mine(VIEWERS["member"])) < 800
    assert reads(lambda: inbox.inbox(VIEWERS["coordinator"])) < 800


def test_the_page_of_a_request_reads_little(reads: Reads) -> None:
    number = SIZE // 2 // LONG_EVERY * LONG_EVERY
    assert reads(lambda: request_page.request_page(VIEWERS["coordinator"], number, subject_of)) < 200
