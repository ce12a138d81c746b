"""Options of selects and boxes: the vocabularies in the reader's words, in the reader's order."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from cphub.domain.search import normalise
from cphub.i18n import Speaker
from cphub.services.wording import key_of
from cphub.taxonomies import COUNTRIES, GLOBAL, LANGUAGES, Entry

Options = list[tuple[str, str]]

#: Offered first to who is asked for languages; every other one is in the list below them.
_WIDESPREAD = ("en", "fr", "es", "ar", "pt", "ru", "zh", "hi", "sw", "id")


def entries(speaker: Speaker, vocabulary: Mapping[str, Entry]) -> Options:
    """A vocabulary in its own order."""
    return [(entry.code, speaker.text(entry.message)) for entry in vocabulary.values()]


def codes(speaker: Speaker, group: str, among: Iterable[str]) -> Options:
    """Codes named by the messages of a group: ``requests-state-in-review`` for ``in_review``."""
    return [(code, speaker.text(key_of(group, code))) for code in among]


@lru_cache(maxsize=64)
def languages(speaker: Speaker) -> Options:
    """All languages by their names."""
    return _sorted((code, speaker.language_name(code)) for code in LANGUAGES)


@lru_cache(maxsize=64)
def countries(speaker: Speaker) -> Options:
    """All countries by their names; many at once comes first."""
    return [
        (GLOBAL, speaker.country_name(GLOBAL)),
        *_sorted((code, speaker.country_name(code)) for code in COUNTRIES if code != GLOBAL),
    ]


def likely_languages(speaker: Speaker, *first: str | None) -> Options:
    """The few languages worth a box of their own: ``first``, the reader's, and those that many people speak."""
    codes = dict.fromkeys(code for code in (*first, speaker.code, *_WIDESPREAD) if code and code in LANGUAGES)
    return [(code, speaker.language_name(code)) for code in codes]


def _sorted(options: Iterable[tuple[str, str]]) -> Options:
    return sorted(options, key=lambda option: normalise(option[1]))
