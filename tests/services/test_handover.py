"""Somebody who wrote by mail gets their request when they come with an account: once, and nobody after them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from cphub.domain.events import EventKind
from cphub.domain.policy import Role, Viewer
from cphub.errors import Conflict, Forbidden, NotFound
from cphub.models import Event, InboxItem, Person, db
from cphub.services import people, requests
from cphub.services.requests.handover import LINK_LIFE
from tests.conftest import FixedClock
from tests.services import making
from tests.services.test_drafts import MAPS


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def mei() -> Viewer:
    return making.viewer(making.person("Mei", Role.COORDINATOR))


def _entered(mei: Viewer) -> tuple[int, str]:
    """A request for a guest: its number and the token of its link."""
    number = requests.send(mei, "k1", MAPS, on_behalf_of="Adwoa of the museum").id
    link = requests.handover_link(mei, number)
    assert link is not None
    assert link.startswith("http://127.0.0.1:5000/requests/take-over/")
    return number, link.rpartition("/")[2]


def test_guest_takes_the_request_over_and_is_forgotten(mei: Viewer) -> None:
    number, token = _entered(mei)
    shown = requests.see_handover(token)
    assert (shown.number, shown.title, shown.name) == (number, MAPS.title, "Adwoa of the museum")
    adwoa = making.person("Adwoa")
    taken = requests.take_over(making.viewer(adwoa), token)
    assert (taken.requester_id, taken.requester.name) == (adwoa.id, "Adwoa")
    assert "Adwoa of the museum" not in db.session.scalars(select(Person.name)).all()
    event = db.session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert event is not None
    assert (event.kind, event.payload) == (EventKind.REQUEST_HANDED_OVER, {"person": adwoa.id})
    told = db.session.scalars(select(InboxItem).where(InboxItem.person_id == adwoa.id)).all()
    assert [item.event.kind for item in told] == [EventKind.REQUEST_RECEIVED]


def test_link_works_once(mei: Viewer) -> None:
    _, token = _entered(mei)
    requests.take_over(making.viewer(making.person("Adwoa")), token)
    with pytest.raises(Conflict):
        requests.see_handover(token)
    with pytest.raises(Conflict):
        requests.take_over(making.viewer(making.person("Sami")), token)


def test_one_of_many_at_once_takes_it_over(mei: Viewer, app: Flask) -> None:
    number, token = _entered(mei)
    viewers = [making.viewer(making.person(f"Person {n}")) for n in range(8)]

    def take(viewer: Viewer) -> bool:
        with app.app_context():
            try:
                requests.take_over(viewer, token)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        won = [v.person_id for v, taken in zip(viewers, pool.map(take, viewers), strict=True) if taken]
    assert won == [requests.find(mei, number, lock=True)[0].requester_id]


@pytest.mark.parametrize("token", ["", "x", "WzEsMl0.aaaa.bbbb"])
def test_wrong_link_leads_nowhere(token: str) -> None:
    with pytest.raises(NotFound):
        requests.see_handover(token)


def test_old_link_leads_nowhere(mei: Viewer, clock: FixedClock) -> None:
    _, token = _entered(mei)
    clock.advance(days=LINK_LIFE.days)
    requests.see_handover(token)
    clock.advance(days=1)
    with pytest.raises(NotFound):
        requests.see_handover(token)


def test_stranger_blocked_and_coordinator_cannot_take_over(mei: Viewer) -> None:
    _, token = _entered(mei)
    blake = making.viewer(people.sign_in("9999", "Blake", blocked=True))
    for viewer in (Viewer(), blake, mei):
        with pytest.raises(Forbidden):
            requests.take_over(viewer, token)


def test_only_a_coordinator_gets_the_link(mei: Viewer) -> None:
    number, _ = _entered(mei)
    with pytest.raises(Forbidden):
        requests.handover_link(making.viewer(making.person("Sami")), number)
