"""Loading messages, and choosing a language."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cphub.i18n import Catalogue

from .conftest import Write


def test_subjects_are_merged(write: Write) -> None:
    folder = write({"a/en": {"a-x": "A"}, "b/en": {"b-x": "B"}, "a/fr": {"a-x": "Â"}, "a/qqq": {"a-x": ""}})
    catalogue = Catalogue.load(folder)
    assert catalogue.languages == ("en", "fr")
    assert catalogue.speaker("en").msg("a-x") == "A"
    assert catalogue.speaker("en").msg("b-x") == "B"


def test_metadata_is_no_message(write: Write) -> None:
    speaker = Catalogue.load(write({"a/en": {"@metadata": {"authors": ["Asha"]}, "a-x": "A"}})).speaker("en")
    assert not speaker.has("@metadata")


def test_key_defined_twice_is_refused(write: Write) -> None:
    with pytest.raises(ValueError, match="a-x"):
        Catalogue.load(write({"a/en": {"a-x": "A"}, "b/en": {"a-x": "B"}}))


def test_key_defined_twice_in_one_file_is_refused(write: Write) -> None:
    with pytest.raises(ValueError, match="a-x"):
        Catalogue.load(write({"a/en": '{"a-x": "A", "a-x": "B"}'}))


def test_dangerous_translation_drops_to_english_and_is_logged(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    french = {"a-x": "<script>alert(1)</script>", "a-y": "Bé"}
    folder = write({"a/en": {"a-x": "A", "a-y": "B"}, "a/fr": french})
    with caplog.at_level(logging.ERROR):
        speaker = Catalogue.load(folder).speaker("fr")
    assert speaker.msg("a-x") == '<span lang="en" dir="ltr">A</span>'
    assert speaker.msg("a-y") == "Bé"
    assert "a-x" in caplog.text


@pytest.mark.parametrize("content", ["{", "[]", '"x"', "", "[" * 100_000, '{"a-x": 1}', '{"a-x": {"y": "z"}}'])
def test_broken_translation_does_not_stop_the_start(write: Write, content: str) -> None:
    catalogue = Catalogue.load(write({"a/en": {"a-x": "A"}, "a/fr": content}))
    assert catalogue.speaker("fr").text("a-x") == "A"


def test_file_in_another_encoding_does_not_stop_the_start(write: Write) -> None:
    folder = write({"a/en": {"a-x": "A"}, "a/fr": "{}"})
    (folder / "a/fr.json").write_bytes(b'{"a-x": "\xe9"}')
    assert Catalogue.load(folder).speaker("fr").text("a-x") == "A"


def test_file_that_is_no_language_is_left_out(write: Write) -> None:
    assert Catalogue.load(write({"a/en": {"a-x": "A"}, "a/Notes": {"a-x": "B"}})).languages == ("en",)


def test_speaker_is_made_once(shipped: Catalogue) -> None:
    assert shipped.speaker("fr") is shipped.speaker("fr")
    assert shipped.speaker("FR") is shipped.speaker("fr")


@pytest.mark.parametrize("code", ["", "xx", "<script>", "../../etc", "en\n"])
def test_invented_language_speaks_english(shipped: Catalogue, code: str) -> None:
    assert shipped.speaker(code) is shipped.speaker("en")


def test_region_without_messages_keeps_its_own_numbers_and_speaks_its_language(write: Write) -> None:
    speaker = Catalogue.load(write({"a/en": {"a-x": "A"}, "a/de": {"a-x": "$1 Ä"}})).speaker("de-ch")
    assert speaker.lang == "de-CH"
    assert speaker.text("a-x", 1) == "1 Ä"
    assert speaker.number(1234567) == "1’234’567"


@pytest.fixture
def offered(write: Write) -> Catalogue:
    return Catalogue.load(write({f"a/{code}": {"a-x": code} for code in ("en", "fr", "ar", "zh-hans", "pt")}))


@pytest.mark.parametrize(
    ("uselang", "preferred", "accept", "code"),
    [
        (None, None, None, "en"),
        ("fr", "ar", "pt", "fr"),
        (None, "ar", "pt", "ar"),
        (None, None, "pt-BR,fr;q=0.5", "pt"),
        ("fr-ca", None, None, "fr"),
        ("FR", None, None, "fr"),
        ("qqx", "fr", None, "qqx"),
        (None, "qqx", None, "en"),
        (None, None, "qqx", "en"),
        ("qqq", "fr", None, "fr"),
        ("zh-TW", None, None, "zh-hans"),
        (None, None, "zh-Hant-HK", "zh-hans"),
        ("arz", None, None, "ar"),
        ("en-gb", "fr", None, "en"),
        (None, None, "ha, fr;q=0.5", "fr"),
        (None, None, "fr;q=0.2, ar;q=0.9", "ar"),
        (None, None, "fr;q=0", "en"),
        ("<script>alert(1)</script>", None, "fr", "fr"),
        ('"><svg onload=x>', '" onclick="x', "<b>", "en"),
    ],
)
def test_negotiation(
    offered: Catalogue, uselang: str | None, preferred: str | None, accept: str | None, code: str
) -> None:
    assert offered.negotiate(uselang, preferred, accept) == code


@given(st.text(), st.text(), st.text())
def test_negotiation_only_answers_with_offered_languages(uselang: str, preferred: str, accept: str) -> None:
    catalogue = Catalogue({"fr": {}, "ar": {}})
    assert catalogue.negotiate(uselang, preferred, accept) in {*catalogue.languages, "qqx"}


def test_shipped_languages_begin_with_english(shipped: Catalogue) -> None:
    assert shipped.languages[0] == "en"
    assert {"fr", "ar"} <= set(shipped.languages)
    assert "qqq" not in shipped.languages
