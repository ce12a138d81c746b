"""The timeline of a request as one viewer may read it, and the clocks that its events give."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from cphub.domain.clocks import Clock, Tick, clocks
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import WaitingOn
from cphub.domain.policy import Subject, Viewer, audiences
from cphub.models import Event, Json, Person, Reply, Request, db
from cphub.models.queries.names import mentioned, names_in

#: Events that stand for a reply or note; a correction is shown at the reply itself.
_SAYS = {EventKind.REPLY_WRITTEN, EventKind.NOTE_WRITTEN, EventKind.REQUEST_ASKED, EventKind.REQUEST_ANSWERED}
_SHOWN_THERE = {EventKind.REPLY_EDITED, EventKind.REPLY_WITHDRAWN}

# Columns and not objects: nothing of it is changed, and a page has many.
_EVENTS = select(
    Event.id, Event.request_id, Event.kind, Event.audience, Event.actor_id, Event.payload, Event.at,
    Person.name.label("actor"),
).outerjoin(Person, Person.id == Event.actor_id)  # fmt: skip
_REPLIES = select(
    Reply.id, Reply.author_id, Reply.audience, Reply.body, Reply.written_at, Reply.edited_at, Reply.withdrawn_at
)


@dataclass(frozen=True, slots=True)
class Said:
    """A reply or note. ``body`` is Markdown; None once withdrawn. ``author`` None: the name is withheld."""

    id: int
    author: str | None
    is_note: bool
    body: str | None
    written_at: datetime
    edited_at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an event, with the reply it wrote if it is one, and the names its payload needs."""

    id: int
    kind: EventKind
    at: datetime
    actor: str | None
    payload: Json
    said: Said | None
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class History:
    """``lines`` oldest first. ``clocks``: name -> time, of all that have stopped."""

    lines: list[Line]
    clocks: dict[str, Clock]


def history(viewer: Viewer, request: Request, subject: Subject, *, unnamed: Set[int]) -> History:
    """What this viewer may read of what happened. ``unnamed``: people whose names are withheld from them.

    What was said through a duplicate stands on its page, too. At most four statements.
    """
    here = Event.request_id == request.id
    if request.duplicate_of_id is not None:
        through = Event.payload["via"].as_integer() == request.id
        here = or_(here, (Event.request_id == request.duplicate_of_id) & through)
    found = db.session.execute(_EVENTS.where(here).order_by(Event.id)).all()
    readable = audiences(viewer, subject)
    shown = [event for event in found if event.audience in readable and event.kind not in _SHOWN_THERE]
    replies = _replies([event.payload["reply"] for event in shown if event.kind in _SAYS])
    known = mentioned((event.payload for event in shown), {event.actor_id: event.actor for event in found})
    lines = []
    for event in shown:
        actor = None if event.actor_id in unnamed else event.actor
        reply = replies.get(event.payload["reply"]) if event.kind in _SAYS else None
        lines.append(
            Line(
                id=event.id,
                kind=event.kind,
                at=event.at,
                actor=actor,
                payload=event.payload,
                said=None if reply is None else _said(reply, actor, viewer),
                names=names_in(event.payload, known, withheld=unnamed),
            )
        )
    own = [event for event in found if event.request_id == request.id]
    return History(lines, clocks(_tick(event, subject) for event in own))


def _replies(ids: list[int]) -> dict[int, Any]:
    if not ids:
        return {}
    return {reply.id: reply for reply in db.session.execute(_REPLIES.where(Reply.id.in_(ids)))}


def _said(reply: Any, author: str | None, viewer: Viewer) -> Said:
    return Said(
        id=reply.id,
        author=author,
        is_note=reply.audience is Audience.TEAM,
        body=None if reply.withdrawn_at else reply.body,
        written_at=reply.written_at,
        edited_at=reply.edited_at,
        mine=reply.author_id == viewer.person_id,
    )


def _tick(event: Any, subject: Subject) -> Tick:
    """All events count, also those the viewer may not read: only times come out."""
    held = event.payload.get("waiting_on")
    return Tick(
        at=event.at,
        kind=event.kind,
        # Whoever asked the same answers it as little as the requester does.
        by_requester=event.actor_id in subject.owner_ids | subject.joined_ids,
        waiting_on=WaitingOn(held) if held else None,
        ends="waiting_on" in event.payload and held is None,
    )
