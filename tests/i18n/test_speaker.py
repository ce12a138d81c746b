"""What a reader is told: messages, numbers, times and names."""

import datetime as dt
import logging
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from cphub.i18n import Catalogue, Speaker

from .conftest import Write

NOON = dt.datetime(2026, 11, 21, 12, 5, tzinfo=dt.UTC)


@pytest.fixture
def catalogue(write: Write) -> Catalogue:
    return Catalogue.load(
        write(
            {
                "a/en": {
                    "a-hello": "Hello, <b>$1</b>",
                    "a-left": "R&D",
                    "a-files": "{{PLURAL:$1|$1 file|$1 files}}",
                },
                "a/fr": {"a-hello": "Bonjour, <b>$1</b>"},
                "a/ar": {"a-left": "تطوير"},
            }
        )
    )


@pytest.fixture(scope="session")
def en(shipped: Catalogue) -> Speaker:
    return shipped.speaker("en")


@pytest.fixture(scope="session")
def fr(shipped: Catalogue) -> Speaker:
    return shipped.speaker("fr")


@pytest.fixture(scope="session")
def ar(shipped: Catalogue) -> Speaker:
    return shipped.speaker("ar")


def test_message_is_markup_and_text_is_not(catalogue: Catalogue) -> None:
    speaker = catalogue.speaker("en")
    assert speaker.msg("a-hello", "<i>") == Markup("Hello, <b>&lt;i&gt;</b>")
    assert isinstance(speaker.msg("a-hello", "x"), Markup)
    assert speaker.text("a-hello", "<i>") == "Hello, <i>"
    assert not isinstance(speaker.text("a-left"), Markup)
    assert speaker.text("a-left") == "R&D"
    assert speaker.msg("a-left") == Markup("R&amp;D")


def test_text_of_another_language_says_which(catalogue: Catalogue) -> None:
    speaker = catalogue.speaker("ar")
    assert (speaker.lang, speaker.dir, speaker.code) == ("ar", "rtl", "ar")
    assert speaker.msg("a-left") == "تطوير"
    assert speaker.msg("a-hello", "<i>") == '<span lang="en" dir="ltr">Hello, <b>&lt;i&gt;</b></span>'
    assert speaker.text("a-hello", "you") == "Hello, you"


def test_text_of_another_language_counts_as_that_language_does(catalogue: Catalogue) -> None:
    assert catalogue.speaker("fr").text("a-files", 0) == "0 files"
    assert catalogue.speaker("fr").text("a-files", 1234) == "1,234 files"


def test_same_answer_the_second_time(catalogue: Catalogue) -> None:
    speaker = catalogue.speaker("fr")
    assert speaker.msg("a-left") == speaker.msg("a-left") == '<span lang="en" dir="ltr">R&amp;D</span>'
    assert speaker.text("a-left") == speaker.text("a-left") == "R&D"


def test_unknown_key_is_seen_and_logged(catalogue: Catalogue, caplog: pytest.LogCaptureFixture) -> None:
    speaker = catalogue.speaker("en")
    assert speaker.msg("a-<nothing>") == "⧼a-&lt;nothing&gt;⧽"
    assert speaker.text("a-nothing") == "⧼a-nothing⧽"
    assert not speaker.has("a-nothing")
    assert speaker.has("a-left")
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_qqx_shows_keys(catalogue: Catalogue) -> None:
    speaker = catalogue.speaker("qqx")
    assert (speaker.code, speaker.lang, speaker.dir) == ("qqx", "qqx", "ltr")
    assert speaker.msg("a-left") == "(a-left)"
    assert speaker.msg("a-hello", "<i>", 2, Markup("<b>x</b>")) == "(a-hello: &lt;i&gt;, 2, <b>x</b>)"
    assert speaker.text("a-hello", "<i>", 2) == "(a-hello: <i>, 2)"
    assert speaker.msg("<script>") == "(&lt;script&gt;)"
    assert speaker.has("a-left")
    assert not speaker.has("a-nothing")
    assert speaker.number(1234) == "1,234"


@given(st.text())
def test_no_text_becomes_a_tag(shipped: Catalogue, text: str) -> None:
    for code in ("en", "ar", "qqx"):
        speaker = shipped.speaker(code)
        assert "<" not in speaker.msg("common-duration-two", text, text)
        assert "<" not in speaker.list([text, text])


def test_ready_messages_cost_next_to_nothing(en: Speaker) -> None:
    microseconds = min(timeit.repeat(lambda: en.msg("common-save"), number=5000, repeat=5)) / 5000 * 1e6
    assert microseconds < 3


def test_dates_and_times_the_local_way(en: Speaker, fr: Speaker, ar: Speaker) -> None:
    assert en.date(dt.date(2026, 11, 21)) == "Nov 21, 2026"
    assert fr.date(dt.date(2026, 11, 21)) == "21 nov. 2026"
    assert "2026" in ar.date(NOON)
    assert en.time(NOON, "Africa/Lagos") == "1:05\u202fPM"
    assert fr.time(NOON, "Africa/Lagos") == "13:05"
    assert fr.datetime(NOON, "Africa/Lagos") == "21 nov. 2026, 13:05"


def test_time_without_a_zone_says_utc(fr: Speaker) -> None:
    assert fr.time(NOON) == "12:05 UTC"
    assert fr.datetime(NOON) == "21 nov. 2026, 12:05 UTC"
    assert fr.datetime(NOON.replace(tzinfo=None)) == "21 nov. 2026, 12:05 UTC"


def test_date_is_that_of_the_zone(fr: Speaker) -> None:
    late = dt.datetime(2026, 11, 21, 23, 30, tzinfo=dt.UTC)
    assert fr.date(late) == "21 nov. 2026"
    assert fr.date(late, "Asia/Dhaka") == "22 nov. 2026"
    assert fr.date(late.astimezone(dt.timezone(dt.timedelta(hours=5)))) == "21 nov. 2026"


@pytest.mark.parametrize("zone", ["Nowhere/City", "../../etc/passwd", "/etc/passwd", "", "\0"])
def test_unknown_zone_is_utc(fr: Speaker, zone: str) -> None:
    assert fr.time(NOON, zone) == "12:05 UTC"


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/Lima", "\u2066UTC-05:00\u2069 heure du Pérou (Lima)"),
        ("Asia/Kathmandu", "\u2066UTC+05:45\u2069 heure : Népal (Kathmandu)"),
        ("UTC", "\u2066UTC+00:00\u2069"),
        ("Etc/GMT+3", "\u2066UTC-03:00\u2069"),
        ("Nowhere/City", "Nowhere/City"),
    ],
)
def test_time_zone_is_named_as_people_know_it(fr: Speaker, zone: str, name: str) -> None:
    assert fr.zone_name(zone, NOON) == name


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (dt.timedelta(), "less than a minute"),
        (dt.timedelta(seconds=59), "less than a minute"),
        (dt.timedelta(minutes=1), "1 min"),
        (dt.timedelta(hours=4), "4 h"),
        (dt.timedelta(hours=4, minutes=30), "4 h 30 min"),
        (dt.timedelta(days=1, hours=4, minutes=3), "1 d 4 h"),
        (dt.timedelta(days=2, minutes=3), "2 d"),
        (dt.timedelta(days=1200), "1,200 d"),
        (-dt.timedelta(days=1, hours=4), "1 d 4 h"),
    ],
)
def test_durations_are_short(en: Speaker, span: dt.timedelta, said: str) -> None:
    assert en.duration(span) == said


def test_durations_in_arabic_have_their_dual(ar: Speaker) -> None:
    assert ar.duration(dt.timedelta(days=2, hours=3)) == "يومان و3 ساعات"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (dt.timedelta(seconds=20), "just now"),
        (dt.timedelta(seconds=-20), "just now"),
        (dt.timedelta(minutes=5), "5 minutes ago"),
        (dt.timedelta(hours=23), "23 hours ago"),
        (dt.timedelta(days=3), "3 days ago"),
        (dt.timedelta(days=-3), "in 3 days"),
    ],
)
def test_how_long_ago(en: Speaker, span: dt.timedelta, said: str) -> None:
    assert en.ago(NOON - span, NOON) == said
    assert en.ago((NOON - span).replace(tzinfo=None), NOON) == said


def test_how_long_ago_in_other_languages(fr: Speaker, ar: Speaker) -> None:
    assert fr.ago(NOON - dt.timedelta(days=3), NOON) == "il y a 3 jours"
    assert ar.ago(NOON - dt.timedelta(days=2), NOON) == "قبل يومين"


def test_names_of_languages(en: Speaker, fr: Speaker, ar: Speaker) -> None:
    assert fr.language_name("ha") == "haoussa"
    assert en.language_name("pt-br") == "Brazilian Portuguese"
    assert en.language_name("zh-hant") == "Traditional Chinese"
    assert ar.language_name("fr") == "الفرنسية"
    assert en.language_name("pwn") == "pinayuanan"
    assert en.language_name("xx") == "xx"
    assert en.language_name("<script>") == "<script>"


def test_names_of_languages_in_themselves(en: Speaker) -> None:
    assert en.autonym("fr") == "français"
    assert en.autonym("ar") == "العربية"
    assert en.autonym("arz") == "مصرى"
    assert en.autonym("pt-br") == "português do Brasil"
    assert en.autonym("de-at") == "Österreichisches Deutsch"
    assert en.autonym("fr-be") == "français (Belgique)"
    assert en.autonym("zh-hant") == "中文（繁體）"
    assert en.autonym("xx") == "xx"


def test_names_of_countries(en: Speaker, fr: Speaker) -> None:
    assert fr.country_name("CI") == "Côte d’Ivoire"
    assert fr.country_name("de") == "Allemagne"
    assert en.country_name("XYZ") == "XYZ"


def test_lists(en: Speaker, fr: Speaker) -> None:
    assert en.list([]) == ""
    assert en.list(["a"]) == "a"
    assert fr.list(["a", "b", "c"]) == "a, b et c"
    assert en.list(["<a>", Markup("<b>b</b>"), "{0}"]) == "&lt;a&gt;, <b>b</b>, and {0}"
