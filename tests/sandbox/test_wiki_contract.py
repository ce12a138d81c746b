"""The sandbox wiki answers what a real MediaWiki with Extension:OAuth answered, word for word.

Every recorded request of an app is sent again, as it was signed then, to a sandbox that is in the state of the
real wiki and whose clock stands at the recorded time. Where the recording shows a person in a browser, a person acts
here as well.
"""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from flask.testing import FlaskClient

from cphub.sandbox.wiki import WikiConsumer, WikiPerson, create_wiki
from cphub.sandbox.wiki.oauth import Grant, Handshake, Kind, OAuthServer
from tests import wiki_recordings
from tests.wiki_recordings import Pair, Recording

CALLBACK = "http://127.0.0.1:5000/oauth/callback"
REGISTERED = "20261121080053"
EDIT_GRANTS = ("basic", "editpage", "createeditmovepage", "sendemail", "highvolume")


def key(ending: str, length: int = 32) -> str:
    """A value of the recordings by its last four digits."""
    return ("fa4e" * 10)[: length - 4] + ending


def consumer(ending: str, name: str, **facts: Any) -> WikiConsumer:
    facts = {"callback": "http://127.0.0.1:5000/"} | facts
    return WikiConsumer(key=key(f"1{ending}"), secret=key(f"2{ending}", 40), name=name, **facts)


CONSUMERS = {
    c.key[-4:]: c
    for c in (
        consumer("001", "cphub authonly"),
        consumer("002", "cphub authonlyprivate", grants=("mwoauth-authonlyprivate",)),
        consumer("003", "cphub edit", grants=EDIT_GRANTS),
        consumer("004", "cphub fixedcb", callback=CALLBACK, callback_is_prefix=False),
        consumer("005", "cphub proposed", stage="proposed", owner="1"),
        consumer("006", "cphub basic", grants=("basic",)),
        consumer("007", "cphub disabled", stage="disabled"),
        consumer("008", "cphub notifier 1795249585", grants=EDIT_GRANTS, owner_only=True),
    )
}


def person(central_id: str, name: str, **facts: Any) -> WikiPerson:
    facts = {"group": "requester", "registered": REGISTERED} | facts
    return WikiPerson(central_id=central_id, name=name, **facts)


Change = Callable[[OAuthServer], None]


def rights_in(name: str, number: int) -> tuple[str, ...]:
    """What an account may do beyond the ordinary is that wiki's own list; the sandbox has it from the recording."""
    claims = wiki_recordings.load(name).pairs[number].claims
    assert claims
    return tuple(claims["rights"])


CENTRAL_AUTH = rights_in("ca_oauth_success", 6)

PEOPLE = (
    person(
        "1",
        "WikiAdmin",
        registered="20261121075845",
        wiki_groups=("bureaucrat", "interface-admin", "sysop"),
        rights=rights_in("oauth_consumer_not_approved", 8),
    ),
    person("4", "Åsa Öberg", email="asa@example.org", real_name="Åsa Öberg"),
    person("5", "محمد"),
    person("6", "Blocked Person", email="blocked@example.org"),
    person("7", "Partial Block"),
    person("8", "Hidden Person"),
    person("9", "Old Name"),
    person("10", "No Mail", email_confirmed=False),
    person("11", "Unconfirmed Mail", email_confirmed=False, real_name="Real Unconfirmed"),
    person("13", "O'Brien & Søn+1"),
    person("14", "山田太郎"),
    person("15", "Helpdesk Notifier", edit_count=19),
    person("16", "Slow Editor"),
    person("70004", "Åsa Öberg", edit_count=1, rights=CENTRAL_AUTH),
    person("70012", "Quiet Person", rights=CENTRAL_AUTH),
    person("70016", "Slow Editor", edit_count=3, rights=CENTRAL_AUTH),
)


def changes(central_id: str, **facts: Any) -> Change:
    return lambda wiki: wiki.change(central_id, **facts)


def grants(ending: str, consumer_ending: str, central_id: str) -> Change:
    """The person allowed that consumer before the recording began."""
    grant = Grant(
        key=key(f"5{ending}"),
        secret=key(f"6{ending}", 40),
        consumer=CONSUMERS[consumer_ending],
        central_id=central_id,
    )
    return lambda wiki: wiki.grants.update({grant.key: grant})


def asked(ending: str) -> Change:
    """A request token of the first consumer was handed out before the recording began."""
    handshake = Handshake(
        key=key(f"3{ending}"),
        secret=key(f"4{ending}"),
        consumer=CONSUMERS["1001"],
        callback=CALLBACK,
        expires=float("inf"),
    )
    return lambda wiki: wiki.handshakes.update({handshake.key: handshake})


def forgets_handshakes(wiki: OAuthServer) -> None:
    """As if ten minutes had gone by."""
    wiki.handshakes.clear()


def breaks_nonces(name: str) -> Change:
    """As if the nonce store was broken: the wiki takes all the nonces of that recording for used."""
    pairs = wiki_recordings.load(name).pairs
    return lambda wiki: wiki.nonces.update(
        (pair.oauth("consumer_key"), pair.oauth("token"), pair.oauth("nonce")) for pair in pairs
    )


def both(*steps: Change) -> Change:
    def change(wiki: OAuthServer) -> None:
        for step in steps:
            step(wiki)

    return change


@dataclass(frozen=True)
class Scenario:
    """Who is at the browser, what happened before (-1) or just before a pair, and which pairs are left out."""

    who: str = "4"
    before: Mapping[int, Change] = field(default_factory=dict)
    left_out: Mapping[int, str] = field(default_factory=dict)


API = "the tool does not use the wiki's API as the person, so the sandbox has none"

SCENARIOS: dict[str, Scenario] = {
    "oauth_authorise_then_cancel_same_token": Scenario("16", {-1: asked("00b")}),
    "oauth_authorize_instead_of_authenticate": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_blocked_edit_consumer": Scenario("6", {-1: changes("6", blocked=True)}),
    "oauth_blocked_partial": Scenario(
        "7", {-1: both(changes("7", partially_blocked=True), grants("001", "1001", "7"))}
    ),
    "oauth_blocked_sitewide": Scenario("6", {8: changes("6", blocked=True)}),
    "oauth_blocked_where_blocks_disable_login": Scenario(
        "6",
        {-1: both(changes("6", locked=True), grants("001", "1001", "6"), grants("004", "1001", "7"))},
        {2: API},
    ),
    "oauth_callback_fixed": Scenario(),
    "oauth_callback_mismatch": Scenario(),
    "oauth_callback_with_query": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_cancel": Scenario("16"),
    "oauth_clock_skew": Scenario(before={-1: grants("009", "1001", "4")}),
    "oauth_consumer_disabled": Scenario(),
    "oauth_consumer_not_approved": Scenario("1"),
    "oauth_expired_request_token_at_authorise": Scenario(
        before={2: forgets_handshakes, 4: forgets_handshakes, 6: forgets_handshakes}
    ),
    "oauth_expired_request_token_at_token": Scenario(before={2: forgets_handshakes}),
    "oauth_format_json": Scenario(),
    "oauth_hidden_user": Scenario("8", {8: changes("8", suppressed=True)}),
    "oauth_issuer_mismatch": Scenario(before={-1: grants("009", "1001", "4")}),
    "oauth_nonce_replay": Scenario(before={-1: grants("009", "1001", "4")}),
    "oauth_oauth_readonly": Scenario(
        before={-1: both(grants("009", "1001", "4"), lambda wiki: setattr(wiki, "oauth_read_only", True))}
    ),
    "oauth_owner_only_consumer": Scenario(
        before={-1: grants("001", "1008", "15")},
        left_out=dict.fromkeys((0, 1), "registering a consumer is not part of signing in")
        | dict.fromkeys((2, 3, 4), API),
    ),
    "oauth_rename": Scenario("9", {8: changes("9", name="New Näme")}, dict.fromkeys((16, 17, 18), API)),
    "oauth_replayed_authenticate_page": Scenario(before={-1: lambda wiki: wiki.used.add(key("300e"))}),
    "oauth_replayed_request_token": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_revoked": Scenario(
        "16",
        {11: lambda wiki: wiki.revoke("16")},
        dict.fromkeys((8, 9, 10), "the sandbox has a button of its own for revoking") | {12: API},
    ),
    "oauth_success_again_no_prompt": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_success_authonly": Scenario(),
    "oauth_success_authonlyprivate": Scenario(),
    "oauth_success_edit_grants": Scenario(),
    "oauth_success_edit_grants_again": Scenario(before={-1: grants("003", "1003", "4")}),
    "oauth_success_name_arabic": Scenario("5"),
    "oauth_success_name_japanese": Scenario("14"),
    "oauth_success_name_punctuation": Scenario("13"),
    "oauth_success_no_email": Scenario("10"),
    "oauth_success_old_account_with_groups": Scenario(
        before={
            -1: both(
                grants("001", "1001", "14"),
                changes(
                    "14",
                    registered=None,
                    wiki_groups=("bot", "sysop"),
                    rights=rights_in("oauth_success_old_account_with_groups", 0),
                ),
            )
        }
    ),
    "oauth_success_unconfirmed_email": Scenario("11"),
    "oauth_tampered_callback": Scenario(),
    "oauth_token_before_authorise": Scenario(),
    "oauth_two_tabs": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_wiki_readonly": Scenario(
        before={
            -1: both(
                grants("003", "1001", "4"),
                lambda wiki: setattr(wiki, "read_only", "Maintenance for a database switch"),
            )
        }
    ),
    "oauth_wiki_readonly_db_cache": Scenario(
        before={-1: both(grants("003", "1001", "4"), breaks_nonces("oauth_wiki_readonly_db_cache"))}
    ),
    "oauth_wrong_consumer_key": Scenario(),
    "oauth_wrong_consumer_secret": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_wrong_token_secret": Scenario(before={-1: grants("001", "1001", "4")}),
    "oauth_wrong_verifier": Scenario(before={-1: grants("001", "1001", "4")}),
    "ca_oauth_locked_account": Scenario(
        "70016", {12: changes("70016", locked=True)}, dict.fromkeys((14, 15, 16, 17), API)
    ),
    "ca_oauth_no_global_account": Scenario("70012"),
    "ca_oauth_success": Scenario("70004", {-1: grants("001", "1001", "70004")}, {11: API}),
}

NOT_REPLAYED = {
    "oauth_callback_twice_at_once": "holds no requests, only outcomes; tests/sandbox/test_wiki.py does the race",
    "oauth_wrong_uri": "what nginx and other pages of MediaWiki say at addresses that are not Special:OAuth",
}


class Minted:
    """Hands out the values that the real wiki handed out, each of them once: what is given again must be remembered."""

    def __init__(self) -> None:
        self._next: dict[Kind, str] = {}
        self._given: set[str] = set()

    def prepare(self, pair: Pair) -> None:
        given = {name: values[0] for name, values in parse_qs(pair.body).items()}
        if pair.body.startswith("{"):
            answer = json.loads(pair.body)
            given = {"oauth_token": answer.get("key", ""), "oauth_token_secret": answer.get("secret", "")}
        key, secret = given.get("oauth_token", ""), given.get("oauth_token_secret", "")
        self._next = {
            "request key": key if pair.step == "initiate" else "",
            "request secret": secret if pair.step == "initiate" else "",
            "access key": key if pair.step == "token" else "",
            "access secret": secret if pair.step == "token" else "",
            "verifier": "".join(parse_qs(urlsplit(pair.location).query).get("oauth_verifier", [])),
        }

    def __call__(self, kind: Kind) -> str:
        value = self._next[kind]
        assert value not in self._given | {""}, f"the real wiki did not make a new {kind} here"
        self._given.add(value)
        return value


class Replay:
    """A sandbox in the place of the recorded wiki, an app and a browser."""

    def __init__(self, recording: Recording, who: str) -> None:
        self.now = 0.0
        self.minted = Minted()
        self.origin = recording.base_url
        self.who = who
        app = create_wiki(
            base_url=recording.base_url,
            people=PEOPLE,
            consumers=tuple(CONSUMERS.values()),
            clock=lambda: self.now,
            mint=self.minted,
        )
        app.testing = True
        self.wiki: OAuthServer = app.extensions["wiki"]
        self.client: FlaskClient = app.test_client()

    def ask(self, pair: Pair) -> None:
        """An app asks what it asked then, and must get the same answer."""
        answer = self.client.open(
            pair.path_and_query,
            base_url="{0.scheme}://{0.netloc}".format(urlsplit(pair.url)),
            method=pair.method,
            headers={"Authorization": pair.authorization},
        )
        assert answer.status_code == pair.status == 200
        for header in ("content-type", "cache-control", "expires", "x-content-type-options"):
            assert answer.headers.get(header) == pair.headers[header]
        if pair.claims:
            secret = pair.signed_with["consumer_secret"]
            ours = jwt.decode(
                answer.data, secret, ["HS256"], options={"verify_aud": False, "verify_exp": False, "verify_iat": False}
            )
            assert ours == pair.claims
            assert jwt.get_unverified_header(answer.data) == pair.raw["response"]["jwt_header"]
        elif pair.body.startswith("{"):
            assert answer.json == json.loads(pair.body)
        else:
            assert answer.text == pair.body

    def browse(self, pair: Pair) -> None:
        """A person does what was done in the browser then, and must end at the same place."""
        sends_back = "oauth_verifier=" in pair.location
        refused = pair.page.get("title", "").startswith("Application Connection Error")
        token = pair.form.get("requestToken") or pair.query["oauth_token"]
        consumer_key = pair.form.get("consumerKey") or pair.query["oauth_consumer_key"]
        if pair.method == "POST" or sends_back or (refused and "proposed" in pair.page["main_text"]):
            # Then it went without a form at times, and the wiki knew who was reading. Here somebody picks a name
            # and presses Allow, always.
            button = "cancel" if "cancel" in pair.form else "accept"
            form = {
                "consumerKey": consumer_key,
                "requestToken": token,
                "person": "4" if refused else self.who,
                button: "yes",
            }
            answer = self.client.post("/wiki/Special:OAuth/authenticate", base_url=self.origin, data=form)
        else:
            answer = self.client.get(pair.path_and_query, base_url=self.origin)
        if sends_back:
            assert (answer.status_code, answer.location) == (302, pair.location)
            return
        assert answer.status_code == 200
        shown = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split()).replace(" .", ".")
        recorded = pair.page.get("main_text", "").replace(" .", ".")
        if refused or "cancel" in pair.form:
            assert recorded in shown
        else:
            assert "Allow Cancel" in shown
        for problem in ("OAuth token not found, E004", "The database is currently locked to new entries"):
            assert (problem in shown) == (problem in recorded)


def recorded_time(pair: Pair) -> float:
    """What the clock of the wiki said: as exactly as the answer shows."""
    ours = re.search(r"\bours (\d+)", pair.body)
    if pair.claims:
        return float(pair.claims["iat"])
    return float(ours[1]) if ours else pair.date.timestamp()


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_sandbox_answers_as_the_real_wiki_did(name: str) -> None:
    recording, scenario = wiki_recordings.load(name), SCENARIOS[name]
    replay = Replay(recording, scenario.who)
    for number, pair in enumerate(recording.pairs):
        if number == 0 and -1 in scenario.before:
            scenario.before[-1](replay.wiki)
        if number in scenario.before:
            scenario.before[number](replay.wiki)
        if number in scenario.left_out or "UserLogin" in pair.url:  # there are no passwords in the sandbox
            continue
        replay.now = recorded_time(pair)
        replay.minted.prepare(pair)
        if pair.by_app:
            replay.ask(pair)
        else:
            replay.browse(pair)


def test_every_recording_is_replayed_or_named() -> None:
    assert sorted(SCENARIOS | NOT_REPLAYED) == sorted(wiki_recordings.names())
