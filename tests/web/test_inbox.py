"""The inbox as a page."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.policy import Viewer
from cphub.models import InboxItem, Person, db
from cphub.services import replies
from tests.services import making
from tests.web.conftest import ClientAs, Form, person_id

Viewers = Callable[[str], Viewer]


@pytest.fixture
def number(app: Flask) -> int:
    """Asha asked, which is news to Mei."""
    with app.app_context():
        return making.request(db.session.get_one(Person, person_id(app, "asha")), "Maps <b>of</b> the coast").id


def test_it_works(client_as: ClientAs, number: int) -> None:
    page = client_as("mei").get("/inbox").text
    assert "<bdi>Asha Mwakyusa</bdi> sent the request." in page
    assert "Maps &lt;b&gt;of&lt;/b&gt; the coast" in page
    assert f'href="/requests/{number}"' in page
    assert "You get this because you are a coordinator." in page
    assert ">new<" in page


def test_an_empty_inbox_says_what_to_do(client_as: ClientAs) -> None:
    assert "Nothing has happened yet that concerns you." in client_as("sami").get("/inbox").text


def test_who_is_not_signed_in_is_asked_to(client: FlaskClient) -> None:
    assert 'action="/login"' in client.get("/inbox").text


def test_one_is_marked_as_read(app: Flask, client_as: ClientAs, viewer: Viewers, form: Form, number: int) -> None:
    with app.app_context():
        replies.write(viewer("asha"), number, "One more thing.", key="more")
        newest = db.session.query(InboxItem).order_by(InboxItem.id.desc()).first()
        assert newest is not None
        item = newest.id
    mei = client_as("mei")
    assert mei.get("/inbox").text.count(">new<") == 2
    read = mei.post("/inbox/read", data=form(mei, "/inbox", "/inbox/read") | {"item": str(item)})
    assert (read.status_code, read.location) == (303, "/inbox")
    page = mei.get("/inbox").text
    assert page.count(">new<") == 1
    assert f'name="item" value="{item}"' not in page


def test_all_are_marked_as_read(client_as: ClientAs, form: Form, number: int) -> None:
    mei = client_as("mei")
    mei.post("/inbox/read", data=form(mei, "/inbox", "/inbox/read") | {"item": "all"})
    page = mei.get("/inbox").text
    assert ">new<" not in page
    assert "Mark all as read" not in page


@pytest.mark.parametrize("item", ["", "0", "4711"])
def test_an_item_that_is_not_there_marks_nothing(client_as: ClientAs, form: Form, number: int, item: str) -> None:
    mei = client_as("mei")
    assert mei.post("/inbox/read", data=form(mei, "/inbox", "/inbox/read") | {"item": item}).status_code == 303
    assert ">new<" in mei.get("/inbox").text


def test_an_item_that_is_no_number_is_refused(client_as: ClientAs, form: Form, number: int) -> None:
    mei = client_as("mei")
    assert mei.post("/inbox/read", data=form(mei, "/inbox", "/inbox/read") | {"item": "x"}).status_code == 422


def test_stranger_cannot_read_for_another(app: Flask, client_as: ClientAs, number: int) -> None:
    sami = client_as("sami")
    token = sami.get("/me").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    sami.post("/inbox/read", data={"csrf_token": token, "item": "1"})
    sami.post("/inbox/read", data={"csrf_token": token, "item": "all"})
    assert ">new<" in client_as("mei").get("/inbox").text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/inbox\\x", "/logout", "/inbox?after=7"])
def test_marking_leads_back_into_the_inbox_only(client_as: ClientAs, form: Form, number: int, back: str) -> None:
    mei = client_as("mei")
    done = mei.post("/inbox/read", data=form(mei, "/inbox", "/inbox/read") | {"item": "all", "back": back})
    assert done.location == ("/inbox?after=7" if back == "/inbox?after=7" else "/inbox")


def test_pages_follow_and_the_end_leads_back(client_as: ClientAs, number: int) -> None:
    page = client_as("mei").get("/inbox?after=1").text
    assert "There is nothing older." in page
    assert client_as("mei").get("/inbox?after=x").status_code == 422


def test_it_rejects_get_for_marking(client_as: ClientAs) -> None:
    assert client_as("mei").get("/inbox/read").status_code == 405
