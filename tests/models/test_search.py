"""Search finds in every script, shows nobody what they may not see, and does not let them guess it either."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import State, Track, Verb
from cphub.domain.policy import ANONYMOUS, Role, Viewer, Visibility
from cphub.models.queries import keyset
from cphub.models.queries.requests import Filter, browse
from cphub.services import requests
from tests.services import making

ENGLISH = Draft(title="How do I upload 300 maps?", body="The Müller museum has scanned maps of the coast.")


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def asha() -> Viewer:
    return making.viewer(making.person("Asha"))


@pytest.fixture
def mei() -> Viewer:
    return making.viewer(making.person("Mei", Role.COORDINATOR))


def _found(viewer: Viewer, words: str, **wanted: object) -> list[int]:
    return [row.number for row in browse(viewer, Filter(words=words, **wanted)).rows]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The museum has scanned maps of the coast.", "MAPS coast"),
        ("The museum has scanned maps of the coast.", "scan"),
        ("Das Museum von Frau Müller zeigt Gemälde.", "muller gemalde"),
        ("Das Museum von Frau Muller zeigt Gemalde.", "MÜLLER"),
        ("In der Straße hängen Plakate.", "strasse"),
        ("图书馆有三百张老地图需要上传。", "老地图"),
        ("図書館に古い地図が三百枚あります。", "古い地図"),
        ("도서관에 오래된 지도가 있습니다.", "지도가"),
        ("พิพิธภัณฑ์มีภาพถ่ายเก่าสามร้อยภาพ", "ภาพถ่าย"),
        ("لدى المتحف ثلاثمئة خريطة قديمة.", "خريطة المتحف"),
        ("في المتحف مَخطوطات", "مخطوطات"),
        ("У музея есть старые карты.", "КАРТЫ"),
        ("संग्रहालय के पास पुराने नक्शे हैं।", "नक्शे"),
        ("முந்நூறு வரைபடங்கள் உள்ளன ஐயா.", "வரைபடங்கள்"),
        ("Gidan kayan tarihi yana da ɗakin karatu.", "ɗakin"),
        ("Bảo tàng có ba trăm bản đồ.", "bao tang"),
        ("Write to user_name about C++ and T12345.", "t12345 user_name"),
        # With one letter before them, these are words that MariaDB leaves out of its index.
        ("Here the museum is ill as can be.", "here as ill"),
    ],
)
def test_every_script_is_found(asha: Viewer, text: str, query: str) -> None:
    requests.send(asha, "other", replace(ENGLISH, title="Something else", body="Nothing of the kind in here."))
    number = requests.send(asha, "k", replace(ENGLISH, title="Title", body=text)).id
    assert _found(ANONYMOUS, query) == [number]


@pytest.mark.parametrize(
    "query", ["zebra", "maps zebra", "地圖", '"', "* +-()", "a OR b", "open_tokens:", "'; --", " "]
)
def test_what_is_not_there_is_not_found(asha: Viewer, query: str) -> None:
    requests.send(asha, "k", ENGLISH)
    found = browse(ANONYMOUS, Filter(words=query)).rows
    assert [row.title for row in found] == ([ENGLISH.title] if query == " " else [])


def test_all_words_must_occur_and_the_title_counts_most(asha: Viewer) -> None:
    in_body = requests.send(asha, "a", replace(ENGLISH, title="A question", body="About glass and about maps.")).id
    in_title = requests.send(asha, "b", replace(ENGLISH, title="Glass maps", body="They are many, and old.")).id
    requests.send(asha, "c", replace(ENGLISH, title="Glass", body="There is nothing else to say."))
    assert _found(ANONYMOUS, "maps glass") == [in_title, in_body]


def test_correcting_a_request_changes_what_finds_it(asha: Viewer) -> None:
    number = requests.send(asha, "k", ENGLISH).id
    requests.edit(asha, number, replace(ENGLISH, title="How do I upload 300 drawings?", body="They are drawings."))
    assert _found(ANONYMOUS, "drawings") == [number]
    assert _found(ANONYMOUS, "museum") == []


def test_drafts_are_not_found(asha: Viewer, mei: Viewer) -> None:
    requests.save(asha, "k", ENGLISH)
    assert _found(mei, "maps") == _found(asha, "maps") == []


def test_hub_only_request_is_found_by_its_people_alone(asha: Viewer, mei: Viewer) -> None:
    number = requests.send(asha, "k", replace(ENGLISH, visibility=Visibility.HUB)).id
    assert _found(asha, "maps") == _found(mei, "maps") == [number]
    assert _found(ANONYMOUS, "maps") == _found(making.viewer(making.person("Sami")), "maps") == []


def test_withheld_partner_cannot_be_found_by_strangers(asha: Viewer, mei: Viewer) -> None:
    draft = replace(ENGLISH, partner_name="Quartz Archive", withhold_partner=True)
    number = requests.send(asha, "k", draft).id
    for stranger in (ANONYMOUS, making.viewer(making.person("Sami"))):
        assert _found(stranger, "quartz") == []
        assert [row.partner_name for row in browse(stranger, Filter()).rows] == [""]
    assert _found(mei, "quartz") == [number]
    requests.edit(asha, number, replace(draft, withhold_partner=False))
    assert _found(ANONYMOUS, "quartz") == [number]
    requests.edit(asha, number, draft)
    assert _found(ANONYMOUS, "quartz") == [], "once withheld again"


def test_withheld_country_cannot_be_filtered_for_by_strangers(asha: Viewer, mei: Viewer) -> None:
    number = requests.send(asha, "k", replace(ENGLISH, country="UG", withhold_country=True)).id
    assert _found(ANONYMOUS, "", country="UG") == _found(ANONYMOUS, "maps", country="UG") == []
    assert _found(mei, "", country="UG") == _found(asha, "", country="UG") == [number]


def test_withheld_name_is_not_shown_to_strangers(asha: Viewer, mei: Viewer) -> None:
    requests.send(asha, "k", replace(ENGLISH, withhold_name=True))
    names = [browse(viewer, Filter()).rows[0].requester for viewer in (ANONYMOUS, mei, asha)]
    assert names == [None, "Asha", "Asha"]


def test_filters_narrow_a_search_and_a_list(asha: Viewer, mei: Viewer) -> None:
    a = requests.send(asha, "a", replace(ENGLISH, language="sw", kinds=("upload", "data"), country="KE")).id
    b = requests.send(asha, "b", replace(ENGLISH, language="en", track=Track.PROJECT)).id
    requests.act(mei, b, Verb.REVIEW)
    for words in ("", "maps"):
        assert _found(ANONYMOUS, words, language="sw") == [a]
        assert _found(ANONYMOUS, words, kind="data") == [a]
        assert _found(ANONYMOUS, words, country="KE") == [a]
        assert _found(ANONYMOUS, words, track=Track.PROJECT) == [b]
        assert _found(ANONYMOUS, words, state=State.IN_REVIEW) == [b]
        assert _found(ANONYMOUS, words, state=State.RECEIVED, language="en") == []
    assert browse(ANONYMOUS, Filter(kind="data")).rows[0].kinds in (("upload", "data"), ("data", "upload"))


def test_pages_show_every_request_once_and_newest_first(asha: Viewer, clock) -> None:  # type: ignore[no-untyped-def]
    total = keyset.PAGE + 7
    mei = making.viewer(making.person("Mei", Role.COORDINATOR))
    for n in range(total):
        requests.send(mei, f"k{n}", ENGLISH)
        if n % 3 == 0:
            clock.advance(seconds=1)
    first = browse(ANONYMOUS, Filter())
    assert first.next is not None
    second = browse(ANONYMOUS, Filter(), after=first.next)
    assert second.next is None
    numbers = [row.number for row in (*first.rows, *second.rows)]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == total
