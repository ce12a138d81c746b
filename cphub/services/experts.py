"""Profiles of the registry: written and published only by their owners."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cphub import clock
from cphub.domain.matching import SkillLevel
from cphub.domain.matching.values import NATIVE
from cphub.domain.policy import Act, Profile, Viewer, may
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.models import Expert, ExpertConflict, ExpertLanguage, ExpertLink, ExpertSkill, db
from cphub.taxonomies import COUNTRIES, LANGUAGES, SKILLS

PLACES_MOST = 16
LINKS_MOST = 5
CONFLICTS_MOST = 20


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What an owner fills in. ``languages``: code -> 0-6, 6 for a first language."""

    is_organisation: bool = False
    organisation: str = ""
    bio: str = ""
    country: str | None = None
    time_zone: str | None = None
    places: int = 2
    away_until: date | None = None
    skills: Mapping[str, SkillLevel] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    conflicts: tuple[str, ...] = ()


def save(viewer: Viewer, card: Card, *, publish: bool) -> Expert:
    """Write one's own profile, shown to others only when ``publish``. Commits. Raises Invalid, field by field."""
    if not may(viewer, Act.WRITE):
        raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
    check(card, publish=publish)
    now = clock.now()
    expert = of(viewer) or _new(viewer)
    for name in ("is_organisation", "country", "time_zone", "places", "away_until"):
        setattr(expert, name, getattr(card, name))
    expert.organisation = " ".join(card.organisation.split()) if card.is_organisation else ""
    expert.bio, expert.published, expert.updated_at = card.bio.strip(), publish, now
    have = {row.skill: row for row in expert.skills}
    for skill, row in have.items():
        row.level = card.skills.get(skill, row.level)
    expert.skills = [have.get(s) or ExpertSkill(skill=s, level=level) for s, level in card.skills.items()]
    spoken = {row.language: row for row in expert.languages}
    for code, known in spoken.items():
        known.level = card.languages.get(code, known.level)
    expert.languages = [spoken.get(c) or ExpertLanguage(language=c, level=n) for c, n in card.languages.items()]
    expert.links = [ExpertLink(url=link.url, title=link.title.strip(), note=link.note.strip()) for link in card.links]
    expert.conflicts = [ExpertConflict(name=" ".join(name.split())) for name in card.conflicts]
    db.session.commit()
    return expert


def _new(viewer: Viewer) -> Expert:
    now = clock.now()
    expert = Expert(person_id=viewer.person_id, created_at=now, updated_at=now)
    db.session.add(expert)
    try:
        db.session.flush()
    except IntegrityError:  # the first save, in two tabs at once
        db.session.rollback()
        found = of(viewer)
        if found is None:
            raise
        return found
    return expert


def card_of(expert: Expert | None) -> Card:
    """What the owner filled in so far."""
    if expert is None:
        return Card()
    return Card(
        is_organisation=expert.is_organisation,
        organisation=expert.organisation,
        bio=expert.bio,
        country=expert.country,
        time_zone=expert.time_zone,
        places=expert.places,
        away_until=expert.away_until,
        skills={row.skill: row.level for row in expert.skills if row.skill in SKILLS},
        languages={row.language: row.level for row in expert.languages if row.language in LANGUAGES},
        links=tuple(Link(row.url, row.title, row.note) for row in expert.links),
        conflicts=tuple(row.name for row in expert.conflicts),
    )


def unpublish(viewer: Viewer) -> None:
    """Take one's profile out of the registry; nothing of it is lost. Commits."""
    expert = of(viewer)
    if expert is None:
        raise NotFound
    if not may(viewer, Act.EDIT_PROFILE, Profile(expert.person_id, expert.published)):
        raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
    expert.published, expert.updated_at = False, clock.now()
    db.session.commit()


def of(viewer: Viewer) -> Expert | None:
    """The viewer's own profile, if there is one."""
    if viewer.person_id is None:
        return None
    return db.session.scalars(select(Expert).where(Expert.person_id == viewer.person_id)).first()


def check(card: Card, *, publish: bool) -> None:
    """Raises Invalid, field by field, for what cannot be kept, or not be published."""
    found: dict[str, str] = {}
    if card.is_organisation and not card.organisation.strip():
        found["organisation"] = "experts-error-organisation"
    if len(card.organisation) > 255 or len(card.bio) > 5_000:
        found["organisation" if len(card.organisation) > 255 else "bio"] = "requests-error-too-long"
    if card.country is not None and card.country not in COUNTRIES:
        found["country"] = "errors-choice"
    if card.time_zone is not None and card.time_zone not in available_timezones():
        found["time_zone"] = "errors-choice"
    if not 0 <= card.places <= PLACES_MOST:
        found["places"] = "experts-error-places"
    if not card.skills.keys() <= SKILLS.keys():
        found["skills"] = "errors-choice"
    elif publish and not card.skills:
        found["skills"] = "experts-error-skills"
    if not card.languages.keys() <= LANGUAGES.keys() or not all(0 <= n <= NATIVE for n in card.languages.values()):
        found["languages"] = "errors-choice"
    elif publish and not card.languages:
        found["languages"] = "experts-error-languages"
    if len(card.links) > LINKS_MOST or not all(_is_web(link.url) and len(link.url) <= 500 for link in card.links):
        found["links"] = "experts-error-links"
    elif any(len(link.title) > 255 or len(link.note) > 500 for link in card.links):
        found["links"] = "requests-error-too-long"
    if len(card.conflicts) > CONFLICTS_MOST or any(len(name) > 255 for name in card.conflicts):
        found["conflicts"] = "requests-error-too-long"
    if found:
        raise Invalid(found)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)
