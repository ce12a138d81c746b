"""Tokens for full-text search that both databases find, in every script.

The stock full-text indexes split at spaces and drop short words, so they find nothing in Chinese, Japanese or Thai.
Text is therefore cut here: words where a script has spaces, pairs of characters where it has none, each written in
plain ASCII and long enough never to be dropped.
"""

import re
import unicodedata
from collections.abc import Iterator

#: Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Chinese characters, Hangul.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_LONGEST = 40


def normalise(text: str) -> str:
    """Case, width and accents folded away: ``Müller`` and ``MULLER`` are the same word."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    # Marks of scripts from Thai on carry the vowels; only those below are accents.
    kept = "".join(c for c in spread if not (unicodedata.combining(c) and c < "\u0e00"))
    return unicodedata.normalize("NFC", kept)


def tokens(text: str) -> Iterator[str]:
    """The tokens of a text, in order, with repetitions; each is ASCII and three characters or longer."""
    for run in _RUN.findall(normalise(text)):
        if re.match(rf"[{_UNSPACED}]", run):
            pairs = [run[i : i + 2] for i in range(len(run) - 1)] or [run]
            yield from ("u" + "".join(f"{ord(c):04x}" for c in pair) for pair in pairs)
        elif run.isascii():
            # MariaDB leaves out "where" and "with"; no word with a z is among those.
            yield "z" + run[:_LONGEST].ljust(2, "0")
        else:
            yield "x" + run[: _LONGEST // 2].encode("utf-8").hex()


def document(*texts: str) -> str:
    """The stored form of some texts."""
    return " ".join(token for text in texts for token in tokens(text))


def words(query: str, limit: int = 8) -> list[list[str]]:
    """What a query asks for: each inner list is a phrase of tokens that must all occur, in order."""
    found = []
    for run in _RUN.findall(normalise(query)):
        phrase = list(tokens(run))
        if phrase and phrase not in found:
            found.append(phrase)
    return found[:limit]
