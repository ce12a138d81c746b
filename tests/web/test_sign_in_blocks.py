"""The identity says "blocked" also of who may not edit one page: only a block of the whole wiki counts here."""

from collections.abc import Iterator
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from cphub.models import Person, db
from cphub.sandbox.wiki import WikiConsumer, create_wiki, load_people
from tests.conftest import MakeApp

BASE = "http://127.0.0.1:5000"
CONSUMER = WikiConsumer(key="c0" * 16, secret="5e" * 20, name="cphub", callback=f"{BASE}/")
ASHA, BLAKE, PETRA = "9001", "9901", "9902"
NOBODY_LISTENS = "http://127.0.0.1:9/w/api.php"


class Wiki:
    """The sandbox wiki, listening, and the tool that people sign in to with it."""

    def __init__(self, make_app: MakeApp, wiki: Flask, address: str) -> None:
        self._make_app = make_app
        self._wiki = wiki
        self._address = address

    def sign_in(self, central_id: str, **settings: object) -> tuple[bool, str]:
        """Through the whole handshake; whether the tool counts the person as blocked, and what it says about it."""
        here = {"BASE_URL": BASE, "WIKI_INDEX_URL": f"{self._address}/w/index.php"}
        app = self._make_app(**here, **{"WIKI_API_URL": f"{self._address}/w/api.php"} | settings)
        app.config["WTF_CSRF_ENABLED"] = False
        browser = app.test_client()
        asked = parse_qs(urlsplit(browser.post("/login", base_url=BASE, headers={"Origin": BASE}).location).query)
        form = {"requestToken": asked["oauth_token"][0], "consumerKey": CONSUMER.key, "person": central_id}
        allowed = self._wiki.test_client().post("/wiki/Special:OAuth/authenticate", data={**form, "accept": "Allow"})
        assert browser.get(allowed.location, base_url=BASE).status_code == 303
        with app.app_context():
            blocked = db.session.scalar(select(Person.blocked).where(Person.central_id == central_id))
        assert blocked is not None
        return blocked, browser.get("/login/blocked?uselang=qqx", base_url=BASE).text


@pytest.fixture
def wiki(make_app: MakeApp) -> Iterator[Wiki]:
    server = make_server("127.0.0.1", 0, lambda *call: app(*call), threaded=True)
    address = f"http://127.0.0.1:{server.port}"
    app = create_wiki(base_url=address, people=load_people(), consumers=[CONSUMER])
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Wiki(make_app, app, address)
    server.shutdown()
    thread.join()
    server.server_close()


def test_person_without_a_block_is_not_blocked(wiki: Wiki) -> None:
    assert not wiki.sign_in(ASHA)[0]


def test_person_blocked_from_one_page_is_not_blocked_here(wiki: Wiki) -> None:
    assert not wiki.sign_in(PETRA)[0]


def test_person_blocked_from_the_wiki_is_blocked_and_told_the_reason(wiki: Wiki) -> None:
    blocked, page = wiki.sign_in(BLAKE)
    assert blocked
    assert "<bdi>spam</bdi>" in page
    assert "sign_in-blocked-unsure" not in page


def test_when_the_wiki_cannot_be_asked_the_person_counts_as_blocked_and_is_told_so(wiki: Wiki) -> None:
    blocked, page = wiki.sign_in(PETRA, WIKI_API_URL=NOBODY_LISTENS)
    assert blocked
    assert "sign_in-blocked-unsure" in page


def test_nobody_is_asked_about_who_is_not_blocked(wiki: Wiki) -> None:
    assert not wiki.sign_in(ASHA, WIKI_API_URL=NOBODY_LISTENS)[0]
