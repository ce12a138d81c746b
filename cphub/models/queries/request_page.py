"""Everything the page of one request shows, for one viewer: nothing is read that this viewer may not see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from cphub.domain import lifecycle
from cphub.domain.clocks import Clock, Tick, clocks
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import Part, Verb, WaitingOn
from cphub.domain.offers import OfferState
from cphub.domain.policy import Act, Subject, Viewer, audiences, may, parts
from cphub.models import (
    Event,
    Expert,
    Json,
    Offer,
    OutboxRow,
    OutboxState,
    Person,
    Reply,
    Request,
    TaskLink,
    TeamMember,
    Watch,
    db,
)
from cphub.models.queries.names import mentioned


@dataclass(frozen=True, slots=True)
class Said:
    """A reply or note. ``body`` is Markdown; None once withdrawn."""

    id: int
    author_id: int
    author: str | None
    is_note: bool
    body: str | None
    written_at: datetime
    edited_at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: an event, with the reply it wrote if it is one, and the names its payload needs."""

    id: int
    kind: EventKind
    at: datetime
    actor: str | None
    actor_id: int | None
    payload: Json
    said: Said | None
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    person_id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class OpenOffer:
    id: int
    expert_id: int
    name: str
    sent_at: datetime
    expires_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    """``details`` is the stored row, masked by ``partner``, ``country`` and ``requester``; read those, not its own.

    ``offers``: the open ones, for coordinators. ``my_offer``: the viewer's. ``task_pending``: its creation is still
    in the outbox (``failed`` when given up).
    """

    request: Request
    subject: Subject
    parts: frozenset[Part]
    verbs: frozenset[Verb]
    primary: Verb | None
    requester: str | None
    partner: str
    country: str | None
    contact: str
    coordinator: str | None
    lead: str | None
    lead_expert_id: int | None
    team: list[Member]
    timeline: list[Line]
    clocks: dict[str, Clock]
    offers: list[OpenOffer]
    my_offer: OpenOffer | None
    task: TaskLink | None
    task_pending: OutboxState | None
    watching: bool
    duplicate_of: int | None


def request_page(viewer: Viewer, number: int, subject_of: Any) -> RequestPage | None:
    """The page of a request, or None when there is none that this viewer may know of. Statements do not grow with
    the table. ``subject_of`` gives the policy's view of a request (the service's, so that there is only one)."""
    lead_profile = aliased(Expert)
    row = db.session.execute(
        select(Request, lead_profile.id, Watch.person_id, TaskLink)
        .outerjoin(lead_profile, (lead_profile.person_id == Request.lead_id) & lead_profile.published)
        .outerjoin(Watch, (Watch.request_id == Request.id) & (Watch.person_id == viewer.person_id))
        .outerjoin(TaskLink, TaskLink.request_id == Request.id)
        .where(Request.id == number)
    ).first()
    if row is None:
        return None
    request: Request = row[0]
    subject: Subject = subject_of(request)
    if not may(viewer, Act.SEE, subject):
        return None
    mine = parts(viewer, subject)
    readable = audiences(viewer, subject)
    inside = may(viewer, Act.SEE_WITHHELD, subject)
    team = _team(number)
    open_offers = _offers(number) if subject.offered_ids else []
    names = _names(request, team)
    task: TaskLink | None = row[3]
    return RequestPage(
        request=request,
        subject=subject,
        parts=mine,
        verbs=frozenset(v for v in lifecycle.verbs(subject.situation, mine) if may(viewer, v, subject)),
        primary=lifecycle.primary(subject.situation, mine) if may(viewer, Act.WRITE) else None,
        requester=names.get(request.requester_id) if inside or not request.withhold_name else None,
        partner=request.partner_name if inside or not request.withhold_partner else "",
        country=request.country if inside or not request.withhold_country else None,
        contact=request.contact if inside else "",
        coordinator=names.get(request.coordinator_id or 0),
        lead=names.get(request.lead_id or 0),
        lead_expert_id=row[1],
        team=[m for m in team if m.role != "joined" or inside],
        timeline=_timeline(viewer, request, readable, hide_requester=request.withhold_name and not inside),
        clocks=_clocks(request),
        offers=[o for o, _ in open_offers] if Part.COORDINATOR in mine else [],
        my_offer=next((o for o, person in open_offers if person == viewer.person_id), None),
        task=task,
        task_pending=_pending_task(number) if task is None and Audience.TEAM in readable else None,
        watching=row[2] is not None,
        duplicate_of=_reachable(viewer, request.duplicate_of_id, subject_of),
    )


def changes_since(viewer: Viewer, request: Request, subject: Subject, version: int | None) -> list[Line]:
    """What happened to a request after the version somebody was looking at: told to who acted too late."""
    lines = _timeline(viewer, request, audiences(viewer, subject), hide_requester=False)
    return [line for line in lines if int(line.payload.get("version") or 0) > (version or 0)]


def _team(number: int) -> list[Member]:
    return [
        Member(*row)
        for row in db.session.execute(
            select(TeamMember.person_id, Person.name, TeamMember.role)
            .join(Person, Person.id == TeamMember.person_id)
            .where(TeamMember.request_id == number)
            .order_by(TeamMember.joined_at)
        )
    ]


def _offers(number: int) -> list[tuple[OpenOffer, int]]:
    found = db.session.execute(
        select(Offer, Person.name)
        .join(Person, Person.id == Offer.person_id)
        .where(Offer.request_id == number, Offer.state == OfferState.OPEN)
        .order_by(Offer.id)
    )
    return [(OpenOffer(o.id, o.expert_id, name, o.sent_at, o.expires_at, o.message), o.person_id) for o, name in found]


def _names(request: Request, team: list[Member]) -> dict[int, str]:
    ids = {request.requester_id, request.lead_id, request.coordinator_id} - {None}
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all()
    return {row.id: row.name for row in rows} | {m.person_id: m.name for m in team}


def _timeline(viewer: Viewer, request: Request, readable: frozenset[Audience], *, hide_requester: bool) -> list[Line]:
    """Events and replies this viewer may read, oldest first; replies written through a duplicate show there too."""
    number = request.id
    mine_here = Event.request_id == number
    if request.duplicate_of_id is not None:
        mine_here = or_(
            mine_here,
            (Event.request_id == request.duplicate_of_id) & (Event.payload["via"].as_integer() == number),
        )
    found = db.session.execute(
        select(Event, Person.name)
        .outerjoin(Person, Person.id == Event.actor_id)
        .where(mine_here, Event.audience.in_(readable))
        .order_by(Event.id)
    ).all()
    wanted = [event.payload["reply"] for event, _ in found if event.kind in _SAYS]
    replies = {}
    if wanted:
        replies = {
            r.id: (r, name)
            for r, name in db.session.execute(
                select(Reply, Person.name).join(Person, Person.id == Reply.author_id).where(Reply.id.in_(wanted))
            )
        }
    people = mentioned(event.payload for event, _ in found)

    def shown(person_id: int | None, name: str | None) -> str | None:
        return None if hide_requester and person_id == request.requester_id else name

    lines = []
    for event, actor in found:
        said = None
        if event.kind in _SAYS and event.payload["reply"] in replies:
            reply, author = replies[event.payload["reply"]]
            said = Said(
                id=reply.id,
                author_id=reply.author_id,
                author=shown(reply.author_id, author),
                is_note=reply.is_note,
                body=None if reply.withdrawn_at else reply.body,
                written_at=reply.written_at,
                edited_at=reply.edited_at,
                mine=reply.author_id == viewer.person_id,
            )
        names = {
            key: shown(person_id, people.get((key, person_id))) or ""
            for key in ("person", "expert")
            if (person_id := event.payload.get(key)) is not None
        }
        lines.append(
            Line(
                event.id, event.kind, event.at, shown(event.actor_id, actor), event.actor_id, event.payload, said, names
            )
        )
    return lines


#: Events that stand for a reply or note in the timeline; a correction is shown at the reply itself.
_SAYS = {EventKind.REPLY_WRITTEN, EventKind.NOTE_WRITTEN, EventKind.REQUEST_ASKED, EventKind.REQUEST_ANSWERED}


def _clocks(request: Request) -> dict[str, Clock]:
    """All events count for the clocks, also those this viewer may not read: only times come out."""
    rows = db.session.execute(
        select(Event.at, Event.kind, Event.actor_id, Event.payload)
        .where(Event.request_id == request.id)
        .order_by(Event.id)
    )
    return clocks(
        Tick(
            at=row.at,
            kind=row.kind,
            by_requester=row.actor_id == request.requester_id,
            waiting_on=WaitingOn(row.payload["waiting_on"]) if row.payload.get("waiting_on") else None,
            ends="waiting_on" in row.payload and row.payload["waiting_on"] is None,
        )
        for row in rows
    )


def _pending_task(number: int) -> OutboxState | None:
    return db.session.scalars(
        select(OutboxRow.state)
        .where(
            OutboxRow.request_id == number,
            OutboxRow.kind == "task:create",
            OutboxRow.state != OutboxState.DONE,
        )
        .order_by(OutboxRow.id.desc())
    ).first()


def _reachable(viewer: Viewer, number: int | None, subject_of: Any) -> int | None:
    if number is None:
        return None
    target = db.session.get(Request, number)
    return number if target is not None and may(viewer, Act.SEE, subject_of(target)) else None
