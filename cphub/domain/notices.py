"""Who is told of an event, and why: one pure function, so that "who will hear of this" can be read and tested."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import WaitingOn


class Why(StrEnum):
    """Why somebody is told; the first that fits, from the most to the least pressing."""

    YOUR_TURN = "your_turn"
    OFFERED = "offered"
    YOUR_REQUEST = "your_request"
    YOU_LEAD = "you_lead"
    TEAM = "team"
    JOINED = "joined"
    WATCHING = "watching"
    COORDINATOR = "coordinator"
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class Circle:
    """The people around a request, by person id.

    ``coordinator``: who looks after it. ``joined``: asked the same. ``offered``: only those whom this very event
    concerns.
    """

    requester: int
    coordinators: frozenset[int]
    committee: frozenset[int] = frozenset()
    coordinator: int | None = None
    lead: int | None = None
    team: frozenset[int] = frozenset()
    joined: frozenset[int] = frozenset()
    offered: frozenset[int] = frozenset()
    watchers: frozenset[int] = frozenset()


_FOR_ALL_COORDINATORS = {
    EventKind.REQUEST_RECEIVED,
    EventKind.REQUEST_REINSTATED,
    EventKind.LEAD_RELEASED,
    EventKind.OFFER_DECLINED,
    EventKind.OFFER_EXPIRED,
    EventKind.TASK_FAILED,
}


def hear(
    kind: EventKind, audience: Audience, circle: Circle, *, actor: int | None, waiting_on: WaitingOn | None
) -> dict[int, Why]:
    """Person id -> why they are told. Nobody is told of their own act, nor of what they may not read."""
    told: dict[int, Why] = {}

    def tell(people: Iterable[int | None], why: Why) -> None:
        for person in people:
            if person is not None and person != actor:
                told.setdefault(person, why)

    # Whoever is no coordinator any more hears no more than others do.
    in_charge = circle.coordinators & {circle.coordinator}
    hub = in_charge or circle.coordinators
    for_requester = audience in (Audience.PUBLIC, Audience.PARTICIPANTS)
    for_team = audience is not Audience.COORDINATORS
    if kind in (EventKind.OFFER_SENT, EventKind.OFFER_WITHDRAWN, EventKind.OFFER_EXPIRED):
        tell(circle.offered, Why.OFFERED)
    if for_requester:
        tell([circle.requester], Why.YOUR_TURN if waiting_on is WaitingOn.REQUESTER else Why.YOUR_REQUEST)
    if for_team:
        tell([circle.lead], Why.YOUR_TURN if waiting_on is WaitingOn.EXPERT else Why.YOU_LEAD)
        tell(circle.team, Why.TEAM)
    if audience is Audience.PUBLIC:
        tell(circle.joined, Why.JOINED)
    if kind in _FOR_ALL_COORDINATORS:
        tell(hub, Why.COORDINATOR)
    elif waiting_on is WaitingOn.COORDINATOR:
        tell(hub, Why.YOUR_TURN)
    else:
        tell(in_charge, Why.COORDINATOR)
    if kind is EventKind.REQUEST_IN_REVIEW:
        tell(circle.committee, Why.COMMITTEE)
    if audience is Audience.PUBLIC:
        tell(circle.watchers, Why.WATCHING)
    return told
