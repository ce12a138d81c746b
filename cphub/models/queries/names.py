"""Names of the people and experts that events name by id, for their lines in words."""

from collections.abc import Iterable, Mapping, Set
from types import MappingProxyType

from sqlalchemy import select

from cphub.domain.lifecycle import Part, State
from cphub.domain.policy import Act, Role, Subject, Viewer, may, parts
from cphub.models import Expert, Json, Person, Request, RoleGrant, db

#: Keys of a payload that hold the id of a person or of an expert.
NAMED = ("person", "expert")


def mentioned(payloads: Iterable[Json], people: Mapping[int, str] = MappingProxyType({})) -> dict[tuple[str, int], str]:
    """(key of the payload, id) -> name, for all of these payloads at once; at most two statements.

    ``people``: id -> name of those who need not be asked for.
    """
    ids: dict[str, set[int]] = {key: set() for key in NAMED}
    for payload in payloads:
        for key in NAMED:
            if key in payload:
                ids[key].add(payload[key])
    found = {("person", person_id): people[person_id] for person_id in ids["person"] & people.keys()}
    if strangers := ids["person"] - people.keys():
        for person_id, name in db.session.execute(select(Person.id, Person.name).where(Person.id.in_(strangers))):
            found["person", person_id] = name
    if ids["expert"]:
        for expert_id, organisation, name in db.session.execute(
            select(Expert.id, Expert.organisation, Person.name)
            .join(Person, Person.id == Expert.person_id)
            .where(Expert.id.in_(ids["expert"]))
        ):
            found["expert", expert_id] = organisation or name
    return found


def unnamed(viewer: Viewer, request: Request, subject: Subject) -> frozenset[int]:
    """The people around a request whose names are withheld from this viewer: its requester, and those who asked
    the same elsewhere and withhold their name there (coordinators alone know that they did)."""
    found = set()
    if request.withhold_name and not may(viewer, Act.SEE_WITHHELD, subject):
        found.add(request.requester_id)
    if subject.joined_ids and Part.COORDINATOR not in parts(viewer, subject):
        found |= set(
            db.session.scalars(
                select(Request.requester_id).where(
                    Request.requester_id.in_(subject.joined_ids),
                    Request.withhold_name,
                    Request.state == State.DUPLICATE,
                )
            )
        )
    return frozenset(found - {viewer.person_id})


def names_in(payload: Json, known: dict[tuple[str, int], str], *, withheld: Set[int] = frozenset()) -> dict[str, str]:
    """Key -> name for one payload; the names of the people ``withheld`` stay empty."""
    return {
        key: "" if key == "person" and payload[key] in withheld else known.get((key, payload[key]), "")
        for key in NAMED
        if payload.get(key) is not None
    }


def holders(role: Role) -> list[str]:
    """Names of the people who have a role, in order; those the wiki suppressed are left out."""
    return list(
        db.session.scalars(
            select(Person.name)
            .join(RoleGrant, RoleGrant.person_id == Person.id)
            .where(RoleGrant.role == role, Person.name != "")
            .order_by(Person.name)
        )
    )
