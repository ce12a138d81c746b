"""Whom a text calls: the part of remarkup that acts with the hands of whoever posts it."""

import re

# Where nothing acts: fenced, literal and indented blocks, code in a line, links, addresses.
_CODE_BLOCK = re.compile(r"^[^\S\n]*```.*?(?:```[^\S\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_LITERAL_BLOCK = re.compile(r"^%%%.*?(?:%%%[^\S\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_QUIET = re.compile(r"^[ ]{2,}(?![-*#\[]|\d+[.)]).*$|`[^`\n]+`|\[\[.*?\]\]|https?://\S+", re.MULTILINE)
_MENTION = re.compile(r"(?<![\w&@])@([A-Za-z0-9_.-]*[A-Za-z0-9_-])")
_TASK = re.compile(r"(?<![\w&/.-])T([1-9][0-9]*)\b")


def _acting(text: str) -> str:
    text = re.sub(r"\r\n?", "\n", text)
    for silent in (_CODE_BLOCK, _LITERAL_BLOCK, _QUIET):
        text = silent.sub("", text)
    return text


def mentioned_users(text: str) -> list[str]:
    """The names of those a text would subscribe and notify, in order, each once."""
    return list(dict.fromkeys(_MENTION.findall(_acting(text))))


def mentioned_tasks(text: str) -> list[int]:
    """The numbers of the tasks a text would write a mention on."""
    return [int(number) for number in dict.fromkeys(_TASK.findall(_acting(text)))]
