"""The pages of the small Phabricator: what people see, and what they can do there."""

import pytest
from werkzeug.test import TestResponse

from cphub.sandbox.phabricator import PhabricatorSandbox
from tests.phabricator_replay import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def answer(app: PhabricatorSandbox, **form: str) -> TestResponse:
    return app.test_client().post("/T1", data={"engineer": "alice", "status": "open", **form})


def test_tasks_are_listed_newest_first_and_marked_as_sandbox(bench: Bench) -> None:
    bench.create("first")
    bench.create("<b>second</b>")
    page = bench.app.test_client().get("/").get_data(as_text=True)
    assert page.index("T2: <bdi>&lt;b&gt;second&lt;/b&gt;</bdi>") < page.index("T1: <bdi>first</bdi>")
    assert "not phabricator.wikimedia.org" in page


def test_empty_list_says_so(bench: Bench) -> None:
    assert "There are no tasks yet." in bench.app.test_client().get("/").get_data(as_text=True)


def test_task_shows_its_text_as_text(bench: Bench) -> None:
    bench.create("A", description="<script>alert(1)</script>", comment="== not a heading ==")
    page = bench.app.test_client().get("/T1").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "== not a heading ==" in page


def test_engineer_answers_and_closes_a_task(bench: Bench) -> None:
    phid = bench.create("A")
    assert answer(bench.app, status="resolved", comment="Done.").status_code == 303
    task = bench.task(phid)
    assert task["fields"]["status"]["value"] == "resolved"
    assert bench.history(phid)[0]["comments"][0]["content"]["raw"] == "Done."
    page = bench.app.test_client().get("/T1").get_data(as_text=True)
    assert "open → resolved" in page
    assert "Done." in page


def test_refused_answer_is_shown_on_the_page(bench: Bench) -> None:
    phid = bench.create("A")
    bench.install.tasks[phid].edit = "no-one"
    refused = answer(bench.app, status="resolved")
    assert refused.status_code == 400
    assert "You do not have permission" in refused.get_data(as_text=True)


def test_absent_task_and_unknown_engineer_are_refused(bench: Bench) -> None:
    client = bench.app.test_client()
    assert client.get("/T9").status_code == 404
    bench.create("A")
    assert answer(bench.app, engineer="nobody").status_code == 400


def test_style_is_served(bench: Bench) -> None:
    style = bench.app.test_client().get("/sandbox-phabricator/sandbox-phabricator.css")
    assert style.mimetype == "text/css"
    style.close()
