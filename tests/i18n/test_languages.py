"""Codes, chains, direction and the browser's wishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cphub.i18n.languages import (
    accepted,
    bcp47,
    direction,
    fallbacks,
    find_locale,
    is_known,
    language,
    normalise,
)


@pytest.mark.parametrize(
    ("code", "chain"),
    [
        ("fr", ()),
        ("fr-ca", ("fr",)),
        ("pt-br", ("pt",)),
        ("pt", ("pt-br",)),
        ("de-at", ("de",)),
        ("en-gb", ("en",)),
        ("als", ("gsw", "de")),
        ("rue", ("uk", "ru")),
        ("zh-hk", ("zh-hant", "zh", "zh-hans")),
        ("zh-mo", ("zh-hk", "zh-hant", "zh", "zh-hans")),
        ("zh", ("zh-hans", "zh-hant")),
        ("zh-hant-tw", ("zh-hant", "zh", "zh-hans")),
        ("be-x-old", ("be-tarask", "be")),
        ("arz", ("ar",)),
        ("qqx", ()),
    ],
)
def test_chain_of_next_best_languages(code: str, chain: tuple[str, ...]) -> None:
    assert fallbacks(code) == chain


@given(st.from_regex(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}", fullmatch=True))
def test_chains_end_and_never_return_to_their_start(code: str) -> None:
    chain = fallbacks(code)
    assert code not in chain
    assert len(chain) == len(set(chain))


def test_written_from_right_to_left() -> None:
    codes = "ar arz azb ckb dv fa glk he ks lrc mzn nqo pnb ps sd ug ur yi ks-arab ku-arab"
    assert {direction(code) for code in codes.split()} == {"rtl"}


@pytest.mark.parametrize("code", ["en", "fr", "ks-deva", "ug-latn", "ku", "zh-hant", "qqx"])
def test_written_from_left_to_right(code: str) -> None:
    assert direction(code) == "ltr"


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("fr", "fr"),
        ("pt-br", "pt-BR"),
        ("zh-hant", "zh-Hant"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("sr-ec", "sr-Cyrl"),
        ("be-x-old", "be-tarask"),
        ("zh-min-nan", "nan"),
        ("es-419", "es-419"),
        ("qqx", "qqx"),
    ],
)
def test_tag_for_html(code: str, tag: str) -> None:
    assert bcp47(code) == tag


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("FR", "fr"),
        ("pt_BR", "pt-br"),
        (" en ", "en"),
        ("", None),
        (None, None),
        ("<script>", None),
        ("a", None),
        ("fr\n-ca", None),
        ("*", None),
        ("en-" + "x" * 50, None),
        ("français", None),
    ],
)
def test_only_what_looks_like_a_code_is_one(raw: str | None, code: str | None) -> None:
    assert normalise(raw) == code


@pytest.mark.parametrize(
    ("code", "locale"),
    [("arz", "ar"), ("zh-hk", "zh_Hant_HK"), ("bar", "de"), ("roa-rup", "en"), ("xx", "en")],
)
def test_language_without_cldr_locale_borrows_that_of_its_chain(code: str, locale: str) -> None:
    assert str(find_locale(code)) == locale


def test_every_shape_of_plural() -> None:
    assert len(language("ja").plural_tags) == 1
    assert language("fr").plural_tags == ("one", "many", "other")
    assert len(language("ar").plural_tags) == 6


def test_small_and_large_numbers_are_written_alike() -> None:
    assert [language("fr").number(n) for n in (0, 7, 999, 1000)] == ["0", "7", "999", "1\u202f000"]
    assert language("de").number(-1234.5) == "-1.234,5"
    assert language("en").number(10**25) == "10000000000000000000000000"


def test_invented_codes_are_not_known() -> None:
    assert is_known("ha")
    assert is_known("arz")
    assert is_known("bar")
    assert not is_known("xx")
    assert not is_known("qqq")


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        (None, ()),
        ("", ()),
        ("fr", ("fr",)),
        ("fr-CA,fr;q=0.8,en;q=0.5", ("fr-ca", "fr", "en")),
        ("en;q=0.5, ar", ("ar", "en")),
        ("de;q=0, en", ("en",)),
        ("de ; q=0.3 , en;q=0.4", ("en", "de")),
        ("*, <script>, fr;q=x, en;q=1", ("en",)),
        ("fr;q=2", ()),
        (",;,;q=1", ()),
        ("en," * 5000 + "fr", ("en",) * 20),
    ],
)
def test_browser_wishes_best_first(header: str | None, codes: tuple[str, ...]) -> None:
    assert accepted(header) == codes


@given(st.text())
def test_no_header_is_an_error(header: str) -> None:
    accepted(header)
