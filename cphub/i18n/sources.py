"""What code and templates say: which messages they ask for, and which words they should have asked for.

Reads the repository's files as text and syntax trees; nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import do, loopcontrols

from cphub.taxonomies import (
    CARDS,
    COUNTRIES,
    JUSTIFICATION,
    KINDS,
    MISSING_SERVICES,
    PARTNER_TYPES,
    REGIONS,
    SKILLS,
    STAGES,
)

# Calls that name messages: the speaker's methods with their first argument, and the errors readers are told.
_SPEAKING = {"msg", "text", "has"}
_TELLING = {"Invalid", "Forbidden", "NotFound", "Conflict"}
_SPOKEN_ATTRIBUTES = {"placeholder", "title", "alt", "aria-label", "aria-description", "aria-roledescription"}
_SILENT_ELEMENTS = {"script", "style", "code", "kbd", "pre"}

_KEY = re.compile(r"[a-z_]+-[\w:.-]*\w")
# `key_of("requests-state", state)` builds a key, in code and templates alike (see cphub.services.wording).
_GROUP = re.compile(r"\bkey_of\(\s*[\"']([a-z_]+(?:-[a-z-]+)?)[\"']")
_BUILDING = "key_of"
_PREFIX = re.compile(r"\b([a-z_]+-[\w:-]+-)(?=\{|[\"']\s*[~+])")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a file: `what` at `place` ("path:line")."""

    what: str
    place: str


def code_files(root: Path) -> list[Path]:
    """The tool's own Python. The sandbox plays other people's servers, and those speak English."""
    folder = root / "cphub"
    return sorted(path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] != "sandbox")


def template_files(root: Path) -> list[Path]:
    return sorted(path for path in (root / "templates").rglob("*") if path.suffix in {".html", ".txt", ".xml"})


def mentioned(root: Path) -> set[str]:
    """Every word in code, templates and vocabularies that may be a key."""
    words = set(taxonomy_keys())
    for path in (*code_files(root), *template_files(root)):
        words.update(_KEY.findall(path.read_text(encoding="utf-8")))
    return words


def built_prefixes(root: Path) -> set[str]:
    """Beginnings of keys whose end is put on when the tool runs: `"requests-state-" ~ state`, f"tasks-kind-{kind}".

    A subject alone (`"events-" ~ kind`) says too little and is not taken."""
    found: set[str] = set()
    for path in (*code_files(root), *template_files(root)):
        text = path.read_text(encoding="utf-8")
        found.update(_PREFIX.findall(text))
        found.update(f"{group}-" for group in _GROUP.findall(text))
    return found


def asked_for(root: Path) -> Iterator[Found]:
    """Every key written out where a message is asked for."""
    for path in code_files(root):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                for constant in _naming_part(call):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        yield Found(constant.value, f"{path.relative_to(root)}:{constant.lineno}")
    for path in template_files(root):
        try:
            template = _parse(path)
        except TemplateSyntaxError:
            continue  # `unreadable` tells
        for asking in template.find_all(nodes.Call):
            if asking.args and _asked(asking) in _SPEAKING:
                first = asking.args[0]
                built = [c for call in _calls(first) if _asked(call) == _BUILDING for c in call.find_all(nodes.Const)]
                for text in (first, *(c for c in first.find_all(nodes.Const) if c not in built)):
                    if isinstance(text, nodes.Const) and isinstance(text.value, str):
                        yield Found(text.value, f"{path.relative_to(root)}:{text.lineno}")


def unreadable(root: Path) -> Iterator[Found]:
    """Templates that Jinja does not understand, so that nothing can be said about their keys."""
    for path in template_files(root):
        try:
            _parse(path)
        except TemplateSyntaxError as error:
            yield Found(str(error.message), f"{path.relative_to(root)}:{error.lineno}")


def _parse(path: Path) -> nodes.Template:
    environment = Environment(extensions=[do, loopcontrols])  # noqa: S701 - nothing is rendered
    return environment.parse(path.read_text(encoding="utf-8"))


def taxonomy_keys() -> Iterator[str]:
    """The keys of every entry of the vocabularies that has a name of its own."""
    for vocabulary in (KINDS, STAGES, PARTNER_TYPES, MISSING_SERVICES, JUSTIFICATION, REGIONS, SKILLS, CARDS):
        yield from (entry.message for entry in vocabulary.values())
    yield from (card.hint for card in CARDS.values())
    yield from (country.message for country in COUNTRIES.values() if country.message)


def unspoken(root: Path) -> Iterator[Found]:
    """Human words in templates that no translator will ever see."""
    for path in template_files(root):
        # Jinja goes, its line ends stay, so that line numbers stay true.
        bare = _JINJA.sub(lambda match: " " + "\n" * match[0].count("\n"), path.read_text(encoding="utf-8"))
        if path.suffix == ".txt":
            words = [(number, line) for number, line in enumerate(bare.splitlines(), 1) if _LETTER.search(line)]
        else:
            words = _words_of_page(bare)
        for line, text in words:
            yield Found(" ".join(text.split()), f"{path.relative_to(root)}:{line}")


def _words_of_page(page: str) -> list[tuple[int, str]]:
    reader = _WordReader()
    reader.feed(page)
    reader.close()
    return reader.words


class _WordReader(HTMLParser):
    """Collects what a reader would see or hear."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[tuple[int, str]] = []
        self._silence: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT_ELEMENTS:
            self._silence.append(tag)
        for name, value in attrs:
            if name in _SPOKEN_ATTRIBUTES:
                self._hear(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silence:
            self._silence.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._silence:
            self._hear(data)

    def _hear(self, text: str) -> None:
        if _LETTER.search(text):
            blank_lines = text[: len(text) - len(text.lstrip())].count("\n")
            self.words.append((self.getpos()[0] + blank_lines, text))


def _naming_part(call: ast.Call) -> Iterator[ast.AST]:
    name = _called(call)
    if name in _TELLING:
        yield from ast.walk(call)
    elif name in _SPEAKING and call.args:
        built = {
            id(part)
            for inner in ast.walk(call.args[0])
            if isinstance(inner, ast.Call) and _called(inner) == _BUILDING
            for part in ast.walk(inner)
        }
        yield from (part for part in ast.walk(call.args[0]) if id(part) not in built)


def _calls(node: nodes.Node) -> Iterator[nodes.Call]:
    if isinstance(node, nodes.Call):
        yield node
    yield from node.find_all(nodes.Call)


def _called(call: ast.Call) -> str | None:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _asked(call: nodes.Call) -> str | None:
    match call.node:
        case nodes.Name():
            return str(call.node.name)
        case nodes.Getattr():
            return str(call.node.attr)
    return None
