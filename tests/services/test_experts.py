"""Profiles: written and published by their owners alone, and what the public registry shows of them."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from cphub.domain.matching import SkillLevel
from cphub.domain.matching.values import NATIVE
from cphub.domain.policy import ANONYMOUS, Role, Viewer
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.models import Expert, db
from cphub.models.queries import experts as registry
from cphub.models.queries.experts import Filter
from cphub.models.queries.keyset import PAGE
from cphub.services import experts, offers
from cphub.services.experts import Card, Link
from cphub.taxonomies import region_of
from tests.conftest import FixedClock
from tests.services import making

KNOWN, TEACH, LEARN = SkillLevel


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def names(clock: FixedClock):  # type: ignore[no-untyped-def]
    def shown(**wanted: object) -> list[str]:
        found = registry.browse(Filter(**wanted), today=clock().date())  # type: ignore[arg-type]
        return [row.name for row in found.rows]

    return shown


# Writing


def test_a_profile_is_kept_as_it_was_written() -> None:
    kofi = making.person("Kofi")
    card = Card(
        bio="I map heritage.", country="GH", time_zone="Africa/Accra", places=6,
        skills={"data.wikidata": TEACH, "data.sdc": LEARN}, languages={"en": 5, "tw": NATIVE},
        links=(Link("https://example.org/forts", "Coast forts", "412 items"),), conflicts=("City Museum",),
    )  # fmt: skip
    expert = experts.save(making.viewer(kofi), card, publish=True)
    shown = registry.profile(ANONYMOUS, expert.id)
    assert shown is not None
    assert (shown.name, shown.bio, shown.country, shown.places) == ("Kofi", "I map heritage.", "GH", 6)
    assert shown.skills == {"data.wikidata": TEACH, "data.sdc": LEARN}
    assert list(shown.languages.items()) == [("tw", NATIVE), ("en", 5)]
    assert shown.links == [("https://example.org/forts", "Coast forts", "412 items")]
    assert "City Museum" not in repr(shown)


def test_saving_again_changes_adds_and_removes() -> None:
    kofi = making.person("Kofi")
    making.profile(kofi, skills={"data": KNOWN, "data.sdc": LEARN}, languages={"en": 3, "fr": 2}, conflicts=("A", "B"))
    making.profile(kofi, skills={"data": TEACH, "upload": KNOWN}, languages={"en": 4}, conflicts=("B",))
    db.session.expire_all()
    found = experts.of(making.viewer(kofi))
    assert found is not None
    assert {s.skill: s.level for s in found.skills} == {"data": TEACH, "upload": KNOWN}
    assert {x.language: x.level for x in found.languages} == {"en": 4}
    assert [c.name for c in found.conflicts] == ["B"]


def test_nothing_is_published_unless_its_owner_says_so() -> None:
    kofi = making.person("Kofi")
    expert = making.profile(kofi, publish=False)
    assert registry.profile(ANONYMOUS, expert.id) is None
    assert registry.profile(making.viewer(making.person("Mei", Role.COORDINATOR)), expert.id) is None
    assert registry.profile(making.viewer(kofi), expert.id) is not None


def test_taking_a_profile_out_keeps_all_of_it() -> None:
    kofi = making.person("Kofi")
    expert = making.profile(kofi)
    experts.unpublish(making.viewer(kofi))
    assert registry.profile(ANONYMOUS, expert.id) is None
    kept = registry.profile(making.viewer(kofi), expert.id)
    assert kept is not None
    assert kept.skills


def test_who_has_no_profile_has_none_to_take_out() -> None:
    with pytest.raises(NotFound):
        experts.unpublish(making.viewer(making.person("Sami")))


def test_nobody_writes_without_an_account_or_while_blocked() -> None:
    kofi = making.person("Kofi")
    making.profile(kofi)
    blocked = Viewer(kofi.id, blocked=True)
    for nobody in (ANONYMOUS, blocked):
        with pytest.raises(Forbidden):
            experts.save(nobody, Card(), publish=False)
    with pytest.raises(Forbidden) as refused:
        experts.unpublish(blocked)
    assert refused.value.reason == "errors-blocked"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("organisation", {"is_organisation": True, "organisation": "  "}),
        ("organisation", {"is_organisation": True, "organisation": "x" * 256}),
        ("bio", {"bio": "x" * 5_001}),
        ("country", {"country": "Atlantis"}),
        ("time_zone", {"time_zone": "Mars/Olympus"}),
        ("places", {"places": -1}),
        ("places", {"places": 17}),
        ("skills", {"skills": {"juggling": KNOWN}}),
        ("languages", {"languages": {"xx-none": 3}}),
        ("languages", {"languages": {"en": 7}}),
        ("links", {"links": (Link("javascript:alert(1)"),)}),
        ("links", {"links": (Link("//example.org"),)}),
        ("links", {"links": (Link("https://"),)}),
        ("links", {"links": (Link("https://[broken"),)}),
        ("links", {"links": (Link("https://example.org/" + "x" * 500),)}),
        ("links", {"links": (Link("https://example.org", "x" * 256),)}),
        ("links", {"links": (Link("https://example.org"),) * 6}),
        ("conflicts", {"conflicts": ("x" * 256,)}),
        ("conflicts", {"conflicts": ("a",) * 21}),
    ],
)
def test_it_validates(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        making.profile(making.person("Kofi"), **values)
    assert list(refused.value.fields) == [field]
    assert db.session.query(Expert).count() == 0


@pytest.mark.parametrize("field", ["skills", "languages"])
def test_an_empty_profile_can_be_kept_but_not_published(field: str) -> None:
    kofi = making.person("Kofi")
    emptied: dict[str, Any] = {field: {}}
    making.profile(kofi, publish=False, **emptied)
    with pytest.raises(Invalid) as refused:
        making.profile(kofi, **emptied)
    assert list(refused.value.fields) == [field]


def test_the_first_save_in_two_tabs_at_once_makes_one_profile(app: Flask) -> None:
    kofi = making.viewer(making.person("Kofi"))
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def save() -> None:
        with app.app_context():
            start.wait()
            try:
                experts.save(kofi, Card(bio="Hello"), publish=False)
            except Exception as error:
                failed.append(error)
            finally:
                db.session.remove()

    tabs = [threading.Thread(target=save) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert failed == []
    assert db.session.query(Expert).count() == 1


# The public registry


def test_registry_shows_only_published_profiles_of_accounts_in_good_standing(names) -> None:  # type: ignore[no-untyped-def]
    making.profile(making.person("Kofi"))
    making.profile(making.person("Hidden"), publish=False)
    blake = making.person("Blake")
    making.profile(blake)
    blake.blocked = True
    db.session.commit()
    assert names() == ["Kofi"]


def test_filters(names, clock: FixedClock) -> None:  # type: ignore[no-untyped-def]
    making.profile(making.person("Kofi"), country="GH", skills={"data.lists": TEACH}, languages={"en": 5, "ha": 0})
    making.profile(making.person("Zuri"), country="KE", skills={"data": KNOWN}, languages={"sw": 6})
    making.profile(making.person("Ola"), country="SE", skills={"data": LEARN}, languages={"sv": 6, "en": 4})
    today = clock().date()
    making.profile(making.person("Away"), away_until=today, skills={"upload": KNOWN})
    making.profile(making.person("Full"), places=0, skills={"upload": KNOWN})
    assert names(skill="data") == ["Kofi", "Zuri"]
    assert names(skill="data.wikidata") == ["Kofi"]
    assert names(skill="data.sdc") == []
    assert names(language="en") == ["Kofi", "Ola", "Away", "Full"]
    assert names(language="ha") == []
    assert names(country="SE") == ["Ola"]
    assert names(region=region_of("GH")) == ["Kofi", "Zuri"]
    assert names(free=True) == ["Kofi", "Zuri", "Ola"]
    assert names(skill="data", language="en", free=True) == ["Kofi"]
    assert names(skill="juggling") == []
    clock.advance(days=1)
    assert names(skill="upload", free=True) == ["Away"]


def test_free_now_means_that_a_place_is_left(names) -> None:  # type: ignore[no-untyped-def]
    asha, mei, kofi = making.person("Asha"), making.person("Mei", Role.COORDINATOR), making.person("Kofi")
    expert = making.profile(kofi, places=2)
    assert names(free=True) == ["Kofi"]
    offers.claim(making.viewer(kofi), making.matching(asha, mei).id)
    assert names(free=True) == []
    shown = registry.profile(ANONYMOUS, expert.id)
    assert shown is not None
    assert (shown.load, shown.places) == (2, 2)


def test_pages_follow_each_other_without_gap_or_repetition(clock: FixedClock) -> None:
    for n in range(PAGE + 3):
        making.profile(making.person(f"Expert {n}"))
    first = registry.browse(Filter(), today=clock().date())
    second = registry.browse(Filter(), today=clock().date(), after=first.next)
    assert len(first.rows) == PAGE
    assert [row.name for row in [*first.rows, *second.rows]] == [f"Expert {n}" for n in range(PAGE + 3)]
    assert second.next is None


@pytest.mark.parametrize("mark", ["x", "-1", "1;2", "\u0661", "9" * 30])
def test_a_page_mark_that_is_not_ours_is_refused(mark: str, clock: FixedClock) -> None:
    with pytest.raises(Invalid):
        registry.browse(Filter(), today=clock().date(), after=mark)


def test_the_away_day_itself_counts_as_away(names, clock: FixedClock) -> None:  # type: ignore[no-untyped-def]
    making.profile(making.person("Kofi"), away_until=clock().date() - timedelta(days=1))
    assert names(free=True) == ["Kofi"]
