"""The one who talks to a reader: messages, numbers, dates and names in one language.

A page asks hundreds of times, so messages without parameters are kept ready as finished Markup.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from logging import getLogger
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import (
    format_date,
    format_time,
    format_timedelta,
    get_datetime_format,
    get_timezone_location,
    get_timezone_name,
)
from babel.lists import format_list
from markupsafe import Markup, escape

from cphub.i18n import banana
from cphub.i18n.languages import Language, Number, bcp47, normalise, own_locale
from cphub.taxonomies import COUNTRIES, LANGUAGES

log = getLogger(__name__)

Messages = Mapping[str, banana.Tree]
_ENGLISH = Locale("en")


class Speaker:
    """Speaks one language, and the languages of its fallback chain where a message is not translated."""

    def __init__(self, language: Language, chain: Sequence[tuple[Language, Messages]]) -> None:
        """`chain`: languages that have messages, best first, English last."""
        self.code = language.code
        self.lang = language.lang
        self.dir = language.dir
        self._language = language
        self._locale = language.locale
        self._chain = tuple(chain)
        self._ready: dict[str, Markup] = {}
        self._ready_text: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Speaker {self.code}>"

    # Messages

    def msg(self, key: str, *params: object) -> Markup:
        """The message as HTML. Parameters are escaped unless they are Markup; numbers are written the local
        way.

        Text from another language comes in a `<span lang dir>`, so inside `<title>`, `<option>` or an
        attribute use `text`. An unknown key shows as `⧼key⧽` and is logged."""
        ready = self._ready.get(key)
        return ready if ready is not None else self._msg(key, params)

    def text(self, key: str, *params: object) -> str:
        """The message as plain text, not escaped: for attributes (which Jinja escapes) and for mail."""
        ready = self._ready_text.get(key)
        return ready if ready is not None else self._text(key, params)

    def has(self, key: str) -> bool:
        """Whether there is such a message, in this language or one it falls back to."""
        return self._find(key) is not None

    def _find(self, key: str) -> tuple[banana.Tree, Language] | None:
        for language, messages in self._chain:
            tree = messages.get(key)
            if tree is not None:
                return tree, language
        return None

    def _msg(self, key: str, params: Sequence[object]) -> Markup:
        found = self._find(key)
        if not found:
            return escape(_unknown(key))
        tree, language = found
        html = Markup(banana.render(tree, params, language))  # noqa: S704 - render escapes
        if language.code != self.code:
            html = Markup('<span lang="{}" dir="{}">{}</span>').format(language.lang, language.dir, html)
        if _is_fixed(tree):
            self._ready[key] = html
        return html

    def _text(self, key: str, params: Sequence[object]) -> str:
        found = self._find(key)
        if not found:
            return _unknown(key)
        tree, language = found
        text = banana.render(tree, params, language, plain=True)
        if _is_fixed(tree):
            self._ready_text[key] = text
        return text

    # Numbers and time

    def number(self, n: Number) -> str:
        return self._language.number(n)

    def date(self, d: dt.date | dt.datetime, zone: str | None = None) -> str:
        """A day, such as "21 nov. 2026". A datetime is first moved to the IANA `zone` (UTC when None)."""
        day = _local(d, zone).date() if isinstance(d, dt.datetime) else d
        return _date(self._locale, day)

    def datetime(self, moment: dt.datetime, zone: str | None = None) -> str:
        """Day and time to the minute. Says "UTC" when no zone is known, for the reader's clock may differ."""
        pattern = str(get_datetime_format("medium", locale=self._locale)).replace("'", "")
        return pattern.format(self.time(moment, zone), self.date(moment, zone))

    def time(self, moment: dt.datetime, zone: str | None = None) -> str:
        """Hour and minute, with "UTC" when no zone is known."""
        local = _local(moment, zone)
        clock = _time(self._locale, local.hour, local.minute)
        return clock if _zone(zone) else f"{clock} UTC"

    def duration(self, span: dt.timedelta) -> str:
        """The two largest units, such as "1 d 4 h"; the sign is left to the sentence around it."""
        minutes = int(abs(span).total_seconds() // 60)
        units = (
            ("common-duration-days", minutes // 1440),
            ("common-duration-hours", minutes // 60 % 24),
            ("common-duration-minutes", minutes % 60),
        )
        first = next((place for place, (_, n) in enumerate(units) if n), None)
        if first is None:
            return self.text("common-duration-moment")
        # Minutes say nothing beside days: the second unit is the very next one, or none.
        said = [self.text(key, n) for key, n in units[first : first + 2] if n]
        return said[0] if len(said) == 1 else self.text("common-duration-two", *said)

    def ago(self, moment: dt.datetime, now: dt.datetime) -> str:
        """How long ago, or in how long: "3 days ago", "in 2 hours", "just now" within a minute."""
        span = _aware(moment) - _aware(now)
        if abs(span) < dt.timedelta(minutes=1):
            return self.text("common-just-now")
        # Beside days minutes do not matter.
        step = dt.timedelta(hours=1) if abs(span) > dt.timedelta(days=2) else dt.timedelta(minutes=1)
        return _ago(self._locale, round(span / step) * step)

    # Names and lists

    def language_name(self, code: str) -> str:
        """The language's name in the reader's language, else in its own, else the code."""
        name = _cldr_language_name(self._locale, code)
        return name or self.autonym(code)

    def autonym(self, code: str) -> str:
        """The language's name in itself, else the code."""
        return _autonym(code)

    def country_name(self, code: str) -> str:
        """The name of an ISO 3166-1 country in the reader's language, else in English, else the code."""
        entry = COUNTRIES.get(code)
        if entry and entry.message:
            return self.text(entry.message)
        territory = code.upper()
        return self._locale.territories.get(territory) or _ENGLISH.territories.get(territory) or code

    def zone_name(self, zone: str, at: dt.datetime) -> str:
        """A time zone as people know it: distance from UTC at that moment, name, and a city that has it.

        A zone that is unknown here keeps its name."""
        known = _zone(zone)
        if known is None:
            return zone
        offset = f"{_local(at, zone):%z}"
        # Left to right, for a sign stands before its number in every script.
        away = f"\u2066UTC{offset[:3]}:{offset[3:]}\u2069"
        if "/" not in zone or zone.startswith("Etc/"):
            return away  # it is in no place
        city = get_timezone_location(known, locale=self._locale, return_city=True)
        return f"{away} {get_timezone_name(known, 'long', locale=self._locale)} ({city})"

    def list(self, items: Sequence[object]) -> Markup:
        """The items in a row the local way: "a, b and c". Escaped unless Markup."""
        escaped = [str(escape(item)) for item in items]
        return Markup(format_list(escaped, locale=self._locale))  # noqa: S704


class KeySpeaker(Speaker):
    """Speaks `qqx`: shows which message stands where, for translators."""

    def _msg(self, key: str, params: Sequence[object]) -> Markup:
        inside = Markup(", ").join(map(escape, params))
        return Markup("({}: {})").format(key, inside) if params else Markup("({})").format(key)

    def _text(self, key: str, params: Sequence[object]) -> str:
        inside = ", ".join(map(str, params))
        return f"({key}: {inside})" if params else f"({key})"


def _is_fixed(tree: banana.Tree) -> bool:
    return all(isinstance(node, banana.Text) for node in tree)


# Babel takes long over each of these, and a page shows many; other readers' pages show the same again.


@lru_cache(maxsize=4096)
def _date(locale: Locale, day: dt.date) -> str:
    return format_date(day, "medium", locale=locale)


@lru_cache(maxsize=4096)
def _time(locale: Locale, hour: int, minute: int) -> str:
    return format_time(dt.time(hour, minute), "short", locale=locale)


@lru_cache(maxsize=4096)
def _ago(locale: Locale, span: dt.timedelta) -> str:
    return format_timedelta(span, threshold=1, add_direction=True, locale=locale)


def _unknown(key: str) -> str:
    log.warning("no message %r", key)
    return f"⧼{key}⧽"


def _aware(moment: dt.datetime) -> dt.datetime:
    """Times without a zone are UTC: some databases drop it."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _local(moment: dt.datetime, zone: str | None) -> dt.datetime:
    return _aware(moment).astimezone(_zone(zone) or dt.UTC)


@lru_cache(maxsize=1024)
def _zone(name: str | None) -> ZoneInfo | None:
    """None also for a zone that is unknown here: zones are renamed, and no page should fail because of it."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.warning("unknown time zone %r", name)
        return None


def _cldr_language_name(locale: Locale, code: str) -> str | None:
    normal = normalise(code)
    if not normal:
        return None
    tag = bcp47(normal)
    return locale.languages.get(tag.replace("-", "_"))


@lru_cache(maxsize=1024)
def _autonym(code: str) -> str:
    normal = normalise(code)
    if not normal:
        return code
    if normal in LANGUAGES:
        return LANGUAGES[normal].autonym
    locale = own_locale(normal)
    if not locale:
        return code
    return _cldr_language_name(locale, normal) or locale.get_display_name(locale) or code
