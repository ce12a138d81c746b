"""The public registry: published profiles, filtered."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, or_, select

from cphub.domain.lifecycle import State
from cphub.domain.matching import SkillLevel
from cphub.domain.matching.values import PLACES
from cphub.domain.policy import Act, Profile, Viewer, may
from cphub.models import Expert, ExpertLanguage, ExpertLink, ExpertSkill, Person, Request, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.taxonomies import COUNTRIES, SKILLS


@dataclass(frozen=True, slots=True)
class Filter:
    """``skill``: has it or one below it. ``language``: speaks it at all. ``region``: of the country. ``free``: not
    away, and a place is left."""

    skill: str | None = None
    language: str | None = None
    region: str | None = None
    country: str | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A profile as others see it; conflicts of interest are never among it. ``load``: places taken just now."""

    id: int
    person_id: int
    name: str
    is_organisation: bool
    account: str
    bio: str
    country: str | None
    time_zone: str | None
    places: int
    load: int
    away_until: date | None
    published: bool
    skills: dict[str, SkillLevel]
    languages: dict[str, int]
    links: list[tuple[str, str, str]]


def browse(wanted: Filter, *, today: date, after: str | None = None) -> Page[Listed]:
    """Published experts in the order they joined; everybody may see them. Four statements."""
    query = _profiles().where(Expert.published, ~Person.blocked)
    if wanted.skill:
        has = select(ExpertSkill.expert_id).where(
            ExpertSkill.skill.in_(_with_those_below(wanted.skill)), ExpertSkill.level != SkillLevel.LEARN
        )
        query = query.where(Expert.id.in_(has))
    if wanted.language:
        speaks = select(ExpertLanguage.expert_id).where(
            ExpertLanguage.language == wanted.language, ExpertLanguage.level > 0
        )
        query = query.where(Expert.id.in_(speaks))
    if wanted.country:
        query = query.where(Expert.country == wanted.country)
    elif wanted.region:
        query = query.where(Expert.country.in_([c.code for c in COUNTRIES.values() if c.region == wanted.region]))
    if wanted.free:
        query = query.where(or_(Expert.away_until.is_(None), Expert.away_until < today), Expert.places > _load())
    found = db.session.execute(keyset.earliest_first(query, Expert.id, after)).all()
    page = keyset.page(found, lambda row: str(row.Expert.id))
    return Page(_listed(page.rows), page.next)


def profile(viewer: Viewer, expert_id: int) -> Listed | None:
    """One profile, or None when there is none this viewer may see."""
    row = db.session.execute(_profiles().where(Expert.id == expert_id)).first()
    if row is None or not may(viewer, Act.SEE_PROFILE, Profile(row.Expert.person_id, row.Expert.published)):
        return None
    return _listed([row])[0]


def spoken() -> list[str]:
    """The languages that somebody in the registry speaks."""
    return list(
        db.session.scalars(
            select(ExpertLanguage.language)
            .join(Expert, Expert.id == ExpertLanguage.expert_id)
            .where(Expert.published, ExpertLanguage.level > 0)
            .distinct()
        )
    )


def countries() -> list[str]:
    """The countries that somebody in the registry comes from."""
    return list(
        db.session.scalars(select(Expert.country).where(Expert.published, Expert.country.is_not(None)).distinct())
    )


def _profiles() -> Any:
    return select(Expert, Person.name, _load().label("load")).join(Person, Person.id == Expert.person_id)


def _load() -> Any:
    """Places an expert fills now by the requests they lead."""
    costs = case({weight.value: places for weight, places in PLACES.items()}, value=Request.weight)
    return (
        select(func.coalesce(func.sum(costs), 0))
        .where(
            Request.lead_id == Expert.person_id,
            Request.state == State.IN_PROGRESS,
            # Says nothing new, but by the index: all that they have led and ended needs not be looked at.
            Request.waiting_on.is_not(None),
        )
        .scalar_subquery()
    )


def _with_those_below(skill: str) -> list[str]:
    entry = SKILLS.get(skill)
    return [skill, *(code for child in (entry.children if entry else ()) for code in _with_those_below(child))]


def _listed(found: Any) -> list[Listed]:
    ids = [row.Expert.id for row in found]
    skills: dict[int, dict[str, SkillLevel]] = defaultdict(dict)
    languages: dict[int, dict[str, int]] = defaultdict(dict)
    links: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    if ids:
        for s in db.session.scalars(select(ExpertSkill).where(ExpertSkill.expert_id.in_(ids))):
            skills[s.expert_id][s.skill] = s.level
        for spoken in db.session.scalars(
            select(ExpertLanguage).where(ExpertLanguage.expert_id.in_(ids)).order_by(ExpertLanguage.level.desc())
        ):
            languages[spoken.expert_id][spoken.language] = spoken.level
        for link in db.session.scalars(select(ExpertLink).where(ExpertLink.expert_id.in_(ids)).order_by(ExpertLink.id)):
            links[link.expert_id].append((link.url, link.title, link.note))
    return [
        Listed(
            id=row.Expert.id,
            person_id=row.Expert.person_id,
            name=row.Expert.organisation if row.Expert.is_organisation and row.Expert.organisation else row.name,
            is_organisation=row.Expert.is_organisation,
            account=row.name,
            bio=row.Expert.bio,
            country=row.Expert.country,
            time_zone=row.Expert.time_zone,
            places=row.Expert.places,
            load=int(row.load),
            away_until=row.Expert.away_until,
            published=row.Expert.published,
            skills=skills[row.Expert.id],
            languages=languages[row.Expert.id],
            links=links[row.Expert.id],
        )
        for row in found
    ]
