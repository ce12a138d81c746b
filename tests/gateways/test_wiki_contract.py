"""The sign-in gateway ends as it should with everything that a real MediaWiki with Extension:OAuth answered.

A server on loopback gives the recorded answers, at the recorded time. What a person cannot see in them, mwoauth could
not either: the table says what each refusal means, and everything else must end in the recorded token or identity.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cphub.gateways.wiki import Identity, RequestToken, SignInFailed, SignInReason, WikiSignIn
from tests import wiki_recordings
from tests.wiki_recordings import Pair

R = SignInReason

#: What each call ends in that does not end well: recording -> label of the call -> reason.
FAILURES: dict[str, dict[str, SignInReason]] = {
    "ca_oauth_locked_account": {
        "identify straight after the lock": R.LOCKED,
        "identify 13 s after the lock": R.LOCKED,
    },
    "oauth_blocked_where_blocks_disable_login": {"identify, blocked user": R.LOCKED},
    "oauth_callback_fixed": {"initiate with the registered URL itself": R.MISCONFIGURED},
    "oauth_callback_mismatch": {
        "initiate callback=http://localhost:5000/oauth/callback": R.MISCONFIGURED,
        "initiate callback=http://127.0.0.1:5001/oauth/callback": R.MISCONFIGURED,
        "initiate callback=http://127.0.0.1:5000": R.MISCONFIGURED,
        "initiate callback=http://evil.example/": R.MISCONFIGURED,
        "initiate callback=http://u:p@127.0.0.1:5000/x": R.MISCONFIGURED,
        "initiate callback=/oauth/callback": R.MISCONFIGURED,
    },
    "oauth_cancel": {"complete with an invented verifier after the cancel": R.EXPIRED},
    "oauth_clock_skew": {
        "initiate, app clock -1000 s": R.CLOCK,
        "identify, app clock -1000 s": R.CLOCK,
        "initiate, app clock +1000 s": R.CLOCK,
        "identify, app clock +1000 s": R.CLOCK,
        "identify, app clock -250 s": R.CLOCK,
        "identify, app clock +250 s": R.CLOCK,
    },
    "oauth_expired_request_token_at_token": {"complete": R.EXPIRED},
    "oauth_issuer_mismatch": {"identify": R.MISCONFIGURED, "initiate": R.MISCONFIGURED},
    "oauth_nonce_replay": {"second": R.EXPIRED, "initiate second": R.EXPIRED},
    "oauth_oauth_readonly": {"initiate": R.WIKI_READONLY, "complete": R.WIKI_READONLY},
    "oauth_owner_only_consumer": {"initiate": R.MISCONFIGURED},
    "oauth_replayed_request_token": {"complete again": R.EXPIRED},
    "oauth_revoked": {"identify after revoking": R.REVOKED},
    "oauth_tampered_callback": {
        "complete ": R.INCOMPLETE,
        "complete error=access_denied": R.INCOMPLETE,
        "complete oauth_token=fa4efa4efa4efa4efa4efa4efa4e3015": R.INCOMPLETE,
        "complete oauth_verifier=abababababababababababababababab": R.INCOMPLETE,
        "complete oauth_token=&oauth_verifier=": R.INCOMPLETE,
        "complete oauth_token=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd&oauth_verifier=abababababababababababababababab": (
            R.OTHER_TAB
        ),
        "complete with bytes": R.EXPIRED,
    },
    "oauth_token_before_authorise": {"complete": R.EXPIRED},
    "oauth_wiki_readonly_db_cache": {"initiate": R.EXPIRED, "identify": R.EXPIRED},
    "oauth_wrong_consumer_key": {"initiate": R.MISCONFIGURED},
    "oauth_wrong_consumer_secret": {
        "initiate": R.MISCONFIGURED,
        "complete (wrong secret)": R.MISCONFIGURED,
        "identify (wrong secret)": R.MISCONFIGURED,
    },
    "oauth_wrong_token_secret": {
        "identify (wrong token secret)": R.MISCONFIGURED,
        "identify (unknown token)": R.REVOKED,
        "identify (token of another consumer)": R.REVOKED,
    },
    "oauth_wrong_uri": {
        # A page instead of an answer may be a wrong address or a wiki in distress.
        "initiate http://127.0.0.1:8391/wiki/Special:OAuth": R.UNAVAILABLE,
        "identify http://127.0.0.1:8391/wiki/Special:OAuth": R.UNAVAILABLE,
        "initiate http://127.0.0.1:8391/w/": R.UNAVAILABLE,
        "identify http://127.0.0.1:8391/w/": R.UNAVAILABLE,
        "initiate http://127.0.0.1:8391/w/api.php": R.UNAVAILABLE,
        "identify http://127.0.0.1:8391/w/api.php": R.UNAVAILABLE,
        # A redirect or "not found" is a wrong address.
        "initiate http://127.0.0.1:8391": R.MISCONFIGURED,
        "identify http://127.0.0.1:8391": R.MISCONFIGURED,
        "initiate http://127.0.0.1:8391/nothing": R.MISCONFIGURED,
        "identify http://127.0.0.1:8391/nothing": R.MISCONFIGURED,
    },
    "oauth_wrong_verifier": {"complete, wrong verifier": R.EXPIRED},
}

#: mwoauth alone refused these; with more leeway for the clocks they are fine.
FINE_WITH_LEEWAY = {
    ("oauth_clock_skew", "identify, app clock -20 s"),
    ("oauth_clock_skew", "identify, app clock +115 s"),
}

NOT_REPLAYED = {
    "oauth_callback_twice_at_once": "holds no answers; tests/sandbox/test_wiki.py completes one callback twice at once",
    "oauth_format_json": "the gateway does not ask for JSON",
    "oauth_replayed_authenticate_page": "only the browser talks to the wiki in it",
}


@dataclass(frozen=True)
class Call:
    """One call of the recorded app: its label, the wiki's first answer to it if it asked, and whether it raised."""

    name: str
    label: str
    pair: Pair | None
    raised: bool


def calls() -> list[Call]:
    found = []
    for name in wiki_recordings.names():
        if name in NOT_REPLAYED:
            continue
        recording = wiki_recordings.load(name)
        for call in recording.calls:
            pair = recording.pairs[call["http_pairs"][0]] if call.get("http_pairs") else None
            if "call" in call and (pair is None or pair.step):  # not the remarks, not the API
                found.append(Call(name, call["call"], pair, "raised" in call))
    return found


CALLS = calls()


def test_every_recording_is_replayed_or_named() -> None:
    assert sorted({call.name for call in CALLS} | set(NOT_REPLAYED)) == sorted(wiki_recordings.names())


def test_every_failure_in_the_recordings_has_a_meaning() -> None:
    raised = {(call.name, call.label) for call in CALLS if call.raised}
    listed = {(name, label) for name, labels in FAILURES.items() for label in labels}
    # A nonce sent twice was recorded below mwoauth, where nothing raises.
    assert listed == raised - FINE_WITH_LEEWAY | {
        ("oauth_nonce_replay", "second"),
        ("oauth_nonce_replay", "initiate second"),
    }


class Wiki:
    """Gives recorded answers in order; whatever was signed gets an identity that fits the new nonce and address."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.answers: deque[Pair | str] = deque()
        self.asked: list[Request] = []
        server.expect_request("/w/index.php", method="POST").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        pair = self.answers.popleft()
        if isinstance(pair, str):
            return Response(pair, content_type="text/plain;charset=UTF-8")
        body: str | bytes = pair.body or f"<!DOCTYPE html>\n<html><p>{pair.page.get('main_text', '')}</p></html>"
        if pair.claims:
            nonce = request.headers["Authorization"].partition('oauth_nonce="')[2].partition('"')[0]
            claims = pair.claims | {"iss": self.server.url_for(""), "nonce": nonce}
            body = jwt.encode(claims, pair.signed_with["consumer_secret"], algorithm="HS256")
        headers = {"Content-Type": pair.headers["content-type"]}
        if pair.location:
            headers["Location"] = self.server.url_for("/elsewhere")
        return Response(body, pair.status, headers)


@pytest.fixture
def wiki(httpserver: HTTPServer) -> Wiki:
    return Wiki(httpserver)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.name}: {call.label}")
def test_the_gateway_ends_as_the_recording_shows(call: Call, wiki: Wiki) -> None:
    reason = FAILURES.get(call.name, {}).get(call.label)
    if reason is None:
        play(call, wiki)
    else:
        with pytest.raises(SignInFailed) as failure:
            play(call, wiki)
        assert failure.value.reason is reason
    assert not wiki.answers, "not all was asked that the recorded app asked"


def play(call: Call, wiki: Wiki) -> None:
    """Do with the gateway what the recorded app did with mwoauth. Raises SignInFailed."""
    if call.pair is None:
        token = RequestToken("fa4efa4efa4efa4efa4efa4efa4e3015", "fa4efa4efa4efa4efa4efa4efa4e4015")
        gateway(wiki, key="key", secret="secret").finish(token, call.label.removeprefix("complete "))
        return
    pair = call.pair
    consumer = gateway(wiki, key=pair.oauth("consumer_key"), secret=pair.signed_with["consumer_secret"])
    match pair.step:
        case "initiate":
            start(consumer, pair, wiki)
        case "token":
            exchange(consumer, pair, wiki)
        case "identify":
            identify(consumer, pair, wiki)
        case _:
            pytest.fail(f"what is {pair.url}?")


def gateway(wiki: Wiki, *, key: str, secret: str) -> WikiSignIn:
    return WikiSignIn(wiki.server.url_for("/w/index.php"), key, secret, "cphub-test", timeout=5)


def start(consumer: WikiSignIn, pair: Pair, wiki: Wiki) -> None:
    wiki.answers.append(pair)
    address, token = consumer.start(pair.oauth("callback"))
    assert f"oauth_token={token.key}&oauth_token_secret={token.secret}" in pair.body
    assert f"title=Special%3AOAuth%2Fauthenticate&oauth_token={token.key}&" in address
    assert same_question(wiki.asked[0], pair)


def exchange(consumer: WikiSignIn, pair: Pair, wiki: Wiki) -> None:
    token = RequestToken(pair.oauth("token"), pair.signed_with["token_secret"])
    wiki.answers.append(pair)
    if pair.body.startswith("oauth_token="):
        wiki.answers.append(somebody(pair))
    with time_machine.travel(float(SOMEBODY.oauth("timestamp"))):
        identity = consumer.finish(token, f"oauth_verifier={pair.oauth('verifier')}&oauth_token={token.key}")
    assert identity.name == "Åsa Öberg"
    assert same_question(wiki.asked[0], pair)


def identify(consumer: WikiSignIn, pair: Pair, wiki: Wiki) -> None:
    access = f"oauth_token={pair.oauth('token')}&oauth_token_secret={pair.signed_with['token_secret']}"
    wiki.answers.extend([access, pair])
    with time_machine.travel(float(pair.oauth("timestamp"))):
        identity = consumer.finish(RequestToken("key", "secret"), "oauth_token=key&oauth_verifier=verifier")
    assert pair.claims
    assert identity == expected(pair.claims)
    assert same_question(wiki.asked[1], pair)


SOMEBODY = wiki_recordings.load("oauth_success_authonly").pairs[7]


def somebody(pair: Pair) -> Pair:
    """An identity for the consumer that signed ``pair``."""
    request = SOMEBODY.raw["request"] | {"signed_with": pair.signed_with}
    claims = SOMEBODY.raw["response"]["jwt_claims"] | {"aud": pair.oauth("consumer_key")}
    return Pair({"request": request, "response": SOMEBODY.raw["response"] | {"jwt_claims": claims}})


def same_question(asked: Request, pair: Pair) -> bool:
    """Whether the same was asked with the same tokens; time, nonce and thus signature differ."""
    names = ("consumer_key", "token", "verifier", "callback", "signature_method", "version")
    now = Pair({"request": {"headers": {"Authorization": asked.headers["Authorization"]}}})
    return asked.args["title"] == pair.query["title"] and all(now.oauth(n) == pair.oauth(n) for n in names)


def expected(claims: dict[str, Any]) -> Identity:
    registered = claims.get("registered")
    return Identity(
        central_id=claims["sub"],
        name=claims.get("username"),
        blocked=claims["blocked"],
        edit_count=claims.get("editcount", 0),
        registered=datetime.strptime(registered + "Z", "%Y%m%d%H%M%S%z").astimezone(UTC) if registered else None,
        groups=tuple(claims.get("groups", [])),
    )
