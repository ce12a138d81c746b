"""The steps of a request's life as they are stored: state, holding, event, and who is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import Outcome, State, Track, Verb, WaitingOn, needs
from cphub.domain.offers import OfferState
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import Event, InboxItem, Offer, Person, Request, TeamMember, db
from cphub.services import offers, replies, requests
from cphub.services.requests import Facts
from cphub.services.requests.moves import WORDED
from tests.services import making

SOLVED = Facts(outcome="solved", summary="The maps are on Commons.")
DECLINE = Facts(reason="We cannot pay for scanners.", alternative="The library association lends some.")


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


def events(number: int) -> list[Event]:
    return list(db.session.scalars(select(Event).where(Event.request_id == number).order_by(Event.id)))


def last(number: int) -> Event:
    return events(number)[-1]


def told(event: Event) -> dict[int, str]:
    rows = db.session.execute(select(InboxItem.person_id, InboxItem.reason).where(InboxItem.event_id == event.id))
    return {row.person_id: row.reason for row in rows}


def v(person: Person) -> Viewer:
    return making.viewer(person)


def in_progress(asha: Person, mei: Person, kofi: Person) -> Request:
    request = making.matching(asha, mei)
    return offers.claim(v(kofi), request.id)


def test_taking_on_writes_state_holding_event_and_tells_the_requester(asha: Person, mei: Person) -> None:
    sent = making.request(asha)
    request = requests.act(v(mei), sent.id, Verb.TAKE_ON)
    assert (request.state, request.waiting_on, request.next_step) == (
        State.MATCHING,
        WaitingOn.COORDINATOR,
        "coordinator_finds_expert",
    )
    assert request.due_on == clock.now().date() + timedelta(days=7)
    assert request.coordinator_id == mei.id
    event = last(request.id)
    assert (event.kind, event.actor_id, event.at) == (EventKind.REQUEST_TAKEN_ON, mei.id, clock.now())
    assert event.payload == {"version": request.version, "state": "matching", "waiting_on": "coordinator"}
    assert told(event) == {asha.id: "your_request"}


def test_a_project_passes_the_committee(asha: Person, mei: Person) -> None:
    lena = making.person("Lena", Role.COMMITTEE)
    number = making.request(asha, track=Track.PROJECT).id
    reviewed = requests.act(v(mei), number, Verb.REVIEW)
    assert reviewed.waiting_on is WaitingOn.COMMITTEE
    assert told(last(number))[lena.id] == "committee"
    approved = requests.act(v(lena), number, Verb.APPROVE, Facts(reason="Few have asked for this language."))
    assert approved.state is State.MATCHING
    assert approved.coordinator_id == mei.id
    assert last(number).payload["reason"] == "Few have asked for this language."


@pytest.mark.parametrize("verb", sorted(WORDED))
def test_a_stranger_can_carry_out_nothing(verb: Verb, asha: Person) -> None:
    sami = making.person("Sami")
    number = making.request(asha).id
    with pytest.raises(Forbidden):
        requests.act(v(sami), number, verb, replace(SOLVED, reason="x", alternative="x"))
    with pytest.raises(Forbidden):
        requests.act(Viewer(), number, verb)


@pytest.mark.parametrize("verb", sorted(WORDED))
def test_whoever_is_blocked_can_carry_out_nothing(verb: Verb, asha: Person) -> None:
    number = making.request(asha).id
    asha.blocked = True
    db.session.commit()
    with pytest.raises(Forbidden) as refused:
        requests.act(v(asha), number, verb)
    assert refused.value.reason == "errors-blocked"


def test_a_request_that_may_not_be_seen_is_not_there(asha: Person) -> None:
    number = making.request(asha, visibility=Visibility.HUB).id
    for wrong in (number, number + 1):
        with pytest.raises(NotFound):
            requests.act(v(making.person("Sami")), wrong, Verb.CONFIRM)


def test_a_verb_that_no_longer_fits_is_a_conflict(asha: Person, mei: Person) -> None:
    number = making.matching(asha, mei).id
    with pytest.raises(Conflict) as refused:
        requests.act(v(mei), number, Verb.TAKE_ON)
    assert refused.value.message == "requests-conflict-verb"


def test_the_second_of_two_is_told_that_it_changed(asha: Person, mei: Person) -> None:
    sent = making.request(asha)
    number, seen = sent.id, sent.version
    requests.act(v(mei), number, Verb.TAKE_ON, seen=seen)
    with pytest.raises(Conflict) as refused:
        requests.act(v(asha), number, Verb.WITHDRAW, seen=seen)
    assert refused.value.message == "requests-conflict-changed"
    assert refused.value.facts == {"number": number, "since": seen}
    assert db.session.get_one(Request, number).state is State.MATCHING


def test_it_is_said_that_it_changed_also_to_who_has_lost_the_part(asha: Person, mei: Person, kofi: Person) -> None:
    request = in_progress(asha, mei, kofi)
    number, seen = request.id, request.version
    requests.act(v(mei), number, Verb.RELEASE, Facts(reason="Kofi is ill."), seen=seen)
    with pytest.raises(Conflict, match="changed"):
        requests.act(v(kofi), number, Verb.RESOLVE, SOLVED, seen=seen)


def test_a_stranger_is_not_told_that_it_changed(asha: Person, mei: Person) -> None:
    sent = making.request(asha)
    number, seen = sent.id, sent.version
    requests.act(v(mei), number, Verb.TAKE_ON, seen=seen)
    with pytest.raises(Forbidden):
        requests.act(v(making.person("Sami")), number, Verb.WITHDRAW, seen=seen)


@pytest.mark.parametrize("verb", sorted(v for v in WORDED if needs(v)))
def test_nothing_is_carried_out_without_what_it_needs(verb: Verb, asha: Person, mei: Person, kofi: Person) -> None:
    number = at(verb, asha, mei, kofi)
    before = db.session.get_one(Request, number).version
    with pytest.raises(Invalid) as refused:
        requests.act(v(mei), number, verb, Facts(reason=" \n"))
    assert refused.value.fields == {name: f"requests-error-{name.replace('_', '-')}" for name in needs(verb)}
    db.session.rollback()
    assert db.session.get_one(Request, number).version == before


def at(verb: Verb, asha: Person, mei: Person, kofi: Person) -> int:
    """A request in which a coordinator may use the verb."""
    if verb is Verb.APPROVE:
        number = making.request(asha, track=Track.PROJECT).id
        return requests.act(v(mei), number, Verb.REVIEW).id
    if verb is Verb.REINSTATE:
        return requests.act(v(mei), making.request(asha).id, Verb.DECLINE, DECLINE).id
    number = in_progress(asha, mei, kofi).id
    if verb is Verb.REOPEN:
        requests.act(v(kofi), number, Verb.RESOLVE, SOLVED)
    return number


@pytest.mark.parametrize(
    ("facts", "problems"),
    [
        (Facts(outcome="declined", summary="x"), {"outcome": "requests-error-outcome"}),
        (Facts(outcome="nonsense", summary="x"), {"outcome": "requests-error-outcome"}),
        (Facts(outcome="introduced", summary="x"), {"outcome_detail": "requests-error-outcome-detail"}),
        (Facts(outcome="redirected", summary="x"), {"outcome_detail": "requests-error-outcome-detail"}),
        (Facts(outcome="out_of_scope", summary="x"), {"missing_service": "requests-error-missing-service"}),
        (
            Facts(outcome="out_of_scope", summary="x", missing_service="time_travel"),
            {"missing_service": "requests-error-choice"},
        ),
        (
            Facts(outcome="introduced", summary="x", outcome_detail="y" * 501),
            {"outcome_detail": "requests-error-too-long"},
        ),
        (Facts(outcome="solved", summary="y" * 5001), {"summary": "requests-error-too-long"}),
    ],
)
def test_an_outcome_names_what_it_must(
    facts: Facts, problems: dict[str, str], asha: Person, mei: Person, kofi: Person
) -> None:
    number = in_progress(asha, mei, kofi).id
    with pytest.raises(Invalid) as refused:
        requests.act(v(kofi), number, Verb.RESOLVE, facts)
    assert refused.value.fields == problems


@pytest.mark.parametrize(
    ("facts", "outcome", "detail"),
    [
        (SOLVED, Outcome.SOLVED, ""),
        (replace(SOLVED, missing_service="ai", outcome_detail="a leftover"), Outcome.SOLVED, ""),
        (replace(SOLVED, outcome="introduced", outcome_detail="Noor"), Outcome.INTRODUCED, "Noor"),
        (replace(SOLVED, outcome="out_of_scope", missing_service="grants"), Outcome.OUT_OF_SCOPE, "grants"),
    ],
)
def test_an_outcome_is_kept_with_what_it_names(
    facts: Facts, outcome: Outcome, detail: str, asha: Person, mei: Person, kofi: Person
) -> None:
    number = in_progress(asha, mei, kofi).id
    request = requests.act(v(kofi), number, Verb.RESOLVE, facts)
    assert (request.state, request.outcome, request.outcome_detail) == (State.RESOLVED, outcome, detail)
    assert last(number).payload.get("outcome_detail", "") == detail
    assert told(last(number))[asha.id] == "your_turn"


def test_a_resolved_request_can_be_opened_again(asha: Person, mei: Person, kofi: Person) -> None:
    number = in_progress(asha, mei, kofi).id
    requests.act(v(kofi), number, Verb.RESOLVE, SOLVED)
    closed = requests.act(v(asha), number, Verb.CONFIRM)
    assert (closed.state, closed.waiting_on, closed.outcome) == (State.CLOSED, None, Outcome.SOLVED)
    again = requests.act(v(asha), number, Verb.REOPEN, Facts(reason="Half of the maps are missing."))
    assert (again.state, again.outcome, again.lead_id) == (State.IN_PROGRESS, None, kofi.id)
    assert again.waiting_on is WaitingOn.EXPERT


def test_a_coordinator_answers_a_small_question_without_staffing_it(asha: Person, mei: Person) -> None:
    request = requests.act(v(mei), making.request(asha).id, Verb.RESOLVE, SOLVED)
    assert request.state is State.RESOLVED


def test_a_chosen_next_step_is_kept_and_told(asha: Person, mei: Person, kofi: Person) -> None:
    number = in_progress(asha, mei, kofi).id
    facts = Facts(waiting_on="partner", next_step_text=" signs the letter ", due_on=date(2026, 12, 24))
    request = requests.act(v(kofi), number, Verb.SET_NEXT, facts)
    assert (request.waiting_on, request.next_step, request.next_step_text, request.due_on) == (
        WaitingOn.PARTNER,
        "text",
        "signs the letter",
        date(2026, 12, 24),
    )
    assert last(number).payload["next_step_text"] == "signs the letter"
    assert last(number).payload["due_on"] == "2026-12-24"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"waiting_on": "godot"}, {"waiting_on": "requests-error-choice"}),
        ({"due_on": date(2026, 11, 22)}, {"due_on": "requests-error-due-on"}),
        ({"due_on": None}, {"due_on": "requests-error-due-on"}),
        ({"due_on": date(2027, 12, 24)}, {"due_on": "requests-error-due-on-far"}),
        ({"due_on": date.max}, {"due_on": "requests-error-due-on-far"}),
        ({"next_step_text": "x" * 501}, {"next_step_text": "requests-error-too-long"}),
        ({"next_step_text": "  "}, {"next_step_text": "requests-error-next-step-text"}),
    ],
)
def test_a_next_step_must_make_sense(
    changed: dict[str, object], problem: dict[str, str], asha: Person, mei: Person, kofi: Person
) -> None:
    number = in_progress(asha, mei, kofi).id
    facts = Facts(waiting_on="partner", next_step_text="signs", due_on=date(2026, 12, 24))
    with pytest.raises(Invalid) as refused:
        requests.act(v(kofi), number, Verb.SET_NEXT, replace(facts, **changed))  # type: ignore[arg-type]
    assert refused.value.fields == problem


def test_a_decline_can_be_read_by_the_requester(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    request = requests.act(v(mei), number, Verb.DECLINE, DECLINE)
    assert (request.state, request.outcome, request.waiting_on) == (State.DECLINED, Outcome.DECLINED, None)
    event = last(number)
    assert event.audience is Audience.PUBLIC
    assert (event.payload["reason"], event.payload["alternative"]) == (DECLINE.reason, DECLINE.alternative)


@pytest.mark.parametrize("verb", [Verb.WITHDRAW, Verb.DECLINE, Verb.RESOLVE])
def test_open_offers_end_with_the_search_for_an_expert(verb: Verb, asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    expert = making.profile(kofi)
    offer = offers.send(v(mei), number, expert.id)
    requests.act(v(mei), number, verb, replace(DECLINE, outcome="solved", summary="done"))
    ended = db.session.get_one(Offer, offer.id)
    assert (ended.state, ended.answered_at) == (OfferState.WITHDRAWN, clock.now())
    withdrawn = next(e for e in events(number) if e.kind is EventKind.OFFER_WITHDRAWN)
    assert told(withdrawn)[kofi.id] == "offered"


def test_a_request_that_comes_back_starts_without_a_lead(asha: Person, mei: Person, kofi: Person) -> None:
    number = in_progress(asha, mei, kofi).id
    requests.act(v(asha), number, Verb.WITHDRAW)
    request = requests.act(v(asha), number, Verb.REINSTATE, Facts(reason="The museum called again."))
    assert (request.state, request.lead_id, request.outcome) == (State.RECEIVED, None, None)
    requests.act(v(mei), number, Verb.TAKE_ON)
    assert offers.claim(v(kofi), number).lead_id == kofi.id


def test_letting_go_of_the_lead_looks_for_somebody_else(asha: Person, mei: Person, kofi: Person) -> None:
    number = in_progress(asha, mei, kofi).id
    request = requests.act(v(kofi), number, Verb.RELEASE, Facts(reason="I have no time any more."))
    assert (request.state, request.lead_id) == (State.MATCHING, None)


def joined(number: int) -> set[int]:
    return set(
        db.session.scalars(
            select(TeamMember.person_id).where(TeamMember.request_id == number, TeamMember.role == "joined")
        )
    )


def test_whoever_asked_the_same_joins_the_request_that_gets_the_answer(asha: Person, mei: Person) -> None:
    noor = making.person("Noor")
    first, second = making.request(asha).id, making.request(noor).id
    request = requests.act(v(mei), second, Verb.MARK_DUPLICATE, Facts(duplicate_of=f"#{first}"))
    assert (request.state, request.duplicate_of_id, request.outcome) == (State.DUPLICATE, first, Outcome.DUPLICATE)
    assert joined(first) == {noor.id}
    back = requests.act(v(mei), second, Verb.REINSTATE, Facts(reason="It is not the same."))
    assert back.duplicate_of_id is None
    assert joined(first) == set()


def test_the_people_of_a_request_are_told_who_joins_them(asha: Person, mei: Person) -> None:
    noor, jose = making.person("Noor"), making.person("José")
    first = making.request(asha, visibility=Visibility.HUB).id
    for asker, withheld in ((noor, False), (jose, True)):
        second = making.request(asker, withhold_name=withheld).id
        requests.act(v(mei), second, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(first)))
        event = last(first)
        assert (event.kind, event.audience, event.actor_id) == (EventKind.TEAM_JOINED, Audience.PARTICIPANTS, mei.id)
        assert event.payload == {"role": "joined"} | ({} if withheld else {"person": noor.id})
        told = select(InboxItem.person_id).where(InboxItem.event_id == event.id)
        assert set(db.session.scalars(told)) == {asha.id}


def test_duplicates_of_duplicates_lead_to_the_end(asha: Person, mei: Person) -> None:
    noor, jose = making.person("Noor"), making.person("José")
    a, b, c = making.request(asha).id, making.request(noor).id, making.request(jose).id
    requests.act(v(mei), b, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(a)))
    requests.act(v(mei), c, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(b)))
    assert db.session.get_one(Request, c).duplicate_of_id == a
    top = making.request(making.person("Bene")).id
    requests.act(v(mei), a, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(top)))
    assert joined(top) == {asha.id, noor.id, jose.id}
    reply = replies.write(v(noor), b, "We would need this too.", key="r1")
    assert reply.request_id == top


@pytest.mark.parametrize("wrong", ["", "0", "999", "self", "²", "x", "draft", "99999999999999999999"])
def test_a_duplicate_needs_another_request_that_is_there(wrong: str, asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    draft = requests.save(v(asha), "a-draft", requests.as_draft(db.session.get_one(Request, number)))
    named = {"self": str(number), "draft": str(draft.id)}.get(wrong, wrong)
    with pytest.raises(Invalid) as refused:
        requests.act(v(mei), number, Verb.MARK_DUPLICATE, Facts(duplicate_of=named))
    assert refused.value.fields == {"duplicate_of": "requests-error-duplicate-of"}


def test_two_requests_cannot_repeat_each_other(asha: Person, mei: Person) -> None:
    first, second = making.request(asha).id, making.request(asha).id
    requests.act(v(mei), second, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(first)))
    with pytest.raises(Invalid):
        requests.act(v(mei), first, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(second)))


def test_only_verbs_of_words_are_carried_out_here(asha: Person) -> None:
    with pytest.raises(ValueError, match="words"):
        requests.act(v(asha), making.request(asha).id, Verb.ASK)


def test_needs_are_set_and_checked(asha: Person, mei: Person) -> None:
    number = making.matching(asha, mei).id
    request = requests.set_needs(v(mei), number, skills={"upload.batch": True, "data.wikidata": False}, weight="L")
    assert {s.skill: s.must for s in request.skills} == {"upload.batch": True, "data.wikidata": False}
    assert last(number).audience is Audience.COORDINATORS
    requests.set_needs(v(mei), number, skills={"upload.batch": False}, weight="S")
    assert {s.skill: s.must for s in db.session.get_one(Request, number).skills} == {"upload.batch": False}
    with pytest.raises(Invalid):
        requests.set_needs(v(mei), number, skills={"nonsense": True}, weight="S")
    db.session.rollback()
    with pytest.raises(Invalid):
        requests.set_needs(v(mei), number, skills={}, weight="XL")
    db.session.rollback()
    with pytest.raises(Forbidden):
        requests.set_needs(v(asha), number, skills={}, weight="S")


def test_watching_is_for_who_can_see(asha: Person, mei: Person) -> None:
    sami = making.person("Sami")
    number, hidden = making.request(asha).id, making.request(asha, visibility=Visibility.HUB).id
    requests.watch(v(sami), number)
    requests.watch(v(sami), number)
    requests.act(v(mei), number, Verb.TAKE_ON)
    assert told(last(number))[sami.id] == "watching"
    requests.unwatch(v(sami), number)
    requests.act(v(mei), number, Verb.DECLINE, DECLINE)
    assert sami.id not in told(last(number))
    with pytest.raises(NotFound):
        requests.watch(v(sami), hidden)
