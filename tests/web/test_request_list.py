"""The list of requests: everybody finds what they may see, by filters and words in the address."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track, Verb
from cphub.domain.policy import Viewer, Visibility
from cphub.models.queries import keyset
from cphub.services import requests
from tests.conftest import FixedClock
from tests.web.conftest import ClientAs

Send = Callable[..., int]


@pytest.fixture
def send(app: Flask, viewer: Callable[[str], Viewer], clock: FixedClock) -> Send:
    """A request that was sent, a minute after the one before; gives its number."""

    def make(title: str, who: str = "mei", **values: object) -> int:
        asker = viewer(who)
        with app.app_context():
            draft = Draft(**{"title": title, "body": "There is more to be said about it.", **values})  # type: ignore[arg-type]
            clock.advance(minutes=1)
            return requests.send(asker, f"key of {title}", draft).id

    return make


def _titles(page: str) -> list[str]:
    return re.findall(r'<a href="/requests/\d+"[^>]*>([^<]*)</a>', page)


def test_newest_come_first(client_as: ClientAs, send: Send) -> None:
    for title in ("First", "Second", "Third"):
        send(title)
    page = client_as().get("/requests")
    assert page.status_code == 200
    assert _titles(page.text) == ["Third", "Second", "First"]


def test_filters_and_words_are_in_the_address(app: Flask, client_as: ClientAs, send: Send, viewer) -> None:  # type: ignore[no-untyped-def]
    send("Maps of Kenya", country="KE", language="sw", kinds=("upload",))
    project = send("Old letters", track=Track.PROJECT, language="en", kinds=("data", "upload"))
    mei = viewer("mei")
    with app.app_context():
        assert requests.find(mei, project)
    for query, found in {
        "state=received": ["Old letters", "Maps of Kenya"],
        "state=closed": [],
        "track=project": ["Old letters"],
        "kind=upload": ["Old letters", "Maps of Kenya"],
        "kind=data": ["Old letters"],
        "language=sw": ["Maps of Kenya"],
        "country=KE": ["Maps of Kenya"],
        "q=letter": ["Old letters"],
        "q=maps&language=en": [],
        "q=MAPS&country=KE": ["Maps of Kenya"],
        "state=magic&kind=magic&country=&language=xx": ["Old letters", "Maps of Kenya"],
        "state=draft": ["Old letters", "Maps of Kenya"],
    }.items():
        page = client_as().get(f"/requests?{query}")
        assert page.status_code == 200
        assert _titles(page.text) == found, query


def test_chosen_filters_are_shown_and_can_be_taken_away(client_as: ClientAs, send: Send) -> None:
    send("Maps of Kenya", country="KE")
    page = client_as().get("/requests?country=KE&q=maps").text
    assert re.search(r'<option value="KE" selected>Kenya', page)
    assert 'value="maps"' in page
    assert re.search(r"<a href=\"/requests\?q=maps\">.*Kenya", page), "without the country"
    assert '<a href="/requests">' in page


def test_pages_follow_each_other_and_keep_the_filters(client_as: ClientAs, send: Send) -> None:
    total = keyset.PAGE + 3
    for n in range(total):
        send(f"Request {n:03}", language="sw")
    send("Not among them", language="en")
    client = client_as()
    first = client.get("/requests?language=sw").text
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link is not None
    address = link[1].replace("&amp;", "&")
    assert "language=sw" in address
    second = client.get(address).text
    assert [*_titles(first), *_titles(second)] == [f"Request {n:03}" for n in reversed(range(total))]
    assert 'rel="next"' not in second
    assert 'href="/requests?language=sw"' in second, "back to the newest"
    assert client.get("/requests?after=nonsense").status_code == 422


def test_empty_lists_say_what_to_do(client_as: ClientAs, send: Send) -> None:
    client = client_as()
    assert "Be the first" in client.get("/requests").text
    send("Maps")
    assert "fewer or other words" in client.get("/requests?q=zebra").text
    assert "fits these filters" in client.get("/requests?state=closed").text


def test_strangers_do_not_see_what_is_withheld(client_as: ClientAs, send: Send) -> None:
    send("Hidden one", visibility=Visibility.HUB)
    send(
        "Open one", who="asha", partner_name="Quartz Archive", country="UG", withhold_partner=True,
        withhold_country=True, withhold_name=True,
    )  # fmt: skip
    for stranger in (client_as(), client_as("sami"), client_as("kofi")):
        page = stranger.get("/requests").text
        assert _titles(page) == ["Open one"]
        main = page.partition('<ul class="cards">')[2].partition("</ul>")[0]
        assert not any(word in main for word in ("Quartz", "Uganda", "Asha"))
        assert _titles(stranger.get("/requests?country=UG").text) == []
        assert _titles(stranger.get("/requests?q=quartz").text) == []
    inside = client_as("lena").get("/requests").text
    assert _titles(inside) == ["Open one", "Hidden one"]
    assert "Quartz Archive" in inside
    assert "Asha Mwakyusa" in inside


def test_it_escapes_titles_and_words(client_as: ClientAs, send: Send) -> None:
    send("<script>alert(1)</script>")
    page = client_as().get("/requests?q=%22%3E%3Cscript%3Ealert").text
    assert "<script>alert" not in page


def test_what_was_just_changed_comes_first(app: Flask, client_as: ClientAs, send: Send, viewer, clock) -> None:  # type: ignore[no-untyped-def]
    first = send("First", who="asha")
    send("Second", who="asha")
    mei = viewer("mei")
    clock.advance(minutes=1)
    with app.app_context():
        requests.act(mei, first, Verb.TAKE_ON)
    assert _titles(client_as().get("/requests").text) == ["First", "Second"]
