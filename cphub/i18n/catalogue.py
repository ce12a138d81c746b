"""All messages in all languages, read once when the tool starts, and the choice of the reader's language.

A translation nobody here has read must not be able to stop the tool or harm a reader: what is broken or
dangerous is logged and left out, and readers see the next language of the chain. `check` refuses the same
things loudly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from logging import getLogger
from pathlib import Path

from cphub.i18n import banana
from cphub.i18n.languages import accepted, fallbacks, is_known, language, normalise
from cphub.i18n.speaker import KeySpeaker, Messages, Speaker

log = getLogger(__name__)

MESSAGES = Path(__file__).parent / "messages"
SOURCE = "en"
DOCUMENTATION = "qqq"
KEYS = "qqx"


class DuplicateKey(ValueError):
    """One key with two meanings: somebody would see the wrong one."""


class Catalogue:
    """Messages by language. Immutable but for its cache of speakers, so one serves every thread."""

    def __init__(self, messages: Mapping[str, Messages]) -> None:
        self._messages = {SOURCE: {}, **messages}
        self._speakers: dict[str, Speaker] = {}
        self.languages = (SOURCE, *sorted(set(self._messages) - {SOURCE}))

    @classmethod
    def load(cls, folder: Path | None = None) -> Catalogue:
        """Reads `<folder>/<subject>/<code>.json`. Raises DuplicateKey (a ValueError) for a key defined twice
        in a language; anything else that is wrong with a message is logged and leaves it out."""
        messages: dict[str, dict[str, banana.Tree]] = {}
        for path in message_files(folder or MESSAGES):
            code = path.stem
            if code == DOCUMENTATION:
                continue
            if normalise(code) != code:
                log.error("%s: not the name of a language", path)
                continue
            for key, tree in _usable(path):
                if key in messages.setdefault(code, {}):
                    raise DuplicateKey(f"{path}: {key} is already defined in another file")
                messages[code][key] = tree
        return cls(messages)

    def speaker(self, code: str) -> Speaker:
        """The speaker of a language, the same each time; English for what is no language."""
        speaker = self._speakers.get(code)
        return speaker if speaker else self._nearest_speaker(code)

    def negotiate(self, uselang: str | None, preferred: str | None, accept_language: str | None) -> str:
        """The language to speak, from the address's `uselang`, the reader's setting and the browser's wishes.

        Each wish is met by the nearest language of its chain that has messages; a wish that nothing meets
        gives way to the next one, and the last to English. `qqx` only comes from the address."""
        if uselang == KEYS:
            return KEYS
        for wish in (normalise(uselang), normalise(preferred), *accepted(accept_language)):
            for code in (wish, *fallbacks(wish)) if wish else ():
                if code in self._messages:
                    return code
        return SOURCE

    def _nearest_speaker(self, wish: str) -> Speaker:
        # Only codes of real languages are kept, so that invented ones cannot fill the memory.
        normal = normalise(wish) or SOURCE
        for code in (normal, *fallbacks(normal)):
            if code == KEYS or code in self._messages or is_known(code):
                break
        else:
            code = SOURCE
        if code not in self._speakers:
            self._speakers[code] = self._make_speaker(code)
        return self._speakers[code]

    def _make_speaker(self, code: str) -> Speaker:
        chain = dict.fromkeys((code, *fallbacks(code), SOURCE))
        voices = [(language(link), self._messages[link]) for link in chain if link in self._messages]
        return (KeySpeaker if code == KEYS else Speaker)(language(code), voices)


def message_files(folder: Path) -> list[Path]:
    """Every `<subject>/<code>.json`, in a steady order."""
    return sorted(folder.glob("*/*.json"))


def read_messages(path: Path) -> dict[str, object]:
    """The messages of one file without its `@metadata`, not looked at yet.

    Raises DuplicateKey, OSError, or ValueError when it is not a JSON object."""
    content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_object)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return {key: value for key, value in content.items() if not key.startswith("@")}


def parse_message(source: object) -> banana.Tree:
    """Raises BananaError."""
    if not isinstance(source, str):
        raise banana.BananaError("not a text")
    return banana.parse(source)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content: dict[str, object] = {}
    for key, value in pairs:
        if key in content:
            raise DuplicateKey(f"{key} is defined twice in the same file")
        content[key] = value
    return content


def _usable(path: Path) -> Iterator[tuple[str, banana.Tree]]:
    try:
        sources = read_messages(path)
    except DuplicateKey:
        raise
    except (OSError, ValueError, RecursionError) as error:
        log.error("%s cannot be read, its messages are left out: %s", path, error)
        return
    for key, source in sources.items():
        try:
            yield key, parse_message(source)
        except banana.BananaError as error:
            log.error("%s: %s is left out: %s", path, key, error)
