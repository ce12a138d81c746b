"""What the tool knows about languages that Babel does not: Wikimedia codes, what to fall back to, direction.

Wikimedia language codes are nearly, but not quite, BCP 47 tags, and half of them have no CLDR locale.
Everything else here speaks in those codes, in lower case with hyphens (`pt-br`, `zh-hant`).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from cphub.taxonomies import LANGUAGES

Number = int | float | Decimal
Direction = Literal["ltr", "rtl"]

_CODE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,3}")
_ACCEPTED_AT_MOST = 20

# The reader's next best language, after MediaWiki's own chains; further steps by following the table.
_FALLS_BACK_TO = {
    "ar": "arz ary aeb-arab",
    "bho": "bh",
    "bn": "bpy",
    "be-tarask": "be-x-old",
    "ckb": "ku-arab",
    "da": "jut kl",
    "de": "bar de-at de-ch de-formal dsb frr gsw hsb ksh lb nds pdc pdt pfl sli stq vmf",
    "es": "an arn ay cbk-zam gn lad nah qu",
    "et": "liv vep vro",
    "fa": "azb bcc bqi glk mzn",
    "fi": "fit vot",
    "fr": "bm ff frc frp ht ln mg pcd sg ty wa wo",
    "gsw": "als",
    "he": "yi",
    "hi": "anp mai sa",
    "hif-latn": "hif",
    "hy": "hyw",
    "id": "ace bjn bug jv min su",
    "ike-cans": "iu",
    "it": "egl eml fur lij lmo nap pms rgn scn vec",
    "jv": "map-bms",
    "ka": "xmf",
    "kk-arab": "kk-cn",
    "kk-cyrl": "kk kk-arab kk-kz kk-latn",
    "kk-latn": "kaa kk-tr",
    "kn": "tcy",
    "ks-arab": "ks",
    "ku-latn": "ku",
    "lt": "sgs",
    "lv": "ltg",
    "lzh": "zh-classical",
    "ms": "dtp",
    "nan": "zh-min-nan",
    "nb": "no",
    "nl": "li nds-nl nl-informal srn vls zea",
    "pl": "csb szl",
    "pnb": "lah",
    "pt": "gl mwl pt-br",
    "pt-br": "pt",
    "ro": "mo rmy ruq",
    "ru": "ab av ba ce crh-cyrl cv inh koi krc kv lbe lez mhr mrj myv os sah tt-cyrl udm uk xal",
    "rup": "roa-rup",
    "sgs": "bat-smg",
    "sq": "aln",
    "sr-ec": "sr",
    "tg-cyrl": "tg",
    "tl": "fil",
    "tr": "gag kiu lzz",
    "tt-cyrl": "tt",
    "ug-arab": "ug",
    "uk": "rue",
    "ur": "khw pnb skr",
    "vro": "fiu-vro",
    "yue": "zh-yue",
    "zh": "zh-hans zh-hant",
    "zh-hans": "gan-hans ii wuu za zh zh-cn zh-my zh-sg",
    "zh-hant": "zh-tw zh-hk gan hak lzh nan yue",
    "zh-hk": "zh-mo",
}

# Where the second best is not the end of the line.
_FURTHER = {
    "zh": ("zh-hant",),
    "zh-hans": ("zh-hant",),
    "zh-hant": ("zh-hans",),
}


def _chains() -> dict[str, tuple[str, ...]]:
    chains: dict[str, tuple[str, ...]] = {}
    for target, codes in _FALLS_BACK_TO.items():
        for code in codes.split():
            chains[code] = (*chains.get(code, ()), target)
    return chains | {code: (*chains.get(code, ()), *more) for code, more in _FURTHER.items()}


_CHAINS = _chains()

_RTL = frozenset(
    {
        "acm",
        "aeb",
        "apc",
        "ar",
        "ary",
        "arz",
        "azb",
        "bcc",
        "bgn",
        "bqi",
        "ckb",
        "dv",
        "fa",
        "glk",
        "he",
        "khw",
    }
    | {"ks", "lah", "lrc", "mzn", "nqo", "pnb", "ps", "sd", "sdh", "skr", "ug", "ur", "yi"}
)
_RTL_SCRIPTS = frozenset({"arab", "hebr", "nkoo", "syrc", "thaa"})

# Wikimedia codes that are no BCP 47 tag, or mean another language there. Source: MediaWiki's LanguageCode.
_BCP47 = {
    "als": "gsw",
    "bat-smg": "sgs",
    "be-x-old": "be-tarask",
    "bh": "bho",
    "cbk-zam": "cbk",
    "de-formal": "de-x-formal",
    "eml": "egl",
    "fiu-vro": "vro",
    "map-bms": "jv-x-bms",
    "mo": "ro-Cyrl-MD",
    "nl-informal": "nl-x-informal",
    "nrm": "nrf",
    "roa-rup": "rup",
    "sr-ec": "sr-Cyrl",
    "sr-el": "sr-Latn",
    "zh-classical": "lzh",
    "zh-min-nan": "nan",
    "zh-yue": "yue",
}

_CLDR_ORDER = ("zero", "one", "two", "few", "many", "other")


@dataclass(frozen=True, slots=True)
class Language:
    """One language as text needs it: tag for HTML, direction, numbers and plural forms."""

    code: str
    lang: str
    dir: Direction
    locale: Locale
    plural_tags: tuple[str, ...]

    def number(self, value: Number) -> str:
        """The number with this language's separators, in Western digits (Babel has no others)."""
        if isinstance(value, int) and 0 <= value < 1000:  # most numbers on a page, and Babel is slow
            return str(int(value))
        return _decimal(value, self.locale)

    def plural(self, value: Number) -> int:
        """Which form of a PLURAL fits, counted from 0 in CLDR's order (zero, one, two, few, many, other)."""
        return self.plural_tags.index(self.locale.plural_form(value))


@lru_cache(maxsize=4096)
def _decimal(value: Number, locale: Locale) -> str:
    try:
        return format_decimal(value, locale=locale)
    except InvalidOperation:  # beyond 25 digits; a page must not fail because of a silly number
        return str(value)


@lru_cache(maxsize=1024)
def language(code: str) -> Language:
    """The language of a normalised code; `qqx`, the language of message keys, counts as English."""
    locale = find_locale(code)
    tags = locale.plural_form.tags | {"other"}
    return Language(
        code=code,
        lang=bcp47(code),
        dir=direction(code),
        locale=locale,
        plural_tags=tuple(tag for tag in _CLDR_ORDER if tag in tags),
    )


def normalise(code: str | None) -> str | None:
    """The code in lower case with hyphens, or None for what cannot be a language code."""
    candidate = (code or "").strip().lower().replace("_", "-")
    return candidate if _CODE.fullmatch(candidate) else None


@lru_cache(maxsize=1024)
def fallbacks(code: str) -> tuple[str, ...]:
    """Languages to try after this one, best first. English is the end of every chain and only named where it
    is the natural next step (`en-gb`)."""
    found: dict[str, None] = {}
    todo = deque([code])
    while todo:
        here = todo.popleft()
        parent = here.rpartition("-")[0]
        for further in _CHAINS.get(here) or ((parent,) if parent else ()):
            if further != code and further not in found:
                found[further] = None
                todo.append(further)
    return tuple(found)


def direction(code: str) -> Direction:
    """A script in the code decides (`ks-deva`), otherwise the language does."""
    primary, *rest = code.split("-")
    script = next((part for part in rest if len(part) == 4), None)
    if script:
        return "rtl" if script in _RTL_SCRIPTS else "ltr"
    return "rtl" if primary in _RTL else "ltr"


def bcp47(code: str) -> str:
    """The tag for the HTML attribute `lang`: `zh-hant` is `zh-Hant`, `be-x-old` is `be-tarask`."""
    if code in _BCP47:
        return _BCP47[code]
    primary, *rest = code.split("-")
    return "-".join([primary, *(_bcp47_part(part) for part in rest)])


def _bcp47_part(part: str) -> str:
    """Regions are written in capitals and scripts with one; HTML does not care, CLDR does."""
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part


def own_locale(code: str) -> Locale | None:
    """CLDR's locale of exactly this language, if there is one."""
    try:
        return Locale.parse(bcp47(code), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def find_locale(code: str) -> Locale:
    """CLDR's locale of this language or of the first one in its chain that has one."""
    for candidate in (code, *fallbacks(code)):
        if locale := own_locale(candidate):
            return locale
    return Locale("en")


def is_known(code: str) -> bool:
    """Whether this is a language the tool could address somebody in, and not an invented code."""
    return code in _CHAINS or code in LANGUAGES or own_locale(code) is not None


def accepted(header: str | None) -> tuple[str, ...]:
    """The languages of an Accept-Language header, best first, without what is malformed or refused (q=0)."""
    wishes: list[tuple[float, str]] = []
    for part in (header or "").split(",")[:_ACCEPTED_AT_MOST]:
        tag, *settings = part.split(";")
        code = normalise(tag)
        quality = _quality(settings)
        if code and quality > 0:
            wishes.append((quality, code))
    return tuple(code for _, code in sorted(wishes, key=lambda wish: -wish[0]))


def _quality(settings: list[str]) -> float:
    for setting in settings:
        name, _, value = setting.partition("=")
        if name.strip() == "q":
            return float(value) if re.fullmatch(r"\s*[01](?:\.\d{0,3})?\s*", value) else 0.0
    return 1.0
