"""Invented words in several scripts, some of them frequent, as in any language."""

import random
from itertools import accumulate

from cphub.domain.search import document

#: In every tenth request.
FREQUENT = "archive"
#: In every five hundredth.
ORDINARY = "glasshouse"

_SYLLABLES = {
    "latin": ("ka", "me", "to", "ri", "sul", "dan", "ve", "mo", "pe", "lin", "gra", "ho", "é", "st"),
    "cyrillic": ("ба", "ле", "ни", "то", "ра", "ду", "ви", "ко"),
    "arabic": ("با", "كت", "مر", "سل", "ني", "دا", "حو"),
    "tamil": ("கா", "மி", "பு", "தே", "ரா", "வி"),
    "chinese": ("文", "化", "圖", "書", "館", "資", "料", "城"),
}
#: Share of the words in each script.
_SHARES = {"latin": 80, "cyrillic": 5, "arabic": 5, "tamil": 5, "chinese": 5}


class Vocabulary:
    """4,000 words; the n-th is about n times rarer than the first."""

    def __init__(self, seed: int = 1) -> None:
        pick = random.Random(seed)  # noqa: S311 - the same words in every run
        scripts = pick.choices(list(_SHARES), weights=list(_SHARES.values()), k=4_000)
        self._words = ["".join(pick.choices(_SYLLABLES[script], k=pick.randint(2, 4))) for script in scripts]
        self._weights = list(accumulate(1 / (place + 5) for place in range(len(self._words))))
        self._tokens = {word: document(word) for word in (*self._words, FREQUENT, ORDINARY)}

    def word(self, place: int) -> str:
        return self._words[place]

    def words(self, pick: random.Random, count: int) -> list[str]:
        return pick.choices(self._words, cum_weights=self._weights, k=count)

    def document(self, words: list[str]) -> str:
        """What ``cphub.domain.search.document`` makes of the words, which it looks at one by one."""
        return " ".join([self._tokens[word] for word in words])
