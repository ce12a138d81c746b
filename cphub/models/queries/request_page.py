"""Everything the page of one request shows, for one viewer: nothing is shown that this viewer may not see."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased, joinedload

from cphub.domain import lifecycle
from cphub.domain.clocks import Clock
from cphub.domain.events import Audience
from cphub.domain.lifecycle import Part, Verb
from cphub.domain.offers import OfferState
from cphub.domain.policy import Act, Subject, Viewer, audiences, may, parts
from cphub.models import Expert, Offer, OutboxRow, OutboxState, Person, Request, TaskLink, TeamMember, Watch, db
from cphub.models.queries.names import unnamed
from cphub.models.queries.timeline import Line, history


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the team. ``role``: see ``services.team``."""

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
    """``request`` is the stored row: of what its requester can withhold, show only what ``inside`` allows.

    ``requester``: None when withheld. ``primary``: the one verb to put first. ``joined``: who asked the same, and
    ``offers``, the open ones: for coordinators. ``my_offer``: the viewer's. ``ordered``: where the outbox is with
    the task, while there is none. ``duplicate_of``: only when the viewer may see that one.
    """

    request: Request
    subject: Subject
    parts: frozenset[Part]
    verbs: frozenset[Verb]
    primary: Verb | None
    inside: bool
    requester: str | None
    coordinator: str | None
    lead: str | None
    lead_expert_id: int | None
    team: list[Member]
    joined: list[Member]
    timeline: list[Line]
    clocks: dict[str, Clock]
    offers: list[OpenOffer]
    my_offer: OpenOffer | None
    task: TaskLink | None
    ordered: OutboxState | None
    watching: bool
    duplicate_of: int | None

    def may(self, viewer: Viewer, act: Act) -> bool:
        return may(viewer, act, self.subject)

    def since(self, version: int) -> list[Line]:
        """What has happened after a version that somebody was looking at."""
        return [line for line in self.timeline if int(line.payload.get("version") or 0) > version]


SubjectOf = Callable[[Request], Subject]
_Requester, _Coordinator, _Lead, _LeadProfile = aliased(Person), aliased(Person), aliased(Person), aliased(Expert)
_REQUEST = (
    select(Request, TaskLink, _Requester.name, _Coordinator.name, _Lead.name, _LeadProfile.id)
    .outerjoin(TaskLink, TaskLink.request_id == Request.id)
    .outerjoin(_Requester, _Requester.id == Request.requester_id)
    .outerjoin(_Coordinator, _Coordinator.id == Request.coordinator_id)
    .outerjoin(_Lead, _Lead.id == Request.lead_id)
    .outerjoin(_LeadProfile, (_LeadProfile.person_id == Request.lead_id) & _LeadProfile.published)
    .options(joinedload(Request.kinds))
)


def request_page(viewer: Viewer, number: int, subject_of: SubjectOf) -> RequestPage | None:
    """The page of a request, or None when there is none that this viewer may know of. Statements do not grow with
    the table. ``subject_of`` gives the policy's view of a request (the service's, so that there is only one)."""
    row = (
        db.session.execute(
            _REQUEST.add_columns(Watch.person_id)
            .outerjoin(Watch, (Watch.request_id == Request.id) & (Watch.person_id == viewer.person_id))
            .where(Request.id == number)
        )
        .unique()
        .first()
    )
    if row is None:
        return None
    request, task, requester, coordinator, lead, lead_expert_id, watcher_id = row
    subject = subject_of(request)
    if not may(viewer, Act.SEE, subject):
        return None
    mine = parts(viewer, subject)
    hidden = unnamed(viewer, request, subject)
    past = history(viewer, request, subject, unnamed=hidden)
    members = _members(number) if subject.team_ids | subject.joined_ids else []
    offers = _offers(number) if subject.offered_ids else []
    return RequestPage(
        request=request,
        subject=subject,
        parts=mine,
        verbs=frozenset(verb for verb in lifecycle.verbs(subject.situation, mine) if may(viewer, verb, subject)),
        primary=lifecycle.primary(subject.situation, mine) if may(viewer, Act.WRITE) else None,
        inside=may(viewer, Act.SEE_WITHHELD, subject),
        requester=None if request.requester_id in hidden else requester,
        coordinator=coordinator,
        lead=lead,
        lead_expert_id=lead_expert_id,
        team=[member for member in members if member.role != "joined"],
        joined=[m for m in members if m.role == "joined"] if Part.COORDINATOR in mine else [],
        timeline=past.lines,
        clocks=past.clocks,
        offers=[offer for offer, _ in offers] if Part.COORDINATOR in mine else [],
        my_offer=next((offer for offer, person_id in offers if person_id == viewer.person_id), None),
        task=task,
        ordered=_ordered(number) if task is None and Audience.TEAM in audiences(viewer, subject) else None,
        watching=watcher_id is not None,
        duplicate_of=_reachable(viewer, request.duplicate_of_id, subject_of),
    )


def _members(number: int) -> list[Member]:
    found = db.session.execute(
        select(TeamMember.person_id, Person.name, TeamMember.role)
        .join(Person, Person.id == TeamMember.person_id)
        .where(TeamMember.request_id == number)
        .order_by(TeamMember.joined_at, TeamMember.person_id)
    )
    return [Member(row.person_id, row.name, row.role) for row in found]


def _offers(number: int) -> list[tuple[OpenOffer, int]]:
    found = db.session.execute(
        select(Offer, Expert.organisation, Person.name)
        .join(Expert, Expert.id == Offer.expert_id)
        .join(Person, Person.id == Offer.person_id)
        .where(Offer.request_id == number, Offer.state == OfferState.OPEN)
        .order_by(Offer.id)
    )
    return [
        (OpenOffer(o.id, o.expert_id, organisation or name, o.sent_at, o.expires_at, o.message), o.person_id)
        for o, organisation, name in found
    ]


def _ordered(number: int) -> OutboxState | None:
    return db.session.scalars(
        select(OutboxRow.state)
        .where(
            OutboxRow.request_id == number,
            OutboxRow.kind.in_(["task:create", "task:link"]),
            OutboxRow.state != OutboxState.DONE,
        )
        .order_by(OutboxRow.id.desc())
        .limit(1)
    ).first()


def _reachable(viewer: Viewer, number: int | None, subject_of: SubjectOf) -> int | None:
    if number is None:
        return None
    target = db.session.get(Request, number)
    return number if target is not None and may(viewer, Act.SEE, subject_of(target)) else None
