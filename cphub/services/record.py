"""Writing down what happened: the event, the inbox items of those it concerns, and the mails to send.

Nothing here commits; the use case that calls does, so that a change and its word about it are one transaction.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from cphub.domain import notices
from cphub.domain.events import Audience, EventKind, audience_of
from cphub.domain.notices import Circle
from cphub.domain.policy import Role, Visibility
from cphub.models import Event, InboxItem, Json, Person, Request, RoleGrant, TeamMember, Watch, db
from cphub.services import outbox


def record(
    request: Request,
    kind: EventKind,
    *,
    actor: int | None,
    now: datetime,
    payload: Json | None = None,
    about: Iterable[int] = (),
    audience: Audience | None = None,
) -> Event:
    """Append an event to a request and tell whom it concerns.

    ``about``: people this very event is about. ``audience``: only where it is not the kind's own.
    """
    event = Event(
        request_id=request.id,
        actor_id=actor,
        kind=kind,
        audience=audience or audience_of(kind),
        payload=payload or {},
        at=now,
    )
    db.session.add(event)
    db.session.flush()
    told = notices.hear(kind, event.audience, _circle(request, about), actor=actor, waiting_on=request.waiting_on)
    for person_id, why in told.items():
        db.session.add(InboxItem(person_id=person_id, event_id=event.id, reason=why.value))
    for person_id in _with_mail(told):
        outbox.put(
            "mail",
            {"event": event.id, "person": person_id},
            key=f"mail:{event.id}:{person_id}",
            now=now,
            request_id=request.id,
        )
    # Not through the object: that would count as a change of holding and disturb whoever is deciding just now.
    db.session.execute(update(Request).where(Request.id == request.id).values(updated_at=now))
    return event


def _circle(request: Request, about: Iterable[int]) -> Circle:
    team: set[int] = set()
    joined: set[int] = set()
    for person_id, role in db.session.execute(
        select(TeamMember.person_id, TeamMember.role).where(TeamMember.request_id == request.id)
    ):
        (joined if role == "joined" else team).add(person_id)
    watchers = set(db.session.scalars(select(Watch.person_id).where(Watch.request_id == request.id)))
    roles: dict[Role, set[int]] = {Role.COORDINATOR: set(), Role.COMMITTEE: set()}
    for person_id, role in db.session.execute(
        select(RoleGrant.person_id, RoleGrant.role).where(RoleGrant.role.in_(list(roles)))
    ):
        # Somebody who asks for help hears of it as the requester, not as one of those who handle it.
        if person_id != request.requester_id:
            roles[role].add(person_id)
    if request.visibility is not Visibility.PUBLIC:
        # Whoever began to watch while it was public hears nothing once it is not.
        watchers &= roles[Role.COORDINATOR] | roles[Role.COMMITTEE]
    return Circle(
        requester=request.requester_id,
        coordinators=frozenset(roles[Role.COORDINATOR]),
        committee=frozenset(roles[Role.COMMITTEE]),
        coordinator=request.coordinator_id,
        lead=request.lead_id,
        team=frozenset(team),
        joined=frozenset(joined),
        offered=frozenset(about),
        watchers=frozenset(watchers),
    )


def _with_mail(people: Iterable[int]) -> Iterable[int]:
    return db.session.scalars(
        select(Person.id).where(Person.id.in_(list(people)), Person.mail_confirmed, Person.mail_wanted)
    )
