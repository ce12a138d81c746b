"""A person's inbox, newest first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cphub.domain.events import EventKind
from cphub.domain.policy import Viewer
from cphub.models import Event, InboxItem, Json, Person, Request, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.models.queries.visibility import visible


@dataclass(frozen=True, slots=True)
class Item:
    """What happened, on which request, and why this person is told (a code of ``domain.notices.Why``)."""

    id: int
    kind: EventKind
    at: datetime
    actor: str | None
    payload: Json
    number: int
    title: str
    reason: str
    read: bool


def inbox(viewer: Viewer, *, after: str | None = None) -> Page[Item]:
    """One page; what the viewer may no longer see has left it. One statement."""
    query = (
        select(
            InboxItem.id, Event.kind, Event.at, Event.payload, Event.actor_id, Person.name, Request.id.label("number"),
            Request.title, Request.withhold_name, Request.requester_id, InboxItem.reason, InboxItem.read_at,
        )
        .join(Event, Event.id == InboxItem.event_id)
        .join(Request, Request.id == Event.request_id)
        .outerjoin(Person, Person.id == Event.actor_id)
        .where(InboxItem.person_id == viewer.person_id, visible(viewer))
    )  # fmt: skip
    found = db.session.execute(keyset.newest_first(query, Event.at, InboxItem.id, after)).all()
    page = keyset.page(found, lambda row: keyset.moment_mark(row.at, row.id))
    return Page(
        [
            Item(
                id=r.id,
                kind=r.kind,
                at=r.at,
                actor=None if r.withhold_name and r.actor_id == r.requester_id and r.reason == "watching" else r.name,
                payload=r.payload,
                number=r.number,
                title=r.title,
                reason=r.reason,
                read=r.read_at is not None,
            )
            for r in page.rows
        ],
        page.next,
    )
