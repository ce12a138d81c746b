"""Names of the people and experts that events name by id, for their lines in words."""

from collections.abc import Iterable

from sqlalchemy import select

from cphub.models import Expert, Json, Person, db

#: Keys of a payload that hold the id of a person or of an expert.
NAMED = ("person", "expert")


def mentioned(payloads: Iterable[Json]) -> dict[tuple[str, int], str]:
    """(key of the payload, id) -> name, for all of these payloads at once; at most two statements."""
    ids: dict[str, set[int]] = {key: set() for key in NAMED}
    for payload in payloads:
        for key in NAMED:
            if key in payload:
                ids[key].add(payload[key])
    found: dict[tuple[str, int], str] = {}
    if ids["person"]:
        for person_id, name in db.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids["person"]))):
            found["person", person_id] = name
    if ids["expert"]:
        for expert_id, organisation, name in db.session.execute(
            select(Expert.id, Expert.organisation, Person.name)
            .join(Person, Person.id == Expert.person_id)
            .where(Expert.id.in_(ids["expert"]))
        ):
            found["expert", expert_id] = organisation or name
    return found


def names_in(payload: Json, known: dict[tuple[str, int], str], *, withheld: int | None = None) -> dict[str, str]:
    """Key -> name for one payload; the name of the person ``withheld`` stays empty."""
    return {
        key: "" if key == "person" and payload[key] == withheld else known.get((key, payload[key]), "")
        for key in NAMED
        if payload.get(key) is not None
    }
