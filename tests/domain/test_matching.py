"""Matching: the barriers hold whatever else is true, and the score explains itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cphub.domain.matching import Barrier, Expert, Match, Need, Reason, SkillLevel, Weights, rank
from cphub.domain.matching.rank import barrier
from cphub.domain.matching.values import NATIVE, PLACES, Weight

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TODAY = NOW.date()
#: A small tree: upload > batch > (pattypan, openrefine), upload > naming; and data beside it.
PARENTS: dict[str, str | None] = {
    "upload": None, "batch": "upload", "naming": "upload", "pattypan": "batch", "openrefine": "batch", "data": None,
}  # fmt: skip
REGIONS = {"GH": "SSA", "NG": "SSA", "SE": "NWE"}
ASKER, KOFI, ZURI = 1, 2, 3


def ranked(need: Need, *experts: Expert) -> list[Match]:
    return rank(need, experts, now=NOW, parents=PARENTS, region_of=REGIONS.get)


def match_of(need: Need, expert: Expert) -> Match:
    (found,) = ranked(need, expert)
    return found


def need(**values: object) -> Need:
    return replace(Need(requester_id=ASKER), **values)  # type: ignore[arg-type]


def expert(**values: object) -> Expert:
    return replace(Expert(id=10, person_id=KOFI, name="Kofi", places=4), **values)  # type: ignore[arg-type]


# Barriers


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"published": False}, Barrier.UNPUBLISHED),
        ({"blocked": True}, Barrier.BLOCKED),
        ({"person_id": ASKER}, Barrier.SELF),
        ({"away_until": TODAY}, Barrier.AWAY),
        ({"away_until": TODAY - timedelta(days=1)}, None),
        ({"load": 3}, Barrier.FULL),
        ({"load": 2}, None),
        ({"places": 0}, Barrier.FULL),
        ({"conflicts": frozenset({"City Museum"})}, Barrier.CONFLICT),
    ],
)
def test_a_barrier_has_one_cause(change: dict[str, object], expected: Barrier | None) -> None:
    assert barrier(need(partner_name="City Museum"), expert(**change), today=TODAY) is expected


@pytest.mark.parametrize("written", ["city museum", " CITY  Museum ", "City\u00a0Museum"])
def test_a_conflict_is_found_however_it_is_written(written: str) -> None:
    assert barrier(need(partner_name="City Museum"), expert(conflicts=frozenset({written})), today=TODAY)


def test_a_conflict_is_found_whether_accents_are_one_character_or_two() -> None:
    composed, decomposed = "Mus\u00e9e", "Muse\u0301e"
    against = barrier(need(partner_name=composed), expert(conflicts=frozenset({decomposed})), today=TODAY)
    assert against is Barrier.CONFLICT


def test_an_empty_partner_is_no_conflict_with_an_empty_line() -> None:
    assert barrier(need(), expert(conflicts=frozenset({"", "  "})), today=TODAY) is None


@pytest.mark.parametrize("weight", list(Weight))
def test_a_case_fits_exactly_into_its_places(weight: Weight) -> None:
    places = PLACES[weight]
    assert barrier(need(weight=weight), expert(places=places), today=TODAY) is None
    assert barrier(need(weight=weight), expert(places=places - 1), today=TODAY) is Barrier.FULL


# Likeness over the tree, seen through the part of the score


@pytest.mark.parametrize(
    ("wanted", "has", "likeness"),
    [
        ("batch", "batch", 1.0),
        ("batch", "pattypan", 0.9),
        ("batch", "upload", 0.6),
        ("batch", "naming", 0.4),
        ("pattypan", "upload", 0.0),
        ("upload", "pattypan", 0.0),
        ("upload", "data", 0.0),
        ("nothing_of_ours", "data", 0.0),
    ],
)
def test_likeness_follows_the_tree(wanted: str, has: str, likeness: float) -> None:
    found = match_of(need(skills={wanted: False}), expert(skills={has: SkillLevel.KNOWN}))
    assert found.parts["skill"] == pytest.approx(Weights().skill * likeness)


def test_wanting_to_learn_a_skill_is_not_having_it() -> None:
    found = match_of(need(skills={"data": True}), expert(skills={"data": SkillLevel.LEARN}))
    assert found.parts["skill"] == 0
    assert found.caveat == Reason("lacks_must", ("data",))


def test_the_best_of_several_skills_counts() -> None:
    skills = {"upload": SkillLevel.KNOWN, "pattypan": SkillLevel.KNOWN, "naming": SkillLevel.TEACH}
    found = match_of(need(skills={"batch": True}), expert(skills=skills))
    assert found.parts["skill"] == pytest.approx(Weights().skill * 0.9)
    assert found.reasons[0] == Reason("skill_near", ("pattypan", "batch"))


def test_a_must_weighs_more_than_a_nice_to_have() -> None:
    wanted = need(skills={"data": True, "batch": False})
    has_must = match_of(wanted, expert(skills={"data": SkillLevel.KNOWN}))
    has_nice = match_of(wanted, expert(skills={"batch": SkillLevel.KNOWN}))
    assert has_must.parts["skill"] == pytest.approx(Weights().skill * 1.0 / 1.4)
    assert has_nice.parts["skill"] == pytest.approx(Weights().skill * 0.4 / 1.4)


def test_a_missing_must_caps_the_whole() -> None:
    skills = {s: s == "data" for s in ("data", "batch", "pattypan", "openrefine", "naming", "upload")}
    has = dict.fromkeys(["batch", "pattypan", "openrefine", "naming", "upload"], SkillLevel.KNOWN)
    asked = need(skills=skills, languages=("en",), country="GH", time_zone="Africa/Accra")
    fits = expert(skills=has, languages={"en": NATIVE}, country="GH", time_zone="Africa/Accra")
    found = match_of(asked, fits)
    assert sum(found.parts.values()) > 0.5
    assert found.score == 0.5
    assert found.caveat == Reason("lacks_must", ("data",))


# The other parts


@pytest.mark.parametrize(("level", "share"), [(0, 0.0), (1, 0.2), (3, 0.6), (5, 1.0), (NATIVE, 1.0)])
def test_language_counts_by_its_level(level: int, share: float) -> None:
    found = match_of(need(languages=("ha",)), expert(languages={"ha": level}))
    assert found.parts["language"] == pytest.approx(Weights().language * share)


def test_the_best_shared_language_counts() -> None:
    found = match_of(need(languages=("ha", "en")), expert(languages={"ha": 1, "en": 4}))
    assert found.reasons[0] == Reason("language", ("en", 4))
    assert found.caveat is None


def test_no_shared_language_is_the_caveat() -> None:
    assert match_of(need(languages=("ta",)), expert(languages={"en": 5})).caveat == Reason("no_language", ("ta",))


def test_the_same_country_is_nearer_than_the_same_region() -> None:
    asked = need(country="GH")
    parts = [match_of(asked, expert(country=c)).parts["context"] for c in ("GH", "NG", "SE", None)]
    assert parts == pytest.approx([0.1, 0.06, 0, 0])


def test_shared_hours_are_counted_across_the_date_line() -> None:
    asked = need(time_zone="Pacific/Auckland")
    found = match_of(asked, expert(time_zone="Pacific/Honolulu"))
    assert found.parts["time"] == pytest.approx(Weights().time)  # 22 hours behind is 2 hours ahead
    assert Reason("hours", (12,)) in found.reasons


def test_few_shared_hours_are_the_caveat() -> None:
    found = match_of(need(time_zone="Europe/Stockholm"), expert(time_zone="Pacific/Auckland"))
    assert found.caveat is not None
    assert found.caveat.code == "few_hours"


@pytest.mark.parametrize("zone", ["Not/AZone", "../etc", "Europe", "", "x" * 300])
def test_a_time_zone_that_does_not_exist_counts_as_unknown(zone: str) -> None:
    found = match_of(need(time_zone="Europe/Stockholm"), expert(time_zone=zone))
    assert found.parts["time"] == pytest.approx(Weights().time / 2)


def test_a_full_plate_lowers_the_score_and_the_last_place_is_said() -> None:
    found = match_of(need(), expert(places=4, load=2))
    assert found.parts["load"] == pytest.approx(-Weights().load / 2)
    assert found.caveat == Reason("last_place", (2, 4))


# Order


def test_ties_go_to_who_was_never_asked_then_least_recently_then_the_lower_id() -> None:
    never = expert(id=9, person_id=9)
    long_ago = expert(id=4, person_id=4, last_asked=NOW - timedelta(days=90))
    lately = expert(id=2, person_id=2, last_asked=NOW - timedelta(days=1))
    lately_too = expert(id=3, person_id=3, last_asked=NOW - timedelta(days=1))
    found = ranked(need(), lately_too, lately, long_ago, never)
    assert [m.expert.id for m in found] == [9, 4, 2, 3]


# Properties

_skills = st.sampled_from(sorted(PARENTS))
_zones = st.sampled_from([None, "Africa/Accra", "Asia/Kolkata", "Pacific/Auckland", "America/Lima"])
_languages = st.sampled_from(["en", "fr", "ha", "ta"])
_countries = st.sampled_from([None, "GH", "NG", "SE"])
_partners = st.sampled_from(["", "City Museum", "Old Archive"])
_needs = st.builds(
    Need,
    requester_id=st.integers(1, 5),
    skills=st.dictionaries(_skills, st.booleans(), max_size=4),
    languages=st.lists(_languages, max_size=3, unique=True).map(tuple),
    country=_countries,
    partner_name=_partners,
    time_zone=_zones,
    weight=st.sampled_from(Weight),
)
_experts = st.builds(
    Expert,
    id=st.integers(1, 10_000),
    person_id=st.integers(1, 8),
    name=st.just("somebody"),
    skills=st.dictionaries(_skills, st.sampled_from(SkillLevel), max_size=5),
    languages=st.dictionaries(_languages, st.integers(0, NATIVE), max_size=4),
    country=_countries,
    time_zone=_zones,
    places=st.integers(0, 8),
    load=st.integers(0, 8),
    away_until=st.none() | st.dates(date(2026, 5, 1), date(2026, 5, 8)),
    published=st.booleans(),
    blocked=st.booleans(),
    conflicts=st.frozensets(_partners),
    last_asked=st.none() | st.sampled_from([NOW - timedelta(days=d) for d in range(4)]),
)
_registries = st.lists(_experts, max_size=12, unique_by=lambda e: e.id)


@given(_needs, _registries)
def test_nobody_behind_a_barrier_is_ever_suggested(asked: Need, registry: list[Expert]) -> None:
    suggested = {m.expert.id for m in ranked(asked, *registry)}
    for one in registry:
        free = (
            one.published
            and not one.blocked
            and one.person_id != asked.requester_id
            and (one.away_until is None or one.away_until < TODAY)
            and (not asked.partner_name or asked.partner_name not in one.conflicts)
            and one.load + PLACES[asked.weight] <= one.places
        )
        assert (one.id in suggested) is free


@given(_needs, _registries, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(asked: Need, registry: list[Expert], random: object) -> None:
    shuffled = list(registry)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ranked(asked, *shuffled) == ranked(asked, *registry)


@given(_needs, _experts, _skills, st.sampled_from(SkillLevel))
@settings(max_examples=300)
def test_a_further_skill_never_lowers_the_fit(asked: Need, one: Expert, skill: str, level: SkillLevel) -> None:
    before = ranked(asked, one)
    after = ranked(asked, replace(one, skills={skill: level} | dict(one.skills)))
    assert [m.expert.id for m in before] == [m.expert.id for m in after]
    if before:
        assert after[0].score >= before[0].score


@given(_needs, _registries)
def test_every_match_explains_itself(asked: Need, registry: list[Expert]) -> None:
    for found in ranked(asked, *registry):
        assert 1 <= len(found.reasons) <= 3
        assert 0 <= found.score <= 1
        if found.score not in (0, 0.5):
            assert found.score == pytest.approx(sum(found.parts.values()))


@given(_needs, _experts)
def test_a_missing_must_is_always_said_and_never_above_the_cap(asked: Need, one: Expert) -> None:
    for found in ranked(asked, one):
        if found.caveat and found.caveat.code == "lacks_must":
            assert found.score <= 0.5
            assert asked.skills[str(found.caveat.values[0])]
