"""Writing down what happened: the event, the inbox items of those it concerns, and the mails to send.

Nothing here commits; the use case that calls does, so that a change and its word about it are one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, union_all, update

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
    around: dict[str, set[int]] = defaultdict(set)
    found: Any = db.session.execute(
        union_all(
            select(TeamMember.person_id, TeamMember.role).where(TeamMember.request_id == request.id),
            select(Watch.person_id, literal("watches")).where(Watch.request_id == request.id),
            select(RoleGrant.person_id, RoleGrant.role).where(RoleGrant.role.in_([Role.COORDINATOR, Role.COMMITTEE])),
        )
    )
    for person_id, part in found:
        around[part].add(person_id)
    # Somebody who asks for help hears of it as the requester, not as one of those who handle it.
    coordinators, committee = (
        around.pop(role, set()) - {request.requester_id} for role in (Role.COORDINATOR, Role.COMMITTEE)
    )
    joined, watchers = around.pop("joined", set()), around.pop("watches", set())
    if request.visibility is not Visibility.PUBLIC:
        # Whoever began to watch while it was public hears nothing once it is not.
        watchers &= coordinators | committee
    return Circle(
        requester=request.requester_id,
        coordinators=frozenset(coordinators),
        committee=frozenset(committee),
        coordinator=request.coordinator_id,
        lead=request.lead_id,
        team=frozenset().union(*around.values()),
        joined=frozenset(joined),
        offered=frozenset(about),
        watchers=frozenset(watchers),
    )


def _with_mail(people: Iterable[int]) -> Iterable[int]:
    return db.session.scalars(
        select(Person.id).where(Person.id.in_(list(people)), Person.mail_confirmed, Person.mail_wanted)
    )
