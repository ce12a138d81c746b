"""A draft is kept at every step, belongs to who writes it, and is sent once however often it is sent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from cphub import clock
from cphub.domain.draft import Draft, fingerprint, loosened
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import State, Track, Verb, WaitingOn
from cphub.domain.policy import Role, Visibility
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.models import Event, InboxItem, Person, Request, db
from cphub.services import people, requests
from tests.conftest import FixedClock, MakeApp
from tests.services import making

MAPS = Draft(title="How do I upload 300 maps?", body="We have three hundred scanned maps of the coast.")


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def _count(model: type[Request] | type[Event] | type[Person]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_the_same_key_saves_the_same_draft() -> None:
    asha = making.viewer(making.person("Asha"))
    first = requests.save(asha, "k1", Draft(title="Maps"))
    second = requests.save(asha, "k1", MAPS)
    assert first.id == second.id
    assert (second.state, second.title) == (State.DRAFT, MAPS.title)
    assert _count(Request) == 1


def test_every_field_comes_back_as_it_was_saved() -> None:
    asha = making.viewer(making.person("Asha"))
    full = Draft(
        track=Track.PROJECT,
        title="Palm leaves",
        body="ஓலைச்சுவடிகள், 1,200 of them.\n\nWhat now? 🌴",
        language="ta",
        reply_languages=("ta", "en"),
        stage="preparing",
        kinds=("metadata", "upload"),
        partner_type="library",
        partner_name="River Library",
        country="IN",
        community="Tamil Wikisource",
        deadline=clock.now().date() + timedelta(days=60),
        contact="asha@example.org",
        justification={"gaps": "Nothing of it is online."},
        visibility=Visibility.HUB,
        withhold_partner=True,
        withhold_country=True,
        withhold_name=True,
    )
    requests.save(asha, "k1", full)
    db.session.expire_all()
    found = requests.mine(asha, "k1")
    assert found is not None
    assert requests.as_draft(found) == full


def test_half_a_draft_is_kept_but_not_what_no_form_has() -> None:
    asha = making.viewer(making.person("Asha"))
    requests.save(asha, "k1", Draft())
    with pytest.raises(Invalid) as refused:
        requests.save(
            asha,
            "k1",
            Draft(
                title="x" * 256, country="Atlantis", language="xx-nope", stage="hope", partner_type="friend",
                kinds=("magic",), reply_languages=("xx-nope",),
            ),
        )  # fmt: skip
    assert set(refused.value.fields) == {
        "title", "country", "language", "stage", "partner_type", "kinds", "reply_languages",
    }  # fmt: skip


def test_stranger_cannot_open_save_send_or_discard_anothers_draft() -> None:
    asha, sami = making.viewer(making.person("Asha")), making.viewer(making.person("Sami"))
    requests.save(asha, "k1", MAPS)
    with pytest.raises(NotFound):
        requests.mine(sami, "k1")
    with pytest.raises(NotFound):
        requests.save(sami, "k1", MAPS)
    with pytest.raises(NotFound):
        requests.send(sami, "k1", MAPS)
    with pytest.raises(NotFound):
        requests.discard(sami, "k1")


def test_blocked_person_cannot_begin_a_draft() -> None:
    blake = making.viewer(people.sign_in("9999", "Blake", blocked=True))
    with pytest.raises(Forbidden) as refused:
        requests.save(blake, "k1", MAPS)
    assert refused.value.reason == "errors-blocked"


def test_a_sent_request_waits_on_a_coordinator() -> None:
    mei = making.person("Mei", Role.COORDINATOR)
    sent = requests.send(making.viewer(making.person("Asha")), "k1", MAPS)
    assert (sent.state, sent.waiting_on, sent.next_step) == (State.RECEIVED, WaitingOn.COORDINATOR, "coordinator_reads")
    assert sent.due_on is not None
    assert sent.sent_at == clock.now()
    assert db.session.scalars(select(Event.kind)).all() == [EventKind.REQUEST_RECEIVED]
    assert db.session.scalars(select(InboxItem.person_id)).all() == [mei.id]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (replace(MAPS, title=" \t"), "title"),
        (replace(MAPS, body="Help"), "body"),
        (replace(MAPS, body=" " * 80), "body"),
    ],
)
def test_sending_asks_for_title_and_body_and_keeps_what_there_is(draft: Draft, field: str) -> None:
    asha = making.viewer(making.person("Asha"))
    with pytest.raises(Invalid) as refused:
        requests.send(asha, "k1", draft)
    assert set(refused.value.fields) == {field}
    kept = requests.mine(asha, "k1")
    assert kept is not None
    assert kept.state is State.DRAFT


def test_ten_characters_of_chinese_are_enough() -> None:
    asha = making.viewer(making.person("Asha"))
    assert requests.send(asha, "k1", replace(MAPS, body="如何批量上传三百张地图？")).state is State.RECEIVED


def test_a_deadline_in_the_past_is_noticed() -> None:
    asha = making.viewer(making.person("Asha"))
    with pytest.raises(Invalid) as refused:
        requests.send(asha, "k1", replace(MAPS, deadline=clock.now().date() - timedelta(days=1)))
    assert set(refused.value.fields) == {"deadline"}
    requests.send(asha, "k1", replace(MAPS, deadline=clock.now().date()))


def test_sending_twice_makes_one_request() -> None:
    asha = making.viewer(making.person("Asha"))
    first = requests.send(asha, "k1", MAPS).id
    assert requests.send(asha, "k1", replace(MAPS, title="Changed")).id == first
    assert requests.save(asha, "k1", replace(MAPS, title="Changed")).title == MAPS.title
    assert _count(Event) == 1


def test_sending_many_times_at_once_makes_one_request(app: Flask) -> None:
    asha = making.viewer(making.person("Asha"))

    def send(_: int) -> int:
        with app.app_context():
            return requests.send(asha, "k1", MAPS).id

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(send, range(8)))
    assert len(numbers) == 1
    assert (_count(Request), _count(Event)) == (1, 1)


def test_one_person_sends_so_many_a_day_and_no_more(make_app: MakeApp, clock: FixedClock) -> None:
    with make_app(RATE_REQUESTS_PER_DAY=2).app_context():
        asha = making.viewer(making.person("Asha"))
        for key in ("a", "b"):
            requests.send(asha, key, MAPS)
        with pytest.raises(Invalid) as refused:
            requests.send(asha, "c", MAPS)
        assert set(refused.value.fields) == {"send"}
        clock.advance(days=1, seconds=1)
        assert requests.send(asha, "c", MAPS).state is State.RECEIVED


def test_a_discarded_draft_is_gone_with_the_guest_it_was_for() -> None:
    mei = making.viewer(making.person("Mei", Role.COORDINATOR))
    requests.save(mei, "k1", MAPS, on_behalf_of="Somebody by mail")
    requests.discard(mei, "k1")
    assert requests.mine(mei, "k1") is None
    assert db.session.scalars(select(Person.name)).all() == ["Mei"]


def test_a_sent_request_cannot_be_discarded() -> None:
    asha = making.viewer(making.person("Asha"))
    requests.send(asha, "k1", MAPS)
    with pytest.raises(NotFound):
        requests.discard(asha, "k1")


# For somebody else


def test_coordinator_enters_a_request_for_an_account() -> None:
    asha, mei = making.person("Asha"), making.person("Mei", Role.COORDINATOR)
    sent = requests.send(making.viewer(mei), "k1", MAPS, on_behalf_of="asha")
    assert (sent.requester_id, sent.entered_by_id) == (asha.id, mei.id)
    assert db.session.scalars(select(InboxItem.person_id)).all() == [asha.id], "the requester hears of it"
    assert requests.handover_link(making.viewer(mei), sent.id) is None


def test_coordinator_enters_a_request_for_a_guest_and_corrects_the_name() -> None:
    mei = making.viewer(making.person("Mei", Role.COORDINATOR))
    requests.save(mei, "k1", MAPS, on_behalf_of="Adwoa  of the museum")
    sent = requests.send(mei, "k1", MAPS, on_behalf_of="Adwoa of the city museum")
    assert sent.requester.name == "Adwoa of the city museum"
    assert sent.requester.central_id is None
    assert _count(Person) == 2


def test_a_draft_for_an_account_stays_with_the_coordinator_until_it_is_sent() -> None:
    asha, mei = making.viewer(making.person("Asha")), making.viewer(making.person("Mei", Role.COORDINATOR))
    requests.save(mei, "k1", MAPS, on_behalf_of="Asha")
    with pytest.raises(NotFound):
        requests.mine(asha, "k1")


def test_requester_cannot_ask_for_somebody_else() -> None:
    asha = making.viewer(making.person("Asha"))
    with pytest.raises(Forbidden):
        requests.save(asha, "k1", MAPS, on_behalf_of="Sami")


def test_asking_for_somebody_else_needs_their_name_when_sent() -> None:
    mei = making.viewer(making.person("Mei", Role.COORDINATOR))
    with pytest.raises(Invalid) as refused:
        requests.send(mei, "k1", MAPS, on_behalf_of=" ")
    assert set(refused.value.fields) == {"on_behalf_of"}


# Correcting


def test_requester_corrects_a_sent_request() -> None:
    asha = making.viewer(making.person("Asha"))
    number = requests.send(asha, "k1", MAPS).id
    seen = fingerprint(MAPS)
    edited = requests.edit(asha, number, replace(MAPS, title="400 maps", kinds=("upload",)), seen=seen)
    assert (edited.title, [k.kind for k in edited.kinds]) == ("400 maps", ["upload"])
    event = db.session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert event is not None
    assert (event.kind, event.payload) == (EventKind.REQUEST_EDITED, {"fields": ["kinds", "title"]})


def test_correcting_nothing_is_no_event() -> None:
    asha = making.viewer(making.person("Asha"))
    number = requests.send(asha, "k1", MAPS).id
    requests.edit(asha, number, MAPS)
    assert _count(Event) == 1


def test_second_of_two_who_correct_is_told() -> None:
    asha, mei = making.viewer(making.person("Asha")), making.viewer(making.person("Mei", Role.COORDINATOR))
    number = requests.send(asha, "k1", MAPS).id
    seen = fingerprint(MAPS)
    requests.edit(mei, number, replace(MAPS, title="300 old maps"), seen=seen)
    with pytest.raises(Conflict):
        requests.edit(asha, number, replace(MAPS, title="Maps"), seen=seen)
    assert requests.find(asha, number, lock=True)[0].title == "300 old maps"


def test_stranger_cannot_correct() -> None:
    number = requests.send(making.viewer(making.person("Asha")), "k1", MAPS).id
    with pytest.raises(Forbidden):
        requests.edit(making.viewer(making.person("Sami")), number, MAPS)


def test_track_stays_once_the_request_went_on_its_way() -> None:
    asha, mei = making.viewer(making.person("Asha")), making.viewer(making.person("Mei", Role.COORDINATOR))
    number = requests.send(asha, "k1", MAPS).id
    requests.act(mei, number, Verb.TAKE_ON)
    assert requests.edit(asha, number, replace(MAPS, track=Track.PROJECT)).track is Track.QUESTION


def test_coordinator_can_hide_more_but_not_show_more() -> None:
    asha, mei = making.viewer(making.person("Asha")), making.viewer(making.person("Mei", Role.COORDINATOR))
    number = requests.send(asha, "k1", MAPS).id
    hidden = replace(MAPS, visibility=Visibility.HUB, withhold_name=True)
    requests.edit(mei, number, hidden)
    with pytest.raises(Invalid) as refused:
        requests.edit(mei, number, MAPS)
    assert set(refused.value.fields) == {"visibility", "withhold_name"}
    assert requests.edit(asha, number, MAPS).visibility is Visibility.PUBLIC


def test_loosened_names_what_the_public_sees_more_of() -> None:
    closed = Draft(visibility=Visibility.HUB, withhold_partner=True, withhold_country=True, withhold_name=True)
    assert set(loosened(closed, Draft())) == {"visibility", "withhold_partner", "withhold_country", "withhold_name"}
    assert loosened(Draft(), closed) == []
