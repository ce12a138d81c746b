"""A person's inbox, newest first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from cphub.domain.events import EventKind
from cphub.domain.notices import Why
from cphub.domain.policy import Viewer
from cphub.models import Event, InboxItem, Json, Person, Request, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.models.queries.names import mentioned, names_in
from cphub.models.queries.visibility import asks_unnamed, readable, unmasked, visible


@dataclass(frozen=True, slots=True)
class Item:
    """What happened, on which request, and why this person is told (a code of ``domain.notices.Why``).

    ``names``: key of the payload -> name, of whom the event names.
    """

    id: int
    kind: EventKind
    at: datetime
    actor: str | None
    payload: Json
    names: dict[str, str]
    number: int
    title: str
    language: str | None
    reason: str
    read: bool


def inbox(viewer: Viewer, *, after: str | None = None) -> Page[Item]:
    """One page; what the viewer may no longer see has left it. At most three statements."""
    query = (
        select(
            InboxItem.id, Event.kind, Event.at, Event.payload, Event.actor_id, Person.name, Request.id.label("number"),
            Request.title, Request.language, Request.requester_id, InboxItem.reason, InboxItem.read_at,
            or_(~Request.withhold_name, unmasked(viewer)).label("named"), asks_unnamed(viewer).label("unnamed"),
        )
        .join(Event, Event.id == InboxItem.event_id)
        .join(Request, Request.id == Event.request_id)
        .outerjoin(Person, Person.id == Event.actor_id)
        # Whom an offer is made to reads of it, though nobody else but the coordinators may.
        .where(
            InboxItem.person_id == viewer.person_id,
            visible(viewer),
            or_(readable(viewer), InboxItem.reason == Why.OFFERED.value),
        )
    )  # fmt: skip
    found = db.session.execute(keyset.latest_first(query, InboxItem.id, after)).all()
    page = keyset.page(found, lambda row: str(row.id))
    names = mentioned(row.payload for row in page.rows)
    return Page(
        [
            Item(
                id=r.id,
                kind=r.kind,
                at=r.at,
                actor=None if r.unnamed or (r.actor_id == r.requester_id and not r.named) else r.name,
                payload=r.payload,
                names=names_in(r.payload, names, withheld=frozenset() if r.named else {r.requester_id}),
                number=r.number,
                title=r.title,
                language=r.language,
                reason=r.reason,
                read=r.read_at is not None,
            )
            for r in page.rows
        ],
        page.next,
    )
