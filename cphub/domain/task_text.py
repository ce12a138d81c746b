"""The text of a task on Phabricator: public for ever, so of public fields only, and the words of people are inert.

Remarkup acts with the hands of the bot that posts it: ``@name`` notifies somebody, ``T123`` writes on another task,
``{F1}`` opens a file. Inside a fence nothing acts, provided no fence can be closed from within.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

TITLE_LENGTH = 255  # characters; Phabricator refuses more
BODY_BYTES = 60 * 1024  # its markup takes quadratic time: 64 KiB 0.35 s, 500 kB 8 s

_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CLOSING = re.compile("`(?=``)")
_ZERO_WIDTH_SPACE = "\u200b"
_OPEN, _CLOSE = "```lang=text\n", "\n```"

Wording = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSource:
    """What anybody may see of a request, already worded; None is withheld or not known.

    ``justification``: pairs of a question (a message of ours) and the requester's answer.
    """

    number: int
    title: str
    body: str
    language: str | None = None
    kinds: str | None = None
    partner: str | None = None
    country: str | None = None
    requester: str | None = None
    justification: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TaskText:
    """``title``: one line of at most ``TITLE_LENGTH`` characters; ``description``: at most ``BODY_BYTES`` in UTF-8."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class _Words:
    """Words of people: to be fenced, and cut when there is no room."""

    text: str


def compose(source: TaskSource, *, url: str, word: Wording) -> TaskText:
    """The text of the task for a request; ``url`` is the page of the request and the reference to find the task by.

    ``word`` gives the message of a key. The reference stands in the first line, before any word of a person, so that
    a request that merely mentions another is not taken for it.
    """
    facts = {
        "tasks-text-requester": source.requester,
        "tasks-text-language": source.language,
        "tasks-text-kinds": source.kinds,
        "tasks-text-partner": source.partner,
        "tasks-text-country": source.country,
    }
    lines = [f"{word(key)}: {_one_line(value)}" for key, value in facts.items() if value]
    blocks: list[str | _Words] = [
        f"{word('tasks-text-request')} {url}",
        word("tasks-text-about"),
        *([_Words("\n".join(lines))] if lines else []),
        f"== {word('tasks-text-description')} ==",
        _Words(source.body),
    ]
    answered = [(question, answer) for question, answer in source.justification if answer.strip()]
    if answered:
        blocks.append(f"== {word('tasks-text-justification')} ==")
    for question, answer in answered:
        blocks += [f"=== {_one_line(question)} ===", _Words(answer)]
    blocks.append(f"== {word('tasks-text-review')} ==")
    for part in ("technical", "legal", "risk", "sustainability"):
        blocks += [f"=== {word(f'tasks-text-{part}')} ===", f"[ ] {word(f'tasks-text-{part}-check')}"]
    return TaskText(_title(source, word), _fitted(blocks, word("tasks-text-cut")))


def quote(text: str) -> str:
    """Words of people as a block in which nothing acts, whatever they contain."""
    return f"{_OPEN}{_inert(text)}{_CLOSE}"


def _title(source: TaskSource, word: Wording) -> str:
    title = _one_line(source.title) or f"{word('tasks-text-request')} {source.number}"
    return title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1] + "…"


def _fitted(blocks: Iterable[str | _Words], mark: str) -> str:
    """All blocks, with the words of people cut from the end so that the whole fits; the mark says where."""
    blocks = list(blocks)
    frame = [quote("\n" + mark) if isinstance(block, _Words) else block for block in blocks]
    room = BODY_BYTES - len("\n\n".join(frame).encode())
    written = []
    for block in blocks:
        if isinstance(block, _Words):
            text = _cut(_inert(block.text), room, mark)
            room -= len(text.encode())
            written.append(f"{_OPEN}{text}{_CLOSE}")
        else:
            written.append(block)
    return "\n\n".join(written)


def _cut(text: str, room: int, mark: str) -> str:
    """``room`` in bytes; the mark comes on top of it."""
    encoded = text.encode()
    if len(encoded) <= room:
        return text
    return encoded[: max(room, 0)].decode(errors="ignore") + "\n" + mark


def _inert(text: str) -> str:
    """No fence can be closed by this. The zero-width space keeps what it breaks readable."""
    return _CLOSING.sub(f"`{_ZERO_WIDTH_SPACE}", _clean(text))


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """Line breaks of every kind as ``\\n``; without control characters, some of which the markup uses itself."""
    return _UNPRINTABLE.sub("", _LINE_BREAK.sub("\n", text))
