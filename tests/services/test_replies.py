"""Replies and notes: said once, corrected with a trace, taken back for good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import State, Verb, WaitingOn
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.models import Event, InboxItem, Person, Reply, ReplyVersion, Request, db
from cphub.services import offers, replies, requests
from cphub.services.requests import Facts
from tests.conftest import FixedClock, MakeApp
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


def v(person: Person) -> Viewer:
    return making.viewer(person)


def last(number: int) -> Event:
    return db.session.scalars(select(Event).where(Event.request_id == number).order_by(Event.id.desc())).first()  # type: ignore[return-value]


def told(event: Event) -> set[int]:
    return set(db.session.scalars(select(InboxItem.person_id).where(InboxItem.event_id == event.id)))


def test_a_reply_is_for_everybody_who_sees_the_request(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    reply = replies.write(v(mei), number, "  Yes, with Pattypan. \n", key="k")
    assert (reply.body, reply.audience, reply.written_at) == ("Yes, with Pattypan.", Audience.PUBLIC, clock.now())
    event = last(number)
    assert (event.kind, event.payload) == (EventKind.REPLY_WRITTEN, {"reply": reply.id})
    assert told(event) == {asha.id}
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.COORDINATOR


def test_a_question_passes_the_turn_to_the_requester_and_any_reply_passes_it_back(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    replies.write(v(mei), number, "Which licence?", key="k1", ask=True)
    request = db.session.get_one(Request, number)
    assert (request.waiting_on, request.next_step, request.coordinator_id) == (
        WaitingOn.REQUESTER,
        "requester_answers",
        mei.id,
    )
    assert last(number).kind is EventKind.REQUEST_ASKED
    replies.write(v(asha), number, "CC BY-SA.", key="k2")
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.COORDINATOR
    assert last(number).kind is EventKind.REQUEST_ANSWERED
    assert last(number).payload["waiting_on"] == "coordinator"


def test_a_reply_of_somebody_else_answers_nothing(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.request(asha).id
    replies.write(v(mei), number, "Which licence?", key="k1", ask=True)
    replies.write(v(kofi), number, "I know this museum.", key="k2")
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.REQUESTER


def test_only_who_works_on_it_can_ask(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    replies.write(v(kofi), number, "May I ask something?", key="k", ask=True)
    assert last(number).kind is EventKind.REPLY_WRITTEN


def test_a_note_reaches_the_team_and_never_the_requester(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offers.claim(v(kofi), number)
    note = replies.write(v(kofi), number, "The director is on leave.", key="k", note=True)
    assert note.is_note
    assert (last(number).kind, last(number).audience) == (EventKind.NOTE_WRITTEN, Audience.TEAM)
    assert told(last(number)) == {mei.id}
    for stranger in (asha, making.person("Sami"), making.person("Lena", Role.COMMITTEE)):
        with pytest.raises(Forbidden):
            replies.write(v(stranger), number, "hello", key="k3", note=True)
        db.session.rollback()


def test_strangers_and_the_blocked_say_nothing(asha: Person, kofi: Person) -> None:
    number, hidden = making.request(asha).id, making.request(asha, visibility=Visibility.HUB).id
    with pytest.raises(Forbidden):
        replies.write(v(making.person("Sami")), number, "hello", key="k")
    with pytest.raises(Forbidden):
        replies.write(Viewer(), number, "hello", key="k")
    with pytest.raises(NotFound):
        replies.write(v(kofi), hidden, "hello", key="k")
    asha.blocked = True
    db.session.commit()
    with pytest.raises(Forbidden, match="blocked"):
        replies.write(v(asha), number, "hello", key="k")


@pytest.mark.parametrize("body", ["", " \n\t "])
def test_an_empty_reply_is_not_written(body: str, asha: Person) -> None:
    number = making.request(asha).id
    with pytest.raises(Invalid) as refused:
        replies.write(v(asha), number, body, key="k")
    assert refused.value.fields == {"body": "requests-error-reply-empty"}


def test_a_reply_has_a_longest_length(asha: Person) -> None:
    number = making.request(asha).id
    with pytest.raises(Invalid):
        replies.write(v(asha), number, "x" * (replies.BODY_MOST + 1), key="k")


def test_the_same_form_twice_writes_one_reply(asha: Person, app: Flask) -> None:
    number, viewer = making.request(asha).id, v(asha)
    db.session.rollback()

    def once(_: int) -> int:
        with app.app_context():
            return replies.write(viewer, number, "Here are the maps.", key="same").id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(once, range(4)))) == 1
    assert db.session.scalar(select(func.count()).select_from(Reply)) == 1


def test_other_words_with_the_same_key_are_a_reply_of_their_own(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    first = replies.write(v(asha), number, "Here are the maps.", key="same").id
    second = replies.write(v(asha), number, "Here are all maps.", key="same")
    assert second.id != first
    assert second.body == "Here are all maps."
    assert replies.write(v(asha), number, "Here are all maps.", key="same").id == second.id
    other = replies.write(v(mei), number, "Here are the maps.", key="same")
    assert (other.author_id, db.session.scalar(select(func.count()).select_from(Reply))) == (mei.id, 3)


def test_the_same_words_shortly_after_are_the_same_reply(asha: Person, mei: Person, clock: FixedClock) -> None:
    number, elsewhere = making.request(asha).id, making.request(asha).id
    first = replies.write(v(mei), number, "Thank you.", key="k1").id
    clock.advance(minutes=9)
    assert replies.write(v(mei), number, " Thank you.\n", key="k2").id == first
    others = {
        replies.write(v(mei), number, "thank you.", key="k3").id,
        replies.write(v(mei), number, "Thank you.", key="k4", note=True).id,
        replies.write(v(mei), elsewhere, "Thank you.", key="k5").id,
        replies.write(v(asha), number, "Thank you.", key="k6").id,
    }
    clock.advance(minutes=2)
    others.add(replies.write(v(mei), number, "Thank you.", key="k7").id)
    assert len(others - {first}) == 5


def test_the_same_words_can_answer_two_questions(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    replies.write(v(mei), number, "Is it public?", key="q1")
    asked = replies.write(v(mei), number, "Is it public?", key="q2", ask=True).id
    assert replies.write(v(mei), number, "Is it public?", key="q3", ask=True).id in (asked, asked - 1)
    first = replies.write(v(asha), number, "Yes.", key="a1").id
    replies.write(v(mei), number, "Is it scanned?", key="q4", ask=True)
    assert replies.write(v(asha), number, "Yes.", key="a2").id != first
    assert db.session.get_one(Request, number).waiting_on is WaitingOn.COORDINATOR


def test_many_can_speak_at_once(asha: Person, app: Flask) -> None:
    number, viewer = making.request(asha).id, v(asha)
    db.session.rollback()

    def once(n: int) -> int:
        with app.app_context():
            return replies.write(viewer, number, f"Line {n}", key=f"k{n}").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(once, range(24)))) == 24


def test_a_correction_keeps_what_was_there(asha: Person, mei: Person, clock: FixedClock) -> None:
    number = making.request(asha).id
    reply = replies.write(v(mei), number, "On Tusday.", key="k")
    clock.advance(hours=1)
    replies.edit(v(mei), reply.id, "On Tuesday.")
    assert (reply.body, reply.edited_at) == ("On Tuesday.", clock())
    for reader in (v(asha), Viewer()):
        assert [(old.body, old.until) for old in replies.versions(reader, reply.id)[1]] == [("On Tusday.", clock())]
    assert last(number).kind is EventKind.REPLY_EDITED


def test_correcting_nothing_leaves_no_trace(asha: Person, mei: Person) -> None:
    reply = replies.write(v(mei), making.request(asha).id, "On Tuesday.", key="k")
    replies.edit(v(mei), reply.id, " On Tuesday. ")
    assert reply.edited_at is None
    assert replies.versions(v(asha), reply.id)[1] == []


def test_a_withdrawn_reply_is_gone_with_all_it_ever_said(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    reply = replies.write(v(mei), number, "Call me on 555", key="k")
    replies.edit(v(mei), reply.id, "Call me")
    replies.withdraw(v(mei), reply.id)
    assert (reply.body, reply.withdrawn_at) == ("", clock.now())
    assert db.session.scalars(select(ReplyVersion)).all() == []
    assert last(number).kind is EventKind.REPLY_WITHDRAWN
    for again in (replies.withdraw, lambda who, n: replies.edit(who, n, "back")):
        with pytest.raises(NotFound):
            again(v(mei), reply.id)
        db.session.rollback()


def test_nobody_touches_the_words_of_others(asha: Person, mei: Person) -> None:
    reply = replies.write(v(asha), making.request(asha).id, "My words.", key="k")
    for other in (mei, making.person("Sami")):
        with pytest.raises(Forbidden):
            replies.edit(v(other), reply.id, "Not yours.")
        db.session.rollback()
        with pytest.raises(Forbidden):
            replies.withdraw(v(other), reply.id)
        db.session.rollback()
    with pytest.raises(NotFound):
        replies.edit(v(asha), reply.id + 1, "nothing there")


def test_who_cannot_read_a_note_does_not_learn_of_it(asha: Person, mei: Person) -> None:
    note = replies.write(v(mei), making.request(asha).id, "internal", key="k", note=True)
    replies.edit(v(mei), note.id, "internal matter")
    for reader in (asha, making.person("Sami")):
        with pytest.raises(NotFound):
            replies.versions(v(reader), note.id)
        with pytest.raises(NotFound):
            replies.edit(v(reader), note.id, "x")
        db.session.rollback()


def test_a_former_lead_can_still_take_a_note_back(asha: Person, mei: Person, kofi: Person) -> None:
    number = making.matching(asha, mei).id
    offers.claim(v(kofi), number)
    note = replies.write(v(kofi), number, "My phone is 555", key="k", note=True)
    requests.act(v(mei), number, Verb.RELEASE, Facts(reason="Kofi is away."))
    replies.withdraw(v(kofi), note.id)
    assert note.body == ""


def test_what_is_said_on_a_duplicate_goes_where_the_answer_is(asha: Person, mei: Person) -> None:
    noor = making.person("Noor")
    first, second = making.request(asha).id, making.request(noor).id
    requests.act(v(mei), second, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(first)))
    reply = replies.write(v(noor), second, "We need it by May.", key="k")
    assert reply.request_id == first
    assert last(first).payload == {"reply": reply.id, "via": second}
    assert asha.id in told(last(first))
    answer = replies.write(v(mei), first, "You both get it.", key="k2")
    assert {asha.id, noor.id} <= told(last(first))
    note = replies.write(v(mei), second, "Noor wrote by mail, too.", key="k3", note=True)
    assert (answer.request_id, note.request_id) == (first, second)


def test_who_asked_the_same_hears_no_notes(asha: Person, mei: Person) -> None:
    noor = making.person("Noor")
    first, second = making.request(asha).id, making.request(noor).id
    requests.act(v(mei), second, Verb.MARK_DUPLICATE, Facts(duplicate_of=str(first)))
    replies.write(v(mei), first, "internal", key="k", note=True)
    assert told(last(first)) == set()


def test_one_can_speak_on_a_closed_request(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    requests.act(v(mei), number, Verb.DECLINE, Facts(reason="no", alternative="there"))
    replies.write(v(asha), number, "Thanks anyway.", key="k")
    assert db.session.get_one(Request, number).state is State.DECLINED


def test_nobody_floods_the_others(make_app: MakeApp) -> None:
    with make_app(RATE_REPLIES_PER_HOUR=2).app_context():
        asha = making.person("Asha")
        number = making.request(asha).id
        for key in ("k1", "k2"):
            replies.write(v(asha), number, f"And another thing: {key}.", key=key)

        with pytest.raises(Invalid) as refused:
            replies.write(v(asha), number, "And another thing.", key="k3")

        assert refused.value.fields == {"body": "replies-error-too-many"}
