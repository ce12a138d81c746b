"""The vocabularies are complete, consistent, and every word has a message."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from babel import Locale

from cphub import taxonomies
from cphub.taxonomies import (
    CARDS,
    COUNTRIES,
    JUSTIFICATION,
    KINDS,
    LANGUAGES,
    MISSING_SERVICES,
    PARTNER_TYPES,
    REGIONS,
    SKILLS,
    STAGES,
    SUGGESTED_SKILLS,
    region_of,
    skills_for_kinds,
)

MESSAGES = Path(__file__).parents[2] / "cphub" / "i18n" / "messages" / "taxonomy"
DATA = Path(taxonomies.__file__).parent

NOT_ISO = {
    *("AC", "CP", "CQ", "DG", "EA", "IC", "TA"),  # parts of a country, reserved at its request
    *("EU", "EZ", "UN", "QO"),  # groupings
    *("XA", "XB", "ZZ"),  # for tests, and "unknown"
}
"""Two-letter territories of CLDR that are no ISO 3166-1 country. XK is none either, yet people live there."""


def every_message() -> list[str]:
    lists = (KINDS, STAGES, PARTNER_TYPES, MISSING_SERVICES, JUSTIFICATION, REGIONS, SKILLS)
    keys = [entry.message for entries in lists for entry in entries.values()]
    keys += [key for card in CARDS.values() for key in (card.message, card.hint)]
    keys += [country.message for country in COUNTRIES.values() if country.message]
    return keys


@pytest.mark.parametrize("language", ["en", "qqq", "fr", "ar"])
def test_every_entry_has_a_message_and_no_message_lies_unused(language: str) -> None:
    messages = json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
    del messages["@metadata"]
    assert set(messages) == set(every_message())
    assert all(text.strip() for text in messages.values())


def test_no_two_entries_share_a_message() -> None:
    assert [key for key, count in Counter(every_message()).items() if count > 1] == []


def test_labels_within_one_list_differ_in_every_language() -> None:
    for language in ("en", "fr", "ar"):
        messages = json.loads((MESSAGES / f"{language}.json").read_text(encoding="utf-8"))
        for entries in (KINDS, STAGES, PARTNER_TYPES, MISSING_SERVICES, REGIONS, SKILLS):
            labels = Counter(messages[entry.message] for entry in entries.values())
            assert [label for label, count in labels.items() if count > 1] == [], language


def test_skill_tree_is_consistent_and_three_deep_at_most() -> None:
    for skill in SKILLS.values():
        assert 1 <= skill.depth <= 3
        assert all(SKILLS[child].parent == skill.code for child in skill.children)
        if skill.parent is None:
            assert skill.depth == 1
        else:
            assert skill.code in SKILLS[skill.parent].children
            assert skill.depth == SKILLS[skill.parent].depth + 1


def test_wikidata_items_are_items_and_used_once() -> None:
    items = [skill.wikidata for skill in SKILLS.values() if skill.wikidata]
    assert all(item[0] == "Q" and item[1:].isdigit() for item in items)
    assert len(items) == len(set(items))


def test_every_kind_suggests_skills_that_exist() -> None:
    assert set(SUGGESTED_SKILLS) == set(KINDS)
    assert {skill for skills in SUGGESTED_SKILLS.values() for skill in skills} <= set(SKILLS)


def test_skills_of_several_kinds_come_once_each_in_order() -> None:
    assert skills_for_kinds(["upload", "metadata", "upload"]) == (
        "upload.batch",
        "upload.naming",
        "metadata.cleaning",
        "metadata.openrefine",
        "metadata.standards",
        "metadata.multilingual",
    )
    assert skills_for_kinds([]) == skills_for_kinds(["no such kind"]) == ()


def test_every_iso_country_is_mapped_and_nothing_else() -> None:
    territories = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
    assert set(COUNTRIES) == territories - NOT_ISO | {taxonomies.GLOBAL}


def test_each_country_stands_in_one_region() -> None:
    written = yaml.safe_load((DATA / "countries.yaml").read_text(encoding="utf-8"))
    codes = Counter(code for line in written.values() for code in line.split())
    assert [code for code, count in codes.items() if count > 1] == []
    assert len(REGIONS) == 8
    assert {country.region for country in COUNTRIES.values()} == {*REGIONS, None}
    assert [code for code, country in COUNTRIES.items() if country.region is None] == [taxonomies.GLOBAL]


@pytest.mark.parametrize(
    ("country", "region"),
    [
        ("NG", "SSA"),
        ("EG", "MENA"),
        ("BD", "SA"),
        ("FJ", "ESEAP"),
        ("TR", "CEECA"),
        ("NO", "NWE"),
        ("BR", "LAC"),
        ("CA", "USCA"),
        ("XK", "CEECA"),
        ("global", None),
        ("ZZ", None),
        ("", None),
        (None, None),
    ],
)
def test_region_of(country: str | None, region: str | None) -> None:
    assert region_of(country) == region


def test_every_language_is_written_once() -> None:
    lines = (DATA / "languages.yaml").read_text(encoding="utf-8").splitlines()
    written = [line.split(":")[0] for line in lines if not line.startswith("#")]
    assert written == sorted(set(written))
    assert written == list(LANGUAGES)
    assert all(language.autonym.strip() for language in LANGUAGES.values())


def test_every_kind_lies_under_exactly_one_card() -> None:
    assert sorted(kind for card in CARDS.values() for kind in card.kinds) == sorted(KINDS)
    for card in CARDS.values():
        assert card.preset
        assert set(card.preset) <= set(card.kinds)
        assert card.stage in STAGES


def test_vocabularies_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        KINDS["ticket"] = KINDS["upload"]  # type: ignore[index]
