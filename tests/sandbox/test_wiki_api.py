"""The sandbox wiki's API answers what a real one answered: recorded questions, asked again of the same accounts."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from cphub.sandbox.wiki import WikiPerson, create_wiki
from tests import wiki_recordings
from tests.wiki_recordings import Pair

#: Each wiki has its own; the sandbox makes them up.
OWN = {"blockid", "blockedtimestamp", "blockedtimestampformatted", "blockexpiry", "blockexpiryformatted"}
OWN |= {"blockexpiryrelative", "home", "wiki", "url", "id", "timestamp", "docref", "*", "registration", "editcount"}


def person(central_id: str, name: str, **facts: Any) -> WikiPerson:
    return WikiPerson(central_id=central_id, name=name, group="requester", registered="20261121080053", **facts)


PEOPLE = (
    person("1", "WikiAdmin", wiki_groups=("bureaucrat", "interface-admin", "sysop")),
    person("4", "Åsa Öberg"),
    person("5", "محمد"),
    person("6", "Blocked Person", blocked=True),
    person("7", "Partial Block", partially_blocked=True),
    person("8", "Hidden Person", suppressed=True),
    person("9", "New Näme"),
    person("10", "No Mail", email_confirmed=False),
    person("11", "Unconfirmed Mail", email_confirmed=False),
    person("12", "Quiet Person", email_confirmed=False),
    person("13", "O'Brien & Søn+1"),
    person("70005", "محمد"),
)


@pytest.fixture
def client() -> FlaskClient:
    return create_wiki(base_url="http://127.0.0.1:8391", people=PEOPLE, consumers=[]).test_client()


def without_own(value: Any) -> Any:
    """The answer with what differs from wiki to wiki reduced to being there."""
    if isinstance(value, dict):
        return {key: "..." if key in OWN else without_own(item) for key, item in value.items()}
    return [without_own(item) for item in value] if isinstance(value, list) else value


NOT_SPOKEN: dict[str, Callable[[Pair], bool]] = {
    "no action is a page of help": lambda pair: "action" not in pair.query,
    "an unknown parameter is a warning": lambda pair: "nosuch" in pair.query,
    "ids of two wikis at once": lambda pair: "CentralAuth" in pair.body,
    # MediaWiki strips what looks like HTML out of its own error text.
    "an invalid name in an error": lambda pair: "A<b" in pair.query.get("guiuser", ""),
}


def anonymous() -> Iterator[Any]:
    names = ("api_users_fv1", "api_users_fv2", "api_users_too_many", "ca_globaluserinfo", "api_unknown")
    for name in (*names, "api_userinfo_fv1", "api_userinfo_fv2"):
        for number, pair in enumerate(wiki_recordings.load(name).pairs):
            asked = pair.path_and_query.startswith("/w/api.php") and not pair.authorization
            if asked and not any(not_spoken(pair) for not_spoken in NOT_SPOKEN.values()):
                yield pytest.param(pair, id=f"{name}-{number}")


@pytest.mark.parametrize("pair", list(anonymous()))
def test_recorded_question_gets_the_recorded_answer(pair: Pair, client: FlaskClient) -> None:
    query = parse_qs(urlsplit(pair.url).query, keep_blank_values=True)
    answer = client.get("/w/api.php", query_string={name: values[0] for name, values in query.items()})
    expected = pair.raw["response"]["json"]
    assert without_own(answer.json) == without_own(expected)
    assert answer.status_code == pair.status
    for header in ("Content-Type", "Cache-Control", "X-Frame-Options", "MediaWiki-API-Error"):
        assert answer.headers.get(header) == pair.headers.get(header.lower())
    assert ("\\u" in answer.get_data(as_text=True)) == ("\\u" in pair.body)


def test_signed_question_is_refused_as_of_a_consumer_that_only_signs_people_in(client: FlaskClient) -> None:
    answer = client.get("/w/api.php?action=query&meta=userinfo&format=json", headers={"Authorization": "OAuth x"})
    assert answer.json is not None
    assert answer.json["error"]["code"] == "readapidenied"


def test_locked_account_is_told_globally(client: FlaskClient) -> None:
    wiki = client.application.extensions["wiki"]
    wiki.change("4", locked=True)
    path = "/w/api.php?action=query&meta=globaluserinfo&guiid=4&format=json&formatversion="
    assert client.get(f"{path}2").get_json()["query"]["globaluserinfo"]["locked"] is True
    assert client.get(f"{path}1").get_json()["query"]["globaluserinfo"]["locked"] == ""
