"""The inbox: everything that concerns a person reaches them, and nothing they may not read."""

from collections.abc import Iterator

import pytest
from flask import Flask

from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import Verb
from cphub.domain.policy import ANONYMOUS, Role, Visibility, audiences, may
from cphub.domain.policy import Act as Do
from cphub.errors import Forbidden
from cphub.models import Event, Expert, InboxItem, Person, Request, TeamMember, db
from cphub.models.queries import inbox as reading
from cphub.models.queries.keyset import PAGE
from cphub.models.queries.visibility import readable, visible
from cphub.services import inbox, offers, people, replies, requests, team
from tests.conftest import FixedClock
from tests.services import making


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def kinds(person: Person) -> list[tuple[str, str]]:
    """(event, why) of a person's inbox, oldest first."""
    found = reading.inbox(making.viewer(person)).rows
    return [(item.kind.value, item.reason) for item in reversed(found)]


def test_a_new_request_reaches_every_coordinator_and_nobody_else() -> None:
    asha, sami = making.person("Asha"), making.person("Sami")
    mei, noor = making.person("Mei", Role.COORDINATOR), making.person("Noor", Role.COORDINATOR)
    lena = making.person("Lena", Role.COMMITTEE)
    making.request(asha)
    assert kinds(mei) == kinds(noor) == [("request:received", "coordinator")]
    assert kinds(asha) == kinds(sami) == kinds(lena) == []


def test_a_coordinator_who_asks_hears_as_the_requester() -> None:
    mei, noor = making.person("Mei", Role.COORDINATOR), making.person("Noor", Role.COORDINATOR)
    number = making.matching(mei, noor).id
    replies.write(making.viewer(noor), number, "Only among us: be quick.", key="n", note=True)
    assert kinds(mei) == [("request:taken_on", "your_request")]


def test_nobody_is_told_of_their_own_act() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    number = making.matching(asha, mei).id
    replies.write(making.viewer(asha), number, "Thank you!", key="r")
    assert "reply:written" not in [kind for kind, _ in kinds(asha)]
    assert kinds(mei)[-1] == ("reply:written", "your_turn")


def test_an_expert_who_is_asked_reads_of_it_with_their_own_name_in_it() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    expert = making.profile(kofi)
    offers.send(making.viewer(mei), making.matching(asha, mei).id, expert.id)
    (item,) = reading.inbox(making.viewer(kofi)).rows
    assert (item.kind, item.reason, item.actor) == (EventKind.OFFER_SENT, "offered", "Mei")
    assert item.names == {"expert": "Kofi"}
    assert ("offer:sent", "your_request") not in kinds(asha), "who was asked is not the requester's business"


def test_a_no_reaches_the_coordinators_alone() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    offer = offers.send(making.viewer(mei), making.matching(asha, mei).id, making.profile(kofi).id)
    offers.decline(making.viewer(kofi), offer.id, "busy", "Exams this month")
    assert kinds(mei)[-1] == ("offer:declined", "coordinator")
    assert kinds(asha) == [("request:taken_on", "your_request")]


def test_what_somebody_may_no_longer_see_leaves_their_inbox() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    number = making.matching(asha, mei, visibility=Visibility.HUB).id
    team.join(making.viewer(mei), number, "Kofi", "bridge")
    assert kinds(kofi) == [("team:joined", "team")]
    team.leave(making.viewer(kofi), number, kofi.id)
    assert kinds(kofi) == []


def test_internal_notes_leave_the_inbox_of_who_left_the_team() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    number = making.matching(asha, mei).id
    team.join(making.viewer(mei), number, "Kofi", "bridge")
    replies.write(making.viewer(mei), number, "Between us.", key="n", note=True)
    assert kinds(kofi) == [("team:joined", "team"), ("note:written", "team")]
    team.leave(making.viewer(mei), number, kofi.id)
    assert ("note:written", "team") not in kinds(kofi)


def test_a_watcher_is_not_told_once_a_request_is_no_longer_public() -> None:
    asha, mei, sami = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Sami")
    number = making.matching(asha, mei).id
    requests.watch(making.viewer(sami), number)
    request = db.session.get_one(Request, number)
    request.visibility = Visibility.HUB
    db.session.commit()
    replies.write(making.viewer(mei), number, "Hello!", key="r")
    assert db.session.query(InboxItem).filter_by(person_id=sami.id).count() == 0


@pytest.mark.parametrize("withheld", [True, False])
def test_a_withheld_name_stays_withheld_from_watchers(withheld: bool) -> None:
    asha, mei, sami = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Sami")
    number = making.matching(asha, mei, withhold_name=withheld).id
    requests.watch(making.viewer(sami), number)
    replies.write(making.viewer(asha), number, "One more question.", key="r")
    replies.write(making.viewer(mei), number, "Ask!", key="s")
    by_mei, by_asha = reading.inbox(making.viewer(sami)).rows
    assert (by_asha.actor, by_mei.actor) == (None if withheld else "Asha", "Mei")
    assert reading.inbox(making.viewer(mei)).rows[0].actor == "Asha"


def test_a_withheld_name_is_not_given_away_to_who_left_the_team() -> None:
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    number = making.matching(asha, mei, withhold_name=True).id
    team.join(making.viewer(mei), number, "Kofi", "bridge")
    replies.write(making.viewer(asha), number, "Hello team.", key="r")
    assert reading.inbox(making.viewer(kofi)).rows[0].actor == "Asha"
    team.leave(making.viewer(mei), number, kofi.id)
    assert "Asha" not in [item.actor for item in reading.inbox(making.viewer(kofi)).rows]


# Reading


def test_marking_one_leaves_the_others() -> None:
    mei = making.person("Mei", Role.COORDINATOR)
    asha = making.person("Asha")
    for n in range(3):
        making.request(asha, f"Question {n}")
    newest, middle, _ = reading.inbox(making.viewer(mei)).rows
    inbox.read(making.viewer(mei), item_id=middle.id)
    assert [item.read for item in reading.inbox(making.viewer(mei)).rows] == [False, True, False]
    assert newest.title == "Question 2"
    inbox.read(making.viewer(mei))
    assert all(item.read for item in reading.inbox(making.viewer(mei)).rows)


def test_nobody_marks_another_ones_items() -> None:
    mei, noor = making.person("Mei", Role.COORDINATOR), making.person("Noor", Role.COORDINATOR)
    making.request(making.person("Asha"))
    (item,) = reading.inbox(making.viewer(mei)).rows
    inbox.read(making.viewer(noor), item_id=item.id)
    inbox.read(making.viewer(noor))
    assert not reading.inbox(making.viewer(mei)).rows[0].read
    with pytest.raises(Forbidden):
        inbox.read(ANONYMOUS)


def test_what_was_read_stays_read_at_the_first_time(clock: FixedClock) -> None:
    mei = making.person("Mei", Role.COORDINATOR)
    making.request(making.person("Asha"))
    inbox.read(making.viewer(mei))
    first = db.session.query(InboxItem).one().read_at
    clock.advance(hours=1)
    inbox.read(making.viewer(mei))
    db.session.expire_all()
    assert db.session.query(InboxItem).one().read_at == first


def test_opening_a_request_reads_what_is_about_it_and_nothing_else() -> None:
    mei, asha = making.person("Mei", Role.COORDINATOR), making.person("Asha")
    first, second = making.request(asha, "First").id, making.request(asha, "Second").id
    inbox.read_request(making.viewer(mei), first)
    assert {item.number: item.read for item in reading.inbox(making.viewer(mei)).rows} == {first: True, second: False}


def test_pages_go_on_where_the_last_one_ended(clock: FixedClock) -> None:
    mei, asha = making.person("Mei", Role.COORDINATOR), making.person("Asha")
    number = making.matching(asha, mei).id
    for n in range(PAGE + 4):
        clock.advance(minutes=-1)  # a clock set back must not lose a line
        replies.write(making.viewer(asha), number, f"Line {n}", key=f"line-{n}")
    first = reading.inbox(making.viewer(mei))
    second = reading.inbox(making.viewer(mei), after=first.next)
    ids = [item.id for item in [*first.rows, *second.rows]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == PAGE + 4 + 1
    assert second.next is None


# The same answer in SQL as in the policy


def test_readable_events_are_those_of_the_policy() -> None:
    mei = making.person("Mei", Role.COORDINATOR)
    cast = {
        "asha": making.person("Asha"), "lead": making.person("Lead"), "bridge": making.person("Bridge"),
        "joined": making.person("Joined"), "offered": making.person("Offered"), "sami": making.person("Sami"),
        "lena": making.person("Lena", Role.COMMITTEE), "noor": making.person("Noor", Role.COORDINATOR), "mei": mei,
        "both": making.person("Both", Role.COORDINATOR, Role.COMMITTEE), "root": making.person("Root", Role.ADMIN),
    }  # fmt: skip
    for who in ("lead", "offered"):
        making.profile(cast[who])
    numbers = []
    for visibility in Visibility:
        for asker in ("asha", "noor"):
            number = making.matching(cast[asker], mei, visibility=visibility).id
            numbers.append(number)
            team.join(making.viewer(mei), number, "Bridge", "bridge")
            db.session.add(
                TeamMember(
                    request_id=number, person_id=cast["joined"].id, role="joined",
                    joined_at=cast["joined"].created_at,
                )
            )  # fmt: skip
            offered = db.session.query(Expert).filter_by(person_id=cast["offered"].id).one()
            offers.send(making.viewer(mei), number, offered.id)
    for number in numbers[::2]:
        request = db.session.get_one(Request, number)
        request.lead_id = cast["lead"].id
        db.session.commit()
    for number in numbers:
        for audience in Audience:
            db.session.add(
                Event(
                    request_id=number, kind=EventKind.REPLY_WRITTEN, audience=audience, at=mei.created_at, payload={}
                )
            )  # fmt: skip
    db.session.commit()
    for name, person in cast.items():
        viewer = people.viewer_of(person)
        for number in numbers:
            subject = requests.subject_of(db.session.get_one(Request, number))
            expected = set(audiences(viewer, subject)) if may(viewer, Do.SEE, subject) else set()
            found = set(
                db.session.scalars(
                    db.select(Event.audience)
                    .join(Request, Request.id == Event.request_id)
                    .where(
                        Event.request_id == number,
                        Event.kind == EventKind.REPLY_WRITTEN,
                        visible(viewer),
                        readable(viewer),
                    )
                )
            )
            assert found == expected, (name, number)
    assert set(db.session.scalars(db.select(Event.audience).where(readable(ANONYMOUS)))) == {Audience.PUBLIC}


def test_events_of_a_request_waiting_on_somebody_say_that_it_is_their_turn() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    number = making.matching(asha, mei).id
    replies.write(making.viewer(mei), number, "In which format are they?", key="q", ask=True)
    assert kinds(asha)[-1] == ("request:asked", "your_turn")
    requests.act(making.viewer(mei), number, Verb.DECLINE, requests.Facts(reason="No.", alternative="Try there."))
    assert kinds(asha)[-1] == ("request:declined", "your_request")
