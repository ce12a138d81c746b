"""The values matching works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class SkillLevel(StrEnum):
    """How an expert stands to a skill: has it, can teach it too, or wants to learn it."""

    KNOWN = "known"
    TEACH = "teach"
    LEARN = "learn"


class Weight(StrEnum):
    """Size of a case; its cost in places is in ``PLACES``."""

    S = "S"
    M = "M"
    L = "L"


#: Places a case takes of an expert's limit (design section 4).
PLACES: dict[Weight, int] = {Weight.S: 1, Weight.M: 2, Weight.L: 4}
#: Level of a language that means it is the person's first.
NATIVE = 6


@dataclass(frozen=True, slots=True)
class Expert:
    """What is known of an expert. ``languages``: code -> 0-6 (6 native). ``places`` and ``load`` in places."""

    id: int
    person_id: int
    name: str
    skills: Mapping[str, SkillLevel] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    country: str | None = None
    time_zone: str | None = None
    places: int = 2
    load: int = 0
    away_until: date | None = None
    published: bool = True
    blocked: bool = False
    conflicts: frozenset[str] = frozenset()
    last_asked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs. ``skills``: id -> is a must. ``languages``: those the requester can be answered in."""

    requester_id: int | None
    skills: Mapping[str, bool] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    country: str | None = None
    region: str | None = None
    partner_name: str = ""
    time_zone: str | None = None
    weight: Weight = Weight.M


class Barrier(StrEnum):
    """Why somebody cannot be asked at all."""

    UNPUBLISHED = "unpublished"
    BLOCKED = "blocked"
    AWAY = "away"
    FULL = "full"
    CONFLICT = "conflict"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Reason:
    """One fact of an explanation: a message code and its values."""

    code: str
    values: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A suggestion: score in [0, 1], its parts by name, up to three reasons, one caveat if there is one."""

    expert: Expert
    score: float
    parts: Mapping[str, float]
    reasons: tuple[Reason, ...]
    caveat: Reason | None


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part counts for (design section 4); configuration can change them."""

    skill: float = 0.45
    language: float = 0.20
    context: float = 0.10
    time: float = 0.10
    load: float = 0.15
