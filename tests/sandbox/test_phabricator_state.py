"""The small Phabricator outlives a restart: the tool's database still knows its tasks then."""

from pathlib import Path

import pytest

from cphub import demo
from cphub.gateways.phabricator import Phabricator
from cphub.sandbox.__main__ import phabricator
from tests.phabricator_server import BOT_TOKEN, client, listening

TASKS = Path(demo.__file__).with_name("tasks.yaml")
ENVIRON = {"TOOL_PHABRICATOR_URL": "http://127.0.0.1:5002", "TOOL_PHABRICATOR_TOKEN": BOT_TOKEN}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "phabricator.state"


def tasks_of(conduit: Phabricator, *numbers: int) -> dict[int, str]:
    return {number: task.title for number, task in conduit.tasks(numbers).items()}


def test_first_start_has_the_tasks_that_the_demonstration_links_to(state: Path) -> None:
    expected = {task["number"]: task["title"] for task in demo.tasks()}
    with listening(phabricator(ENVIRON, TASKS, state)) as url:
        assert tasks_of(client(url), *expected) == expected


def test_restart_keeps_tasks_history_and_ids(state: Path) -> None:
    with listening(phabricator(ENVIRON, TASKS, state)) as url:
        project = client(url).project("content-partnerships-hub")
        made = client(url).create_task(title="Bells", description="Of many towers", project_phid=project.phid)
        client(url).comment(made.phid, "rung")
    again = phabricator(ENVIRON, TASKS, state)
    with listening(again) as url:
        kept = client(url).task(made.number)
        assert kept is not None
        assert (kept.phid, kept.title) == (made.phid, "Bells")
        assert client(url).project("content-partnerships-hub") == project
        second = client(url).create_task(title="More", description="bells", project_phid=project.phid)
    assert second.number == made.number + 1
    assert [one.versions[-1].text for one in again.install.transactions if one.versions] == ["rung"]


def test_answer_of_an_engineer_is_kept(state: Path) -> None:
    form = {"engineer": "noor", "status": "resolved", "comment": "Done."}
    assert phabricator(ENVIRON, TASKS, state).test_client().post("/T1203", data=form).status_code == 303
    with listening(phabricator(ENVIRON, TASKS, state)) as url:
        task = client(url).task(1203)
    assert task is not None
    assert task.status == "resolved"


def test_file_that_was_not_finished_does_not_count(state: Path) -> None:
    phabricator(ENVIRON, TASKS, state).test_client().get("/")
    state.with_suffix(".new").write_bytes(b"half")
    with listening(phabricator(ENVIRON, TASKS, state)) as url:
        assert tasks_of(client(url), 1187)
