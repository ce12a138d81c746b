"""Banana: the small language in which translators write `$1`, `{{PLURAL:$1|…}}` and `[address text]`.

A message is parsed once, when the catalogue is loaded, and rendered many times, as HTML or as plain text.
Whatever a translation could break or smuggle in is refused by `parse`; `render` has nothing left to distrust
but parameters.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeAlias
from urllib.parse import quote

from markupsafe import Markup, escape

from cphub.i18n.languages import Number

ALLOWED_TAGS = frozenset({"b", "bdi", "br", "code", "em", "i", "kbd", "strong"})
_DEEPEST = 8
_GENDERS = {"male": 0, "female": 1}

_TOKEN = re.compile(
    r"\$(?P<parameter>[1-9]\d?)"
    r"|\{\{(?P<function>[A-Za-z]+):"
    r"|\[(?P<address>(?:https?://|mailto:|/(?![/\\])|\$[1-9])[^\s<>\"|{}\[\]\\]*)\s+"
    r"|(?P<tag><(?=[A-Za-z/!?])[^<>]*>?)"
    r"|(?P<mark>\{\{|\}\}|\||\])"
)
_TAG = re.compile(r"<(?P<closing>/?)(?P<name>[a-z]+)\s*/?>")
_SELECTOR = re.compile(r"\s*(?:\$(?P<parameter>[1-9]\d?)|(?P<word>[^|{}$<]*?))\s*\|")
_EXACT = re.compile(r"\s*(\d+)\s*=")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]\w*);")
# Browsers drop control characters and read a backslash as a slash: "/\t/host" and "/\host" leave the site.
_SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:|/(?![/\\]))[^\s\x00-\x1f\x7f<>\"\\]*", re.IGNORECASE)


class BananaError(ValueError):
    """A message that cannot be used: unknown HTML, an unknown function, braces that do not close."""


class Voice(Protocol):
    """The language a message is written in."""

    def number(self, value: Number) -> str: ...
    def plural(self, value: Number) -> int: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed text, as HTML and as plain text."""

    html: Markup
    plain: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$position`, counted from 1."""

    position: int


@dataclass(frozen=True, slots=True)
class Plural:
    """`{{PLURAL:…}}`: forms in CLDR's order, and forms for exact numbers (`12=a dozen`)."""

    number: Parameter | Number
    forms: tuple[Tree, ...]
    exact: tuple[tuple[int, Tree], ...]


@dataclass(frozen=True, slots=True)
class Gender:
    """`{{GENDER:…}}`: male, female, unknown."""

    person: Parameter | str
    forms: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """`[address text]`. A parameter that begins the address is an address itself; later ones are parts."""

    address: tuple[str | Parameter, ...]
    text: Tree


Node: TypeAlias = Text | Parameter | Plural | Gender | Link
Tree: TypeAlias = tuple[Node, ...]


def parse(source: str) -> Tree:
    """Reads one message. Text without parameters comes back as one `Text` node.

    Raises BananaError."""
    parser = _Parser(source)
    return parser.sequence(stops=())


def walk(tree: Tree) -> Iterator[Node]:
    """Every node of the message, also those inside forms and links."""
    for node in tree:
        yield node
        match node:
            case Plural(number=selector):
                if isinstance(selector, Parameter):
                    yield selector
                for form in (*node.forms, *(form for _, form in node.exact)):
                    yield from walk(form)
            case Gender(person=selector):
                if isinstance(selector, Parameter):
                    yield selector
                for form in node.forms:
                    yield from walk(form)
            case Link():
                yield from (part for part in node.address if isinstance(part, Parameter))
                yield from walk(node.text)


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def sequence(self, *, stops: Sequence[str]) -> Tree:
        """Reads up to one of the stops, which is left for the caller, or to the end when there are none."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BananaError("nested too deep")
        nodes: list[Node] = []
        open_tags: list[str] = []
        while token := _TOKEN.search(self._source, self._at):
            _add_text(nodes, self._source[self._at : token.start()])
            if token["mark"] in stops:
                self._at = token.start()
                break
            self._at = token.end()
            if token["parameter"]:
                nodes.append(Parameter(int(token["parameter"])))
            elif token["function"]:
                nodes.extend(self._function(token["function"].upper()))
            elif token["address"]:
                nodes.append(self._link(token["address"]))
            elif token["tag"]:
                _add(nodes, _tag(token["tag"], open_tags))
            elif token["mark"] in ("{{", "}}"):
                raise BananaError(f"stray {token['mark']}")
            else:
                _add_text(nodes, token["mark"])
        else:
            if stops:
                raise BananaError(f"ends without {stops[-1]}")
            _add_text(nodes, self._source[self._at :])
            self._at = len(self._source)
        if open_tags:
            raise BananaError(f"<{open_tags[-1]}> is not closed where it was opened")
        self._depth -= 1
        return tuple(nodes)

    def _function(self, name: str) -> Tree:
        selector = _SELECTOR.match(self._source, self._at)
        if not selector:
            raise BananaError(f"{name} without forms")
        self._at = selector.end()
        parameter = Parameter(int(selector["parameter"])) if selector["parameter"] else None
        forms: list[Tree] = []
        exact: list[tuple[int, Tree]] = []
        while True:
            number = _EXACT.match(self._source, self._at) if name == "PLURAL" else None
            if number:
                self._at = number.end()
                exact.append((int(number[1]), self.sequence(stops=("|", "}}"))))
            else:
                forms.append(self.sequence(stops=("|", "}}")))
            if self._source[self._at] == "|":
                self._at += 1
            else:
                self._at += 2
                break
        if not forms:
            raise BananaError("PLURAL with exact numbers only")
        match name:
            case "PLURAL":
                count = parameter or _as_number(selector["word"])
                if count is None:
                    raise BananaError("PLURAL without a number")
                return (Plural(count, tuple(forms), tuple(exact)),)
            case "GENDER":
                return (Gender(parameter or selector["word"], tuple(forms)),)
            case "GRAMMAR":  # no case is made by rule here: translators write the word as it must be
                return forms[0]
        raise BananaError(f"unknown function {name}")

    def _link(self, address: str) -> Link:
        text = self.sequence(stops=("]",))
        self._at += 1
        parts = re.split(r"\$([1-9]\d?)", address)
        return Link(tuple(Parameter(int(part)) if odd % 2 else part for odd, part in enumerate(parts) if part), text)


def _add(nodes: list[Node], text: Text) -> None:
    if nodes and isinstance(last := nodes[-1], Text):
        nodes[-1] = Text(last.html + text.html, last.plain + text.plain)
    else:
        nodes.append(text)


def _add_text(nodes: list[Node], source: str) -> None:
    if source:
        plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]), source)
        _add(nodes, Text(escape(plain), plain))


def _tag(source: str, open_tags: list[str]) -> Text:
    tag = _TAG.fullmatch(source)
    if not tag or tag["name"] not in ALLOWED_TAGS:
        raise BananaError(f"HTML that is not allowed: {source}")
    name = tag["name"]  # one of ours, so the Markup below is safe
    if name == "br":
        return Text(Markup("<br>"), "\n")
    if not tag["closing"]:
        open_tags.append(name)
        return Text(Markup(f"<{name}>"), "")  # noqa: S704
    if not open_tags or open_tags.pop() != name:
        raise BananaError(f"</{name}> closes nothing")
    return Text(Markup(f"</{name}>"), "")  # noqa: S704


def render(tree: Tree, params: Sequence[object], voice: Voice, *, plain: bool = False) -> str:
    """The message with its parameters: HTML in which every parameter but Markup is escaped, or plain text.

    A parameter that is not given stays visible as `$3`."""
    out: list[str] = []
    for node in tree:
        match node:
            case Text():
                out.append(node.plain if plain else node.html)
            case Parameter():
                out.append(_parameter(node, params, voice, plain))
            case Plural():
                out.append(render(_plural_form(node, params, voice), params, voice, plain=plain))
            case Gender():
                out.append(render(_gender_form(node, params), params, voice, plain=plain))
            case Link():
                text = render(node.text, params, voice, plain=plain)
                out.append(_linked(_address(node, params), text, plain))
    return "".join(out)


def _value(parameter: Parameter, params: Sequence[object]) -> object:
    return params[parameter.position - 1] if parameter.position <= len(params) else f"${parameter.position}"


def _parameter(parameter: Parameter, params: Sequence[object], voice: Voice, plain: bool) -> str:
    value = _value(parameter, params)
    if isinstance(value, int | float | Decimal):
        return voice.number(value)
    return _plain(value) if plain else str(escape(value))


def _plain(value: object) -> str:
    return value.striptags() if isinstance(value, Markup) else str(value)


def _plural_form(node: Plural, params: Sequence[object], voice: Voice) -> Tree:
    given = _value(node.number, params) if isinstance(node.number, Parameter) else node.number
    number = _as_number(given)
    if number is None:
        return node.forms[-1]
    for exact, form in node.exact:
        if number == exact:
            return form
    return node.forms[min(voice.plural(number), len(node.forms) - 1)]


def _as_number(value: object) -> Number | None:
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return value if math.isfinite(value) else None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _gender_form(node: Gender, params: Sequence[object]) -> Tree:
    person = _value(node.person, params) if isinstance(node.person, Parameter) else node.person
    index = _GENDERS.get(str(person).lower(), 2)
    if index < len(node.forms):
        return node.forms[index]
    return node.forms[0]


def _address(link: Link, params: Sequence[object]) -> str | None:
    """The address, or None when a parameter makes it dangerous to follow (`javascript:`, `//host`)."""
    parts: list[str] = []
    for part in link.address:
        if isinstance(part, str):
            parts.append(part)
        else:
            value = _value(part, params)
            text = html.unescape(value) if isinstance(value, Markup) else str(value)
            parts.append(quote(text, safe="") if parts else text)
    address = "".join(parts)
    return address if _SAFE_ADDRESS.fullmatch(address) else None


def _linked(address: str | None, text: str, plain: bool) -> str:
    if not address:
        return text
    if plain:
        return address if text == address else f"{text} ({address})"
    return f'<a href="{escape(address)}">{text}</a>'
