"""The Phabricator task of a request: exactly one, of what is public, however the network behaves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from cphub.domain.events import EventKind
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.jobs import worker
from cphub.models import Event, OutboxRow, OutboxState, Person, Request, TaskLink, db
from cphub.sandbox.phabricator import Fault, PhabricatorSandbox, create_phabricator
from cphub.services import offers, outbox, requests, tasks
from tests.conftest import FixedClock, MakeApp
from tests.phabricator_server import BOT_TOKEN, listening
from tests.services import making

BASE = "http://127.0.0.1:5000"


@pytest.fixture
def phabricator(clock: FixedClock) -> PhabricatorSandbox:
    return create_phabricator(base_url="http://127.0.0.1", tokens={BOT_TOKEN: "cphub-bot"}, clock=clock)


@pytest.fixture
def app(make_app: MakeApp, phabricator: PhabricatorSandbox) -> Iterator[Flask]:
    with listening(phabricator) as url:
        yield make_app(PHABRICATOR_URL=url, PHABRICATOR_TOKEN=BOT_TOKEN, HTTP_TIMEOUT=1, BASE_URL=BASE)


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def asha() -> Person:
    return making.person("Asha")


@pytest.fixture
def mei() -> Person:
    return making.person("Mei", Role.COORDINATOR)


def v(person: Person) -> Viewer:
    return making.viewer(person)


def work() -> None:
    """Deliver all that is due."""
    while worker.work():
        pass


def kinds(number: int) -> list[EventKind]:
    rows = db.session.scalars(select(Event.kind).where(Event.request_id == number).order_by(Event.id))
    return [kind for kind in rows if kind.startswith("task")]


def link_of(number: int) -> TaskLink | None:
    return db.session.get(TaskLink, number, populate_existing=True)


def descriptions(phabricator: PhabricatorSandbox) -> list[str]:
    return [task.description for task in phabricator.install.tasks.values()]


def test_a_task_is_made_tagged_and_linked(asha: Person, mei: Person, phabricator: PhabricatorSandbox) -> None:
    number = making.request(asha).id
    text = tasks.preview(v(mei), number)
    tasks.order(v(mei), number)
    assert link_of(number) is None
    work()
    task = phabricator.install.task(1)
    assert task is not None
    assert (task.title, task.description) == (text.title, text.description)
    assert task.projects == [phabricator.install.project("content-partnerships-hub").phid]  # type: ignore[union-attr]
    assert task.description.startswith(f"Request {BASE}/requests/{number}#request")
    linked = link_of(number)
    assert linked is not None
    assert (linked.number, linked.status_name, linked.made_here, linked.linked_by_id) == (1, "Open", True, mei.id)
    assert kinds(number) == [EventKind.TASK_ORDERED, EventKind.TASK_CREATED]


def test_ordering_twice_makes_one(asha: Person, mei: Person, app: Flask, phabricator: PhabricatorSandbox) -> None:
    number, viewer = making.request(asha).id, v(mei)
    db.session.rollback()

    def order(_: int) -> None:
        with app.app_context():
            tasks.order(viewer, number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(order, range(4)))
    work()
    assert len(phabricator.install.tasks) == 1
    assert kinds(number) == [EventKind.TASK_ORDERED, EventKind.TASK_CREATED]
    with pytest.raises(Conflict):
        tasks.order(v(mei), number)


def test_only_public_fields_are_told(asha: Person, mei: Person) -> None:
    withheld = making.request(
        asha,
        partner_name="River Museum",
        country="KE",
        contact="asha@example.org",
        withhold_partner=True,
        withhold_country=True,
        withhold_name=True,
    )
    number = withheld.id
    text = tasks.preview(v(mei), number).description
    for secret in ("River Museum", "Kenya", "Asha", "asha@example.org"):
        assert secret not in text
    open_number = making.request(asha, partner_name="River Museum", country="KE").id
    open_text = tasks.preview(v(mei), open_number).description
    for said in ("River Museum", "Kenya", "Asha"):
        assert said in open_text


def test_a_request_of_the_hub_becomes_no_task(asha: Person, mei: Person, phabricator: PhabricatorSandbox) -> None:
    number = making.request(asha, visibility=Visibility.HUB).id
    for act in (tasks.preview, tasks.order):
        with pytest.raises(Invalid) as refused:
            act(v(mei), number)
        db.session.rollback()
        assert refused.value.fields == {"task": "tasks-error-not-public"}
    work()
    assert not phabricator.install.tasks


def test_what_is_withheld_after_the_order_is_not_told(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox
) -> None:
    named, hidden = making.request(asha, partner_name="River Museum"), making.request(asha, title="Second")
    for number in (named.id, hidden.id):
        tasks.order(v(mei), number)
    requests.edit(v(asha), named.id, replace(requests.as_draft(named), withhold_partner=True))
    requests.edit(v(asha), hidden.id, replace(requests.as_draft(hidden), visibility=Visibility.HUB))
    work()
    assert len(phabricator.install.tasks) == 1
    assert "River Museum" not in descriptions(phabricator)[0]
    assert kinds(hidden.id) == [EventKind.TASK_ORDERED, EventKind.TASK_FAILED]


def test_only_who_works_on_it_orders_a_task(asha: Person, mei: Person) -> None:
    number, kofi = making.matching(asha, mei).id, making.person("Kofi")
    making.profile(kofi)
    for other in (asha, kofi, making.person("Lena", Role.COMMITTEE)):
        for act in (tasks.preview, tasks.order, tasks.unlink):
            with pytest.raises(Forbidden):
                act(v(other), number)
            db.session.rollback()
    offers.claim(v(kofi), number)
    tasks.order(v(kofi), number)
    work()
    assert link_of(number) is not None


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.RATE_LIMITED, Fault.HANG_BEFORE])
def test_what_did_not_happen_is_tried_again(
    fault: Fault, asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    phabricator.faults.add(fault, method="maniphest.edit")
    work()
    assert link_of(number) is None
    clock.advance(minutes=5)
    work()
    assert len(phabricator.install.tasks) == 1
    assert link_of(number) is not None


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY_AFTER, Fault.FATAL_AFTER, Fault.HANG_AFTER])
def test_what_happened_without_an_answer_is_found_and_not_repeated(
    fault: Fault, asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    phabricator.faults.add(fault, method="maniphest.edit")
    work()
    row = db.session.scalars(select(OutboxRow)).one()
    assert (row.state, link_of(number)) == (OutboxState.UNSURE, None)
    clock.advance(minutes=5)
    work()
    assert len(phabricator.install.tasks) == 1
    linked = link_of(number)
    assert linked is not None
    assert (linked.number, linked.made_here) == (1, True)


def test_a_worker_killed_before_it_wrote_down_the_task_leaves_it_to_be_found(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    job = outbox.claim()
    assert job is not None
    tasks.deliver(job)
    # As if it had been killed just before its last commit.
    db.session.delete(db.session.get_one(TaskLink, number))
    row = db.session.get_one(OutboxRow, job.id)
    row.state, row.done_at, row.lease_until = OutboxState.READY, None, clock()
    db.session.commit()
    clock.advance(minutes=6)
    work()
    assert len(phabricator.install.tasks) == 1
    assert link_of(number) is not None


def test_another_request_that_names_this_one_is_not_taken_for_it(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    first = making.request(asha).id
    second = making.request(asha, body=f"As in {tasks.address(first)} we need help.").id
    tasks.order(v(mei), second)
    work()
    tasks.order(v(mei), first)
    phabricator.faults.add(Fault.BAD_GATEWAY, method="maniphest.edit")
    work()
    clock.advance(minutes=5)
    work()
    assert [(link_of(n) or TaskLink()).number for n in (second, first)] == [1, 2]


def test_a_refused_order_is_given_up_and_can_be_given_again(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox
) -> None:
    number = making.request(asha).id
    phabricator.tokens.expired.add(BOT_TOKEN)
    tasks.order(v(mei), number)
    work()
    row = db.session.scalars(select(OutboxRow)).one()
    assert row.state is OutboxState.FAILED
    assert BOT_TOKEN not in row.last_error
    phabricator.tokens.expired.clear()
    tasks.order(v(mei), number)
    work()
    assert link_of(number) is not None
    assert len(db.session.scalars(select(OutboxRow)).all()) == 1


def test_a_failed_order_that_had_worked_makes_no_second_task(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    phabricator.faults.add(Fault.BAD_GATEWAY_AFTER, method="maniphest.edit")
    work()
    db.session.scalars(select(OutboxRow)).one().state = OutboxState.FAILED
    db.session.commit()
    clock.advance(days=2)
    tasks.order(v(mei), number)
    work()
    assert len(phabricator.install.tasks) == 1
    assert link_of(number) is not None


@pytest.mark.parametrize("named", ["T1", "1", " t1 ", "{there}/T1", "{there}/T1#12"])
def test_an_existing_task_is_linked(named: str, asha: Person, mei: Person, phabricator: PhabricatorSandbox) -> None:
    bot = phabricator.install.user("noor")
    assert bot is not None
    phabricator.install.keep(phabricator.install.blank_task(bot.phid, title="Scan the maps"))
    number = making.request(asha).id
    tasks.link(v(mei), number, named.format(there=hub().settings.PHABRICATOR_URL.rstrip("/")))
    work()
    linked = link_of(number)
    assert linked is not None
    assert (linked.number, linked.title, linked.made_here) == (1, "Scan the maps", False)
    assert kinds(number) == [EventKind.TASK_ORDERED, EventKind.TASK_LINKED]


@pytest.mark.parametrize("named", ["", "T", "0", "T0", "task one", "T12345678901", "https://evil.org/T1", "/T1", "x/1"])
def test_what_is_no_task_is_not_linked(named: str, asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    with pytest.raises(Invalid) as refused:
        tasks.link(v(mei), number, named)
    assert refused.value.fields == {"task": "tasks-error-number"}


def test_a_task_that_is_not_there_is_not_linked(asha: Person, mei: Person) -> None:
    number = making.request(asha).id
    tasks.link(v(mei), number, "T404")
    work()
    assert link_of(number) is None
    assert kinds(number) == [EventKind.TASK_ORDERED, EventKind.TASK_FAILED]
    tasks.order(v(mei), number)
    work()
    assert link_of(number) is not None


def test_a_task_can_be_unlinked_and_another_made(asha: Person, mei: Person, phabricator: PhabricatorSandbox) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    work()
    tasks.unlink(v(mei), number)
    assert link_of(number) is None
    with pytest.raises(Conflict):
        tasks.unlink(v(mei), number)
    db.session.rollback()
    tasks.order(v(mei), number)
    work()
    assert (link_of(number) or TaskLink()).number == 2


def test_a_change_over_there_is_seen_and_told(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox, clock: FixedClock
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    work()
    assert tasks.look() == 0
    task = phabricator.install.task(1)
    assert task is not None
    task.status, task.closed, task.title = "resolved", int(clock().timestamp()), "Maps, done"
    clock.advance(minutes=10)
    assert tasks.look() == 1
    linked = link_of(number)
    assert linked is not None
    assert (linked.status_name, linked.closed, linked.title, linked.seen_at) == (
        "Resolved",
        True,
        "Maps, done",
        clock(),
    )
    assert kinds(number)[-1] is EventKind.TASK_CHANGED
    assert tasks.look() == 0


def test_a_task_that_was_hidden_loses_its_cached_text(
    asha: Person, mei: Person, phabricator: PhabricatorSandbox
) -> None:
    number = making.request(asha).id
    tasks.order(v(mei), number)
    work()
    task = phabricator.install.task(1)
    assert task is not None
    task.view = "admin"
    assert tasks.look() == 1
    linked = link_of(number)
    assert linked is not None
    assert (linked.hidden, linked.title, linked.status, linked.status_name) == (True, "", "", "")
    assert tasks.look() == 0
    task.view = "users"
    assert tasks.look() == 1
    assert (link_of(number) or TaskLink()).title == "How do I upload 300 maps?"


def test_without_phabricator_there_are_no_tasks(asha: Person, mei: Person, make_app: MakeApp) -> None:
    number, viewer = making.request(asha).id, v(mei)
    db.session.rollback()
    with make_app(PHABRICATOR_TOKEN="").app_context():
        with pytest.raises(Invalid) as refused:
            tasks.order(viewer, number)
        assert refused.value.fields == {"task": "tasks-error-not-configured"}
        db.session.rollback()
        with pytest.raises(Invalid):
            tasks.link(viewer, number, "T1")
        db.session.rollback()
        assert tasks.look() == 0


def test_a_hidden_request_has_no_task_page(asha: Person) -> None:
    number = making.request(asha, visibility=Visibility.HUB).id
    with pytest.raises(NotFound):
        tasks.preview(v(making.person("Sami")), number)
    assert db.session.get(Request, number) is not None
