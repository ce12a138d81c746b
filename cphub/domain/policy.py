"""Who may see and do what. ``may`` is asked by every page, list, search, feed, mail and task text; there is no other.

Lists cannot ask row by row, so a list asks ``reach`` instead; ``may(viewer, SEE, request)`` is defined by the same
``reach``, and a test compares the database's answer with it for every viewer and every request.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from cphub.domain import lifecycle
from cphub.domain.events import Audience
from cphub.domain.lifecycle import Part, Situation, State, Track, Verb, WaitingOn


class Role(StrEnum):
    COORDINATOR = "coordinator"
    COMMITTEE = "committee"
    ADMIN = "admin"


class Visibility(StrEnum):
    PUBLIC = "public"
    HUB = "hub"


class Act(StrEnum):
    """What can be asked for besides the verbs of a request's life."""

    SEE = "see"
    SEE_WITHHELD = "see_withheld"
    SEE_MATCHES = "see_matches"
    REPLY = "reply"
    NOTE = "note"
    EDIT = "edit"
    WATCH = "watch"
    LINK_TASK = "link_task"
    SET_NEEDS = "set_needs"
    STAFF = "staff"
    WRITE = "write"
    ASK_FOR_OTHERS = "ask_for_others"
    SEE_QUEUE = "see_queue"
    SEE_COMMITTEE = "see_committee"
    SEE_DELIVERIES = "see_deliveries"
    MANAGE_ROLES = "manage_roles"
    SEE_PROFILE = "see_profile"
    EDIT_PROFILE = "edit_profile"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. ``person_id`` None: not signed in. ``blocked``: may read, may not write. ``expert``: has a published
    profile."""

    person_id: int | None = None
    roles: frozenset[Role] = frozenset()
    blocked: bool = False
    expert: bool = False


#: Somebody who is not signed in.
ANONYMOUS = Viewer()


@dataclass(frozen=True, slots=True)
class Subject:
    """What the policy needs to know of a request: its state and the ids of the people in it."""

    state: State
    track: Track
    visibility: Visibility
    owner_ids: frozenset[int] = field(default_factory=frozenset)  # the requester; while a draft, who is writing it
    lead_id: int | None = None
    team_ids: frozenset[int] = field(default_factory=frozenset)
    joined_ids: frozenset[int] = field(default_factory=frozenset)  # requesters of duplicates of this request
    offered_ids: frozenset[int] = field(default_factory=frozenset)
    waiting_on: WaitingOn | None = None

    @property
    def situation(self) -> Situation:
        return Situation(self.state, self.track, self.waiting_on, self.lead_id is not None, len(self.offered_ids))


@dataclass(frozen=True, slots=True)
class Profile:
    """What the policy needs to know of an expert's profile."""

    owner_id: int
    published: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """Which sent requests a viewer can see at all: everything, or the public ones and those they have a part in."""

    everything: bool
    person_id: int | None

    def covers(self, request: Subject) -> bool:
        mine = self.person_id is not None and self.person_id in _people(request)
        if request.state is State.DRAFT:
            return self.person_id is not None and self.person_id in request.owner_ids
        return self.everything or request.visibility is Visibility.PUBLIC or mine


def _people(request: Subject) -> frozenset[int]:
    lead = frozenset() if request.lead_id is None else frozenset({request.lead_id})
    return request.owner_ids | request.team_ids | request.joined_ids | request.offered_ids | lead


def reach(viewer: Viewer) -> Reach:
    """The reach of a viewer over all requests; coordinators and the committee see every one that was sent."""
    return Reach(bool(viewer.roles & {Role.COORDINATOR, Role.COMMITTEE}), viewer.person_id)


def parts(viewer: Viewer, request: Subject) -> frozenset[Part]:
    """The parts a viewer plays in a request."""
    found = set()
    me = viewer.person_id
    if me is not None:
        if me in request.owner_ids:
            found.add(Part.REQUESTER)
        if me == request.lead_id:
            found.add(Part.LEAD)
        if me in request.team_ids:
            found.add(Part.TEAM)
        if me in request.joined_ids:
            found.add(Part.JOINED)
        if me in request.offered_ids:
            found.add(Part.OFFERED)
    # Nobody handles or judges their own case: a coordinator who asks for help is a requester like any other.
    if Part.REQUESTER not in found:
        if viewer.expert:
            found.add(Part.EXPERT)
        if Role.COMMITTEE in viewer.roles:
            found.add(Part.COMMITTEE)
        if Role.COORDINATOR in viewer.roles:
            found.add(Part.COORDINATOR)
    return frozenset(found)


_INSIDE = {
    Part.REQUESTER,
    Part.LEAD,
    Part.TEAM,
    Part.JOINED,
    Part.OFFERED,
    Part.COORDINATOR,
    Part.COMMITTEE,
}
_AUDIENCE: dict[Audience, set[Part]] = {
    Audience.PARTICIPANTS: _INSIDE - {Part.JOINED},
    Audience.TEAM: {Part.LEAD, Part.TEAM, Part.COORDINATOR},
    Audience.COORDINATORS: {Part.COORDINATOR},
}


def audiences(viewer: Viewer, request: Subject) -> frozenset[Audience]:
    """The audiences whose events and replies this viewer may read on a request they can see."""
    mine = parts(viewer, request)
    return frozenset({Audience.PUBLIC} | {a for a, who in _AUDIENCE.items() if who & mine})


_REQUEST_ACTS: dict[Act, set[Part]] = {
    # Whoever asked the same must read the answers, but not what the other one keeps from the public.
    Act.SEE_WITHHELD: _INSIDE - {Part.JOINED},
    Act.SEE_MATCHES: {Part.COORDINATOR},
    Act.NOTE: {Part.LEAD, Part.TEAM, Part.COORDINATOR},
    Act.EDIT: {Part.REQUESTER, Part.COORDINATOR},
    Act.LINK_TASK: {Part.LEAD, Part.COORDINATOR},
    Act.SET_NEEDS: {Part.COORDINATOR},
    Act.STAFF: {Part.COORDINATOR},
}
_READS = {Act.SEE, Act.SEE_WITHHELD, Act.SEE_MATCHES, Act.SEE_PROFILE, Act.SEE_QUEUE, Act.SEE_COMMITTEE}
_BY_ROLE: dict[Act, set[Role]] = {
    Act.ASK_FOR_OTHERS: {Role.COORDINATOR},
    Act.SEE_QUEUE: {Role.COORDINATOR},
    Act.SEE_COMMITTEE: {Role.COORDINATOR, Role.COMMITTEE},
    Act.SEE_DELIVERIES: {Role.COORDINATOR, Role.ADMIN},
    Act.MANAGE_ROLES: {Role.ADMIN},
}


def may(viewer: Viewer, act: Act | Verb, thing: Subject | Profile | None = None) -> bool:
    """Whether ``viewer`` may do ``act``, on a request or a profile where the act is about one."""
    if act not in _READS and (viewer.person_id is None or viewer.blocked):
        return False
    if isinstance(thing, Profile):
        mine = viewer.person_id == thing.owner_id
        return mine if act is Act.EDIT_PROFILE else thing.published or mine
    if isinstance(thing, Subject):
        return _may_request(viewer, act, thing)
    if isinstance(act, Act) and act in _BY_ROLE:
        return bool(viewer.roles & _BY_ROLE[act])
    return act is Act.WRITE


def _may_request(viewer: Viewer, act: Act | Verb, request: Subject) -> bool:
    if not reach(viewer).covers(request):
        return False
    mine = parts(viewer, request)
    if isinstance(act, Verb):
        return act in lifecycle.verbs(request.situation, mine)
    if request.state is State.DRAFT:
        return act in (Act.SEE, Act.SEE_WITHHELD)
    if act in _REQUEST_ACTS:
        return bool(_REQUEST_ACTS[act] & mine)
    if act is Act.REPLY:
        return bool(mine & (_INSIDE | {Part.EXPERT}))
    return act in (Act.SEE, Act.WATCH)
