"""The coordinators' queue and the deliveries: for those who look after the hub, and for nobody else."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.domain.lifecycle import Track, Verb
from cphub.domain.policy import Viewer, Visibility
from cphub.models import Heartbeat, OutboxRow, OutboxState, Person, Request, db
from cphub.models.queries.queue import View
from cphub.services import offers, outbox, requests
from cphub.taxonomies import KINDS
from tests.conftest import FixedClock
from tests.services import making
from tests.web.conftest import ClientAs, Form, person_id

Viewers = Callable[[str], Viewer]
KIND, OTHER_KIND = list(KINDS)[:2]


@pytest.fixture
def ask(app: Flask):  # type: ignore[no-untyped-def]
    """Asha asks; gives the number."""

    def _ask(title: str, **values: object) -> int:
        with app.app_context():
            asha = db.session.get_one(Person, person_id(app, "asha"))
            return making.request(asha, title, **values).id

    return _ask


def test_it_works(client_as: ClientAs, ask) -> None:  # type: ignore[no-untyped-def]
    number = ask("Maps of the coast", language="sw", country="TZ", kinds=tuple(KINDS)[:4])
    page = client_as("mei").get("/queue").text
    assert f'href="/requests/{number}"' in page
    for words in ("Maps of the coast", "Asha Mwakyusa", "Swahili", "Tanzania", "Received", "and 1 more", "nobody yet"):
        assert words in page


@pytest.mark.parametrize("path", ["/queue", "/queue/deliveries"])
@pytest.mark.parametrize("name", ["asha", "kofi", "sami", "lena"])
def test_stranger_cannot_see_it(client_as: ClientAs, path: str, name: str) -> None:
    assert client_as(name).get(path).status_code == 403


@pytest.mark.parametrize("path", ["/queue", "/queue/deliveries"])
def test_who_is_not_signed_in_is_asked_to(client: FlaskClient, path: str) -> None:
    assert 'action="/login"' in client.get(path).text


def test_admin_sees_deliveries_and_not_the_queue(client_as: ClientAs) -> None:
    root = client_as("root")
    assert root.get("/queue").status_code == 403
    page = root.get("/queue/deliveries")
    assert page.status_code == 200
    assert '<a href="/queue">' not in page.text


def test_views_and_their_counts(client_as: ClientAs, app: Flask, viewer: Viewers, ask) -> None:  # type: ignore[no-untyped-def]
    ask("Nobody has it")
    taken = ask("Kofi has it")
    with app.app_context():
        requests.act(viewer("mei"), taken, Verb.TAKE_ON)
        offers.claim(viewer("kofi"), taken)
    mei = client_as("mei")
    page = mei.get("/queue").text
    tabs = page.split('<nav class="tabs"', 1)[1].split("</nav>", 1)[0]
    counts = [part.split("</span>", 1)[0] for part in tabs.split('<span class="tally" dir="ltr">')[1:]]
    assert counts == ["1", "1", "1", "0", "2"]
    assert "Nobody has it" in page
    assert "Kofi has it" not in page
    assert "Kofi has it" in mei.get("/queue?view=mine").text
    assert "Kofi has it" in mei.get("/queue?view=all").text


@pytest.mark.parametrize("view", list(View))
def test_an_empty_view_says_what_to_do(client_as: ClientAs, view: View) -> None:
    page = client_as("mei").get(f"/queue?view={view}").text
    empty = page.split('class="empty"', 1)[1].split("</div>", 1)[0]
    assert "href=" in empty


def test_overdue_is_marked(client_as: ClientAs, app: Flask, ask) -> None:  # type: ignore[no-untyped-def]
    number = ask("Late")
    with app.app_context():
        db.session.get_one(Request, number).due_on = date(2020, 1, 1)
        db.session.commit()
    assert ">overdue<" in client_as("mei").get("/queue?view=due").text


def test_a_request_that_is_matching_leads_to_the_experts(client_as: ClientAs, app: Flask, viewer: Viewers, ask) -> None:  # type: ignore[no-untyped-def]
    number = ask("Who can do this?")
    with app.app_context():
        requests.act(viewer("mei"), number, Verb.TAKE_ON)
    assert f'href="/requests/{number}#experts"' in client_as("mei").get("/queue").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"kind={KIND}", True),
        (f"kind={OTHER_KIND}", False),
        ("language=sw", True),
        ("language=en", False),
        ("track=question", True),
        ("track=project", False),
        ("state=received", True),
        ("state=matching", False),
    ],
)
def test_filters_are_in_the_address(client_as: ClientAs, ask, query: str, found: bool) -> None:  # type: ignore[no-untyped-def]
    ask("Maps of the coast", language="sw", kinds=(KIND,), track=Track.QUESTION)
    page = client_as("mei").get(f"/queue?{query}").text
    assert ("Maps of the coast" in page) is found
    assert ("Nothing here fits the filters" in page) is not found
    name, value = query.split("=")
    assert f'<option value="{value}" selected>' in page
    assert f"view=all&amp;{name}" in page or f"{name}={value}&amp;view=all" in page, "the views keep the filters"


@pytest.mark.parametrize("query", ["view=none", "kind=x", "state=closed", "state=x", "track=x", "language=x"])
def test_what_does_not_exist_is_left_out(client_as: ClientAs, ask, query: str) -> None:  # type: ignore[no-untyped-def]
    ask("Maps of the coast")
    page = client_as("mei").get(f"/queue?{query}")
    assert page.status_code == 200
    assert "Maps of the coast" in page.text


def test_a_mark_that_is_not_ours_is_refused(client_as: ClientAs) -> None:
    assert client_as("mei").get("/queue?after=x").status_code == 422


def test_it_escapes_what_people_wrote(client_as: ClientAs, ask) -> None:  # type: ignore[no-untyped-def]
    ask("<script>alert(1)</script>", visibility=Visibility.HUB)
    page = client_as("mei").get("/queue").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


# Deliveries


@pytest.fixture
def rows(app: Flask, clock: FixedClock):  # type: ignore[no-untyped-def]
    with app.app_context():
        for n, state in enumerate([OutboxState.READY, OutboxState.UNSURE, OutboxState.FAILED, OutboxState.DONE], 1):
            outbox.put("mail", {}, key=f"k{n}", now=clock())
            row = db.session.get_one(OutboxRow, n)
            row.state, row.last_error, row.tries = state, f"error {n} <b>", n
        db.session.commit()


def test_deliveries_show_what_waits_and_what_failed(client_as: ClientAs, rows: None) -> None:
    page = client_as("mei").get("/queue/deliveries").text
    assert "Could not leave (1)" in page
    assert "Waiting (2)" in page
    assert "error 3 &lt;b&gt;" in page
    assert "error 4" not in page
    assert "It may have arrived" in page


def test_a_failed_delivery_is_tried_again(app: Flask, client_as: ClientAs, form: Form, rows: None) -> None:
    mei = client_as("mei")
    action = "/queue/deliveries/3/again"
    done = mei.post(action, data=form(mei, "/queue/deliveries", action))
    assert (done.status_code, done.location) == (303, "/queue/deliveries")
    with app.app_context():
        row = db.session.get_one(OutboxRow, 3)
        assert (row.state, row.tries) == (OutboxState.UNSURE, 0)


@pytest.mark.parametrize(("name", "status"), [("asha", 403), ("lena", 403), ("blake", 403), (None, 401)])
def test_stranger_cannot_have_it_tried_again(  # type: ignore[no-untyped-def]
    app: Flask, client_as: ClientAs, form: Form, rows, name: str | None, status: int
) -> None:
    browser = client_as(name)
    token = browser.get("/").text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    assert browser.post("/queue/deliveries/3/again", data={"csrf_token": token}).status_code == status
    with app.app_context():
        assert db.session.get_one(OutboxRow, 3).state is OutboxState.FAILED


@pytest.mark.parametrize(
    ("ago", "said"),
    [(None, "has never run"), (timedelta(seconds=30), "is at work"), (timedelta(hours=3), "was last seen 3 hours ago")],
)
def test_the_worker_is_seen_to_be_alive(
    app: Flask, client_as: ClientAs, clock: FixedClock, ago: timedelta | None, said: str
) -> None:
    if ago is not None:
        with app.app_context():
            at: datetime = clock() - ago
            db.session.add(Heartbeat(name="worker", at=at))
            db.session.commit()
    assert said in client_as("mei").get("/queue/deliveries").text


def test_it_rejects_get_for_trying_again(client_as: ClientAs) -> None:
    assert client_as("mei").get("/queue/deliveries/3/again").status_code == 405
