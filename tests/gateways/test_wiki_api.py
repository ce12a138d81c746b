"""Asking the wiki's API about blocks: what a real MediaWiki answered, what the sandbox does, and wikis that are ill."""

import json
import socket
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.serving import make_server

from cphub.errors import GatewayError
from cphub.gateways.wiki_api import Block, WikiApi
from cphub.sandbox.wiki import create_wiki, load_people
from tests import wiki_recordings

AGENT = "cphub-tests/1.0 (https://example.org/; helpdesk@example.org)"


def api(address: str, *, timeout: float = 5) -> WikiApi:
    return WikiApi(f"{address.rstrip('/')}/w/api.php", AGENT, timeout)


def recorded_users() -> dict[str, dict[str, Any]]:
    """What anybody was told about each account of the recorded wiki."""
    (anonymous,) = (
        p for p in wiki_recordings.load("api_users_fv2").pairs if not p.authorization and "ususers" in p.query
    )
    return {user["name"]: user for user in json.loads(anonymous.body)["query"]["users"]}


@pytest.fixture
def recorded(httpserver: HTTPServer) -> WikiApi:
    """The recorded wiki, as it would have answered for each name alone."""
    users = recorded_users()

    def answer(request: Request) -> Response:
        assert request.args["formatversion"] == "2"
        assert request.headers["User-Agent"] == AGENT
        body = {"batchcomplete": True, "query": {"users": [users[request.args["ususers"]]]}}
        return Response(json.dumps(body), content_type="application/json; charset=utf-8")

    httpserver.expect_request("/w/api.php", method="GET").respond_with_handler(answer)
    return api(httpserver.url_for(""))


def test_a_sitewide_block_is_told_with_its_reason_and_its_end(recorded: WikiApi) -> None:
    assert recorded.sitewide_block("Blocked Person") == Block("spam", "infinite")


@pytest.mark.parametrize("name", ["Partial Block", "Åsa Öberg", "محمد", "O'Brien & Søn+1", "WikiAdmin"])
def test_a_block_of_one_page_and_no_block_are_none(recorded: WikiApi, name: str) -> None:
    assert recorded.sitewide_block(name) is None


@pytest.mark.parametrize("name", ["Old Name", "Hidden Person", "127.0.0.1", "Bad<Name"])
def test_a_name_without_an_account_is_no_answer(recorded: WikiApi, name: str) -> None:
    with pytest.raises(GatewayError) as failure:
        recorded.sitewide_block(name)
    assert failure.value.permanent


def test_several_blocks_of_which_one_is_sitewide_are_a_block(httpserver: HTTPServer) -> None:
    user = {"userid": 4, "name": "Twice", "blockid": None, "blockpartial": False, "blockreason": "both"}
    httpserver.expect_request("/w/api.php").respond_with_json({"query": {"users": [user]}})
    assert api(httpserver.url_for("")).sitewide_block("Twice") == Block("both", "infinite")


def test_a_cookie_of_one_answer_is_not_sent_with_the_next_question(httpserver: HTTPServer) -> None:
    """The API marks the browser of a blocked person, and would then take everybody for blocked."""
    body = json.dumps({"query": {"users": [recorded_users()["Blocked Person"]]}})
    httpserver.expect_request("/w/api.php").respond_with_data(body, headers={"Set-Cookie": "metaBlockID=1; path=/"})
    wiki = api(httpserver.url_for(""))
    for _ in range(2):
        wiki.sitewide_block("Blocked Person")
    assert [request.headers.get("Cookie") for request, _ in httpserver.log] == [None, None]


ILL: dict[str, tuple[bytes, int]] = {
    "502": (b"<html><head><title>502 Bad Gateway</title></head></html>", 502),
    "503": (b"<!DOCTYPE html><title>Wikimedia Error</title>", 503),
    "429": (b"You are making too many requests to the API.", 429),
    "403ua": (b"Please set a user-agent", 403),
    "empty": (b"", 200),
    "jsonlist": (b"[]", 200),
    "jsonnull": (b"null", 200),
    "jsonerr500": (b'{"error":{"code":"internal_api_error_DBQueryError"}}', 500),
    "jsonerrstr": (b'{"error":"oops"}', 200),
    "jsonnomsg": (b'{"error":"x"}', 200),
    "jsonbroken": (b'{"error":', 200),
    "form": (b"oauth_token=&oauth_token_secret=", 200),
    "badutf": (b"Error: \xff\xfe caf\xe9", 200),
    "unknown list": (b'{"batchcomplete":true,"warnings":{"query":{"warnings":"Unrecognized"}}}', 200),
    "users is no list": (b'{"query":{"users":{"name":"A"}}}', 200),
}


@pytest.mark.parametrize("illness", ILL)
def test_an_ill_wiki_is_an_error_worth_trying_again(illness: str, httpserver: HTTPServer) -> None:
    body, status = ILL[illness]
    httpserver.expect_request("/w/api.php").respond_with_data(body, status)
    with pytest.raises(GatewayError) as failure:
        api(httpserver.url_for("")).sitewide_block("A")
    assert not failure.value.permanent


def test_every_illness_of_the_recorded_server_is_tried() -> None:
    path = wiki_recordings.FOLDER / "client_behaviour_unhealthy_server.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    recorded = {result["server"] for result in results if result["call"].startswith("mwapi")}
    elsewhere = {"connection refused", "name does not resolve", "close", "half", "hang3", "drip", "redir"}
    assert recorded - elsewhere <= set(ILL)


Treat = Callable[[socket.socket, Event], None]


def says_nothing(connection: socket.socket, over: Event) -> None:
    over.wait(30)


def hangs_up(connection: socket.socket, over: Event) -> None:
    pass


def breaks_off(connection: socket.socket, over: Event) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"query":')


def drips(connection: socket.socket, over: Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    try:
        while not over.wait(0.02):
            connection.sendall(b" ")
    except OSError:
        pass


@pytest.mark.parametrize("treat", [says_nothing, hangs_up, breaks_off, drips])
def test_a_wiki_that_does_not_answer_is_given_up_in_time(treat: Treat) -> None:
    over, began = Event(), time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                treat(connection, over)

        thread = Thread(target=serve)
        thread.start()
        with pytest.raises(GatewayError):
            api(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.3).sitewide_block("A")
        over.set()
        thread.join()
    assert time.monotonic() - began < 5


def test_the_sandbox_tells_a_sitewide_block_from_one_of_a_page() -> None:
    server = make_server("127.0.0.1", 0, create_wiki(base_url="http://127.0.0.1", people=load_people(), consumers=[]))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        wiki = api(f"http://127.0.0.1:{server.port}")
        assert wiki.sitewide_block("Blake Harrow") == Block("spam", "infinite")
        assert wiki.sitewide_block("Petra Halbgesperrt") is None
        assert wiki.sitewide_block("Asha Mwakyusa") is None
        with pytest.raises(GatewayError):
            wiki.sitewide_block("Hidden Hanna")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
