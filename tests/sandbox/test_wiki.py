"""What the sandbox wiki checks and shows, beyond what the recordings hold."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import Client  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

from cphub import demo
from cphub.sandbox.wiki import GROUPS, WikiConsumer, WikiPerson, create_wiki, load_people, people_from, require_loopback
from cphub.sandbox.wiki.oauth import OAuthServer

BASE = "http://127.0.0.1:8000"
CALLBACK = "http://127.0.0.1:5000/oauth/callback"
CONSUMER = WikiConsumer(key="c0" * 16, secret="5e" * 20, name="cphub", callback="http://127.0.0.1:5000/oauth/")
NORA = WikiPerson(central_id="1", name="Nora <b>", group="requester")
OLE = WikiPerson(central_id="2", name="علي", group="trouble", blocked=True)


class World:
    """A sandbox wiki with a clock that a test moves, an app and a browser."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.app: Flask = create_wiki(base_url=BASE, people=[NORA, OLE], consumers=[CONSUMER], clock=lambda: self.now)
        self.app.testing = True
        self.server: OAuthServer = self.app.extensions["wiki"]
        self.browser: FlaskClient = self.app.test_client()

    def ask(self, step: str, client: Client, *, at: float | None = None) -> TestResponse:
        client.timestamp = str(int(self.now if at is None else at))
        url, headers, _ = client.sign(f"{BASE}/w/index.php?title=Special%3AOAuth%2F{step}", "POST")
        path = url.removeprefix(BASE)
        return self.app.test_client().post(path, base_url=BASE, headers=headers)

    def start(self, callback: str = CALLBACK) -> dict[str, str]:
        answer = self.ask("initiate", Client(CONSUMER.key, CONSUMER.secret, callback_uri=callback))
        return {name: values[0] for name, values in parse_qs(answer.text).items()}

    def press(self, button: str, token: str, person: str = "1") -> TestResponse:
        form = {"consumerKey": CONSUMER.key, "requestToken": token, "person": person, button: "yes"}
        return self.browser.post("/wiki/Special:OAuth/authenticate", base_url=BASE, data=form)

    def allow(self, token: str, person: str = "1") -> str:
        """Press Allow. Returns the verifier."""
        return parse_qs(urlsplit(self.press("accept", token, person).location).query)["oauth_verifier"][0]

    def exchange(self, token: dict[str, str], verifier: str) -> TestResponse:
        keys = (CONSUMER.key, CONSUMER.secret, token["oauth_token"], token["oauth_token_secret"])
        return self.ask("token", Client(*keys, verifier=verifier))

    def identify(self, access: dict[str, list[str]]) -> TestResponse:
        keys = (CONSUMER.key, CONSUMER.secret, access["oauth_token"][0], access["oauth_token_secret"][0])
        return self.ask("identify", Client(*keys))

    def sign_in(self, person: str = "1") -> TestResponse:
        token = self.start()
        access = self.exchange(token, self.allow(token["oauth_token"], person))
        return self.identify(parse_qs(access.text))


@pytest.fixture
def world() -> World:
    return World()


def claims(answer: TestResponse) -> dict[str, object]:
    return jwt.decode(
        answer.data,
        CONSUMER.secret,
        ["HS256"],
        audience=CONSUMER.key,
        options={"verify_exp": False, "verify_iat": False},
    )


def words(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


# who may reach it


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5001", "http://localhost", "http://[::1]:80/x", "https://127.8.9.10/"]
)
def test_loopback_addresses_are_accepted(url: str) -> None:
    require_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://cphub.toolforge.org",
        "http://0.0.0.0:5000",
        "http://10.0.0.1",
        "http://127.0.0.1@evil.example",
        "http://localhost.evil.example",
        "//",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        require_loopback(url)
    with pytest.raises(ValueError, match="loopback"):
        create_wiki(base_url=url, people=[], consumers=[])


# what applications meet


@pytest.mark.parametrize(("off", "fine"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_clocks_may_differ_by_five_minutes(off: int, fine: bool, world: World) -> None:
    client = Client(CONSUMER.key, CONSUMER.secret, callback_uri="oob")
    answer = world.ask("initiate", client, at=world.now + off)
    assert answer.text.startswith("oauth_token=") == fine
    assert ("Expired timestamp" in answer.text) != fine


def test_a_request_token_lasts_ten_minutes_and_again_ten_after_allow(world: World) -> None:
    token = world.start()
    world.now += 600
    verifier = world.allow(token["oauth_token"])
    world.now += 600
    assert world.exchange(token, verifier).text.startswith("oauth_token=")


@pytest.mark.parametrize(("before", "after"), [(601, 0), (0, 601)])
def test_a_request_token_expires(before: int, after: int, world: World) -> None:
    token = world.start()
    world.now += before
    verifier = "x" if before else world.allow(token["oauth_token"])
    world.now += after
    assert "E004" in world.exchange(token, verifier).text


@given(st.text(max_size=60))
def test_only_the_right_verifier_is_taken_and_wrong_ones_burn_nothing(verifier: str) -> None:
    world = World()
    token = world.start()
    right = world.allow(token["oauth_token"])
    keys = (CONSUMER.key, CONSUMER.secret, token["oauth_token"], token["oauth_token_secret"])
    wrong = world.ask("token", Client(*keys, verifier=verifier or "-"))
    assert wrong.text == "Error: The verification code provided was not valid."
    assert world.exchange(token, right).text.startswith("oauth_token=")


def test_one_callback_completed_many_times_at_once_succeeds_once(world: World) -> None:
    token = world.start()
    verifier = world.allow(token["oauth_token"])
    with ThreadPoolExecutor(8) as pool:
        answers = [a.text for a in pool.map(lambda _: world.exchange(token, verifier), range(8))]
    assert sum(answer.startswith("oauth_token=") for answer in answers) == 1
    assert sum("E009" in answer for answer in answers) == 7


@pytest.mark.parametrize("header", ["", "OAuth", "Basic abc", 'OAuth oauth_token="', "OAuth a=b, a=c,,"])
def test_an_unreadable_signature_is_refused_with_words(header: str, world: World) -> None:
    path = "/w/index.php?title=Special:OAuth/initiate"
    answer = world.browser.post(path, base_url=BASE, headers={"Authorization": header})
    assert answer.status_code == 200
    assert answer.text.startswith("Error: An error occurred in the OAuth protocol")


def test_an_access_token_works_only_for_the_consumer_it_was_given_to(world: World) -> None:
    token = world.start()
    access = parse_qs(world.exchange(token, world.allow(token["oauth_token"])).text)
    other = WikiConsumer(key="0d" * 16, secret="0e" * 20, name="other", callback="http://127.0.0.1/")
    world.server.consumers[other.key] = other
    keys = (other.key, other.secret, access["oauth_token"][0], access["oauth_token_secret"][0])
    answer = world.ask("identify", Client(*keys))
    assert answer.json
    assert answer.json["error"] == "mwoauthdatastore-access-token-not-found"


# what people meet


def question(world: World) -> str:
    token = world.start()["oauth_token"]
    return f"/w/index.php?title=Special%3AOAuth%2Fauthenticate&oauth_token={token}&oauth_consumer_key={CONSUMER.key}"


def test_everybody_can_be_picked_and_names_are_shown_as_they_are(world: World) -> None:
    page = world.browser.get(question(world), base_url=BASE)
    shown = words(page)
    assert page.text.count('type="radio"') == 2
    assert "Nora <b>" in shown
    assert "علي (blocked)" in shown
    assert "everybody here is invented" in shown
    assert "Allow Cancel" in shown


def test_the_page_remembers_who_was_picked_last(world: World) -> None:
    world.press("accept", world.start()["oauth_token"], "2")
    page = world.browser.get(question(world), base_url=BASE)
    assert re.search(r'value="2" required checked', page.text)
    assert page.text.count("checked") == 1


def test_cancel_ends_on_a_page_with_a_link_back(world: World) -> None:
    token = world.start()
    answer = world.press("cancel", token["oauth_token"])
    assert answer.status_code == 200
    assert 'You have chosen not to allow "cphub"' in words(answer)
    assert f'href="{CONSUMER.callback}"' in answer.text
    assert world.exchange(token, "x").text == "Error: No token was found matching your request."


def test_cancel_needs_nobody_picked(world: World) -> None:
    assert world.press("cancel", world.start()["oauth_token"], "").status_code == 200


def test_allow_needs_somebody_picked(world: World) -> None:
    assert world.press("accept", world.start()["oauth_token"], "").status_code == 400


def test_a_rename_on_the_main_page_shows_at_the_next_sign_in(world: World) -> None:
    assert claims(world.sign_in())["username"] == "Nora <b>"
    answer = world.browser.post("/sandbox/people/1", base_url=BASE, data={"name": " Nora_New  Name "})
    assert answer.status_code == 303
    after = claims(world.sign_in())
    assert (after["sub"], after["username"]) == ("1", "Nora New Name")


@pytest.mark.parametrize("state", ["blocked", "partially_blocked"])
def test_blocking_on_the_main_page_shows_at_the_next_sign_in(state: str, world: World) -> None:
    world.browser.post("/sandbox/people/1", base_url=BASE, data={"name": "Nora", state: "on"})
    assert claims(world.sign_in())["blocked"] is True
    world.browser.post("/sandbox/people/1", base_url=BASE, data={"name": "Nora"})
    assert claims(world.sign_in())["blocked"] is False


def test_what_was_allowed_can_be_revoked_and_allowed_anew(world: World) -> None:
    token = world.start()
    access = parse_qs(world.exchange(token, world.allow(token["oauth_token"])).text)
    world.browser.post("/sandbox/people/1/revoke", base_url=BASE)
    assert "No approved grant" in world.identify(access).text
    assert claims(world.sign_in())["sub"] == "1"


def test_a_read_only_wiki_lets_nobody_new_allow(world: World) -> None:
    world.sign_in("1")
    world.browser.post("/sandbox/read-only", base_url=BASE, data={"read_only": "on"})
    assert claims(world.sign_in("1"))["sub"] == "1"
    answer = world.press("accept", world.start()["oauth_token"], "2")
    assert answer.status_code == 200
    assert "The database is currently locked" in words(answer)
    world.browser.post("/sandbox/read-only", base_url=BASE)
    assert claims(world.sign_in("2"))["sub"] == "2"


@pytest.mark.parametrize("path", ["/sandbox/people/404", "/sandbox/people/404/revoke"])
def test_nothing_can_happen_to_somebody_who_is_not_there(path: str, world: World) -> None:
    assert world.browser.post(path, base_url=BASE).status_code in {303, 404}


def test_any_other_page_leads_to_the_main_page(world: World) -> None:
    answer = world.browser.get("/wiki/Some_page", base_url=BASE, follow_redirects=True)
    assert "Everybody on this wiki" in words(answer)


# who is there


def test_there_is_somebody_of_every_kind() -> None:
    people = load_people()
    assert {person.group for person in people} == set(GROUPS)
    assert len({person.central_id for person in people}) == len({person.name for person in people}) == len(people)
    for state in ("blocked", "partially_blocked", "locked", "suppressed", "revokes"):
        assert any(getattr(person, state) for person in people), state


def test_people_of_elsewhere_bring_what_the_wiki_knows_of_them() -> None:
    entries: list[dict[str, object]] = [
        {"id": "nora", "central_id": "1", "name": "Nora", "group": "requester", "language": "fi", "locked": True},
        {"id": "guest", "name": "Guest without account", "group": "requester"},
    ]
    assert people_from(entries) == (WikiPerson(central_id="1", name="Nora", group="requester", locked=True),)


def test_everybody_of_the_demonstration_can_be_picked() -> None:
    people = people_from(demo.people())
    assert {person.group for person in people} <= set(GROUPS)
    assert len({person.central_id for person in people}) == len(people) > 30
