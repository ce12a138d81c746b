"""Requests that ask the same: whoever asked joins the one that gets the answer."""

from sqlalchemy import select

from cphub import clock
from cphub.domain.lifecycle import State
from cphub.errors import Invalid
from cphub.models import Request, TeamMember, db
from cphub.services.requests.subject import read

#: The role, on a team, of people who asked the same elsewhere.
JOINED = "joined"


def target(request: Request, number: str) -> Request:
    """The request that this one repeats, at the end of the chain when that one repeats another.

    All of the chain is locked, lest two requests be made duplicates of each other at once. Raises Invalid.
    """
    wanted = number.strip().lstrip("#")
    found = read(int(wanted), lock=True) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    while found is not None and found.duplicate_of_id is not None:
        found = read(found.duplicate_of_id, lock=True)
    if found is None or found.id == request.id or found.state is State.DRAFT:
        raise Invalid({"duplicate_of": "requests-error-duplicate-of"})
    return found


def join(number: int) -> None:
    """Have everybody who asked what this request asks, and nobody else, joined to the one that gets the answer.

    Does not commit.
    """
    answered = db.session.get_one(Request, number)
    while answered.duplicate_of_id is not None:
        answered = db.session.get_one(Request, answered.duplicate_of_id)
    askers = _askers(answered)
    have = {
        member.person_id: member
        for member in db.session.scalars(select(TeamMember).where(TeamMember.request_id == answered.id))
    }
    for person_id, member in have.items():
        if member.role == JOINED and person_id not in askers:
            db.session.delete(member)
    for person_id in askers - have.keys():
        db.session.add(TeamMember(request_id=answered.id, person_id=person_id, role=JOINED, joined_at=clock.now()))
    db.session.flush()


def _askers(answered: Request) -> set[int]:
    """The requesters of all requests whose chain of duplicates ends here."""
    found: set[int] = set()
    layer = {answered.id}
    while layer:
        rows = db.session.execute(
            select(Request.id, Request.requester_id).where(Request.duplicate_of_id.in_(layer))
        ).all()
        layer = {row.id for row in rows}
        found |= {row.requester_id for row in rows}
    return found - {answered.requester_id}
