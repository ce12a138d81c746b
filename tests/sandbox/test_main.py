"""The sandbox as a process: it speaks with the tool's own settings, and Phabricator remembers."""

import json
from pathlib import Path

import pytest

from cphub.sandbox.__main__ import phabricator, wiki

ENVIRON = {
    "TOOL_BASE_URL": "http://127.0.0.1:5000",
    "TOOL_WIKI_INDEX_URL": "http://127.0.0.1:5001/w/index.php",
    "TOOL_OAUTH_CONSUMER_KEY": "c0" * 16,
    "TOOL_OAUTH_CONSUMER_SECRET": "5e" * 20,
    "TOOL_PHABRICATOR_URL": "http://127.0.0.1:5002",
    "TOOL_PHABRICATOR_TOKEN": "api-" + "0" * 28,
}
TASKS = "- {number: 1187, title: Lists of monuments, status: resolved}\n"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.yaml"
    path.write_text(TASKS)
    return path


def test_wiki_shows_the_people_of_the_file(tmp_path: Path) -> None:
    people = tmp_path / "people.yaml"
    people.write_text('- {central_id: "1", name: Nobody Real, group: expert, country: GH}\n- {name: Guest}\n')
    page = wiki(ENVIRON, people).test_client().get("/", base_url="http://127.0.0.1:5001").text
    assert "Nobody Real" in page
    assert "Guest" not in page


def test_wiki_has_people_of_its_own() -> None:
    assert wiki(ENVIRON, None).test_client().get("/", base_url="http://127.0.0.1:5001").status_code == 200


def test_phabricator_begins_with_the_tasks_of_the_file(tasks: Path) -> None:
    client = phabricator(ENVIRON, tasks, None).test_client()
    assert "T1187" in client.get("/").text
    assert client.get("/T1187").status_code == 200


def test_phabricator_remembers_what_was_made(tasks: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    call = {
        "__conduit__": {"token": ENVIRON["TOOL_PHABRICATOR_TOKEN"]},
        "transactions": [{"type": "title", "value": "Coins"}],
    }
    client = phabricator(ENVIRON, tasks, state).test_client()
    made = client.post("/api/maniphest.edit", data={"params": json.dumps(call), "output": "json"}).get_json()
    assert made["result"]["object"]["id"] == 1188

    again = phabricator(ENVIRON, tasks, state)
    page = again.test_client().get("/").text
    assert "Coins" in page
    assert page.count("T1187") == client.get("/").text.count("T1187"), "the file's tasks are not there twice"
    assert again.install.next_number == 1189
