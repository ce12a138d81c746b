"""The fixed vocabularies of the tool, read once from the YAML files beside this module.

Every mapping is ordered as it is meant to be shown and cannot be changed. Entries carry the key of the
message that names them; countries and languages are named by CLDR and carry none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import yaml

GLOBAL = "global"
"""Pseudo country of a request that concerns no single country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One word of a plain list."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """An ISO 3166-1 place and its region. `GLOBAL` has no region, and alone has a message."""

    code: str
    region: str | None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language by MediaWiki code, named in itself."""

    code: str
    autonym: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card of the first step of asking: the kinds of help under it, and what picking it presets."""

    code: str
    message: str
    hint: str
    kinds: tuple[str, ...]
    preset: tuple[str, ...]
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A node of the skill tree; roots have depth 1 and no parent."""

    code: str
    message: str
    parent: str | None
    children: tuple[str, ...]
    depth: int
    wikidata: str | None


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_T = TypeVar("_T", bound=_Coded)


def _read(name: str) -> Any:
    return yaml.safe_load(files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def _message(group: str, code: str) -> str:
    return f"taxonomy-{group}-{code.lower().replace('_', '-').replace('.', '-')}"


def _ordered(entries: Iterable[_T]) -> Mapping[str, _T]:
    """Key `entries` by code. Raises ValueError for a code that comes twice."""
    found: dict[str, _T] = {}
    for entry in entries:
        if entry.code in found:
            raise ValueError(f"{entry.code!r} comes twice")
        found[entry.code] = entry
    return MappingProxyType(found)


def _entries(group: str, codes: Iterable[str]) -> Mapping[str, Entry]:
    return _ordered(Entry(code=code, message=_message(group, code)) for code in codes)


def _countries(by_region: Mapping[str, str]) -> Iterator[Country]:
    yield Country(code=GLOBAL, region=None, message=_message("country", GLOBAL))
    for region, codes in by_region.items():
        for code in codes.split():
            yield Country(code=code, region=region)


def _cards(rows: Iterable[Mapping[str, Any]]) -> Iterator[Card]:
    for row in rows:
        message = _message("card", row["code"])
        yield Card(
            code=row["code"],
            message=message,
            hint=f"{message}-hint",
            kinds=tuple(row["kinds"]),
            preset=tuple(row["preset"]),
            stage=row["stage"],
        )


def _skills(nodes: Iterable[Mapping[str, Any]], *, parent: str | None = None, depth: int = 1) -> Iterator[Skill]:
    for node in nodes:
        code, children = node["id"], node.get("children", ())
        yield Skill(
            code=code,
            message=_message("skill", code),
            parent=parent,
            children=tuple(child["id"] for child in children),
            depth=depth,
            wikidata=node.get("wikidata"),
        )
        yield from _skills(children, parent=code, depth=depth + 1)


_REGIONS = _read("countries")
_SKILLS = _read("skills")

KINDS = _entries("kind", _read("kinds"))
STAGES = _entries("stage", _read("stages"))
PARTNER_TYPES = _entries("partner", _read("partner_types"))
MISSING_SERVICES = _entries("missing", _read("missing_services"))
JUSTIFICATION = _entries("justification", _read("justification"))
REGIONS = _entries("region", _REGIONS)
COUNTRIES = _ordered(_countries(_REGIONS))
LANGUAGES = _ordered(Language(code=code, autonym=name) for code, name in _read("languages").items())
CARDS = _ordered(_cards(_read("cards")))
SKILLS = _ordered(_skills(_SKILLS["tree"]))
SUGGESTED_SKILLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {kind: tuple(skills) for kind, skills in _SKILLS["suggested"].items()}
)


def region_of(country: str | None) -> str | None:
    """The region code of a country, or None when the country is unknown, not given, or `GLOBAL`."""
    entry = COUNTRIES.get(country) if country else None
    return entry.region if entry else None


def skills_for_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Skills usually needed for these kinds of help, the most telling of each kind first, none twice."""
    return tuple(dict.fromkeys(skill for kind in kinds for skill in SUGGESTED_SKILLS.get(kind, ())))
