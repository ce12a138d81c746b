"""The command line: what an administrator types, and what it says when that cannot be done."""

import signal
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from cphub.domain.policy import Role
from cphub.models import Heartbeat, OutboxRow, OutboxState, Person, db
from cphub.services import outbox, people
from tests.conftest import FixedClock


@pytest.fixture
def runner(app: Flask) -> Iterator[FlaskCliRunner]:
    with app.app_context():
        yield app.test_cli_runner()


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The worker takes over the signals of its process, which is the tests' here."""
    before = [(name, signal.getsignal(name)) for name in (signal.SIGTERM, signal.SIGINT)]
    yield
    for name, handler in before:
        signal.signal(name, handler)


def roles(name: str) -> set[Role]:
    return {grant.role for grant in people.by_name(name).roles}


@pytest.mark.parametrize("written", ["Mei Lin", "mei_Lin", "  mei   Lin "])
def test_a_role_is_given(runner: FlaskCliRunner, written: str) -> None:
    people.sign_in("77", "Mei Lin", blocked=False)
    result = runner.invoke(args=["roles", "grant", written, "coordinator"])
    assert (result.exit_code, result.output) == (0, "Mei Lin is now coordinator.\n")
    assert roles("Mei Lin") == {Role.COORDINATOR}


def test_giving_a_role_twice_is_the_same(runner: FlaskCliRunner) -> None:
    people.sign_in("77", "Mei", blocked=False)
    for _ in range(2):
        assert runner.invoke(args=["roles", "grant", "Mei", "admin"]).exit_code == 0
    assert roles("Mei") == {Role.ADMIN}


@pytest.mark.parametrize("name", ["Nobody", "", "_"])
def test_somebody_who_never_signed_in_is_named_in_the_error(runner: FlaskCliRunner, name: str) -> None:
    people.sign_in("77", None, blocked=False)
    result = runner.invoke(args=["roles", "grant", name, "coordinator"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: Nobody called ")
    assert "has signed in yet" in result.output


def test_a_role_that_does_not_exist_is_refused_with_those_that_do(runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["roles", "grant", "Mei", "king"])
    assert result.exit_code == 2
    for role in Role:
        assert role.value in result.output


def test_what_is_missing_is_said(runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["roles", "grant", "Mei"])
    assert result.exit_code == 2
    assert "ROLE" in result.output


def test_the_worker_does_what_is_due_once_and_ends(runner: FlaskCliRunner, clock: FixedClock) -> None:
    person = people.sign_in("77", "Mei", blocked=False)
    for n in range(3):
        outbox.put("mail", {"event": 4711, "person": person.id}, key=f"k{n}", now=clock())
    db.session.commit()
    assert runner.invoke(args=["worker", "--once"]).exit_code == 0
    assert {row.state for row in db.session.query(OutboxRow)} == {OutboxState.DONE}
    assert db.session.get_one(Heartbeat, "worker").at == clock()
    assert db.session.query(Person).count() == 1


def test_what_nothing_can_deliver_is_given_up_and_stops_nothing(runner: FlaskCliRunner, clock: FixedClock) -> None:
    outbox.put("pigeon", {}, key="a", now=clock())
    outbox.put("mail", {"event": 4711, "person": 1}, key="b", now=clock())
    db.session.commit()
    assert runner.invoke(args=["worker", "--once"]).exit_code == 0
    states = {row.kind: (row.state, row.last_error) for row in db.session.query(OutboxRow)}
    assert states == {"pigeon": (OutboxState.FAILED, "nothing delivers pigeon"), "mail": (OutboxState.DONE, "")}
