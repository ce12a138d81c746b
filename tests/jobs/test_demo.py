"""The demonstration is played through the real use cases and ends as its files say."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from cphub import demo
from cphub.models import Event, Expert, OutboxRow, Person, Request, db


@pytest.fixture
def runner(app: Flask) -> Iterator[FlaskCliRunner]:
    with app.app_context():
        yield app.test_cli_runner()


def test_every_story_ends_as_it_says(app: Flask, runner: FlaskCliRunner) -> None:
    result = runner.invoke(args=["demo", "load"])

    assert result.exit_code == 0, result.output
    for name, data in demo.requests().items():
        request = db.session.scalars(db.select(Request).where(Request.key == f"demo-{name}")).one()
        expected = data["expect"]
        assert request.state == expected["state"], name
        assert (request.outcome or None) == expected.get("outcome"), name
        assert bool(request.waiting_on) == bool(request.due_on) == bool(request.next_step), name
        if "waiting_on" in expected:
            assert request.waiting_on == expected["waiting_on"], name
        if "lead" in expected:
            lead = next((p for p in demo.people() if p["id"] == expected["lead"]), None)
            assert request.lead is not None, name
            assert lead is not None
            assert request.lead.name == lead["name"], name


def test_events_are_in_order_and_in_the_past(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["demo", "load"])

    moments = db.session.execute(db.select(Event.request_id, Event.at).order_by(Event.id)).all()
    assert all(at <= app.extensions["cphub"].clock() for _, at in moments)
    for number in {number for number, _ in moments}:
        mine = [at for n, at in moments if n == number]
        assert mine == sorted(mine)


def _counts() -> list[int | None]:
    tables = (Person, Expert, Request, Event, OutboxRow)
    return [db.session.scalar(db.select(db.func.count()).select_from(table)) for table in tables]


def test_loading_twice_changes_nothing(app: Flask, runner: FlaskCliRunner) -> None:
    runner.invoke(args=["demo", "load"])
    before = _counts()

    result = runner.invoke(args=["demo", "load"])

    assert result.exit_code == 0
    assert _counts() == before


def test_it_is_refused_where_people_work(make_app: Callable[..., Flask]) -> None:
    app = make_app(
        BASE_URL="https://cphub.example.org", OAUTH_CONSUMER_KEY="k", OAUTH_CONSUMER_SECRET="s", SECRET_KEY="x" * 40
    )

    result = app.test_cli_runner().invoke(args=["demo", "load"])

    assert result.exit_code == 1
    assert "local runs only" in result.output
