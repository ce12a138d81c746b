"""The front page, the pages about the tool, and what machines ask."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cphub.models import Heartbeat, db
from cphub.taxonomies import CARDS
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs


def test_front_page_leads_to_the_form_by_every_card(client: FlaskClient) -> None:
    page = client.get("/").text
    for code in CARDS:
        assert f'href="/requests/new?card={code}"' in page


def test_front_page_makes_the_promise(client: FlaskClient) -> None:
    assert "who has it now, what happens next, and by when" in client.get("/").text


def test_menu_shows_strangers_no_pages_of_members(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'href="/requests"' in page
    for path in ("/me", "/inbox", "/queue", "/committee"):
        assert f'<a href="{path}"' not in page


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("asha", {"/me", "/inbox"}, {"/queue", "/committee"}),
        ("mei", {"/me", "/inbox", "/queue", "/committee"}, set()),
        ("lena", {"/me", "/inbox", "/committee"}, {"/queue"}),
    ],
)
def test_menu_fits_the_role(client_as: ClientAs, name: str, shown: set[str], hidden: set[str]) -> None:
    page = client_as(name).get("/").text
    assert {path for path in shown | hidden if f'<a href="{path}"' in page} == shown


def test_blocked_person_is_told_on_every_page(client_as: ClientAs) -> None:
    for path in ("/", "/privacy"):
        assert 'href="/login/blocked"' in client_as("blake").get(path).text


def test_language_of_the_address_is_kept(client: FlaskClient) -> None:
    assert '<html lang="ar" dir="rtl">' in client.get("/?uselang=ar").text
    page = client.get("/privacy").text
    assert '<html lang="ar" dir="rtl">' in page
    assert "codex-rtl" in page


def test_language_links_keep_the_rest_of_the_address(client: FlaskClient) -> None:
    page = client.get("/?state=matching&uselang=ar").text
    assert 'href="/?state=matching&amp;uselang=fr"' in page


def test_unknown_language_in_the_address_changes_nothing(client: FlaskClient) -> None:
    response = client.get("/?uselang=%3Cscript%3E")
    assert '<html lang="en" dir="ltr">' in response.text
    assert "<script>" not in response.text


def test_person_reads_in_the_language_they_chose(app: Flask, client_as: ClientAs) -> None:
    with app.app_context():
        db.session.execute(db.text("UPDATE person SET language = 'ar' WHERE name LIKE 'Asha%'"))
        db.session.commit()
    assert '<html lang="ar" dir="rtl">' in client_as("asha").get("/").text


def test_keys_of_messages_can_be_shown(client: FlaskClient) -> None:
    assert "(home-heading)" in client.get("/?uselang=qqx").text


def test_privacy_page_says_how_long_one_stays_signed_in(client: FlaskClient) -> None:
    assert "for 30 days" in client.get("/privacy").text


@pytest.mark.parametrize("path", ["/", "/privacy"])
def test_it_costs_little_on_the_wire(client: FlaskClient, path: str) -> None:
    zipped = {"Accept-Encoding": "gzip"}
    page = client.get(path, headers=zipped)
    assert page.headers["Content-Encoding"] == "gzip"
    assert int(page.headers["Content-Length"]) < 15_000


def test_health_needs_no_database(app: Flask) -> None:
    with app.app_context():
        db.drop_all()
    assert app.test_client().get("/healthz").status_code == 200


def test_ready_while_a_worker_is_alive(app: Flask, client: FlaskClient, clock: FixedClock) -> None:
    with app.app_context():
        db.session.add(Heartbeat(name="worker", at=clock()))
        db.session.commit()
    clock.advance(seconds=110)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "database": True, "worker": True})


def test_not_ready_when_the_worker_is_silent(app: Flask, client: FlaskClient, clock: FixedClock) -> None:
    with app.app_context():
        db.session.add(Heartbeat(name="worker", at=clock() - timedelta(minutes=2)))
        db.session.commit()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "database": True, "worker": False})


def test_not_ready_without_a_database(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.drop_all()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "database": False, "worker": False})


def test_toolinfo_has_what_the_catalogue_of_tools_requires(client: FlaskClient) -> None:
    info = client.get("/toolinfo.json").json
    assert info is not None
    assert all(info[key] for key in ("name", "title", "description", "url"))
    assert info["license"] == "GPL-3.0-or-later"


def test_robots_keep_out_of_forms(client: FlaskClient) -> None:
    assert "Disallow: /login" in client.get("/robots.txt").text.splitlines()


@pytest.mark.parametrize("written", ["fr", "FR", " Fr "])
def test_language_of_the_address_stays(client: FlaskClient, written: str) -> None:
    client.get("/", query_string={"uselang": written})
    assert '<html lang="fr"' in client.get("/").text
