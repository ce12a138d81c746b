"""Signing in and out, with the sandbox wiki really listening, and with wikis that are ill."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, request
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Response as HttpResponse
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from cphub.domain.policy import Role
from cphub.gateways.wiki import SignInReason
from cphub.models import ParkedForm, Person, db
from cphub.sandbox.wiki import WikiConsumer, create_wiki, load_people
from cphub.sandbox.wiki.oauth import OAuthServer
from cphub.web import current, errors
from cphub.web.sign_in import HIDDEN
from tests.conftest import FixedClock, MakeApp
from tests.web.conftest import ClientAs, Form, person_id

KEY, SECRET = "c0" * 16, "5e" * 20
CALLBACK = "/oauth/callback"
ASHA, ROOT, BLAKE, PETRA, LUCIO, HANNA, REVA = "9001", "9401", "9901", "9902", "9903", "9904", "9905"
THIRU = "9002"  # has never been here


@dataclass
class Wiki:
    """The sandbox wiki on a port of its own. ``ahead``: seconds by which its clock is wrong."""

    address: str
    server: OAuthServer
    ahead: list[float] = field(default_factory=lambda: [0.0])

    def allow(self, url: str, central_id: str) -> str:
        """The person presses Allow. Returns the address that the browser is sent back to, without the host."""
        asked = parse_qs(urlsplit(url).query)
        answer = requests.post(
            f"{self.address}/wiki/Special:OAuth/authenticate",
            {
                "consumerKey": asked["oauth_consumer_key"][0],
                "requestToken": asked["oauth_token"][0],
                "person": central_id,
                "accept": "Allow",
            },
            allow_redirects=False,
            timeout=5,
        )
        back = urlsplit(answer.headers["Location"])
        assert f"{back.scheme}://{back.netloc}" == "http://127.0.0.1:5000"
        return f"{back.path}?{back.query}"


@pytest.fixture
def wiki() -> Iterator[Wiki]:
    ahead = [0.0]
    listener = make_server("127.0.0.1", 0, lambda environ, start_response: [], threaded=True)
    address = f"http://127.0.0.1:{listener.server_port}"
    site = create_wiki(
        base_url=address,
        people=load_people(),
        consumers=[WikiConsumer(key=KEY, secret=SECRET, name="cphub", callback="http://127.0.0.1:5000/oauth/")],
        clock=lambda: time.time() + ahead[0],
    )
    listener.app = site
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    yield Wiki(address, site.extensions["wiki"], ahead)
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.fixture
def overrides(overrides: dict[str, object], wiki: Wiki) -> dict[str, object]:
    return overrides | at(wiki.address)


@pytest.fixture
def app(app: Flask) -> Flask:
    """With a page that has a form, as those of the subjects have."""

    @app.get("/sheet")
    @app.get("/notes")
    def show() -> dict[str, list[str]]:
        return errors.typed()

    @app.post("/sheet/send")
    @current.writes
    def send() -> dict[str, str]:
        return {"sent": request.form["text"]}

    @app.get("/members")
    @current.signed_in
    def members() -> str:
        return "inside"

    return app


def at(address: str) -> dict[str, object]:
    return {"WIKI_INDEX_URL": f"{address}/w/index.php", "WIKI_API_URL": f"{address}/w/api.php"}


def start(client: FlaskClient, form: Form, *, path: str = "/privacy", **more: str) -> TestResponse:
    return client.post("/login", data={**form(client, "/login", "/login"), "next": path, **more})


def sign_in(client: FlaskClient, form: Form, wiki: Wiki, central_id: str, *, path: str = "/privacy") -> TestResponse:
    """The whole way; the answer to the callback."""
    return client.get(wiki.allow(start(client, form, path=path).headers["Location"], central_id))


def signed_in(client: FlaskClient) -> bool:
    return 'action="/logout"' in client.get("/privacy").text


def heading(answer: TestResponse) -> str:
    return unescape(answer.text.partition("<h1>")[2].partition("</h1>")[0])


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_it_works(app: Flask, client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = start(client, form, path="/requests/7?tab=a")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(wiki.address)
    answer = client.get(wiki.allow(answer.headers["Location"], THIRU))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/requests/7?tab=a")
    assert "Thiru Velan" in client.get("/").text


def test_it_keeps_nothing_of_the_handshake(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    sign_in(client, form, wiki, ASHA)
    with client.session_transaction() as session:
        assert set(session) == {"_permanent", "person", "return", "since"}


def test_it_starts_a_new_session(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    """Somebody may have prepared the old one."""
    with client.session_transaction() as session:
        session["prepared"] = "by somebody else"
    sign_in(client, form, wiki, ASHA)
    with client.session_transaction() as session:
        assert "prepared" not in session


def test_it_lasts_for_days(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = sign_in(client, form, wiki, ASHA)
    assert "Expires=" in answer.headers["Set-Cookie"]


def test_only_a_form_starts_it(client: FlaskClient, wiki: Wiki) -> None:
    """A link must not: browsers follow some of them beforehand."""
    assert client.get("/login").status_code == 200
    assert not wiki.server.handshakes


def test_signing_in_again_is_not_needed(client_as: ClientAs, form: Form) -> None:
    client = client_as("asha")
    assert client.get("/login?next=/privacy").headers["Location"] == "/privacy"
    token = form(client, "/", "/logout")["csrf_token"]
    answer = client.post("/login", data={"csrf_token": token, "next": "/experts"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/experts")


def test_the_name_follows_a_rename(app: Flask, client: FlaskClient, form: Form, wiki: Wiki) -> None:
    before = person_id(app, "asha")
    wiki.server.change(ASHA, name="Asha the Great")
    sign_in(client, form, wiki, ASHA)
    with app.app_context():
        person = db.session.scalars(select(Person).where(Person.central_id == ASHA)).one()
        assert (person.id, person.name) == (before, "Asha the Great")


def test_the_first_administrators_come_from_the_configuration(
    app: Flask, client: FlaskClient, form: Form, wiki: Wiki
) -> None:
    with app.app_context():
        db.session.execute(db.text("DELETE FROM role_grant"))
        db.session.commit()
    sign_in(client, form, wiki, ROOT)
    with app.app_context():
        person = db.session.scalars(select(Person).where(Person.central_id == ROOT)).one()
        assert [grant.role for grant in person.roles] == [Role.ADMIN]


def test_signing_out(client_as: ClientAs, form: Form) -> None:
    client = client_as("asha")
    answer = client.post("/logout", data=form(client, "/", "/logout"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "You are signed out." in client.get("/").text
    assert not signed_in(client)


def test_it_rejects_get_for_signing_out(client_as: ClientAs) -> None:
    client = client_as("asha")
    assert client.get("/logout").status_code == 405
    assert signed_in(client)


def test_another_site_cannot_sign_anybody_out(client_as: ClientAs) -> None:
    client = client_as("asha")
    assert client.post("/logout").status_code == 400
    assert signed_in(client)


def test_whoever_has_no_session_is_signed_out(client: FlaskClient) -> None:
    assert client.post("/logout").headers["Location"] == "/"


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/logout", "/login", "/sheet/send", "/nowhere", "/me/settings"])
def test_answer_to_another_site_s_form_touches_no_session(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    """Such a form comes without the cookie; a new one would take the place of the real one."""
    assert "Set-Cookie" not in client.post(path, headers=headers).headers


def test_form_without_cookies_of_ours_gets_a_session(client: FlaskClient) -> None:
    assert "Set-Cookie" in client.post("/sheet/send", headers={"Sec-Fetch-Site": "same-origin"}).headers


def test_signing_out_ends_copies_of_the_session(
    app: Flask, client: FlaskClient, form: Form, wiki: Wiki, clock: FixedClock
) -> None:
    sign_in(client, form, wiki, ASHA)
    copied = client.get_cookie("cphub")
    assert copied is not None
    thief = app.test_client()
    thief.set_cookie("cphub", copied.value)
    assert signed_in(thief)
    clock.advance(minutes=1)
    client.post("/logout", data=form(client, "/", "/logout"))
    thief.set_cookie("cphub", copied.value)
    assert not signed_in(thief)
    clock.advance(minutes=1)
    sign_in(client, form, wiki, ASHA)
    assert signed_in(client)


def test_a_copied_session_that_is_over_signs_nobody_out(
    app: Flask, client: FlaskClient, form: Form, wiki: Wiki, clock: FixedClock
) -> None:
    sign_in(client, form, wiki, ASHA)
    fields, copied = form(client, "/", "/logout"), client.get_cookie("cphub")
    assert copied is not None
    clock.advance(minutes=1)
    client.post("/logout", data=fields)
    clock.advance(minutes=1)
    sign_in(client, form, wiki, ASHA)
    clock.advance(minutes=1)
    thief = app.test_client()
    thief.set_cookie("cphub", copied.value)
    thief.post("/logout", data=fields)
    assert signed_in(client)


def test_signing_out_works_while_nothing_can_be_written(make_app: MakeApp, form: Form) -> None:
    app = make_app(READ_ONLY_REASON="We move house.")
    client = app.test_client()
    with client.session_transaction() as session:
        session["person"] = person_id(app, "asha")
    client.post("/logout", data=form(client, "/", "/logout"))
    assert not signed_in(client)


# --- where it leads --------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/%0d%0aLocation: x\r\n",
    "/\t/evil.example",
    "javascript:alert(1)",
    "",
    "login",
    "/login",
    "/logout",
    "/oauth/callback?x",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_it_leads_nowhere_else(client: FlaskClient, form: Form, wiki: Wiki, path: str) -> None:
    assert sign_in(client, form, wiki, ASHA, path=path).headers["Location"] == "/me"
    assert client.get("/login", query_string={"next": path}).headers["Location"] == "/me"


def test_members_page_is_returned_to(client: FlaskClient, form: Form, wiki: Wiki, app: Flask) -> None:
    asked = client.get("/members?x=1")
    assert heading(asked) == "Please sign in to go on"
    fields = form(client, "/members?x=1", "/login")
    assert fields["next"] == "/members?x=1"
    answer = client.post("/login", data=fields)
    answer = client.get(wiki.allow(answer.headers["Location"], ASHA))
    assert answer.headers["Location"] == "/members?x=1"
    assert client.get("/members?x=1").text == "inside"


# --- what was typed --------------------------------------------------------------------------------------------------

TYPED = "ตัวอักษร <b>\r\nsecond line"


def test_it_keeps_what_was_typed_when_the_session_has_ended(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = client.post("/sheet/send", data={"page": "/sheet", "text": TYPED, "kinds": ["a", "b"]})
    assert answer.status_code == 401
    assert "What you typed is kept" in answer.text
    token = form(client, "/login", "/login")["csrf_token"]
    answer = client.post("/login", data={"csrf_token": token, "next": "/sheet"})
    answer = client.get(wiki.allow(answer.headers["Location"], ASHA))
    assert answer.headers["Location"] == "/sheet"
    assert client.get("/sheet").json == {"text": [TYPED], "kinds": ["a", "b"]}
    assert client.get("/sheet").json == {}, "given back once"


def test_it_keeps_what_was_typed_when_signing_in_from_a_form(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = start(client, form, path="/sheet?step=2", page="/sheet?step=2", text=TYPED)
    client.get(wiki.allow(answer.headers["Location"], ASHA))
    assert client.get("/sheet?step=2").json == {"text": [TYPED]}


def test_it_keeps_what_was_typed_through_a_failure(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = start(client, form, path="/sheet", page="/sheet", text=TYPED)
    answer = client.get(wiki.allow(answer.headers["Location"], LUCIO))
    assert "What you typed is kept" in answer.text
    sign_in(client, form, wiki, ASHA, path="/sheet")
    assert client.get("/sheet").json == {"text": [TYPED]}


def test_a_form_with_an_old_token_is_kept_too(client_as: ClientAs) -> None:
    client = client_as("asha")
    answer = client.post("/sheet/send", data={"csrf_token": "old", "page": "/sheet", "text": TYPED})
    assert (answer.status_code, heading(answer)) == (400, "This page was open too long")
    assert 'href="/sheet"' in answer.text
    assert client.get("/sheet").json == {"text": [TYPED]}


def test_forms_of_several_tabs_are_kept(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    sent = [("/sheet", "k1", "one"), ("/sheet", "k2", "two"), ("/notes", "k3", "three"), ("/sheet", "k2", "two again")]
    for page, key, text in sent:
        answer = client.post("/sheet/send", data={"page": page, "key": key, "text": text})
        assert "What you typed is kept" in answer.text
    sign_in(client, form, wiki, ASHA, path="/sheet")
    assert [client.get("/sheet").json for _ in range(3)] == [
        {"key": ["k2"], "text": ["two again"]},
        {"key": ["k1"], "text": ["one"]},
        {},
    ]
    assert client.get("/notes").json == {"key": ["k3"], "text": ["three"]}


def test_the_session_does_not_grow_with_forms(client: FlaskClient) -> None:
    for number in range(8):
        client.post("/sheet/send", data={"page": f"/sheet/{number}" + "x" * 150, "text": TYPED})
    cookie = client.get_cookie("cphub")
    assert cookie is not None
    assert len(cookie.value) < 3000
    with client.session_transaction() as session:
        assert len(session["parked"]) == 5


LONG = "ä long text " * 6000


@pytest.mark.parametrize("name", [None, "asha"])
def test_a_form_too_long_to_keep_is_on_the_page_to_be_copied(client_as: ClientAs, name: str | None) -> None:
    client = client_as(name)
    client.post("/sheet/send", data={"page": "/sheet", "text": "short enough"})
    answer = client.post("/sheet/send", data={"page": "/sheet", "kind": "upload.batch", "text": LONG})
    assert answer.status_code == (400 if name else 401)
    assert "What you typed is kept" not in answer.text
    assert "too long to be kept" in answer.text
    assert LONG in answer.text
    assert "upload.batch" not in answer.text, "nobody typed that"


def test_signing_in_from_a_form_too_long_to_keep_does_not_lose_it(client: FlaskClient, form: Form) -> None:
    answer = start(client, form, path="/sheet?step=2", page="/sheet?step=2", text=LONG)
    assert answer.status_code == 401
    assert LONG in answer.text
    assert sign_in_again(answer) == "/sheet?step=2"


@pytest.mark.parametrize("headers", [*FOREIGN, {"Origin": ""}, {"Origin": "", "Referer": "https://evil.example/"}])
def test_nothing_is_said_to_be_kept_of_another_site_s_form(client_as: ClientAs, headers: dict[str, str]) -> None:
    for client in (client_as(), client_as("asha")):
        for text in (TYPED, LONG):
            answer = client.post("/sheet/send", data={"page": "/sheet", "text": text}, headers=headers)
            assert "What you typed" not in answer.text
            assert text not in answer.text
        assert client.get("/sheet").json == {}


def test_a_browser_that_says_only_which_page_it_comes_from_is_believed(client: FlaskClient) -> None:
    headers = {"Origin": "", "Referer": "http://localhost/sheet"}
    answer = client.post("/sheet/send", data={"page": "/sheet", "text": TYPED}, headers=headers)
    assert "What you typed is kept" in answer.text


@pytest.mark.parametrize("headers", FOREIGN)
def test_words_of_another_site_get_into_no_form(app: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    client.post("/sheet/send", data={"page": "/sheet", "text": TYPED}, headers=headers)
    with app.app_context():
        assert db.session.scalars(select(ParkedForm)).all() == []


def test_tokens_are_not_parked(app: Flask, client: FlaskClient) -> None:
    client.post("/sheet/send", data={"page": "/sheet", "csrf_token": "t", "next": "/x", "text": "a"})
    with app.app_context():
        assert json.loads(db.session.scalars(select(ParkedForm)).one().fields) == {"text": ["a"]}


# --- callbacks that come otherwise -----------------------------------------------------------------------------------


def test_second_hit_of_the_callback_does_no_harm(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    callback = wiki.allow(start(client, form).headers["Location"], ASHA)
    for _ in range(3):
        answer = client.get(callback)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/privacy")
    assert signed_in(client)


def test_late_answer_of_a_used_handshake_signs_nobody_out(app: Flask, form: Form, wiki: Wiki) -> None:
    """Two hits at once: the second began with the cookie of before, and its answer comes last."""
    first, second = app.test_client(), app.test_client()
    callback = wiki.allow(start(first, form).headers["Location"], ASHA)
    cookie = first.get_cookie("cphub")
    assert cookie is not None
    second.set_cookie("cphub", cookie.value)
    assert first.get(callback).status_code == 303
    answer = second.get(callback)
    assert answer.headers["Location"] == "/login?failed=expired&next=/privacy"
    assert "Set-Cookie" not in answer.headers
    assert first.get(answer.headers["Location"]).headers["Location"] == "/privacy"
    assert heading(second.get(answer.headers["Location"])) == "This sign-in ran out"


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?oauth_verifier=1", "?oauth_token=1", "?%00%ff=&&;="])
def test_callback_without_an_answer(client: FlaskClient, query: str) -> None:
    answer = client.get(CALLBACK + query)
    assert (answer.status_code, heading(answer)) == (400, "The sign-in was not finished")


def test_callback_of_another_browser(app: Flask, client: FlaskClient, form: Form, wiki: Wiki) -> None:
    callback = wiki.allow(start(client, form).headers["Location"], ASHA)
    answer = app.test_client().get(callback)
    assert (answer.status_code, heading(answer)) == (400, "This sign-in was started elsewhere")
    assert client.get(callback).status_code == 303, "and where it was started it still works"


def test_tabs_do_not_disturb_each_other(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    one = start(client, form, path="/experts").headers["Location"]
    start(client, form, path="/requests")
    assert client.get(wiki.allow(one, ASHA)).headers["Location"] == "/experts"


def test_the_session_does_not_grow_with_tabs(client: FlaskClient, form: Form) -> None:
    for _ in range(5):
        start(client, form)
    with client.session_transaction() as session:
        assert len(session["handshakes"]) == 3


def test_cancelling_leaves_the_handshake_usable(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    """Cancel ends on a page of the wiki; the person goes back and allows."""
    url = start(client, form).headers["Location"]
    asked = parse_qs(urlsplit(url).query)
    data = {"consumerKey": asked["oauth_consumer_key"][0], "requestToken": asked["oauth_token"][0], "cancel": "1"}
    page = requests.post(f"{wiki.address}/wiki/Special:OAuth/authenticate", data, timeout=5)
    assert page.status_code == 200
    assert client.get(wiki.allow(url, ASHA)).status_code == 303


# --- people in trouble -----------------------------------------------------------------------------------------------


def test_blocked_person_may_read_and_is_told_why_not_write(
    app: Flask, client: FlaskClient, form: Form, wiki: Wiki
) -> None:
    assert sign_in(client, form, wiki, BLAKE).status_code == 303
    assert 'href="/login/blocked"' in client.get("/").text
    page = client.get("/login/blocked").text
    assert "no end is set" in page
    token = form(client, "/", "/logout")["csrf_token"]
    answer = client.post("/sheet/send", data={"csrf_token": token, "text": "x"})
    assert (answer.status_code, heading(answer)) == (403, "You cannot write here")


def test_person_blocked_from_one_page_may_write(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    sign_in(client, form, wiki, PETRA)
    assert "/login/blocked" not in client.get("/").text
    token = form(client, "/", "/logout")["csrf_token"]
    assert client.post("/sheet/send", data={"csrf_token": token, "text": "x"}).json == {"sent": "x"}
    assert client.get("/login/blocked").headers["Location"] == "/"


def test_block_counts_when_the_wiki_cannot_say_how_far_it_goes(make_app: MakeApp, form: Form, wiki: Wiki) -> None:
    app = make_app(WIKI_API_URL="http://127.0.0.1:9/w/api.php")
    client = app.test_client()
    sign_in(client, form, wiki, PETRA)
    assert "We could not ask the wiki how far the block goes." in client.get("/login/blocked").text


def test_block_that_ended_is_gone_at_the_next_sign_in(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    sign_in(client, form, wiki, BLAKE)
    client.post("/logout", data=form(client, "/", "/logout"))
    wiki.server.change(BLAKE, blocked=False)
    sign_in(client, form, wiki, BLAKE)
    assert "/login/blocked" not in client.get("/").text


def test_account_with_a_hidden_name_is_refused_kindly(app: Flask, client: FlaskClient, form: Form, wiki: Wiki) -> None:
    answer = sign_in(client, form, wiki, HANNA)
    assert (answer.status_code, heading(answer)) == (403, "We cannot sign you in")
    assert not signed_in(client)
    with app.app_context():
        assert db.session.scalars(select(Person).where(Person.central_id == HANNA)).all() == []


def test_name_that_the_wiki_hides_is_forgotten_here(app: Flask, client: FlaskClient, form: Form, wiki: Wiki) -> None:
    wiki.server.change(ASHA, suppressed=True, blocked=True)
    sign_in(client, form, wiki, ASHA)
    with app.app_context():
        person = db.session.scalars(select(Person).where(Person.central_id == ASHA)).one()
        assert (person.name, person.blocked) == ("", True)


@pytest.mark.parametrize(
    ("central_id", "status", "said"),
    [(LUCIO, 403, "Your account is locked"), (REVA, 400, "The permission was taken back")],
)
def test_account_that_the_wiki_refuses(
    client: FlaskClient, form: Form, wiki: Wiki, central_id: str, status: int, said: str
) -> None:
    answer = sign_in(client, form, wiki, central_id)
    assert (answer.status_code, heading(answer)) == (status, said)
    assert form(client, "/login?next=/privacy", "/login")["next"] == "/privacy"


# --- wikis in trouble ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-4000, 4000])
def test_clocks_that_differ(client: FlaskClient, form: Form, wiki: Wiki, ahead: float) -> None:
    wiki.ahead[0] = ahead
    answer = start(client, form)
    assert (answer.status_code, heading(answer)) == (503, "Our clock is wrong")


@pytest.mark.parametrize("ahead", [-55, 55])
def test_clocks_that_differ_a_little(client: FlaskClient, form: Form, wiki: Wiki, ahead: float) -> None:
    wiki.ahead[0] = ahead
    assert sign_in(client, form, wiki, ASHA).status_code == 303


def test_expired_handshake(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    callback = wiki.allow(start(client, form).headers["Location"], ASHA)
    wiki.ahead[0] = 200  # still tolerated as a clock that is wrong
    wiki.server.handshakes.clear()
    answer = client.get(callback, follow_redirects=True)
    assert heading(answer) == "This sign-in ran out"
    assert sign_in_again(answer) == "/privacy"


def sign_in_again(answer: TestResponse) -> str:
    """Where the button of a page leads back to."""
    return unescape(answer.text.rpartition('name="next" value="')[2].partition('"')[0])


def test_read_only_wiki(client: FlaskClient, form: Form, wiki: Wiki) -> None:
    wiki.server.oauth_read_only = True
    answer = start(client, form)
    assert (answer.status_code, heading(answer)) == (503, "The wiki takes no changes at the moment")
    assert sign_in_again(answer) == "/privacy"


def test_wrong_secret(make_app: MakeApp, form: Form) -> None:
    answer = start(make_app(OAUTH_CONSUMER_SECRET="ab" * 20).test_client(), form)
    assert (answer.status_code, heading(answer)) == (503, "Signing in is broken here")


def test_wiki_that_is_not_there(make_app: MakeApp, form: Form) -> None:
    answer = start(make_app(**at("http://127.0.0.1:9")).test_client(), form)
    assert (answer.status_code, heading(answer)) == (503, "The wiki does not answer")
    assert sign_in_again(answer) == "/privacy"


@pytest.mark.parametrize("step", ["initiate", "token", "identify"])
def test_wiki_that_hangs_is_given_up_in_time(make_app: MakeApp, form: Form, step: str) -> None:
    with hanging_wiki(step) as address:
        client = make_app(**at(address)).test_client()
        began = time.monotonic()
        answer = start(client, form)
        if step != "initiate":
            answer = client.get(f"{CALLBACK}?oauth_token={'7a' * 16}&oauth_verifier=1")
        assert time.monotonic() - began < 5
    assert (answer.status_code, heading(answer)) == (503, "The wiki does not answer")


@contextmanager
def hanging_wiki(step: str) -> Iterator[str]:
    """Answers well up to ``step``, and then says nothing."""
    over = threading.Event()

    def site(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        if f"%2F{step}" in environ["QUERY_STRING"] or f"/{step}" in environ["QUERY_STRING"]:
            over.wait(30)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"oauth_token={'7a' * 16}&oauth_token_secret={'7b' * 16}&oauth_callback_confirmed=true".encode()]

    listener = make_server("127.0.0.1", 0, site, threaded=True)
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        over.set()
        listener.shutdown()
        thread.join()
        listener.server_close()


@pytest.mark.parametrize("status", [429, 502])
def test_wiki_that_talks_html(make_app: MakeApp, form: Form, httpserver: HTTPServer, status: int) -> None:
    page = HttpResponse("<html><title>Wikimedia Error</title>" * 500, status, content_type="text/html")
    httpserver.expect_request("/w/index.php").respond_with_response(page)
    answer = start(make_app(**at(httpserver.url_for("").rstrip("/"))).test_client(), form)
    assert (answer.status_code, heading(answer)) == (503, "The wiki does not answer")
    assert "Wikimedia Error" not in answer.text


@pytest.mark.parametrize("reason", [*SignInReason, HIDDEN])
@pytest.mark.parametrize("language", ["en", "qqx"])
def test_every_failure_has_a_page_with_a_way_on(client: FlaskClient, reason: str, language: str) -> None:
    answer = client.get(f"/login?failed={reason}&next=/experts&uselang={language}")
    assert answer.status_code == 200
    assert "⧼" not in answer.text
    assert sign_in_again(answer) == "/experts"
    if language == "qqx":
        assert f"(sign_in-failed-{reason.replace('_', '-')}-title)" in answer.text


def test_invented_failure_is_the_plain_page(client: FlaskClient) -> None:
    assert heading(client.get("/login?failed=%3Cb%3E")) == "Sign in"


def test_read_only_tool_lets_nobody_in(make_app: MakeApp, form: Form) -> None:
    client = make_app(READ_ONLY_REASON="We move house.").test_client()
    answer = start(client, form)
    assert answer.status_code == 503
    assert "We move house." in answer.text
