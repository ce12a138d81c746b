"""What happens by time alone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from cphub.domain.events import EventKind
from cphub.domain.lifecycle import State, Verb, WaitingOn
from cphub.domain.offers import OfferState
from cphub.domain.policy import Role, Viewer
from cphub.models import Event, Offer, Person, Request, db
from cphub.services import offers, parking, requests, sweep
from cphub.services.requests import Facts
from tests.conftest import FixedClock
from tests.services import making

SOLVED = Facts(outcome="solved", summary="done")


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def asha() -> Person:
    return making.person("Asha")


@pytest.fixture
def mei() -> Person:
    return making.person("Mei", Role.COORDINATOR)


def v(person: Person) -> Viewer:
    return making.viewer(person)


def test_an_offer_runs_out_after_three_days(asha: Person, mei: Person, clock: FixedClock) -> None:
    number = making.matching(asha, mei).id
    expert = making.profile(making.person("Kofi"))
    offer = offers.send(v(mei), number, expert.id)
    clock.advance(hours=71, minutes=59)
    assert sweep.run() == 0
    clock.advance(minutes=1)
    assert sweep.run() == 1
    assert db.session.get_one(Offer, offer.id).state is OfferState.EXPIRED
    request = db.session.get_one(Request, number)
    assert request.waiting_on is WaitingOn.COORDINATOR
    event = db.session.scalars(select(Event).where(Event.kind == EventKind.OFFER_EXPIRED)).one()
    assert event.actor_id is None
    assert sweep.run() == 0


def test_an_answered_offer_does_not_run_out(asha: Person, mei: Person, clock: FixedClock) -> None:
    number = making.matching(asha, mei).id
    kofi = making.person("Kofi")
    offer = offers.send(v(mei), number, making.profile(kofi).id)
    offers.accept(v(kofi), offer.id)
    clock.advance(days=4)
    assert sweep.run() == 0
    assert db.session.get_one(Offer, offer.id).state is OfferState.ACCEPTED


def test_a_resolved_request_closes_after_its_last_day(asha: Person, mei: Person, clock: FixedClock) -> None:
    number = requests.act(v(mei), making.request(asha).id, Verb.RESOLVE, SOLVED).id
    clock.advance(days=14)
    assert sweep.run() == 0
    clock.advance(days=1)
    assert sweep.run() == 1
    closed = db.session.get_one(Request, number)
    assert (closed.state, closed.waiting_on, closed.outcome) == (State.CLOSED, None, "solved")
    assert sweep.run() == 0


def test_a_reopened_request_does_not_close(asha: Person, mei: Person, clock: FixedClock) -> None:
    number = requests.act(v(mei), making.request(asha).id, Verb.RESOLVE, SOLVED).id
    requests.act(v(asha), number, Verb.REOPEN, Facts(reason="Half is missing."))
    clock.advance(days=30)
    assert sweep.run() == 0
    assert db.session.get_one(Request, number).state is State.IN_PROGRESS


def test_what_was_parked_goes_after_a_week(clock: FixedClock) -> None:
    key = parking.park("/requests/new", {"title": ["Maps"]})
    assert key
    clock.advance(days=6)
    sweep.run()
    assert parking.fetch(key, "/requests/new") == {"title": ["Maps"]}
    clock.advance(days=2)
    assert sweep.run() == 1
    assert parking.fetch(key, "/requests/new") == {}
