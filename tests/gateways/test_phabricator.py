"""The Conduit client against the small Phabricator, against recorded answers, and against a server in trouble."""

import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from cphub.errors import GatewayError
from cphub.gateways.phabricator import (
    CallWrong,
    CursorLost,
    NoSuchObject,
    NotPermitted,
    Phabricator,
    PhabricatorError,
    ReadOnly,
    Status,
    Task,
    TokenRefused,
    Unavailable,
    ValueRefused,
)
from cphub.sandbox.phabricator import Fault, PhabricatorSandbox, create_phabricator
from cphub.sandbox.phabricator.install import ENGINEERS
from tests.phabricator_recordings import Exchange, recordings
from tests.phabricator_server import BOT_TOKEN, HUMAN_TOKEN, USER_AGENT, client, listening

SLUG = "content-partnerships-hub"
PAGE = "https://cphub.example.org/requests/1"
ANY = "PHID-TASK-aaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
def sandbox() -> PhabricatorSandbox:
    return create_phabricator(
        base_url="http://127.0.0.1", tokens={BOT_TOKEN: "cphub-bot", HUMAN_TOKEN: ENGINEERS[0].name}
    )


@pytest.fixture
def address(sandbox: PhabricatorSandbox) -> Iterator[str]:
    with listening(sandbox) as url:
        yield url


@pytest.fixture
def phabricator(address: str) -> Phabricator:
    return client(address)


def create(phabricator: Phabricator, *, title: str = "A task", description: str = f"Request {PAGE}") -> Task:
    project = phabricator.project(SLUG)
    return phabricator.create_task(title=title, description=description, project_phid=project.phid)


def find(phabricator: Phabricator, reference: str = PAGE, *, since: datetime | None = None) -> Task | None:
    author = phabricator.whoami().phid
    return phabricator.find_created(reference=reference, author_phid=author, since=since or datetime.now(UTC))


# Against the small Phabricator


def test_token_tells_who_the_bot_is(phabricator: Phabricator) -> None:
    assert phabricator.whoami().name == "cphub-bot"


def test_project_is_found_by_its_hashtag(phabricator: Phabricator) -> None:
    assert phabricator.project(SLUG).name == "Content-Partnerships-Hub"
    with pytest.raises(NoSuchObject):
        phabricator.project("no-such-project")


def test_statuses_say_which_of_them_are_closed(phabricator: Phabricator) -> None:
    statuses = phabricator.statuses()
    assert statuses[0] == Status("open", "Open", closed=False)
    assert {status.key for status in statuses if status.closed} >= {"resolved", "declined", "duplicate"}


def test_created_task_is_read_back_with_its_tag(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    task = create(phabricator, title="Čaj ☕ 😀 & = [0]", description="a\r\nb & c=d\n%%%\n")
    assert (task.number, task.status, task.status_name, task.closed) == (1, "open", "Open", False)
    assert task.title == "Čaj ☕ 😀 & = [0]"
    assert task.description == "a\r\nb & c=d\n%%%\n"
    assert task.url.endswith("/T1")
    assert sandbox.install.tasks[task.phid].projects == [phabricator.project(SLUG).phid]


def test_created_task_is_known_even_when_it_cannot_be_read_back(
    phabricator: Phabricator, sandbox: PhabricatorSandbox
) -> None:
    project = phabricator.project(SLUG)
    sandbox.faults.add(Fault.BAD_GATEWAY, method="maniphest.search")
    task = phabricator.create_task(title="A", description="B", project_phid=project.phid)
    assert (task.number, task.title, task.status) == (1, "A", "")
    assert len(sandbox.install.tasks) == 1


def test_closed_task_shows_as_closed_whatever_its_status(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    task = create(phabricator)
    page = sandbox.test_client()
    page.post(f"/T{task.number}", data={"engineer": ENGINEERS[0].name, "status": "wontfix"})
    seen = phabricator.task(task.number)
    assert seen is not None
    assert (seen.closed, seen.status, seen.status_name) == (True, "wontfix", "Unknown Status")


def test_absent_and_hidden_tasks_are_left_out(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    shown, hidden = create(phabricator), create(phabricator)
    sandbox.install.tasks[hidden.phid].view = ENGINEERS[0].phid
    assert list(phabricator.tasks([shown.number, hidden.number, 999])) == [shown.number]
    assert phabricator.task(hidden.number) is None
    assert phabricator.tasks([]) == {}


def test_more_tasks_than_a_page_holds_are_all_found(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    for _ in range(250):
        sandbox.install.keep(sandbox.install.blank_task(ENGINEERS[0].phid))
    assert sorted(phabricator.tasks(range(1, 251))) == list(range(1, 251))


def test_comment_gives_the_phid_of_the_comment_itself(sandbox: PhabricatorSandbox) -> None:
    with listening(sandbox) as url:
        task = create(client(url))
        human = client(url, HUMAN_TOKEN)
        phid = human.comment(task.phid, "Good day")  # a first comment subscribes its author before it
    by_phid = {one.phid: one for one in sandbox.install.transactions}
    assert by_phid[phid].versions[0].text == "Good day"


def test_empty_comment_is_refused_and_never_counts_as_posted(phabricator: Phabricator) -> None:
    task = create(phabricator)
    with pytest.raises(ValueRefused):
        phabricator.comment(task.phid, " \n")


def test_comment_on_a_hidden_task_is_not_permitted(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    task = create(phabricator)
    sandbox.install.tasks[task.phid].view = ENGINEERS[0].phid
    with pytest.raises(NotPermitted) as caught:
        phabricator.comment(task.phid, "Good day")
    assert (caught.value.permanent, caught.value.unsure) == (True, False)


def test_lone_surrogates_do_not_stop_a_comment(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    phabricator.comment(create(phabricator).phid, "a\ud800b")
    assert sandbox.install.transactions[-1].versions[0].text == "a?b"


# Looking for a task that may have been created


def test_lost_create_is_found_by_its_reference(
    phabricator: Phabricator, sandbox: PhabricatorSandbox, address: str
) -> None:
    project = phabricator.project(SLUG)
    sandbox.faults.add(Fault.HANG_AFTER, method="maniphest.edit")
    impatient = client(address, timeout=0.3)
    with pytest.raises(Unavailable) as caught:
        impatient.create_task(title="A", description=f"Request {PAGE}", project_phid=project.phid)
    assert (caught.value.permanent, caught.value.unsure) == (False, True)
    found = find(phabricator)
    assert found is not None
    assert found.title == "A"


def test_create_that_never_arrived_is_not_found(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    project = phabricator.project(SLUG)
    sandbox.faults.add(Fault.BAD_GATEWAY, method="maniphest.edit")
    with pytest.raises(Unavailable) as caught:
        phabricator.create_task(title="A", description=f"Request {PAGE}", project_phid=project.phid)
    assert caught.value.unsure
    assert find(phabricator) is None


@pytest.mark.parametrize(
    "description",
    [
        "Request https://cphub.example.org/requests/12\n\nanother request",
        f"Request https://cphub.example.org/requests/2\n\n```lang=text\nlike {PAGE}\n```",
        f"Request {PAGE}/history",
        "",
    ],
)
def test_task_of_another_request_is_not_taken_for_it(phabricator: Phabricator, description: str) -> None:
    create(phabricator, description=description)
    assert find(phabricator) is None


def test_reference_is_looked_for_beyond_the_first_page(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    wanted = create(phabricator)
    for _ in range(230):
        sandbox.install.keep(sandbox.install.blank_task(phabricator_phid(sandbox)))
    found = find(phabricator)
    assert found == wanted


def test_only_the_bots_own_recent_tasks_are_looked_at(phabricator: Phabricator, sandbox: PhabricatorSandbox) -> None:
    copied = create(phabricator)
    sandbox.install.tasks[copied.phid].author = ENGINEERS[0].phid
    assert find(phabricator) is None
    own = create(phabricator)
    assert find(phabricator, since=datetime.now(UTC) + timedelta(minutes=4)) == own
    assert find(phabricator, since=datetime.now(UTC) + timedelta(minutes=6)) is None


def phabricator_phid(sandbox: PhabricatorSandbox) -> str:
    bot = sandbox.install.user("cphub-bot")
    assert bot is not None
    return bot.phid


# Recorded refusals

EXPECTED: dict[str, type[PhabricatorError]] = {
    "auth_": TokenRefused,
    "server_read_only": ReadOnly,
    "perm_lock_self_out": ValueRefused,
    "perm_": NotPermitted,
    "edit_locked_status_comment": NotPermitted,
    "webhook_hidden_task": NotPermitted,
    "task_destroyed": NoSuchObject,
    "edit_unknown_object": NoSuchObject,
    "edit_object_of_other_type": NoSuchObject,
    "edit_identifier_forms": NoSuchObject,
    "transactions_unknown_object": NoSuchObject,
    "transactions_feed_gap_unknown_before": CursorLost,
}
BY_TEXT: list[tuple[str, type[PhabricatorError]]] = [
    ("Validation errors:", ValueRefused),
    ("You Shall Not Pass", NotPermitted),
    ("Cursor ", CursorLost),
    ("does not exist.", NoSuchObject),
    ("", CallWrong),
]


def refusals() -> list[Any]:
    return [
        pytest.param(name, exchange, id=f"{name}-{index}")
        for name, recording in recordings().items()
        for index, exchange in enumerate(recording.exchanges)
        if exchange.answer and exchange.answer["error_code"] and exchange.answer["error_code"] != "ERR_BAD_TASK"
    ]


def expected(name: str, exchange: Exchange) -> type[PhabricatorError]:
    answer = exchange.answer or {}
    if answer["error_code"] == "ERR-CONDUIT-CALL":
        return CallWrong
    if name in ("task_destroyed.json", "perm_view_restricted.json"):
        return next(kind for text, kind in [("No object", NoSuchObject), *BY_TEXT] if text in answer["error_info"])
    return next(
        (kind for start, kind in EXPECTED.items() if name.startswith(start)),
        next(kind for text, kind in BY_TEXT if text in answer["error_info"]),
    )


@pytest.mark.parametrize(("name", "exchange"), refusals())
def test_recorded_refusal_is_told_apart(name: str, exchange: Exchange, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/maniphest.edit").respond_with_json(exchange.answer)
    kind = expected(name, exchange)
    with pytest.raises(kind) as caught:
        client(httpserver.url_for("")).comment(ANY, "x")
    assert type(caught.value) is kind
    assert caught.value.permanent is (kind not in (ReadOnly, CursorLost))
    assert not caught.value.unsure  # a refusal is certain: nothing was written
    assert "api-" not in str(caught.value)


@pytest.mark.parametrize("name", ["server_database_down.json", "server_php_down.json", "server_rate_limited.json"])
def test_recorded_trouble_is_passing_and_leaves_a_write_unsure(name: str, httpserver: HTTPServer) -> None:
    told = recordings()[name].exchanges[0].response
    for method in ("maniphest.edit", "user.whoami"):
        httpserver.expect_request(f"/api/{method}").respond_with_data(
            told["text"], status=told["http_status"], content_type=told["content_type"]
        )
    with pytest.raises(Unavailable) as write:
        client(httpserver.url_for("")).comment(ANY, "x")
    with pytest.raises(Unavailable) as read:
        client(httpserver.url_for("")).whoami()
    assert (write.value.permanent, write.value.unsure) == (False, True)
    assert (read.value.permanent, read.value.unsure) == (False, False)


# Other trouble

ODD_ANSWERS = {
    "page": ("<!DOCTYPE html><title>Wikimedia Error</title>", 200, "text/html"),
    "empty": ("", 200, "application/json"),
    "number": ("7", 200, "application/json"),
    "no result": ("{}", 200, "application/json"),
    "result null": ('{"result": null, "error_code": null}', 200, "application/json"),
    "result of another shape": ('{"result": {"object": []}, "error_code": null}', 200, "application/json"),
    "unknown failure": (
        '{"result": null, "error_code": "ERR-CONDUIT-CORE", "error_info": "#2006: MySQL server has gone away"}',
        200,
        "application/json",
    ),
    "not for this program": ("<html>403</html>", 403, "text/html"),
}


@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_odd_answer_leaves_a_write_unsure(odd: str, httpserver: HTTPServer) -> None:
    text, status, kind = ODD_ANSWERS[odd]
    httpserver.expect_request("/api/maniphest.edit").respond_with_data(text, status=status, content_type=kind)
    with pytest.raises(Unavailable) as caught:
        client(httpserver.url_for("")).comment(ANY, "x")
    assert (caught.value.permanent, caught.value.unsure) == (False, True)


def test_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    elsewhere = Response(status=302, headers={"Location": httpserver.url_for("/elsewhere")})
    httpserver.expect_request("/api/maniphest.edit").respond_with_response(elsewhere)
    with pytest.raises(CallWrong):
        client(httpserver.url_for("")).comment(ANY, "x")
    assert [request.path for request, _ in httpserver.log] == ["/api/maniphest.edit"]


def test_text_that_is_too_long_for_the_server_is_refused_for_good(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/maniphest.edit").respond_with_data("<html>413</html>", status=413)
    with pytest.raises(ValueRefused):
        client(httpserver.url_for("")).comment(ANY, "x")


def test_calls_are_forms_with_the_token_in_the_body_alone(httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response('{"result": null, "error_code": null}', content_type="application/json")

    httpserver.expect_request("/api/maniphest.edit").respond_with_handler(answer)
    with pytest.raises(Unavailable):
        client(httpserver.url_for("")).create_task(title="A=&", description="[1]", project_phid="PHID-PROJ-a")
    request = seen[0]
    assert request.method == "POST"
    assert request.mimetype == "application/x-www-form-urlencoded"
    assert request.headers["User-Agent"] == USER_AGENT
    assert BOT_TOKEN not in request.url + str(request.headers)
    assert parse_qsl(request.get_data(as_text=True)) == [
        ("api.token", BOT_TOKEN),
        ("transactions[0][type]", "title"),
        ("transactions[0][value]", "A=&"),
        ("transactions[1][type]", "description"),
        ("transactions[1][value]", "[1]"),
        ("transactions[2][type]", "projects.set"),
        ("transactions[2][value][0]", "PHID-PROJ-a"),
    ]


@contextmanager
def cut_off_after(answer: bytes) -> Iterator[str]:
    """A server that reads a call, says this much, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"result": {',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
def test_cut_off_answer_leaves_a_write_unsure(answer: bytes) -> None:
    with cut_off_after(answer) as url, pytest.raises(Unavailable) as caught:
        client(url).comment(ANY, "x")
    assert (caught.value.permanent, caught.value.unsure) == (False, True)


def test_server_that_is_not_there_is_passing_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(Unavailable) as caught:
        client(url).whoami()
    assert not caught.value.permanent


def test_hanging_server_is_given_up(sandbox: PhabricatorSandbox) -> None:
    sandbox.faults.add(Fault.HANG_BEFORE)
    with listening(sandbox) as url, pytest.raises(Unavailable) as caught:
        client(url, timeout=0.2).whoami()
    assert "Timeout" in str(caught.value)


# The token


@pytest.mark.parametrize(
    "token", ["api-short", "xyz-" + "a" * 28, "api-" + "z" * 28, "", "no token at all", 'quo"te', "a.*b(["]
)
def test_wrong_token_is_not_told_to_anybody(sandbox: PhabricatorSandbox, token: str) -> None:
    with listening(sandbox) as url, pytest.raises(TokenRefused) as caught:
        client(url, token).whoami()
    assert not token or token not in whole_text(caught.value)


def test_recorded_errors_that_echo_the_token_are_scrubbed(httpserver: HTTPServer) -> None:
    echoes = [
        exchange for recording in recordings().values() for exchange in recording.exchanges
        if exchange.answer and "api-" in str(exchange.answer["error_info"])
    ]  # fmt: skip
    assert len(echoes) >= 4
    for exchange in echoes:
        httpserver.clear()
        httpserver.expect_request("/api/user.whoami").respond_with_json(exchange.answer)
        with pytest.raises(PhabricatorError) as caught:
            client(httpserver.url_for(""), "another token").whoami()
        assert "api-" not in f"{caught.value!r} {caught.value} {caught.value.message}"


def test_broken_connection_does_not_show_the_token() -> None:
    with cut_off_after(b"") as url, pytest.raises(Unavailable) as caught:
        client(url).comment(ANY, "x")
    assert BOT_TOKEN not in whole_text(caught.value)
    assert BOT_TOKEN not in repr(client("http://127.0.0.1"))


def whole_text(error: GatewayError) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + error.message
