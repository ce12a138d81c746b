"""Signing in against wikis that are well, ill, or not there."""

import ast
import json
import logging
import socket
import socketserver
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import mwoauth.functions
import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.serving import make_server

from cphub.gateways.wiki import Identity, RequestToken, SignInFailed, SignInReason, WikiSignIn
from cphub.sandbox.wiki import WikiConsumer, WikiPerson, create_wiki, load_people
from cphub.sandbox.wiki.oauth import OAuthServer
from tests import wiki_recordings

R = SignInReason
KEY, SECRET = "c0" * 16, "5e" * 20
TOKEN = RequestToken("7a" * 16, "7b" * 16)
CALLBACK = "http://127.0.0.1:5000/oauth/callback"
ANSWER = f"oauth_verifier={'7c' * 16}&oauth_token={TOKEN.key}"
ACCESS = f"oauth_token={'ac' * 16}&oauth_token_secret={'ad' * 20}&oauth_callback_confirmed=true"
STEPS = ("initiate", "token", "identify")


def sign_in(address: str, *, timeout: float = 5) -> WikiSignIn:
    return WikiSignIn(f"{address.rstrip('/')}/w/index.php", KEY, SECRET, "cphub-test", timeout=timeout)


def do(gateway: WikiSignIn, step: str) -> object:
    return gateway.start(CALLBACK) if step == "initiate" else gateway.finish(TOKEN, ANSWER)


def reason_of(gateway: WikiSignIn, step: str) -> SignInReason:
    with pytest.raises(SignInFailed) as failure:
        do(gateway, step)
    return failure.value.reason


Answer = Callable[[Request], Response]


def serve(server: HTTPServer, step: str, answer: Answer) -> WikiSignIn:
    """A wiki that is well up to ``step`` and then gives that answer."""

    def handle(request: Request) -> Response:
        asked = request.args["title"].removeprefix("Special:OAuth/")
        return answer(request) if asked == step else Response(ACCESS, content_type="text/plain;charset=UTF-8")

    server.expect_request("/w/index.php", method="POST").respond_with_handler(handle)
    return sign_in(server.url_for(""))


# --- answers that are none -----------------------------------------------------------------------------------------


def plain(body: str | bytes, status: int = 200, kind: str = "text/html") -> Answer:
    return lambda request: Response(body, status, content_type=kind)


def signed(
    *, without: str = "", secret: str = SECRET, algorithm: str = "HS256", clock: int = 0, **changed: Any
) -> Answer:
    """An identity with something about it that is not as it should be; ``clock``: seconds the wiki is ahead."""

    def answer(request: Request) -> Response:
        nonce = request.headers["Authorization"].partition('oauth_nonce="')[2].partition('"')[0]
        now = int(time.time()) + clock
        claims = {"iss": request.host_url, "aud": KEY, "exp": now + 100, "iat": now, "sub": "4", "nonce": nonce}
        claims |= {"username": "Åsa Öberg", "blocked": False, "groups": ["*"], "editcount": 7, "registered": None}
        claims |= changed
        claims.pop(without, None)
        key = None if algorithm == "none" else secret
        return Response(jwt.encode(claims, key, algorithm, sort_headers=False), content_type="application/json")

    return answer


#: The illnesses of the recorded stub server, and what they mean at initiate, token and identify.
ILL: dict[str, tuple[Answer, tuple[SignInReason, SignInReason, SignInReason]]] = {
    "502": (plain("<html><head><title>502 Bad Gateway</title></head></html>", 502), (R.UNAVAILABLE,) * 3),
    "503": (plain("<!DOCTYPE html><title>Wikimedia Error</title>", 503), (R.UNAVAILABLE,) * 3),
    "429": (plain("You are making too many requests to the API.", 429, "text/plain"), (R.UNAVAILABLE,) * 3),
    "403ua": (plain("Please set a user-agent", 403, "text/plain"), (R.UNAVAILABLE,) * 3),
    "empty": (plain(""), (R.UNAVAILABLE,) * 3),
    "jsonlist": (plain("[]"), (R.UNAVAILABLE,) * 3),
    "jsonnull": (plain("null"), (R.UNAVAILABLE,) * 3),
    "jsonerr500": (plain('{"error":{"code":"internal_api_error_DBQueryError"}}', 500), (R.UNAVAILABLE,) * 3),
    "jsonerrstr": (plain('{"error":"oops"}'), (R.UNAVAILABLE, R.EXPIRED, R.UNAVAILABLE)),
    "jsonnomsg": (plain('{"error":"x"}'), (R.UNAVAILABLE, R.EXPIRED, R.UNAVAILABLE)),
    "jsonbroken": (plain('{"error":'), (R.UNAVAILABLE,) * 3),
    "form": (plain("oauth_token=&oauth_token_secret=", kind="text/plain"), (R.UNAVAILABLE,) * 3),
    "badutf": (plain(b"Error: \xff\xfe caf\xe9", kind="text/plain"), (R.UNAVAILABLE, R.EXPIRED, R.UNAVAILABLE)),
    "redir": (
        lambda request: Response("", 301, {"Location": f"/elsewhere{request.full_path}"}),
        (R.MISCONFIGURED,) * 3,
    ),
}

#: Identities with a fault.
STRANGE: dict[str, tuple[Answer, SignInReason]] = {
    "jwt_other_iss": (signed(iss="http://other.example"), R.MISCONFIGURED),
    "jwt_int_sub": (signed(sub=4), R.UNAVAILABLE),
    "jwt_no_iss": (signed(without="iss"), R.UNAVAILABLE),
    "jwt_no_nonce": (signed(without="nonce"), R.UNAVAILABLE),
    "jwt_wrong_nonce": (signed(nonce="1"), R.EXPIRED),
    "jwt_wrong_aud": (signed(aud="other"), R.MISCONFIGURED),
    "jwt_wrong_key": (signed(secret="0f" * 20), R.MISCONFIGURED),
    "jwt_none_alg": (signed(algorithm="none"), R.UNAVAILABLE),
    "jwt_no_sub": (signed(without="sub"), R.UNAVAILABLE),
    "jwt_odd_date": (signed(registered="yesterday"), R.UNAVAILABLE),
    "jwt_newline": (
        lambda request: Response(signed()(request).data + b"\n", content_type="application/json"),
        R.UNAVAILABLE,
    ),
    "app clock behind": (signed(clock=+200), R.CLOCK),
    "app clock ahead": (signed(clock=-200), R.CLOCK),
}


@pytest.mark.parametrize("number", range(3), ids=STEPS)
@pytest.mark.parametrize("illness", ILL)
def test_an_ill_wiki_ends_in_a_reason(illness: str, number: int, httpserver: HTTPServer) -> None:
    answer, reasons = ILL[illness]
    gateway = serve(httpserver, STEPS[number], answer)
    assert reason_of(gateway, STEPS[number]) is reasons[number]


@pytest.mark.parametrize("fault", STRANGE)
def test_a_strange_identity_is_refused(fault: str, httpserver: HTTPServer) -> None:
    answer, reason = STRANGE[fault]
    assert reason_of(serve(httpserver, "identify", answer), "identify") is reason


@pytest.mark.parametrize("missing", ["exp", "groups", "editcount", "registered"])
def test_an_identity_without_a_lesser_claim_is_taken(missing: str, httpserver: HTTPServer) -> None:
    identity = serve(httpserver, "identify", signed(without=missing)).finish(TOKEN, ANSWER)
    assert (identity.central_id, identity.name) == ("4", "Åsa Öberg")


def test_an_identity_without_a_name_is_a_person_whose_name_is_hidden(httpserver: HTTPServer) -> None:
    identity = serve(httpserver, "identify", signed(without="username", blocked=True)).finish(TOKEN, ANSWER)
    assert (identity.name, identity.blocked) == (None, True)


def test_every_illness_of_the_recorded_server_is_tried() -> None:
    path = wiki_recordings.FOLDER / "client_behaviour_unhealthy_server.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    recorded = {r["server"] for r in results if r["call"].startswith(("initiate", "complete", "identify"))}
    on_sockets = {"connection refused", "close", "half", "hang3"}
    fine = {"jwt_no_exp", "jwt_no_username"}
    assert recorded - {"name does not resolve"} <= set(ILL) | set(STRANGE) | on_sockets | fine


# --- wikis that do not answer --------------------------------------------------------------------------------------


Treat = Callable[[socket.socket, threading.Event], None]


@contextmanager
def raw_wiki(step: str, treat: Treat) -> Iterator[str]:
    """A wiki that is well up to ``step`` and then does as it likes with the connection; gives its address."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            question = self.request.recv(65536)
            if f"OAuth%2F{step}".encode() in question:
                treat(self.request, over)
            else:
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ACCESS) + ACCESS.encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def says_nothing(connection: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def hangs_up(connection: socket.socket, over: threading.Event) -> None:
    pass


def breaks_off(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\noauth_tok")


def drips(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    with suppress(OSError):
        while not over.wait(0.02):
            connection.sendall(b"x")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("treat", [says_nothing, hangs_up, breaks_off, drips])
def test_a_wiki_that_does_not_answer_is_given_up_in_time(treat: Treat, step: str) -> None:
    began = time.monotonic()
    with raw_wiki(step, treat) as address:
        assert reason_of(sign_in(address, timeout=0.3), step) is R.UNAVAILABLE
    assert time.monotonic() - began < 5


def test_a_wiki_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert reason_of(sign_in(address), "initiate") is R.UNAVAILABLE


def test_each_gateway_keeps_its_own_time_limit() -> None:
    with raw_wiki("initiate", says_nothing) as address:
        patient, hasty = sign_in(address, timeout=1), sign_in(address, timeout=0.1)
        ended: list[str] = []

        def wait(name: str, gateway: WikiSignIn) -> None:
            reason_of(gateway, "initiate")
            ended.append(name)

        threads = [threading.Thread(target=wait, args=pair) for pair in (("patient", patient), ("hasty", hasty))]
        for thread in threads:
            thread.start()
        threads[1].join()
        assert ended == ["hasty"]
        threads[0].join()


def test_mwoauth_still_posts_through_the_name_that_is_replaced() -> None:
    """Else the calls would be without a limit again, and only a sick wiki would show it."""
    source = ast.parse(Path(mwoauth.functions.__file__).read_text(encoding="utf-8"))
    used = [
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "requests"
    ]
    assert used == ["post"] * 3
    assert mwoauth.functions.requests is not requests


# --- what is asked, sent and told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", R.INCOMPLETE),
        ("error=access_denied", R.INCOMPLETE),
        (f"oauth_token={TOKEN.key}", R.INCOMPLETE),
        ("oauth_verifier=1", R.INCOMPLETE),
        ("oauth_token=&oauth_verifier=", R.INCOMPLETE),
        ("%00%ff=&&;;==", R.INCOMPLETE),
        ("oauth_verifier=1&oauth_token=another", R.OTHER_TAB),
        ("oauth_verifier=1&oauth_token=Invalid+signature", R.OTHER_TAB),
    ],
)
def test_a_callback_that_cannot_be_right_asks_nothing(query: str, reason: R, httpserver: HTTPServer) -> None:
    with pytest.raises(SignInFailed) as failure:
        sign_in(httpserver.url_for("")).finish(TOKEN, query)
    assert failure.value.reason is reason
    assert not httpserver.log


def test_a_refused_request_is_not_sent_again(httpserver: HTTPServer) -> None:
    reason_of(serve(httpserver, "initiate", plain("", 503)), "initiate")
    assert len(httpserver.log) == 1


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    """The signature would go along, to wherever."""
    reason_of(serve(httpserver, "initiate", ILL["redir"][0]), "initiate")
    assert [request.path for request, _ in httpserver.log] == ["/w/index.php"]


@pytest.mark.parametrize("step", STEPS)
def test_no_token_and_no_page_gets_into_the_log(
    step: str, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = (KEY, SECRET, TOKEN.key, TOKEN.secret, "ac" * 16, "ad" * 20, "eyJ0")
    text = f"Error: {' '.join(secrets)}\nforged line {'<p>a long page</p>' * 2000}"
    with caplog.at_level(logging.INFO, "cphub"):
        reason_of(serve(httpserver, step, plain(text, kind="text/plain")), step)
    (record,) = (r for r in caplog.records if r.name.startswith("cphub"))
    message = record.getMessage()
    assert not [secret for secret in secrets if secret in message]
    assert len(message) < 300
    assert "\n" not in message
    assert record.exc_info is None


def test_the_failure_itself_holds_nothing_but_its_reason(httpserver: HTTPServer) -> None:
    gateway = serve(httpserver, "token", plain(f"Error: {SECRET}"))
    with pytest.raises(SignInFailed) as failure:
        gateway.finish(TOKEN, ANSWER)
    shown = "".join(traceback.format_exception(failure.value, limit=0))
    assert SECRET not in shown
    assert TOKEN.secret not in shown
    assert str(failure.value) == "sign-in failed: expired"


@pytest.mark.parametrize("reason", SignInReason)
def test_only_some_failures_are_worth_trying_again(reason: SignInReason) -> None:
    assert SignInFailed(reason).permanent == (reason in {R.LOCKED, R.MISCONFIGURED, R.CLOCK})


def test_secrets_stay_out_of_the_representation() -> None:
    assert TOKEN.secret not in repr(TOKEN)
    assert SECRET not in repr(sign_in("http://127.0.0.1"))


def test_what_is_kept_of_a_person(httpserver: HTTPServer) -> None:
    claims: dict[str, Any] = {
        "registered": "20150401123456",
        "groups": ["sysop", "*", "user"],
        "editcount": 12,
        "blocked": True,
    }
    assert serve(httpserver, "identify", signed(**claims)).finish(TOKEN, ANSWER) == Identity(
        central_id="4",
        name="Åsa Öberg",
        blocked=True,
        edit_count=12,
        registered=datetime(2015, 4, 1, 12, 34, 56, tzinfo=UTC),
        groups=("sysop", "*", "user"),
    )


# --- the whole handshake, with the sandbox wiki --------------------------------------------------------------------

EVERYBODY = load_people()


@dataclass
class Sandbox:
    """A sandbox wiki that really listens, and a browser."""

    address: str
    server: OAuthServer
    gateway: WikiSignIn

    def allow(self, url: str, person: WikiPerson) -> str:
        """The person presses Allow. Returns the query string that the browser brings back."""
        fields = parse_qs(urlsplit(url).query)
        answer = requests.post(
            f"{self.address}/wiki/Special:OAuth/authenticate",
            {
                "consumerKey": fields["oauth_consumer_key"][0],
                "requestToken": fields["oauth_token"][0],
                "person": person.central_id,
                "accept": "Allow",
            },
            allow_redirects=False,
            timeout=5,
        )
        assert answer.headers["Location"].startswith(CALLBACK)
        return urlsplit(answer.headers["Location"]).query

    def sign_in(self, person: WikiPerson, callback: str = CALLBACK) -> Identity:
        url, token = self.gateway.start(callback)
        return self.gateway.finish(token, self.allow(url, person))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    listener = make_server("127.0.0.1", 0, lambda environ, start_response: [], threaded=True)
    address = f"http://127.0.0.1:{listener.server_port}"
    consumer = WikiConsumer(key=KEY, secret=SECRET, name="cphub", callback="http://127.0.0.1:5000/oauth/")
    app = create_wiki(base_url=address, people=EVERYBODY, consumers=[consumer])
    listener.app = app
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    yield Sandbox(address, app.extensions["wiki"], sign_in(address))
    listener.shutdown()
    thread.join()
    listener.server_close()


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.name)
def test_everybody_of_the_sandbox_signs_in_as_their_state_says(person: WikiPerson, sandbox: Sandbox) -> None:
    if person.locked or person.revokes:
        with pytest.raises(SignInFailed) as failure:
            sandbox.sign_in(person)
        assert failure.value.reason is (R.LOCKED if person.locked else R.REVOKED)
        return
    identity = sandbox.sign_in(person)
    assert identity.central_id == person.central_id
    assert identity.name == (None if person.suppressed else person.name)
    assert identity.blocked == (person.blocked or person.partially_blocked)


def test_the_id_stays_and_the_name_follows_a_rename(sandbox: Sandbox) -> None:
    person = EVERYBODY[0]
    before = sandbox.sign_in(person)
    sandbox.server.change(person.central_id, name="Renamed Näme")
    after = sandbox.sign_in(person)
    assert (before.central_id, before.name) == (after.central_id, person.name)
    assert after.name == "Renamed Näme"


def test_a_callback_with_a_query_of_its_own_signs_in(sandbox: Sandbox) -> None:
    identity = sandbox.sign_in(EVERYBODY[0], f"{CALLBACK}?next=%2Frequests%2F1&x=%C3%A5")
    assert identity.name == EVERYBODY[0].name


def test_a_callback_opened_twice_says_that_it_was_used(sandbox: Sandbox) -> None:
    url, token = sandbox.gateway.start(CALLBACK)
    query = sandbox.allow(url, EVERYBODY[0])
    sandbox.gateway.finish(token, query)
    with pytest.raises(SignInFailed) as failure:
        sandbox.gateway.finish(token, query)
    assert failure.value.reason is R.EXPIRED


def test_two_handshakes_of_one_browser_do_not_mix(sandbox: Sandbox) -> None:
    (url_1, token_1), (url_2, token_2) = sandbox.gateway.start(CALLBACK), sandbox.gateway.start(CALLBACK)
    query_1, query_2 = sandbox.allow(url_1, EVERYBODY[0]), sandbox.allow(url_2, EVERYBODY[1])
    with pytest.raises(SignInFailed) as failure:
        sandbox.gateway.finish(token_2, query_1)
    assert failure.value.reason is R.OTHER_TAB
    assert sandbox.gateway.finish(token_2, query_2).name == EVERYBODY[1].name
    assert sandbox.gateway.finish(token_1, query_1).name == EVERYBODY[0].name


def test_a_wiki_that_takes_no_changes_says_so(sandbox: Sandbox) -> None:
    sandbox.server.oauth_read_only = True
    assert reason_of(sandbox.gateway, "initiate") is R.WIKI_READONLY


def test_a_wrong_secret_and_an_unknown_tool_are_for_the_maintainers(sandbox: Sandbox) -> None:
    for key, secret in ((KEY, "00" * 20), ("00" * 16, SECRET)):
        gateway = WikiSignIn(f"{sandbox.address}/w/index.php", key, secret, "cphub-test")
        assert reason_of(gateway, "initiate") is R.MISCONFIGURED
