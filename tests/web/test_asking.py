"""Asking for help: step by step, at once, interrupted, twice, by somebody else, and never losing a word."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import State, Track
from cphub.domain.policy import Viewer, Visibility
from cphub.models import Person, Request, db
from cphub.services import requests
from cphub.taxonomies import CARDS, JUSTIFICATION
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs, Form, forms_of, person_id

Fields = dict[str, str | list[str]]

TITLE = "Maps of a coast, 300 of them"
BODY = "We have three hundred scanned maps of the coast & <b>no</b> plan."
EVERYTHING: Fields = {
    "track": "project",
    "title": TITLE,
    "body": BODY,
    "language": "fr",
    "stage": "preparing",
    "kinds": ["metadata", "upload"],
    "partner_type": "museum",
    "partner_name": "Musée du Littoral",
    "country": "SN",
    "community": "Groupe des cartes",
    "reply_languages": ["fr", "wo"],
    "deadline": "2027-03-31",
    "visibility": "public",
}


@pytest.fixture
def asha(client_as: ClientAs) -> FlaskClient:
    return client_as("asha")


@pytest.fixture
def mei(client_as: ClientAs) -> FlaskClient:
    return client_as("mei")


def _one(app: Flask) -> Request:
    """The only request there is, with what a test looks at already read."""
    with app.app_context():
        found = db.session.scalars(select(Request)).one()
        _ = (found.kinds, found.requester)
        db.session.expunge_all()
        return found


def _count(app: Flask) -> int:
    with app.app_context():
        return len(db.session.scalars(select(Request.id)).all())


def _fields(form: Form, client: FlaskClient, path: str = "/requests/new") -> Fields:
    """What the form sends untouched. What comes several times is left to the test."""
    action = path if path.endswith("/edit") else "/requests/new"
    return {**form(client, path, action)}


def _send(client: FlaskClient, fields: Fields, **more: str | list[str]) -> TestResponse:
    return client.post("/requests/new", data={**fields, **more})


def _next(client: FlaskClient, fields: Fields, **more: str | list[str]) -> str:
    response = _send(client, fields, do="next", **more)
    assert response.status_code == 303, response.text
    return response.headers["Location"]


def _ticked(page: str) -> set[str]:
    """Which of the boxes for what the public does not see are ticked."""
    boxes = re.findall(r"<input[^>]*type=\"checkbox\"[^>]*>", page)
    names = [name[1] for box in boxes if "checked" in box and (name := re.search(r'name="(withhold_\w+)"', box))]
    return set(names)


# In one go


@pytest.mark.parametrize("ticked", [set(), {"withhold_country"}])
def test_boxes_come_back_as_they_were_left(asha: FlaskClient, form: Form, ticked: set[str]) -> None:
    token = {name: value for name, value in _fields(form, asha).items() if name in ("csrf_token", "key")}
    page = _send(asha, token | dict.fromkeys(ticked, "on"), step="all", title="", body=BODY, do="send")
    assert page.status_code == 422
    assert _ticked(page.text) == ticked


def test_everything_at_once_is_sent(app: Flask, asha: FlaskClient, form: Form) -> None:
    token = {name: value for name, value in _fields(form, asha).items() if name in ("csrf_token", "key")}
    response = _send(asha, {**token, **EVERYTHING})
    assert response.status_code == 303
    sent = _one(app)
    assert response.headers["Location"] == f"/requests/{sent.id}/receipt"
    assert (sent.state, sent.track, sent.title, sent.body) == (State.RECEIVED, Track.PROJECT, TITLE, BODY)
    assert (sent.language, sent.reply_languages, sent.country) == ("fr", ["fr", "wo"], "SN")
    assert (sent.stage, {k.kind for k in sent.kinds}) == ("preparing", {"metadata", "upload"})
    assert (sent.partner_type, sent.partner_name, sent.community) == (
        "museum", "Musée du Littoral", "Groupe des cartes",
    )  # fmt: skip
    assert str(sent.deadline) == "2027-03-31"


def test_a_form_without_a_key_is_sent_too(app: Flask, asha: FlaskClient, form: Form) -> None:
    token = _fields(form, asha)["csrf_token"]
    assert _send(asha, {"csrf_token": token, "title": TITLE, "body": BODY, "send": "1"}).status_code == 303
    assert _one(app).track is Track.QUESTION


def test_a_question_is_sent_from_its_first_page(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha)
    assert (fields["track"], fields["visibility"], fields["language"]) == ("question", "public", "en")
    response = _send(asha, fields, card="upload", title=TITLE, body=BODY, do="send")
    assert response.status_code == 303
    sent = _one(app)
    assert ([k.kind for k in sent.kinds], sent.stage) == (["upload"], "upload")


@pytest.mark.parametrize(("field", "message"), [("title", "give your request a title"), ("body", "in a few words")])
def test_title_and_body_are_required_and_what_was_typed_is_kept(
    app: Flask, asha: FlaskClient, form: Form, field: str, message: str
) -> None:
    response = _send(asha, _fields(form, asha), **{"title": TITLE, "body": BODY, "do": "send"} | {field: " "})
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert f'href="#field-{field}"' in response.text
    assert message in response.text
    kept = TITLE if field == "body" else "three hundred scanned maps of the coast &amp; &lt;b&gt;no&lt;/b&gt; plan."
    assert kept in response.text
    assert _one(app).state is State.DRAFT, "and kept on the server"


def test_what_is_wrong_anywhere_is_shown_beside_its_field(asha: FlaskClient, form: Form) -> None:
    fields = {**_fields(form, asha), **EVERYTHING, "deadline": "31.3.2027", "country": "Atlantis", "title": ""}
    del fields["step"]
    response = _send(asha, fields)
    assert response.status_code == 422
    assert 'id="field-deadline-error"' in response.text
    assert "31.3.2027" in response.text
    assert re.search(r'name="kinds" value="metadata" checked', response.text)
    assert "Musée du Littoral" in response.text


def test_it_escapes_what_was_typed(app: Flask, asha: FlaskClient, form: Form) -> None:
    _send(asha, _fields(form, asha), title="<script>alert(1)</script>", body=BODY, partner_name='"><img>', do="send")
    page = asha.get(f"/requests/{_one(app).id}/receipt").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


# Step by step


def test_a_project_goes_through_every_step(app: Flask, asha: FlaskClient, form: Form) -> None:
    first = asha.get("/requests/new").text
    assert "Step 1 of" in first
    page = _next(asha, _fields(form, asha), track="project", title=TITLE, body=BODY, card="data")
    assert page.endswith("step=2")
    assert "Step 2 of 6" in asha.get(page).text
    page = _next(asha, _fields(form, asha, page), partner_name="Coast Museum", country="KE", kinds=["metadata", "data"])
    page = _next(asha, _fields(form, asha, page), reply_languages=["sw", "en"], deadline="2027-01-31", contact="a@b")
    fields = _fields(form, asha, page)
    assert fields["step"] == "reasons"
    page = _next(asha, fields, **{"justification-gaps": "There are no maps of the coast."})
    page = _next(asha, _fields(form, asha, page), visibility="public", withhold_partner="on")
    assert page.endswith("step=6")
    check = asha.get(page).text
    assert "Coast Museum" in check
    assert "There are no maps" in check
    response = _send(asha, _fields(form, asha, page), do="send")
    sent = _one(app)
    assert response.headers["Location"] == f"/requests/{sent.id}/receipt"
    assert (sent.track, sent.country, sent.withhold_partner) == (Track.PROJECT, "KE", True)
    assert sent.reply_languages == ["sw", "en"]
    assert sent.justification == {"gaps": "There are no maps of the coast."}


def test_a_question_with_details_has_no_reasons(asha: FlaskClient, form: Form) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY)
    assert "Step 2 of 5" in asha.get(page).text
    page = _next(asha, _fields(form, asha, page))
    page = _next(asha, _fields(form, asha, page))
    assert _fields(form, asha, page)["step"] == "visibility"


def test_going_back_loses_nothing(asha: FlaskClient, form: Form) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY)
    response = _send(asha, _fields(form, asha, page), partner_name="Coast Museum", kinds=["data"], do="back")
    back = _fields(form, asha, response.headers["Location"])
    assert (back["step"], back["title"]) == ("aim", TITLE)
    again = asha.get(page).text
    assert "Coast Museum" in again
    assert re.search(r'value="data" checked', again)


def test_next_asks_for_what_the_first_step_needs(asha: FlaskClient, form: Form) -> None:
    response = _send(asha, _fields(form, asha), body=BODY, do="next")
    assert response.status_code == 422
    assert 'href="#field-title"' in response.text


def test_a_step_leaves_the_fields_of_other_steps_alone(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha)
    page = _next(asha, fields, title=TITLE, body=BODY, visibility="hub", withhold_name="on")
    _next(asha, _fields(form, asha, page), kinds=["data"])
    found = _one(app)
    assert (found.title, found.visibility, found.withhold_name) == (TITLE, Visibility.HUB, True)


def test_another_card_changes_the_kinds_and_the_same_one_does_not(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY}
    page = _next(asha, fields, card="upload")
    _next(asha, _fields(form, asha, page), kinds=["upload", "sdc"])
    _next(asha, fields, card="upload")
    assert {k.kind for k in _one(app).kinds} == {"upload", "sdc"}
    _next(asha, fields, card="licence")
    found = _one(app)
    assert ({k.kind for k in found.kinds}, found.stage) == ({"licence"}, "convincing")


def test_a_track_changed_elsewhere_does_not_mix_up_the_steps(app: Flask, asha: FlaskClient, form: Form) -> None:
    first = _fields(form, asha) | {"title": TITLE, "body": BODY, "withhold_name": "on"}
    _next(asha, first, track="project")
    reasons = _fields(form, asha, f"/requests/new?draft={first['key']}&step=4")
    _next(asha, first, track="question")
    _next(asha, reasons, **{"justification-gaps": "Many."})
    found = _one(app)
    assert (found.track, found.withhold_name, found.title) == (Track.QUESTION, True, TITLE)


@pytest.mark.parametrize("step", ["0", "99", "x", "-1", "aim", ""])
def test_a_wrong_step_shows_one_that_exists(asha: FlaskClient, form: Form, step: str) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY)
    assert asha.get(page.replace("step=2", f"step={step}")).status_code == 200


def test_an_address_can_choose_card_and_track(asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha, "/requests/new?card=upload&track=project")
    assert (fields["card"], fields["track"]) == ("upload", "project")
    assert asha.get("/requests/new?card=magic&track=magic").status_code == 200


# What the public sees


def test_preview_shows_what_the_public_sees_and_nothing_else(asha: FlaskClient, form: Form) -> None:
    key = _fields(form, asha)
    _next(asha, key, title=TITLE, body=BODY)
    base = f"/requests/new?draft={key['key']}&step="
    _next(asha, _fields(form, asha, base + "2"), partner_name="Coast Museum", partner_type="museum", country="KE")
    _next(asha, _fields(form, asha, base + "3"), contact="asha@example.org")
    fields = _fields(form, asha, base + "4")
    before = _preview(asha.get(base + "4").text)
    assert all(word in before for word in (TITLE, "Coast Museum", "Museum", "Kenya", "Asha Mwakyusa"))
    assert "asha@example.org" not in before
    shown = _send(asha, fields, withhold_partner="on", withhold_country="on", withhold_name="on", do="look")
    assert shown.headers["Location"].endswith("step=4#preview")
    after = _preview(asha.get(base + "4").text)
    assert TITLE in after
    assert not any(word in after for word in ("Coast Museum", "Kenya", "Asha"))
    hidden = _send(asha, fields, visibility="hub", do="look")
    assert TITLE not in _preview(asha.get(hidden.headers["Location"]).text)


def _preview(page: str) -> str:
    return page.partition('id="preview"')[2].partition("</section>")[0]


def test_check_marks_what_is_not_public(asha: FlaskClient, form: Form) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY, withhold_name="on")
    check = asha.get(page.replace("step=2", "step=5")).text
    assert re.search(r"Asha Mwakyusa</bdi>\s*<span[^>]*><span[^>]*>not public", check)


# Interruptions


def test_signed_out_people_can_fill_in_the_form_and_keep_what_they_typed(app: Flask, client: FlaskClient) -> None:
    page = client.get("/requests/new")
    assert page.status_code == 200
    assert 'name="title"' in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    fields = {
        "csrf_token": token[1], "step": "aim", "key": "a-key-of-theirs", "page": "/requests/new", "track": "project",
        "title": TITLE, "body": BODY, "visibility": "hub", "card": "upload", "do": "next",
    }  # fmt: skip
    response = client.post("/requests/new", data=fields)
    assert response.status_code == 401
    assert _count(app) == 0
    with client.session_transaction() as session:
        session["person"] = person_id(app, "asha")
    back = client.get("/requests/new").text
    assert "what you typed is here" in back
    assert f'value="{TITLE}"' in back
    assert "three hundred scanned maps" in back
    assert re.search(r'value="hub" checked', back)
    assert re.search(r'value="upload" checked', back)
    assert re.search(r'value="project" checked', back)
    assert "a-key-of-theirs" in back


def test_an_expired_session_keeps_the_text_of_a_later_step(app: Flask, asha: FlaskClient, form: Form) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY, withhold_name="on")
    fields = _fields(form, asha, page)
    with asha.session_transaction() as session:
        session.clear()
    response = _send(asha, fields, partner_name="Coast Museum", kinds=["data", "sdc"], do="next")
    assert response.status_code == 401
    assert 'name="next" value="/requests/new?draft=' in response.text.replace("&amp;", "&")
    with asha.session_transaction() as session:
        session["person"] = person_id(app, "asha")
    again = _fields(form, asha, page)
    assert (again["step"], again["partner_name"], again["key"]) == ("partner", "Coast Museum", fields["key"])
    _next(asha, again, kinds=["data"])
    found = _one(app)
    assert (found.title, found.partner_name, found.withhold_name) == (TITLE, "Coast Museum", True)


def test_a_draft_survives_signing_out(app: Flask, asha: FlaskClient, client_as: ClientAs, form: Form) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY)
    assert TITLE in client_as("asha").get("/requests/new").text, "offered to go on with"
    assert client_as("asha").get(page).status_code == 200
    signed_out = client_as().get(page)
    assert signed_out.status_code == 200
    assert TITLE not in signed_out.text


def test_stranger_cannot_open_or_change_anothers_draft(
    app: Flask, asha: FlaskClient, client_as: ClientAs, form: Form
) -> None:
    page = _next(asha, _fields(form, asha), title=TITLE, body=BODY)
    sami = client_as("sami")
    assert sami.get(page).status_code == 404
    fields = _fields(form, sami) | {"key": _one(app).key}
    assert _send(sami, fields, title="Mine now", body=BODY, do="next").status_code == 404
    assert sami.post("/requests/new/save", data={**fields, "title": "Mine now"}).status_code == 403
    assert _send(sami, fields, do="discard").status_code == 404
    assert _one(app).title == TITLE


def test_discarding_and_going_on_later(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha)
    assert _send(asha, fields, title=TITLE, do="later").headers["Location"] == "/me"
    assert _one(app).title == TITLE
    assert _send(asha, fields, do="discard").headers["Location"] == "/me"
    assert _count(app) == 0
    assert _send(asha, fields, do="discard").status_code == 303


def test_blocked_person_is_told_before_typing(client_as: ClientAs) -> None:
    page = client_as("blake").get("/requests/new")
    assert page.status_code == 200
    assert "blocked" in page.text
    assert 'name="title"' not in page.text


def test_blocked_person_cannot_send(client_as: ClientAs, form: Form, asha: FlaskClient, app: Flask) -> None:
    fields = _fields(form, asha)
    with asha.session_transaction() as session:
        session["person"] = person_id(app, "blake")
    assert _send(asha, fields, title=TITLE, body=BODY).status_code == 403


# Saved while typing


def test_typing_is_saved(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha)
    response = asha.post("/requests/new/save", data={**fields, "title": "How", "zone": "Africa/Nairobi"})
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["said"] == "Saved 12:30\u202fPM"
    assert response.json["address"] == f"/requests/new?draft={fields['key']}&step=1"
    asha.post("/requests/new/save", data={**fields, "title": "How do I", "deadline": "soon"})
    assert (_one(app).title, _one(app).state) == ("How do I", State.DRAFT)
    assert "How do I" in asha.get(response.json["address"]).text


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [({"title": "x" * 300}, 422, "too long"), ({"csrf_token": "old"}, 400, "NOT saved")],
)
def test_what_cannot_be_saved_is_said(
    asha: FlaskClient, form: Form, change: dict[str, str], status: int, said: str
) -> None:
    response = asha.post("/requests/new/save", data={**_fields(form, asha), **change})
    assert response.status_code == status
    assert response.json is not None
    assert said in response.json["said"]


def test_a_new_token_comes_with_the_refusal_of_an_old_one(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha) | {"title": TITLE}
    token = asha.post("/requests/new/save", data={**fields, "csrf_token": "old"}).json
    assert token is not None
    assert asha.post("/requests/new/save", data={**fields, "csrf_token": token["csrf_token"]}).status_code == 200


def test_saving_signed_out_says_so_and_parks_nothing(app: Flask, client: FlaskClient) -> None:
    response = client.post("/requests/new/save", data={"title": TITLE, "key": "some-key-of-mine"})
    assert response.status_code == 401
    assert response.json is not None
    with client.session_transaction() as session:
        assert "parked" not in session


def test_saving_what_was_sent_says_so(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY}
    _send(asha, fields, do="send")
    assert asha.post("/requests/new/save", data={**fields, "title": "Later"}).status_code == 409
    assert _one(app).title == TITLE


# Twice


def test_sent_twice_is_one_request(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY, "do": "send"}
    first, second = _send(asha, fields), _send(asha, fields)
    assert first.headers["Location"] == second.headers["Location"]
    assert _count(app) == 1


@pytest.mark.parametrize("do", ["send", "next", "later"])
def test_gone_back_changed_and_sent_again_gets_a_form_of_its_own(
    app: Flask, asha: FlaskClient, form: Form, do: str
) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY, "card": "upload"}
    _send(asha, fields, do="send")
    number = _one(app).id
    again = _send(asha, fields, title="Something else", withhold_name="on", do=do)
    assert (again.status_code, _one(app).title) == (409, TITLE)
    assert f'href="/requests/{number}"' in again.text
    assert 'value="Something else"' in again.text
    assert _ticked(again.text) == {"withhold_name"}
    key = re.search(r'name="key" value="([\w-]+)"', again.text)
    assert key is not None
    assert key[1] != fields["key"]
    assert _send(asha, fields, title="Something else", key=key[1], do="send").status_code == 303
    assert _count(app) == 2


@pytest.mark.parametrize("card", CARDS)
def test_the_same_sent_twice_leads_to_its_receipt_whatever_it_is_about(
    app: Flask, asha: FlaskClient, form: Form, card: str
) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY, "card": card, "do": "send"}
    assert [_send(asha, fields).status_code for _ in range(2)] == [303, 303]
    assert _count(app) == 1


def test_a_sent_draft_leads_to_its_receipt(app: Flask, asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha) | {"title": TITLE, "body": BODY}
    _send(asha, fields, do="send")
    page = asha.get(f"/requests/new?draft={fields['key']}")
    assert (page.status_code, page.headers["Location"]) == (303, f"/requests/{_one(app).id}/receipt")


def test_empty_form_points_to_what_was_just_sent(asha: FlaskClient, form: Form, clock: FixedClock) -> None:
    """Without a script, going back after sending shows an empty form."""
    assert TITLE not in asha.get("/requests/new").text
    _send(asha, _fields(form, asha), title=TITLE, body=BODY, do="send")
    assert TITLE in asha.get("/requests/new").text
    clock.advance(hours=2)
    assert TITLE not in asha.get("/requests/new").text


def test_an_address_with_a_key_of_its_own_is_an_empty_form(asha: FlaskClient, form: Form) -> None:
    fields = _fields(form, asha, "/requests/new?draft=some-key-of-mine&card=upload")
    assert (fields["key"], fields["card"], fields["title"]) == ("some-key-of-mine", "upload", "")
    assert _fields(form, asha, "/requests/new?draft=no")["key"] != "no"


def test_two_tabs_are_two_requests(app: Flask, asha: FlaskClient, form: Form) -> None:
    one, other = _fields(form, asha), _fields(form, asha)
    for fields in (one, other):
        _send(asha, fields, title=TITLE, body=BODY, do="send")
    assert _count(app) == 2


# After sending


def test_receipt_says_who_looks_at_it_and_what_happens_when(
    app: Flask, asha: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    number = make_sent(track=Track.PROJECT)
    page = asha.get(f"/requests/{number}/receipt").text
    for words in (f"number {number}", "Mei-Lin Sørdal", "by Nov 2", "about once a month", f"/requests/{number}/edit"):
        assert words in page


def test_receipt_is_for_those_inside(app: Flask, client_as: ClientAs, make_sent: Callable[..., int]) -> None:
    number = make_sent()
    statuses = {name: client_as(name).get(f"/requests/{number}/receipt").status_code for name in ("sami", "mei")}
    assert statuses == {"sami": 404, "mei": 200}
    assert client_as("mei").get("/requests/999/receipt").status_code == 404
    assert client_as().get(f"/requests/{number}/receipt").status_code == 200, "asked to sign in"


@pytest.fixture
def make_sent(app: Flask, viewer: Callable[[str], Viewer]) -> Callable[..., int]:
    """A request of Asha's that was sent; gives its number."""

    def make(**values: object) -> int:
        who = viewer("asha")
        with app.app_context():
            draft = Draft(**{"title": TITLE, "body": BODY, **values})  # type: ignore[arg-type]
            return requests.send(who, f"key-{len(values)}-{_count(app)}", draft).id

    return make


def test_requester_corrects_what_was_sent(
    app: Flask, asha: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    number = make_sent(kinds=("upload",), country="KE")
    path = f"/requests/{number}/edit"
    fields = _fields(form, asha, path)
    assert (fields["title"], fields["country"], fields["kinds"]) == (TITLE, "KE", "upload")
    response = asha.post(path, data={**fields, "title": "400 maps", "reply_languages": ["sw"]})
    assert (response.status_code, response.headers["Location"]) == (303, f"/requests/{number}")
    found = _one(app)
    assert (found.title, found.country, found.reply_languages) == ("400 maps", "KE", ["sw"])
    wrong = asha.post(path, data={**_fields(form, asha, path), "title": "", "body": "Still this text"})
    assert wrong.status_code == 422
    assert "Still this text" in wrong.text


def test_second_of_two_who_correct_sees_what_changed_and_keeps_their_words(
    app: Flask, asha: FlaskClient, mei: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    path = f"/requests/{make_sent()}/edit"
    hers, theirs = _fields(form, asha, path), _fields(form, mei, path)
    assert mei.post(path, data={**theirs, "title": "300 old maps"}).status_code == 303
    late = asha.post(path, data={**hers, "title": "Maps, 300"})
    assert late.status_code == 409
    assert "300 old maps" in late.text
    assert 'value="Maps, 300"' in late.text
    seen = re.search(r'name="seen" value="([^"]+)"', late.text)
    assert seen is not None
    assert asha.post(path, data={**hers, "title": "Maps, 300", "seen": seen[1]}).status_code == 303
    assert _one(app).title == "Maps, 300"


def test_boxes_of_a_correction_come_back_as_they_were_left(
    asha: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    path = f"/requests/{make_sent(withhold_partner=True)}/edit"
    fields = _fields(form, asha, path)
    del fields["withhold_partner"]
    page = asha.post(path, data={**fields, "title": "", "withhold_country": "on"})
    assert (page.status_code, _ticked(page.text)) == (422, {"withhold_country"})


def test_what_the_second_did_not_touch_keeps_what_the_first_wrote(
    app: Flask, asha: FlaskClient, mei: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    first, second, third, *_ = JUSTIFICATION
    reasons = {third: "Nobody else has these maps."}
    number = make_sent(
        track=Track.PROJECT, country="KE", reply_languages=("sw", "fr"), partner_name="Museum", justification=reasons
    )
    path = f"/requests/{number}/edit"
    hers, theirs = _fields(form, asha, path), _fields(form, mei, path)
    hers["reply_languages"] = theirs["reply_languages"] = ["fr", "sw"]
    better = {"body": "A better text.", "country": "SN", "kinds": "upload", f"justification-{first}": "A"}
    assert mei.post(path, data={**theirs, **better}).status_code == 303
    late = asha.post(path, data={**hers, "title": "Maps, 300", "country": "TZ", f"justification-{second}": "B"})
    assert late.status_code == 409
    again = forms_of(late.text)[path]
    asha.post(path, data={**again, "reply_languages": ["fr", "sw"]})
    found = _one(app)
    assert (found.title, found.body, found.country) == ("Maps, 300", "A better text.", "TZ")
    assert (found.partner_name, [k.kind for k in found.kinds]) == ("Museum", ["upload"])
    assert found.justification == {**reasons, first: "A", second: "B"}


def test_a_box_ticked_meanwhile_is_a_conflict_and_stays_ticked(
    app: Flask, asha: FlaskClient, mei: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    path = f"/requests/{make_sent()}/edit"
    hers, theirs = _fields(form, asha, path), _fields(form, mei, path)
    assert asha.post(path, data={**hers, "withhold_name": "on"}).status_code == 303
    late = mei.post(path, data={**theirs, "title": "300 old maps"})
    assert (late.status_code, _ticked(late.text)) == (409, {"withhold_name"})
    assert mei.post(path, data=forms_of(late.text)[path]).status_code == 303
    assert (_one(app).title, _one(app).withhold_name) == ("300 old maps", True)


def test_a_deadline_beyond_ten_years_is_refused(asha: FlaskClient, form: Form, make_sent: Callable[..., int]) -> None:
    new = _send(asha, _fields(form, asha), step="all", title=TITLE, body=BODY, deadline="9999-12-31", do="send")
    path = f"/requests/{make_sent()}/edit"
    corrected = asha.post(path, data={**_fields(form, asha, path), "deadline": "9999-12-31"})
    for page in (new, corrected):
        assert page.status_code == 422
        assert "ten years" in page.text


def test_stranger_cannot_correct(client_as: ClientAs, form: Form, make_sent: Callable[..., int]) -> None:
    path = f"/requests/{make_sent()}/edit"
    sami = client_as("sami")
    assert sami.get(path).status_code == 403
    token = _fields(form, sami)["csrf_token"]
    assert sami.post(path, data={"csrf_token": token, "title": "Mine", "body": BODY}).status_code == 403


def test_an_expired_session_keeps_a_correction(
    app: Flask, asha: FlaskClient, form: Form, make_sent: Callable[..., int]
) -> None:
    path = f"/requests/{make_sent()}/edit"
    fields = _fields(form, asha, path)
    with asha.session_transaction() as session:
        session.clear()
    assert asha.post(path, data={**fields, "title": "Maps, 300"}).status_code == 401
    with asha.session_transaction() as session:
        session["person"] = person_id(app, "asha")
    assert _fields(form, asha, path)["title"] == "Maps, 300"


# For somebody else


def test_coordinator_enters_a_request_for_a_guest_who_takes_it_over_once(
    app: Flask, mei: FlaskClient, client_as: ClientAs, form: Form
) -> None:
    fields = _fields(form, mei, "/requests/new?for=other") | {"title": TITLE, "body": BODY}
    assert _send(mei, fields, do="send").status_code == 422, "for whom?"
    page = _next(mei, fields, on_behalf_of="Adwoa of the museum")
    assert "Adwoa of the museum" in mei.get(page.replace("step=2", "step=5")).text
    receipt = _send(mei, _fields(form, mei, page.replace("step=2", "step=5")), do="send").headers["Location"]
    assert _one(app).requester.name == "Adwoa of the museum"
    link = re.search(r"http://127\.0\.0\.1:5000(/requests/take-over/[^\"]+)", mei.get(receipt).text)
    assert link is not None
    anybody = client_as().get(link[1])
    assert anybody.status_code == 200
    assert TITLE in anybody.text
    sami = client_as("sami")
    token = form(sami, link[1], link[1])
    taken = sami.post(link[1], data=token)
    assert taken.headers["Location"] == f"/requests/{_one(app).id}"
    assert _one(app).requester.name == "Sami Lehtovaara"
    assert client_as("asha").get(link[1]).status_code == 409
    assert client_as("asha").post(link[1], data=token).status_code in (400, 409)
    assert "/requests/take-over/" not in mei.get(receipt).text


def test_opening_the_link_changes_nothing(app: Flask, mei: FlaskClient, client_as: ClientAs, form: Form) -> None:
    fields = _fields(form, mei, "/requests/new?for=other") | {"title": TITLE, "body": BODY}
    receipt = _send(mei, fields, on_behalf_of="Adwoa", do="send").headers["Location"]
    link = re.search(r"5000(/requests/take-over/[^\"]+)", mei.get(receipt).text)
    assert link is not None
    client_as("sami").get(link[1])
    assert _one(app).requester.name == "Adwoa"
    assert client_as("sami").get("/requests/take-over/made-up").status_code == 404


def test_coordinator_enters_a_request_for_an_account(app: Flask, mei: FlaskClient, form: Form) -> None:
    fields = _fields(form, mei, "/requests/new?for=other")
    receipt = _send(mei, fields, title=TITLE, body=BODY, on_behalf_of="Asha Mwakyusa", do="send").headers["Location"]
    assert _one(app).requester_id == person_id(app, "asha")
    assert "/requests/take-over/" not in mei.get(receipt).text


@pytest.mark.parametrize("name", ["asha", "sami", "lena"])
def test_only_coordinators_ask_for_others(app: Flask, client_as: ClientAs, form: Form, name: str) -> None:
    client = client_as(name)
    assert client.get("/requests/new?for=other").status_code == 403
    _send(client, _fields(form, client), **{"for": "other", "on_behalf_of": "Root", "title": TITLE, "body": BODY})
    with app.app_context():
        assert db.session.scalars(select(Request.requester_id)).all() == [person_id(app, name)]
        assert db.session.scalars(select(Person).where(Person.central_id.is_(None))).all() == []


def test_a_late_deadline_is_refused(asha: FlaskClient, form: Form, clock: FixedClock) -> None:
    fields = _fields(form, asha) | EVERYTHING
    del fields["step"]
    yesterday = (clock().date() - timedelta(days=1)).isoformat()
    response = _send(asha, fields, deadline=yesterday)
    assert response.status_code == 422
    assert f'value="{yesterday}"' in response.text
