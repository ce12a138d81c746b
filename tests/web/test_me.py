"""One's own page, and one's own data: all of it, and nobody else's."""

import json
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import State, Verb
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.models import Expert, Person, Request, db
from cphub.services import mail, offers, replies, requests
from tests.services import making
from tests.web.conftest import ClientAs, Form, person_id

Viewers = Callable[[str], Viewer]


def ask(app: Flask, name: str = "asha", title: str = "Maps of the coast", **values: object) -> int:
    with app.app_context():
        return making.request(db.session.get_one(Person, person_id(app, name)), title, **values).id


def test_a_newcomer_is_told_what_to_do(client_as: ClientAs) -> None:
    page = client_as("sami").get("/me").text
    assert "Nothing waits on you." in page
    assert "You have not asked for anything yet." in page
    assert 'href="/requests/new"' in page
    assert 'href="/me/profile"' in page


def test_who_is_not_signed_in_is_asked_to(client: FlaskClient) -> None:
    assert 'action="/login"' in client.get("/me").text


def test_it_shows_what_one_asked(app: Flask, client_as: ClientAs) -> None:
    number = ask(app)
    assert f'href="/requests/{number}"' in client_as("asha").get("/me").text
    assert "Maps of the coast" not in client_as("kofi").get("/me").text


def test_what_waits_comes_first(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    number = ask(app)
    with app.app_context():
        replies.write(viewer("mei"), number, "In which format are they?", key="question", ask=True)
    page = client_as("asha").get("/me").text
    waiting = page.split('id="waiting"', 1)[1].split("</section>", 1)[0]
    assert f'href="/requests/{number}"' in waiting
    assert page.index('id="waiting"') < page.index('id="asked"')


def test_an_offer_is_shown_with_its_message_and_leads_to_the_answer(
    app: Flask, client_as: ClientAs, viewer: Viewers
) -> None:
    number = ask(app, visibility=Visibility.HUB)
    with app.app_context():
        requests.act(viewer("mei"), number, Verb.TAKE_ON)
        expert = db.session.query(Expert).one()
        offers.send(viewer("mei"), number, expert.id, message="You know <b>this</b> best.")
    page = client_as("kofi").get("/me").text
    assert f'href="/requests/{number}#offer"' in page
    assert "You know &lt;b&gt;this&lt;/b&gt; best." in page
    assert "You are asked to help" in page


def test_what_one_helps_with(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    number = ask(app)
    with app.app_context():
        requests.act(viewer("mei"), number, Verb.TAKE_ON)
        offers.claim(viewer("kofi"), number)
    page = client_as("kofi").get("/me").text
    assert f'href="/requests/{number}"' in page.split('id="working"', 1)[1]


def test_a_coordinator_is_led_to_the_queue(client_as: ClientAs) -> None:
    assert 'href="/queue?view=waiting_on_me"' in client_as("mei").get("/me").text


# Drafts


def draft(app: Flask, viewer: Viewer, key: str = "drafted-1", **values: str) -> None:
    with app.app_context():
        requests.save(viewer, key, Draft(**values))  # type: ignore[arg-type]


def test_a_draft_can_be_gone_on_with_or_thrown_away(
    app: Flask, client_as: ClientAs, viewer: Viewers, form: Form
) -> None:
    draft(app, viewer("sami"), title="Half a <i>thought</i>")
    sami = client_as("sami")
    page = sami.get("/me").text
    assert 'href="/requests/new?draft=drafted-1"' in page
    assert "Half a &lt;i&gt;thought&lt;/i&gt;" in page
    action = "/me/drafts/drafted-1/discard"
    gone = sami.post(action, data=form(sami, "/me", action))
    assert (gone.status_code, gone.location) == (303, "/me")
    assert "The draft is gone." in (page := sami.get("/me").text)
    assert "drafted-1" not in page


def test_a_draft_without_a_title_has_words_instead(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    draft(app, viewer("sami"))
    assert "Without a title" in client_as("sami").get("/me").text


def test_stranger_cannot_throw_a_draft_away(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    draft(app, viewer("sami"))
    asha = client_as("asha")
    token = asha.get("/me").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    assert asha.post("/me/drafts/drafted-1/discard", data={"csrf_token": token}).status_code == 303
    with app.app_context():
        assert db.session.query(Request).filter_by(state=State.DRAFT).count() == 1


def test_what_was_sent_cannot_be_thrown_away(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    with app.app_context():
        body = "These are enough words for a question."
        number = requests.send(viewer("sami"), "sent-1234", Draft(title="Sent", body=body)).id
    sami = client_as("sami")
    token = sami.get("/me").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    sami.post("/me/drafts/sent-1234/discard", data={"csrf_token": token})
    with app.app_context():
        assert db.session.get(Request, number) is not None


def test_it_rejects_get_for_throwing_away(client_as: ClientAs) -> None:
    assert client_as("sami").get("/me/drafts/x/discard").status_code == 405


# One's own data


def test_the_data_of_a_person_is_all_theirs(app: Flask, client_as: ClientAs, viewer: Viewers) -> None:
    number = ask(app, contact="Ask for me at the desk")
    other = ask(app, name="sami", title="Not hers")
    draft(app, viewer("asha"), title="Half a thought")
    with app.app_context():
        replies.write(viewer("asha"), number, "One more thing.", key="by-asha")
        replies.write(viewer("mei"), number, "By another.", key="by-mei")
        requests.watch(viewer("asha"), other)
        mail.set_address(viewer("asha"), "asha@example.org")
    answer = client_as("asha").get("/me/data.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cphub-my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.data)
    assert data["person"]["name"] == "Asha Mwakyusa"
    assert data["person"]["mail"] == "asha@example.org"
    assert [r["title"] for r in data["requests"]] == ["Maps of the coast", "Half a thought"]
    assert data["requests"][0]["contact"] == "Ask for me at the desk"
    assert [r["body"] for r in data["replies"]] == ["One more thing."]
    assert [w["request_id"] for w in data["watched"]] == [other]
    assert "Not hers" not in answer.text
    assert "By another." not in answer.text


def test_the_data_has_the_whole_profile(client_as: ClientAs) -> None:
    data = json.loads(client_as("kofi").get("/me/data.json").data)
    assert data["profile"][0]["country"] == "GH"
    assert {s["skill"] for s in data["profile_skills"]} == {"upload.batch", "data.identifiers"}
    assert data["roles"] == []


def test_a_draft_that_a_coordinator_writes_for_somebody_is_not_in_their_data_yet(
    app: Flask, client_as: ClientAs, viewer: Viewers
) -> None:
    with app.app_context():
        requests.save(viewer("mei"), "for-asha-1", Draft(title="She wrote to us"), on_behalf_of="Asha Mwakyusa")
    assert "She wrote to us" not in client_as("asha").get("/me/data.json").text
    assert "She wrote to us" not in client_as("asha").get("/me").text
    assert "She wrote to us" in client_as("mei").get("/me").text


def test_nobody_gets_data_without_signing_in(client: FlaskClient) -> None:
    page = client.get("/me/data.json")
    assert 'action="/login"' in page.text


def test_roles_are_in_the_data(client_as: ClientAs) -> None:
    assert [r["role"] for r in json.loads(client_as("mei").get("/me/data.json").data)["roles"]] == [
        Role.COORDINATOR.value
    ]
