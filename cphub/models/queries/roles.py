"""Who has which role."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from cphub.domain.policy import Act, Role, Viewer, may
from cphub.errors import Forbidden
from cphub.models import Person, RoleGrant, db

_Giver = aliased(Person)


@dataclass(frozen=True, slots=True)
class Holder:
    """``by``: who gave the role, None for the configuration and the command line."""

    person_id: int
    name: str
    role: Role
    by: str | None
    at: datetime


def holders(viewer: Viewer) -> dict[Role, list[Holder]]:
    """Every role and who has it, by name. One statement. Raises Forbidden."""
    if not may(viewer, Act.MANAGE_ROLES):
        raise Forbidden
    found: dict[Role, list[Holder]] = {role: [] for role in Role}
    for row in db.session.execute(
        select(Person.id, Person.name, RoleGrant.role, _Giver.name, RoleGrant.granted_at)
        .join(Person, Person.id == RoleGrant.person_id)
        .outerjoin(_Giver, _Giver.id == RoleGrant.granted_by_id)
        .order_by(Person.name, Person.id)
    ):
        found[row.role].append(Holder(*row))
    return found
