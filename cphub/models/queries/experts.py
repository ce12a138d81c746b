"""The public registry: published profiles, filtered."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select

from cphub.domain.matching import SkillLevel
from cphub.domain.policy import Act, Profile, Viewer, may
from cphub.models import Expert, ExpertLanguage, ExpertLink, ExpertSkill, Person, db
from cphub.models.queries.keyset import PAGE, Page
from cphub.taxonomies import COUNTRIES


@dataclass(frozen=True, slots=True)
class Filter:
    """``skill``: has it or one below it. ``language``: speaks it at all. ``region``: of the country."""

    skill: str | None = None
    language: str | None = None
    region: str | None = None
    country: str | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A profile as others see it; conflicts of interest are never among it."""

    id: int
    person_id: int
    name: str
    is_organisation: bool
    account: str
    bio: str
    country: str | None
    time_zone: str | None
    places: int
    away_until: date | None
    published: bool
    skills: dict[str, SkillLevel]
    languages: dict[str, int]
    links: list[tuple[str, str, str]]


def browse(
    viewer: Viewer, wanted: Filter, *, children: dict[str, list[str]], today: date, after: str | None
) -> Page[Listed]:
    """Published experts in the order they joined. ``children``: skill -> itself and all below. Four statements."""
    query = _profiles().where(Expert.published, ~Person.blocked)
    if wanted.skill:
        has = select(ExpertSkill.expert_id).where(
            ExpertSkill.skill.in_(children.get(wanted.skill, [wanted.skill])), ExpertSkill.level != SkillLevel.LEARN
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
        query = query.where(or_(Expert.away_until.is_(None), Expert.away_until < today), Expert.places > 0)
    if after and after.isdecimal():
        query = query.where(Expert.id > int(after))
    found = db.session.execute(query.order_by(Expert.id).limit(PAGE + 1)).all()
    shown = found[:PAGE]
    return Page(_listed(shown), str(shown[-1].Expert.id) if len(found) > PAGE else None)


def profile(viewer: Viewer, expert_id: int) -> Listed | None:
    """One profile, or None when there is none this viewer may see."""
    row = db.session.execute(_profiles().where(Expert.id == expert_id)).first()
    if row is None or not may(viewer, Act.SEE_PROFILE, Profile(row.Expert.person_id, row.Expert.published)):
        return None
    return _listed([row])[0]


def _profiles() -> Any:
    return select(Expert, Person.name).join(Person, Person.id == Expert.person_id)


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
            away_until=row.Expert.away_until,
            published=row.Expert.published,
            skills=skills[row.Expert.id],
            languages=languages[row.Expert.id],
            links=links[row.Expert.id],
        )
        for row in found
    ]
