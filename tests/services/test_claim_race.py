"""However many claim at once, and from however many processes, one becomes the lead and the others are told so."""

from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask

from cphub.domain.events import EventKind
from cphub.domain.lifecycle import State
from cphub.domain.policy import Role
from cphub.models import Event, Expert, Person, Request, db
from cphub.services import matching, requests
from tests.conftest import FixedClock
from tests.services import making, racing


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_of_a_hundred_claims_at_once_exactly_one_wins(overrides: dict[str, object], clock: FixedClock) -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    number = making.matching(asha, mei).id
    people = [Person(central_id=f"7{n:04}", name=f"Expert {n}", created_at=clock()) for n in range(100)]
    db.session.add_all(
        Expert(person=one, places=4, published=True, created_at=clock(), updated_at=clock()) for one in people
    )
    db.session.commit()

    answers = racing.race(overrides, [(one.id, number) for one in people], processes=5)

    assert Counter(answer for _, answer in answers) == {"won": 1, "offers-conflict-taken": 99}
    ((winner, _),) = [entry for entry, answer in answers if answer == "won"]
    db.session.expire_all()
    request = db.session.get_one(Request, number)
    assert (request.lead_id, request.state) == (winner, State.IN_PROGRESS)
    claimed = db.session.query(Event).filter_by(request_id=number, kind=EventKind.REQUEST_CLAIMED).all()
    assert [event.actor_id for event in claimed] == [winner]


def test_one_expert_claiming_ten_requests_at_once_gets_no_more_than_their_places(overrides: dict[str, object]) -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    making.profile(kofi, places=2)
    numbers = [making.matching(asha, mei).id for _ in range(10)]
    for number in numbers:
        requests.set_needs(making.viewer(mei), number, skills={}, weight="S")

    answers = racing.race(overrides, [(kofi.id, number) for number in numbers], processes=2)

    assert Counter(answer for _, answer in answers) == {"won": 2, "offers-barrier-full": 8}
    db.session.expire_all()
    assert matching.loads([kofi.id]) == {kofi.id: 2}
    led = db.session.query(Request).filter_by(lead_id=kofi.id).all()
    assert {request.id for request in led} == {number for (_, number), answer in answers if answer == "won"}
