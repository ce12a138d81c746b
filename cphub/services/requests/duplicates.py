"""Requests that ask the same: whoever asked joins the one that gets the answer."""

from sqlalchemy import select

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import State
from cphub.errors import Invalid
from cphub.models import Json, Request, TeamMember, db
from cphub.services.record import record
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


def join(number: int, *, actor: int | None) -> None:
    """Have everybody who asked what this request asks, and nobody else, joined to the one that gets the answer.

    The people there are told of each who joins, for from now on these read along. Does not commit.
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
    now = clock.now()
    new = sorted(askers.keys() - have.keys())
    for person_id in new:
        db.session.add(TeamMember(request_id=answered.id, person_id=person_id, role=JOINED, joined_at=now))
    db.session.flush()
    for person_id in new:
        # A withheld name is not written down: the line stays when they no longer take part.
        named: Json = {} if askers[person_id] else {"person": person_id}
        record(
            answered,
            EventKind.TEAM_JOINED,
            actor=actor,
            now=now,
            payload=named | {"role": JOINED},
            audience=Audience.PARTICIPANTS,
        )


def _askers(answered: Request) -> dict[int, bool]:
    """The requesters of all requests whose chain of duplicates ends here -> whether they withhold their name."""
    found: dict[int, bool] = {}
    layer = {answered.id}
    while layer:
        rows = db.session.execute(
            select(Request.id, Request.requester_id, Request.withhold_name).where(Request.duplicate_of_id.in_(layer))
        ).all()
        layer = {row.id for row in rows}
        for row in rows:
            found[row.requester_id] = found.get(row.requester_id, False) or row.withhold_name
    found.pop(answered.requester_id, None)
    return found
