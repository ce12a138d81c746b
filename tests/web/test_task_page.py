"""The page about the Phabricator task of a request."""

from collections.abc import Iterator

import pytest
from flask import Flask

from cphub.domain.policy import Visibility
from cphub.jobs import worker
from cphub.models import OutboxRow, OutboxState, db
from cphub.sandbox.phabricator import PhabricatorSandbox, create_phabricator
from cphub.services import tasks
from tests.conftest import FixedClock, MakeApp
from tests.phabricator_server import BOT_TOKEN, listening
from tests.web.conftest import ClientAs, Form
from tests.web.requests_made import Maker


@pytest.fixture
def phabricator(clock: FixedClock) -> PhabricatorSandbox:
    return create_phabricator(base_url="http://127.0.0.1", tokens={BOT_TOKEN: "cphub-bot"}, clock=clock)


@pytest.fixture
def app(make_app: MakeApp, phabricator: PhabricatorSandbox) -> Iterator[Flask]:
    with listening(phabricator) as url:
        yield make_app(PHABRICATOR_URL=url, PHABRICATOR_TOKEN=BOT_TOKEN)


@pytest.fixture
def make(app: Flask) -> Maker:
    return Maker(app)


def work(app: Flask) -> None:
    with app.app_context():
        while worker.work():
            pass


def test_a_task_is_looked_at_ordered_and_linked(
    make: Maker, client_as: ClientAs, form: Form, phabricator: PhabricatorSandbox
) -> None:
    number, kofi = make.in_progress(partner_name="River Museum", withhold_partner=True), client_as("kofi")
    path = f"/requests/{number}/task"
    page = kofi.get(path).text
    assert "This will be public for ever." in page
    assert "We have three hundred scanned maps." in page
    assert "River Museum" not in page
    fields = form(kofi, path) | {"do": "order"}
    for _ in range(2):
        assert kofi.post(path, data=fields).status_code == 303
    assert "The task is being made." in kofi.get(f"/requests/{number}").text
    assert "The task is being made." not in client_as("asha").get(f"/requests/{number}").text
    work(make.app)
    assert len(phabricator.install.tasks) == 1
    for name in (None, "asha", "kofi"):
        page = client_as(name).get(f"/requests/{number}").text
        assert "/T1" in page
        assert "Open" in page
    assert kofi.post(path, data=fields).status_code == 409


def test_a_hidden_task_shows_nothing_but_its_number(
    make: Maker, client_as: ClientAs, phabricator: PhabricatorSandbox
) -> None:
    number = make.in_progress()
    make.as_("kofi", lambda v: tasks.order(v, number))
    work(make.app)
    task = phabricator.install.task(1)
    assert task is not None
    task.title, task.view = "Something secret", "admin"
    with make.app.app_context():
        tasks.look()
    page = client_as("mei").get(f"/requests/{number}").text
    assert "does not show this task to us" in page
    assert "Something secret" not in page


def test_an_existing_task_is_linked_and_unlinked(
    make: Maker, client_as: ClientAs, form: Form, phabricator: PhabricatorSandbox
) -> None:
    noor = phabricator.install.user("noor")
    assert noor is not None
    phabricator.install.keep(phabricator.install.blank_task(noor.phid, title="Scan <b>maps</b>"))
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/task"
    wrong = mei.post(path, data=form(mei, path) | {"do": "link", "task": "maps <please>"})
    assert wrong.status_code == 422
    assert "maps &lt;please&gt;" in wrong.text
    assert 'href="#task-task"' in wrong.text
    assert mei.post(path, data=form(mei, path) | {"do": "link", "task": "T1"}).status_code == 303
    work(make.app)
    assert "Scan &lt;b&gt;maps&lt;/b&gt;" in mei.get(f"/requests/{number}").text
    assert mei.post(path, data=form(mei, path) | {"do": "unlink"}).status_code == 303
    assert "No task yet." in mei.get(f"/requests/{number}").text


def test_a_task_that_is_not_there_is_told_to_the_team(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/task"
    mei.post(path, data=form(mei, path) | {"do": "link", "task": "T404"})
    work(make.app)
    assert "T404" in mei.get(f"/requests/{number}").text
    assert "T404" not in client_as("asha").get(f"/requests/{number}").text


def test_a_request_of_the_hub_gets_no_task(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(visibility=Visibility.HUB), client_as("mei")
    path = f"/requests/{number}/task"
    page = mei.get(path).text
    assert "no task can be made of it" in page
    answer = mei.post(path, data=form(mei, path) | {"do": "order"})
    assert answer.status_code == 422
    with make.app.app_context():
        assert db.session.query(OutboxRow).filter_by(kind="task:create").count() == 0


def test_a_task_that_was_given_up_can_be_ordered_again(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    make.as_("mei", lambda v: tasks.order(v, number))
    with make.app.app_context():
        db.session.query(OutboxRow).filter_by(kind="task:create").one().state = OutboxState.FAILED
        db.session.commit()
    path = f"/requests/{number}/task"
    assert "could not be made" in mei.get(path).text
    assert mei.post(path, data=form(mei, path) | {"do": "order"}).status_code == 303
    work(make.app)
    assert "/T1" in mei.get(f"/requests/{number}").text


@pytest.mark.parametrize("name", ["asha", "sami", "lena", "blake"])
def test_only_who_works_on_it_sees_the_page(name: str, make: Maker, client_as: ClientAs, form: Form) -> None:
    number, browser = make.in_progress(), client_as(name)
    assert browser.get(f"/requests/{number}/task").status_code == 403
    token = form(browser, f"/requests/{number}", "/logout")["csrf_token"]
    sent = browser.post(f"/requests/{number}/task", data={"csrf_token": token, "do": "order"})
    assert sent.status_code == 403
    assert f"/requests/{number}/task" not in browser.get(f"/requests/{number}").text


def test_it_does_only_what_it_offers(make: Maker, client_as: ClientAs, form: Form) -> None:
    number, mei = make.matching(), client_as("mei")
    path = f"/requests/{number}/task"
    assert mei.post(path, data=form(mei, path) | {"do": "explode"}).status_code == 404
