"""The team of a request, beside the lead."""

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import State
from cphub.domain.policy import Act, Viewer
from cphub.errors import Invalid, NotFound
from cphub.models import TeamMember, db
from cphub.services import people, requests
from cphub.services.record import record

#: What somebody on the team can be; ``joined`` (asked the same elsewhere) is not given by hand.
TEAM_ROLES = ("expert", "bridge", "apprentice")


def join(viewer: Viewer, number: int, name: str, role: str) -> TeamMember:
    """A coordinator adds somebody to the team: a further expert, a language bridge or an apprentice. Commits."""
    request, subject = requests.find(viewer, number, Act.STAFF, lock=True)
    if request.state is State.DRAFT or role not in TEAM_ROLES:
        raise Invalid({"role": "requests-error-choice"})
    try:
        person = people.by_name(name)
    except NotFound:
        raise Invalid({"name": "admin-error-no-such-person"}) from None
    if person.id in subject.owner_ids or person.id == request.lead_id or person.blocked:
        raise Invalid({"name": "offers-error-cannot-join"})
    member = db.session.get(TeamMember, (number, person.id))
    now = clock.now()
    if member is None:
        member = TeamMember(request_id=number, person_id=person.id, role=role, joined_at=now)
        db.session.add(member)
    member.role = role
    record(
        request,
        EventKind.TEAM_JOINED,
        actor=viewer.person_id,
        now=now,
        payload={"person": person.id, "role": role},
    )
    db.session.commit()
    return member


def leave(viewer: Viewer, number: int, person_id: int) -> None:
    """Somebody leaves the team, by themselves or by a coordinator. Commits."""
    mine = person_id == viewer.person_id and not viewer.blocked
    request, _ = requests.find(viewer, number, Act.SEE if mine else Act.STAFF, lock=True)
    member = db.session.get(TeamMember, (number, person_id))
    if member is None or member.role not in TEAM_ROLES:
        raise NotFound
    db.session.delete(member)
    record(request, EventKind.TEAM_LEFT, actor=viewer.person_id, now=clock.now(), payload={"person": person_id})
    db.session.commit()
