"""The life of a request: which verb leads from which state to which, who may use it, and who is waited for afterwards.

``MOVES`` is the one table of it. Everything else (buttons, services, policy, tests) reads that table. An open
request can never be without somebody it waits on, a next step and a date: ``Holding`` refuses to exist without them.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from cphub.domain.events import EventKind
from cphub.errors import Conflict


class Track(StrEnum):
    """``question``: small, answered at once; ``project``: with justification and committee review."""

    QUESTION = "question"
    PROJECT = "project"


class State(StrEnum):
    DRAFT = "draft"
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    MATCHING = "matching"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    DUPLICATE = "duplicate"


#: States in which somebody owes somebody something.
OPEN = frozenset({State.RECEIVED, State.IN_REVIEW, State.MATCHING, State.IN_PROGRESS, State.RESOLVED})
#: States of a request on which work goes on: open, and no answer is claimed yet.
WORKING = OPEN - {State.RESOLVED}
#: The straight path shown as steps on the request page; a question has no review.
PATH = {
    Track.PROJECT: (
        State.RECEIVED,
        State.IN_REVIEW,
        State.MATCHING,
        State.IN_PROGRESS,
        State.RESOLVED,
        State.CLOSED,
    ),
    Track.QUESTION: (State.RECEIVED, State.MATCHING, State.IN_PROGRESS, State.RESOLVED, State.CLOSED),
}


class WaitingOn(StrEnum):
    COORDINATOR = "coordinator"
    REQUESTER = "requester"
    COMMITTEE = "committee"
    EXPERT = "expert"
    PARTNER = "partner"


class Outcome(StrEnum):
    """How a request ended. The first seven are chosen when resolving, the others follow from the ending itself."""

    SOLVED = "solved"
    UPLOADED = "uploaded"
    INTRODUCED = "introduced"
    MATERIALS_GIVEN = "materials_given"
    CONVENED = "convened"
    REDIRECTED = "redirected"
    OUT_OF_SCOPE = "out_of_scope"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"


#: Outcomes that a person chooses, and what each must name besides its summary (to whom, where, which service).
CHOSEN_OUTCOMES = {
    Outcome.SOLVED: None,
    Outcome.UPLOADED: None,
    Outcome.INTRODUCED: "outcome_detail",
    Outcome.MATERIALS_GIVEN: None,
    Outcome.CONVENED: None,
    Outcome.REDIRECTED: "outcome_detail",
    Outcome.OUT_OF_SCOPE: "missing_service",
}


class Part(StrEnum):
    """The part a viewer plays in one request; several at once are usual.

    ``joined``: asked the same in another request that is a duplicate of this one; ``offered``: has an open offer.
    """

    REQUESTER = "requester"
    JOINED = "joined"
    LEAD = "lead"
    TEAM = "team"
    OFFERED = "offered"
    EXPERT = "expert"
    COORDINATOR = "coordinator"
    COMMITTEE = "committee"
    SYSTEM = "system"


class Verb(StrEnum):
    SEND = "send"
    REVIEW = "review"
    TAKE_ON = "take_on"
    APPROVE = "approve"
    ASK = "ask"
    ANSWER = "answer"
    SET_NEXT = "set_next"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE_OFFER = "decline_offer"
    WITHDRAW_OFFER = "withdraw_offer"
    EXPIRE_OFFER = "expire_offer"
    CLAIM = "claim"
    RELEASE = "release"
    RESOLVE = "resolve"
    CONFIRM = "confirm"
    LAPSE = "lapse"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    DECLINE = "decline"
    MARK_DUPLICATE = "mark_duplicate"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True)
class Next:
    """Who is waited for, the message code of what they do, and within how many days."""

    waiting_on: WaitingOn
    step: str
    days: int


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the table. ``target`` None: the state stays. ``then`` None: what the state stands for by itself."""

    verb: Verb
    sources: frozenset[State]
    target: State | None
    by: frozenset[Part]
    kind: EventKind
    then: Next | None = None
    needs: tuple[str, ...] = ()
    outcome: Outcome | None = None
    tracks: frozenset[Track] = frozenset(Track)


#: Verbs after which nobody leads: a request that comes back is looked at anew.
FREES_LEAD = frozenset({Verb.RELEASE, Verb.REINSTATE})
ENDS_OFFER = frozenset({Verb.DECLINE_OFFER, Verb.WITHDRAW_OFFER, Verb.EXPIRE_OFFER})

#: An unanswered offer passes to the next expert after this time (design section 4).
OFFER_LIFE = timedelta(hours=72)
#: A resolved request closes by itself after this time without an answer (design section 3).
CONFIRM_DAYS = 14

_S, _P, _E, _W = State, Part, EventKind, WaitingOn


def _of(*states: State) -> frozenset[State]:
    return frozenset(states)


def _by(*parts: Part) -> frozenset[Part]:
    return frozenset(parts)


_QUESTION = frozenset({Track.QUESTION})
_PROJECT = frozenset({Track.PROJECT})
_STAFFED = _by(_P.LEAD, _P.COORDINATOR)
_ANYONE_WORKING = _by(_P.LEAD, _P.TEAM, _P.COORDINATOR, _P.COMMITTEE)
_ENDED_EARLY = _of(_S.WITHDRAWN, _S.DECLINED, _S.DUPLICATE)
_ASKED = Next(_W.REQUESTER, "requester_answers", 14)
_OFFERED = Next(_W.EXPERT, "expert_answers_offer", OFFER_LIFE.days)

MOVES: tuple[Move, ...] = (
    Move(Verb.SEND, _of(_S.DRAFT), _S.RECEIVED, _by(_P.REQUESTER), _E.REQUEST_RECEIVED, needs=("title", "body")),
    Move(
        Verb.REVIEW,
        _of(_S.RECEIVED),
        _S.IN_REVIEW,
        _by(_P.COORDINATOR),
        _E.REQUEST_IN_REVIEW,
        tracks=_PROJECT,
    ),
    Move(
        Verb.TAKE_ON,
        _of(_S.RECEIVED),
        _S.MATCHING,
        _by(_P.COORDINATOR),
        _E.REQUEST_TAKEN_ON,
        tracks=_QUESTION,
    ),
    Move(
        Verb.APPROVE,
        _of(_S.IN_REVIEW),
        _S.MATCHING,
        _by(_P.COMMITTEE, _P.COORDINATOR),
        _E.REQUEST_APPROVED,
        needs=("reason",),
    ),
    Move(Verb.ASK, WORKING, None, _ANYONE_WORKING, _E.REQUEST_ASKED, then=_ASKED, needs=("body",)),
    Move(Verb.ANSWER, WORKING, None, _by(_P.REQUESTER), _E.REQUEST_ANSWERED, needs=("body",)),
    Move(
        Verb.SET_NEXT,
        WORKING,
        None,
        _STAFFED,
        _E.REQUEST_NEXT_STEP,
        needs=("waiting_on", "next_step_text", "due_on"),
    ),
    Move(Verb.OFFER, _of(_S.MATCHING), None, _by(_P.COORDINATOR), _E.OFFER_SENT, then=_OFFERED),
    Move(Verb.ACCEPT, _of(_S.MATCHING), _S.IN_PROGRESS, _by(_P.OFFERED), _E.OFFER_ACCEPTED),
    Move(
        Verb.DECLINE_OFFER,
        _of(_S.MATCHING),
        None,
        _by(_P.OFFERED),
        _E.OFFER_DECLINED,
        needs=("offer_reason",),
    ),
    Move(Verb.WITHDRAW_OFFER, _of(_S.MATCHING), None, _by(_P.COORDINATOR), _E.OFFER_WITHDRAWN),
    Move(Verb.EXPIRE_OFFER, _of(_S.MATCHING), None, _by(_P.SYSTEM), _E.OFFER_EXPIRED),
    Move(Verb.CLAIM, _of(_S.MATCHING), _S.IN_PROGRESS, _by(_P.EXPERT), _E.REQUEST_CLAIMED),
    Move(Verb.CLAIM, _of(_S.RECEIVED), _S.IN_PROGRESS, _by(_P.EXPERT), _E.REQUEST_CLAIMED, tracks=_QUESTION),
    Move(Verb.RELEASE, _of(_S.IN_PROGRESS), _S.MATCHING, _STAFFED, _E.LEAD_RELEASED, needs=("reason",)),
    Move(
        Verb.RESOLVE,
        _of(_S.IN_PROGRESS),
        _S.RESOLVED,
        _STAFFED,
        _E.REQUEST_RESOLVED,
        needs=("outcome", "summary"),
    ),
    Move(
        # A coordinator who can answer at once, or knows the right door, does not have to staff the request first.
        Verb.RESOLVE,
        _of(_S.RECEIVED, _S.MATCHING),
        _S.RESOLVED,
        _by(_P.COORDINATOR),
        _E.REQUEST_RESOLVED,
        needs=("outcome", "summary"),
    ),
    Move(Verb.CONFIRM, _of(_S.RESOLVED), _S.CLOSED, _by(_P.REQUESTER, _P.COORDINATOR), _E.REQUEST_CONFIRMED),
    Move(Verb.LAPSE, _of(_S.RESOLVED), _S.CLOSED, _by(_P.SYSTEM), _E.REQUEST_LAPSED),
    Move(
        Verb.REOPEN,
        _of(_S.RESOLVED, _S.CLOSED),
        _S.IN_PROGRESS,
        _by(_P.REQUESTER, _P.COORDINATOR),
        _E.REQUEST_REOPENED,
        needs=("reason",),
    ),
    Move(
        Verb.WITHDRAW,
        WORKING,
        _S.WITHDRAWN,
        _by(_P.REQUESTER, _P.COORDINATOR),
        _E.REQUEST_WITHDRAWN,
        outcome=Outcome.WITHDRAWN,
    ),
    Move(
        Verb.DECLINE,
        WORKING,
        _S.DECLINED,
        _by(_P.COORDINATOR),
        _E.REQUEST_DECLINED,
        needs=("reason", "alternative"),
        outcome=Outcome.DECLINED,
    ),
    Move(
        Verb.DECLINE,
        _of(_S.IN_REVIEW),
        _S.DECLINED,
        _by(_P.COMMITTEE),
        _E.REQUEST_DECLINED,
        needs=("reason", "alternative"),
        outcome=Outcome.DECLINED,
    ),
    Move(
        Verb.MARK_DUPLICATE,
        WORKING,
        _S.DUPLICATE,
        _by(_P.COORDINATOR),
        _E.REQUEST_DUPLICATE,
        needs=("duplicate_of",),
        outcome=Outcome.DUPLICATE,
    ),
    Move(
        Verb.REINSTATE,
        _ENDED_EARLY,
        _S.RECEIVED,
        _by(_P.COORDINATOR),
        _E.REQUEST_REINSTATED,
        needs=("reason",),
    ),
    Move(
        Verb.REINSTATE,
        _of(_S.WITHDRAWN),
        _S.RECEIVED,
        _by(_P.REQUESTER),
        _E.REQUEST_REINSTATED,
        needs=("reason",),
    ),
)

#: What an open request waits for when nobody has said otherwise.
STANDING: dict[State, Next] = {
    _S.RECEIVED: Next(_W.COORDINATOR, "coordinator_reads", 3),
    _S.IN_REVIEW: Next(_W.COMMITTEE, "committee_decides", 30),
    _S.MATCHING: Next(_W.COORDINATOR, "coordinator_finds_expert", 7),
    _S.IN_PROGRESS: Next(_W.EXPERT, "lead_works", 14),
    _S.RESOLVED: Next(_W.REQUESTER, "requester_confirms", CONFIRM_DAYS),
}
_WITHOUT_LEAD = Next(_W.COORDINATOR, "coordinator_continues", 7)
#: Message codes a next step can have; ``text`` shows the sentence a person wrote.
STEPS = frozenset(n.step for n in (*STANDING.values(), _WITHOUT_LEAD, _ASKED, _OFFERED)) | {"text"}


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds an open request, what they do next (a code of ``STEPS``, or ``text`` with a sentence), by when."""

    waiting_on: WaitingOn
    step: str
    due_on: date
    text: str = ""

    def __post_init__(self) -> None:
        if self.step not in STEPS or (self.step == "text") != bool(self.text.strip()):
            raise ValueError(f"not a next step: {self.step!r} {self.text!r}")


@dataclass(frozen=True, slots=True)
class Situation:
    """What the table needs to know of a request. ``offers``: open offers left once the verb has been carried out."""

    state: State
    track: Track
    waiting_on: WaitingOn | None = None
    has_lead: bool = False
    offers: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a verb does: the new state, who holds the request then (None when it is no longer open; the old holding
    stays when ``keeps_holding``), the event's kind, and the outcome where the ending itself is one."""

    state: State
    kind: EventKind
    holding: Holding | None
    keeps_holding: bool = False
    outcome: Outcome | None = None


def verbs(situation: Situation, parts: Set[Part]) -> frozenset[Verb]:
    """The verbs that somebody playing these parts may use now."""
    return frozenset(
        m.verb
        for m in MOVES
        if situation.state in m.sources and situation.track in m.tracks and m.by & parts and _fits(m.verb, situation)
    )


def ever(verb: Verb, parts: Set[Part]) -> bool:
    """Whether somebody playing these parts may use the verb in any state at all."""
    return any(m.verb is verb and m.by & parts for m in MOVES)


def _fits(verb: Verb, situation: Situation) -> bool:
    """Conditions beside state and track: an answer needs a question, a claim or an offer a free lead's place."""
    if verb is Verb.ANSWER:
        return situation.waiting_on is WaitingOn.REQUESTER
    if verb in (Verb.CLAIM, Verb.ACCEPT, Verb.OFFER):
        return not situation.has_lead
    if verb is Verb.RELEASE:
        return situation.has_lead
    return True


def needs(verb: Verb) -> tuple[str, ...]:
    """Names of the fields that must not be empty when this verb is used."""
    return next(m.needs for m in MOVES if m.verb is verb)


def move(situation: Situation, verb: Verb, parts: Set[Part], *, now: datetime, chosen: Holding | None = None) -> Change:
    """Carry out ``verb``. ``chosen`` is the next step a person set, for ``SET_NEXT``.

    Raises Conflict("requests-conflict-verb") when the table does not allow it (any more).
    """
    found = next(
        (
            m
            for m in MOVES
            if m.verb is verb
            and situation.state in m.sources
            and situation.track in m.tracks
            and m.by & parts
            and _fits(verb, situation)
        ),
        None,
    )
    if found is None:
        raise Conflict("requests-conflict-verb", state=situation.state.value, verb=verb.value)
    state = found.target or situation.state
    if verb is Verb.SET_NEXT:
        if chosen is None:
            raise ValueError("set_next needs the chosen next step")
        return Change(state, found.kind, chosen)
    if state not in OPEN:
        return Change(state, found.kind, None, outcome=found.outcome)
    if verb in ENDS_OFFER and (situation.offers or situation.waiting_on is not WaitingOn.EXPERT):
        return Change(state, found.kind, None, keeps_holding=True)
    has_lead = verb in (Verb.ACCEPT, Verb.CLAIM) or (situation.has_lead and verb not in FREES_LEAD)
    return Change(
        state,
        found.kind,
        _held(found.then or standing(state, has_lead=has_lead, offers=situation.offers), now),
    )


def standing(state: State, *, has_lead: bool, offers: int = 0) -> Next:
    """What a request in this open state waits for by itself."""
    if state is State.IN_PROGRESS and not has_lead:
        return _WITHOUT_LEAD
    if state is State.MATCHING and offers:
        return _OFFERED
    return STANDING[state]


def _held(then: Next, now: datetime) -> Holding:
    return Holding(then.waiting_on, then.step, (now + timedelta(days=then.days)).date())


#: The verb that fits each part best in each state, in order of preference: the one primary button of the page.
_PRIMARY: tuple[tuple[Part, Verb], ...] = (
    (_P.REQUESTER, Verb.SEND),
    (_P.REQUESTER, Verb.ANSWER),
    (_P.REQUESTER, Verb.CONFIRM),
    (_P.OFFERED, Verb.ACCEPT),
    (_P.LEAD, Verb.RESOLVE),
    (_P.COMMITTEE, Verb.APPROVE),
    (_P.COORDINATOR, Verb.REVIEW),
    (_P.COORDINATOR, Verb.TAKE_ON),
    (_P.COORDINATOR, Verb.APPROVE),
    (_P.COORDINATOR, Verb.OFFER),
    (_P.COORDINATOR, Verb.RESOLVE),
    (_P.EXPERT, Verb.CLAIM),
)


def primary(situation: Situation, parts: Set[Part]) -> Verb | None:
    """The one verb to put first for somebody playing these parts, if any."""
    can = verbs(situation, parts)
    return next((verb for part, verb in _PRIMARY if part in parts and verb in can), None)
