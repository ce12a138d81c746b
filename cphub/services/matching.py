"""Matching over the registry: what a request needs, who the experts are just now, and who may be asked."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sqlalchemy import func, select

from cphub import clock
from cphub.domain.lifecycle import State
from cphub.domain.matching import Barrier, Match, Need, SkillLevel, rank
from cphub.domain.matching import Expert as Candidate
from cphub.domain.matching.rank import barrier
from cphub.domain.matching.values import PLACES
from cphub.domain.policy import Act, Viewer
from cphub.models import Expert, ExpertConflict, ExpertLanguage, ExpertSkill, Person, Request, db
from cphub.services import requests
from cphub.taxonomies import SKILLS, region_of

_PARENTS = {code: skill.parent for code, skill in SKILLS.items()}


def need_of(request: Request) -> Need:
    """What a request asks of an expert."""
    languages = request.reply_languages or ([request.language] if request.language else [])
    return Need(
        requester_id=request.requester_id,
        skills={row.skill: row.must for row in request.skills},
        languages=tuple(languages),
        country=request.country,
        region=region_of(request.country),
        partner_name=request.partner_name,
        time_zone=request.requester.time_zone,
        weight=request.weight,
    )


def matches(viewer: Viewer, number: int) -> list[Match]:
    """Everybody who can be asked for this request, best first. For coordinators."""
    request, _ = requests.find(viewer, number, Act.SEE_MATCHES)
    return rank(need_of(request), candidates(), now=clock.now(), parents=_PARENTS, region_of=region_of)


def candidates(expert_ids: Iterable[int] | None = None) -> list[Candidate]:
    """The published experts (or these), with the load they carry now, in a fixed number of statements."""
    wanted = [Expert.published] if expert_ids is None else [Expert.id.in_(list(expert_ids))]
    rows = db.session.execute(
        select(
            Expert.id, Expert.person_id, Expert.is_organisation, Expert.organisation, Expert.country, Expert.time_zone,
            Expert.places, Expert.away_until, Expert.published, Expert.last_asked, Person.name, Person.blocked,
            Person.central_id,
        ).join(Person, Person.id == Expert.person_id).where(*wanted)
    ).all()  # fmt: skip
    ids = [row.id for row in rows]
    skills: dict[int, dict[str, SkillLevel]] = defaultdict(dict)
    for expert_id, skill, level in db.session.execute(
        select(ExpertSkill.expert_id, ExpertSkill.skill, ExpertSkill.level).where(ExpertSkill.expert_id.in_(ids))
    ):
        skills[expert_id][skill] = level
    languages: dict[int, dict[str, int]] = defaultdict(dict)
    for expert_id, language, well in db.session.execute(
        select(ExpertLanguage.expert_id, ExpertLanguage.language, ExpertLanguage.level).where(
            ExpertLanguage.expert_id.in_(ids)
        )
    ):
        languages[expert_id][language] = well
    conflicts: dict[int, set[str]] = defaultdict(set)
    for expert_id, name in db.session.execute(
        select(ExpertConflict.expert_id, ExpertConflict.name).where(ExpertConflict.expert_id.in_(ids))
    ):
        conflicts[expert_id].add(name)
    load = loads([row.person_id for row in rows])
    return [
        Candidate(
            id=row.id,
            person_id=row.person_id,
            name=row.organisation if row.is_organisation and row.organisation else row.name,
            skills=skills[row.id],
            languages=languages[row.id],
            country=row.country,
            time_zone=row.time_zone,
            places=row.places,
            load=load.get(row.person_id, 0),
            away_until=row.away_until,
            published=row.published,
            blocked=row.blocked,
            conflicts=frozenset(conflicts[row.id]),
            last_asked=row.last_asked,
        )
        for row in rows
    ]


def loads(person_ids: Iterable[int]) -> dict[int, int]:
    """Places each of these people fills now by the requests they lead."""
    found: dict[int, int] = defaultdict(int)
    for person_id, weight, count in db.session.execute(
        select(Request.lead_id, Request.weight, func.count())
        .where(Request.lead_id.in_(list(person_ids)), Request.state == State.IN_PROGRESS)
        .group_by(Request.lead_id, Request.weight)
    ):
        found[person_id or 0] += PLACES[weight] * count
    return found


def barrier_now(request: Request, expert: Expert, *, today: date) -> Barrier | None:
    """Asked inside the transaction that offers, accepts or claims: what stands against it at this very moment."""
    return barrier(need_of(request), candidates([expert.id])[0], today=today)
