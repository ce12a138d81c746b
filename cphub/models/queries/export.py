"""Everything the hub keeps of one person, for that person to take away."""

from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import inspect, or_, select

from cphub.domain.policy import Viewer
from cphub.errors import Forbidden
from cphub.models import (
    Expert,
    ExpertConflict,
    ExpertLanguage,
    ExpertLink,
    ExpertSkill,
    Json,
    Offer,
    Person,
    Reply,
    Request,
    RoleGrant,
    TeamMember,
    Watch,
    db,
)

#: Columns that are of use to the hub alone, or tell of others.
_LEFT_OUT = {"key", "version", "entered_by_id", "coordinator_id", "lead_id", "granted_by_id", "sent_by_id", "message"}


def export(viewer: Viewer) -> Json:
    """By subject: rows as name -> value. What others wrote about or to the person is theirs, and is not among it.

    Raises Forbidden when nobody is signed in.
    """
    me = db.session.get(Person, viewer.person_id) if viewer.person_id is not None else None
    if me is None:
        raise Forbidden
    mine = select(Expert.id).where(Expert.person_id == me.id).scalar_subquery()
    written = or_(Request.entered_by_id == me.id, (Request.entered_by_id.is_(None)) & (Request.requester_id == me.id))
    asked = (Request.requester_id == me.id) & ((Request.state != "draft") | written)
    return {
        "person": _plain(me),
        "roles": _all(RoleGrant, RoleGrant.person_id == me.id),
        "profile": _all(Expert, Expert.person_id == me.id),
        "profile_skills": _all(ExpertSkill, ExpertSkill.expert_id == mine),
        "profile_languages": _all(ExpertLanguage, ExpertLanguage.expert_id == mine),
        "profile_links": _all(ExpertLink, ExpertLink.expert_id == mine),
        "profile_conflicts": _all(ExpertConflict, ExpertConflict.expert_id == mine),
        "requests": _all(Request, asked),
        "replies": _all(Reply, Reply.author_id == me.id),
        "offers": _all(Offer, Offer.person_id == me.id),
        "teams": _all(TeamMember, TeamMember.person_id == me.id),
        "watched": _all(Watch, Watch.person_id == me.id),
    }


def _all(table: Any, condition: Any) -> list[Json]:
    key = inspect(table).primary_key
    return [_plain(row) for row in db.session.scalars(select(table).where(condition).order_by(*key))]


def _plain(row: Any) -> Json:
    """The columns of a row, as JSON knows them."""
    columns = inspect(type(row)).column_attrs
    return {column.key: _value(getattr(row, column.key)) for column in columns if column.key not in _LEFT_OUT}


def _value(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
