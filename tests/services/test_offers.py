"""Offers and claims: one lead ever, and everything checked again at the moment it counts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import State, Track, Verb, WaitingOn
from cphub.domain.offers import OfferReason, OfferState
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.errors import Conflict, CphubError, Forbidden, Invalid, NotFound
from cphub.models import Event, Expert, InboxItem, Offer, Person, Request, db
from cphub.services import offers, replies, requests
from cphub.services.requests import Facts
from tests.services import making


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


@pytest.fixture
def kofi() -> Person:
    kofi = making.person("Kofi")
    making.profile(kofi)
    return kofi


@pytest.fixture
def noor() -> Person:
    noor = making.person("Noor")
    making.profile(noor)
    return noor


def v(person: Person) -> Viewer:
    return making.viewer(person)


def profile_of(person: Person) -> Expert:
    return db.session.scalars(select(Expert).where(Expert.person_id == person.id)).one()


def last(number: int, kind: EventKind) -> Event:
    return db.session.scalars(
        select(Event).where(Event.request_id == number, Event.kind == kind).order_by(Event.id.desc()).limit(1)
    ).one()


def told(event: Event) -> dict[int, str]:
    rows = db.session.execute(select(InboxItem.person_id, InboxItem.reason).where(InboxItem.event_id == event.id))
    return {row.person_id: row.reason for row in rows}


def refused(call: Callable[[], object], error: type[CphubError]) -> CphubError:
    with pytest.raises(error) as found:
        call()
    db.session.rollback()
    return found.value


def test_an_offer_is_open_for_three_days_and_told_to_the_expert(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offer = offers.send(v(mei), number, profile_of(kofi).id, message=" Would you? ")
    assert (offer.state, offer.message, offer.person_id) == (OfferState.OPEN, "Would you?", kofi.id)
    assert offer.expires_at == clock.now() + timedelta(hours=72)
    request = db.session.get_one(Request, number)
    assert (request.waiting_on, request.next_step) == (WaitingOn.EXPERT, "expert_answers_offer")
    event = last(number, EventKind.OFFER_SENT)
    assert event.audience is Audience.COORDINATORS
    assert told(event) == {kofi.id: "offered"}
    assert profile_of(kofi).last_asked == clock.now()


def test_a_yes_makes_the_lead_and_takes_the_other_offers_back(
    asha: Person, mei: Person, kofi: Person, noor: Person
) -> None:
    number = making.matching(asha, mei).id
    first = offers.send(v(mei), number, profile_of(kofi).id)
    second = offers.send(v(mei), number, profile_of(noor).id)
    request = offers.accept(v(noor), second.id)
    assert (request.state, request.lead_id, request.waiting_on) == (State.IN_PROGRESS, noor.id, WaitingOn.EXPERT)
    assert db.session.get_one(Offer, second.id).state is OfferState.ACCEPTED
    assert db.session.get_one(Offer, first.id).state is OfferState.WITHDRAWN
    assert told(last(number, EventKind.OFFER_WITHDRAWN))[kofi.id] == "offered"
    assert told(last(number, EventKind.OFFER_ACCEPTED)) == {asha.id: "your_request", mei.id: "coordinator"}
    assert offers.accept(v(noor), second.id).lead_id == noor.id  # a second click
    late = refused(lambda: offers.accept(v(kofi), first.id), Conflict)
    assert isinstance(late, Conflict)
    assert (late.message, late.facts["lead"]) == ("offers-conflict-taken", noor.id)


def test_a_no_passes_the_request_back_and_only_coordinators_read_why(
    asha: Person, mei: Person, kofi: Person, noor: Person
) -> None:
    number = making.matching(asha, mei).id
    one = offers.send(v(mei), number, profile_of(kofi).id)
    two = offers.send(v(mei), number, profile_of(noor).id)
    offers.decline(v(kofi), one.id, "busy", "until May")
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.EXPERT
    event = last(number, EventKind.OFFER_DECLINED)
    assert event.audience is Audience.COORDINATORS
    assert (event.payload["reason"], event.payload["reason_text"]) == ("busy", "until May")
    assert told(event) == {mei.id: "coordinator"}
    offers.decline(v(noor), two.id, OfferReason.OTHER)
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.COORDINATOR
    again = refused(lambda: offers.decline(v(noor), two.id, "busy"), Conflict)
    assert isinstance(again, Conflict)
    assert again.message == "offers-conflict-ended"


def test_a_no_needs_a_reason(asha: Person, mei: Person, kofi: Person) -> None:
    offer = offers.send(v(mei), making.matching(asha, mei).id, profile_of(kofi).id)
    for reason in ("", "nonsense"):
        error = refused(lambda reason=reason: offers.decline(v(kofi), offer.id, reason), Invalid)  # type: ignore[misc]
        assert isinstance(error, Invalid)
        assert error.fields == {"offer_reason": "offers-error-reason"}
    refused(lambda: offers.decline(v(kofi), offer.id, "busy", "x" * 501), Invalid)


def test_an_offer_is_taken_back_by_coordinators_only(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offer = offers.send(v(mei), number, profile_of(kofi).id)
    for other in (asha, kofi, making.person("Lena", Role.COMMITTEE)):
        refused(lambda other=other: offers.withdraw(v(other), offer.id), Forbidden)  # type: ignore[misc]
    offers.withdraw(v(mei), offer.id)
    assert db.session.get_one(Offer, offer.id).state is OfferState.WITHDRAWN
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.COORDINATOR
    refused(lambda: offers.withdraw(v(mei), offer.id), Conflict)
    refused(lambda: offers.withdraw(v(mei), offer.id + 1), NotFound)


def test_offers_are_their_experts_alone(asha: Person, mei: Person, kofi: Person, noor: Person) -> None:
    offer = offers.send(v(mei), making.matching(asha, mei).id, profile_of(kofi).id)
    for other in (noor, asha, mei):
        refused(lambda other=other: offers.accept(v(other), offer.id), NotFound)  # type: ignore[misc]
        refused(lambda other=other: offers.decline(v(other), offer.id, "busy"), NotFound)  # type: ignore[misc]
    refused(lambda: offers.accept(Viewer(), offer.id), NotFound)
    kofi.blocked = True
    db.session.commit()
    refused(lambda: offers.accept(v(kofi), offer.id), Forbidden)
    refused(lambda: offers.decline(v(kofi), offer.id, "busy"), Forbidden)


def test_an_offer_lets_see_what_is_not_public_while_it_is_open(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei, visibility=Visibility.HUB).id
    refused(lambda: requests.find(v(kofi), number), NotFound)
    offer = offers.send(v(mei), number, profile_of(kofi).id)
    assert requests.find(v(kofi), number)[0].id == number
    offers.decline(v(kofi), offer.id, "conflict")
    refused(lambda: requests.find(v(kofi), number), NotFound)


def test_only_two_are_asked_at_once_and_nobody_twice(asha: Person, mei: Person, kofi: Person, noor: Person) -> None:
    number = making.matching(asha, mei).id
    third = making.profile(making.person("Bene"))
    offers.send(v(mei), number, profile_of(kofi).id)
    error = refused(lambda: offers.send(v(mei), number, profile_of(kofi).id), Invalid)
    assert isinstance(error, Invalid)
    assert error.fields == {"expert": "offers-error-asked-already"}
    offers.send(v(mei), number, profile_of(noor).id)
    error = refused(lambda: offers.send(v(mei), number, third.id), Invalid)
    assert isinstance(error, Invalid)
    assert error.fields == {"expert": "offers-error-enough"}


def test_only_coordinators_make_offers_and_only_while_somebody_is_looked_for(
    asha: Person, mei: Person, kofi: Person
) -> None:
    sent, expert = making.request(asha).id, profile_of(kofi).id
    refused(lambda: offers.send(v(mei), sent, expert), Conflict)
    requests.act(v(mei), sent, Verb.TAKE_ON)
    for other in (asha, kofi, making.person("Lena", Role.COMMITTEE)):
        refused(lambda other=other: offers.send(v(other), sent, expert), Forbidden)  # type: ignore[misc]
    refused(lambda: offers.send(v(mei), sent, expert + 99), Invalid)
    refused(lambda: offers.send(v(mei), sent, expert, message="x" * 1001), Invalid)
    refused(lambda: offers.send(v(mei), sent, expert, seen=1), Conflict)


@pytest.mark.parametrize("barrier", ["unpublished", "away", "full", "conflict", "blocked"])
def test_what_stands_against_an_expert_is_checked_when_it_counts(
    barrier: str, asha: Person, mei: Person, kofi: Person
) -> None:
    number = making.matching(asha, mei, partner_name="River  Museum").id
    offer = offers.send(v(mei), number, profile_of(kofi).id)
    stand_against(kofi, barrier)
    if barrier == "unpublished":  # then there is nobody to claim
        refused(lambda: offers.claim(v(kofi), number), Forbidden)
    error = refused(lambda: offers.accept(v(kofi), offer.id), Forbidden if barrier == "blocked" else Conflict)
    if isinstance(error, Conflict):
        assert error.message == f"offers-barrier-{barrier}"
    offers.withdraw(v(mei), offer.id)
    error = refused(lambda: offers.send(v(mei), number, profile_of(kofi).id), Invalid)
    assert isinstance(error, Invalid)
    assert error.fields == {"expert": f"offers-barrier-{barrier}"}
    assert db.session.get_one(Request, number).lead_id is None


def stand_against(expert: Person, barrier: str) -> None:
    """Let something come up between the offer and the answer."""
    changes: dict[str, dict[str, object]] = {
        "away": {"away_until": clock.now().date()},
        "full": {"places": 1},
        "conflict": {"conflicts": ("river museum",)},
    }
    if barrier == "blocked":
        expert.blocked = True
        db.session.commit()
    else:
        making.profile(expert, publish=barrier != "unpublished", **changes.get(barrier, {}))


def test_nobody_leads_their_own_request(kofi: Person, mei: Person) -> None:
    number = making.matching(kofi, mei).id
    error = refused(lambda: offers.send(v(mei), number, profile_of(kofi).id), Invalid)
    assert isinstance(error, Invalid)
    assert error.fields == {"expert": "offers-barrier-self"}
    refused(lambda: offers.claim(v(kofi), number), Conflict)


def test_an_expert_claims_without_being_asked(asha: Person, mei: Person, kofi: Person) -> None:
    request = offers.claim(v(kofi), making.matching(asha, mei).id)
    assert (request.state, request.lead_id) == (State.IN_PROGRESS, kofi.id)
    assert told(last(request.id, EventKind.REQUEST_CLAIMED)) == {asha.id: "your_request", mei.id: "coordinator"}
    assert offers.claim(v(kofi), request.id).id == request.id


def test_a_small_question_can_be_claimed_at_once_but_a_project_not(asha: Person, kofi: Person) -> None:
    assert offers.claim(v(kofi), making.request(asha).id).lead_id == kofi.id
    project = making.request(asha, track=Track.PROJECT).id
    refused(lambda: offers.claim(v(kofi), project), Conflict)


def test_a_claim_takes_open_offers_back_and_counts_as_a_yes_to_ones_own(
    asha: Person, mei: Person, kofi: Person, noor: Person
) -> None:
    number = making.matching(asha, mei).id
    mine = offers.send(v(mei), number, profile_of(kofi).id)
    other = offers.send(v(mei), number, profile_of(noor).id)
    offers.claim(v(kofi), number)
    assert db.session.get_one(Offer, mine.id).state is OfferState.ACCEPTED
    assert db.session.get_one(Offer, other.id).state is OfferState.WITHDRAWN


def test_only_experts_claim(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    for other in (making.person("Sami"), mei):
        refused(lambda other=other: offers.claim(v(other), number), Forbidden)  # type: ignore[misc]
    refused(lambda: offers.claim(Viewer(), number), Forbidden)
    hidden = making.matching(asha, mei, visibility=Visibility.HUB).id
    refused(lambda: offers.claim(v(kofi), hidden), NotFound)


def test_of_many_claims_at_once_one_wins_and_the_others_are_told_who(asha: Person, mei: Person, app: Flask) -> None:
    number = making.matching(asha, mei).id
    experts = [making.person(f"Expert {n}") for n in range(12)]
    for expert in experts:
        making.profile(expert)
    viewers = [v(expert) for expert in experts]
    db.session.rollback()

    def claim(viewer: Viewer) -> object:
        with app.app_context():
            try:
                return offers.claim(viewer, number).lead_id
            except Conflict as conflict:
                return conflict.facts["lead"]

    with ThreadPoolExecutor(12) as pool:
        said = set(pool.map(claim, viewers))
    assert said == {db.session.get_one(Request, number, populate_existing=True).lead_id}


def test_one_expert_does_not_fill_the_last_place_twice(asha: Person, mei: Person, kofi: Person, app: Flask) -> None:
    making.profile(kofi, places=2)
    numbers = [making.matching(asha, mei).id for _ in range(4)]
    viewer = v(kofi)
    db.session.rollback()

    def claim(number: int) -> str:
        with app.app_context():
            try:
                offers.claim(viewer, number)
            except Conflict as conflict:
                return conflict.message
            return "won"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, numbers)) == [*["offers-barrier-full"] * 3, "won"]


def test_of_two_answers_to_one_offer_the_first_counts(asha: Person, mei: Person, kofi: Person, app: Flask) -> None:
    number = making.matching(asha, mei).id
    offer_id, expert, coordinator = offers.send(v(mei), number, profile_of(kofi).id).id, v(kofi), v(mei)
    db.session.rollback()

    def answer(n: int) -> bool:
        with app.app_context():
            try:
                if n % 2:
                    offers.decline(expert, offer_id, "busy")
                else:
                    offers.withdraw(coordinator, offer_id)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(answer, range(6))) == 1
    assert db.session.get_one(Request, number, populate_existing=True).waiting_on is WaitingOn.COORDINATOR


def test_both_of_two_experts_can_say_no_at_once(
    asha: Person, mei: Person, kofi: Person, noor: Person, app: Flask
) -> None:
    number = making.matching(asha, mei).id
    asked = [(v(who), offers.send(v(mei), number, profile_of(who).id).id) for who in (kofi, noor)]
    db.session.rollback()

    def no(pair: tuple[Viewer, int]) -> OfferState:
        with app.app_context():
            return offers.decline(pair[0], pair[1], "busy").state

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(no, asked)) == {OfferState.DECLINED}
    assert db.session.get_one(Request, number, populate_existing=True).waiting_on is WaitingOn.COORDINATOR


def test_a_question_to_the_requester_outlives_an_offer(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offer = offers.send(v(mei), number, profile_of(kofi).id)
    replies.write(v(mei), number, "Which format?", key="k", ask=True)
    offers.decline(v(kofi), offer.id, "busy")
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.REQUESTER


def test_after_a_release_the_former_lead_can_be_asked_again(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offers.claim(v(kofi), number)
    requests.act(v(mei), number, Verb.RELEASE, Facts(reason="a mistake"))
    offer = offers.send(v(mei), number, profile_of(kofi).id)
    assert offers.accept(v(kofi), offer.id).lead_id == kofi.id
