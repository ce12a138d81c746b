"""Reading the table: what somebody may do now, and what comes of it.

An open request can never be without somebody it waits on, a next step and a date: ``Holding`` refuses to exist
without them.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cphub.domain.events import EventKind
from cphub.domain.lifecycle.states import OPEN, Outcome, Part, State, Track, Verb, WaitingOn
from cphub.domain.lifecycle.table import (
    ENDS_OFFER,
    FREES_LEAD,
    MOVES,
    OFFERED,
    STANDING,
    STEPS,
    WITHOUT_LEAD,
    Next,
)
from cphub.errors import Conflict


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
        return WITHOUT_LEAD
    if state is State.MATCHING and offers:
        return OFFERED
    return STANDING[state]


def _held(then: Next, now: datetime) -> Holding:
    return Holding(then.waiting_on, then.step, (now + timedelta(days=then.days)).date())


#: The verb that fits each part best in each state, in order of preference: the one primary button of the page.
_PRIMARY: tuple[tuple[Part, Verb], ...] = (
    (Part.REQUESTER, Verb.SEND),
    (Part.REQUESTER, Verb.ANSWER),
    (Part.REQUESTER, Verb.CONFIRM),
    (Part.OFFERED, Verb.ACCEPT),
    (Part.LEAD, Verb.RESOLVE),
    (Part.COMMITTEE, Verb.APPROVE),
    (Part.COORDINATOR, Verb.REVIEW),
    (Part.COORDINATOR, Verb.TAKE_ON),
    (Part.COORDINATOR, Verb.APPROVE),
    (Part.COORDINATOR, Verb.OFFER),
    (Part.COORDINATOR, Verb.RESOLVE),
    (Part.EXPERT, Verb.CLAIM),
)


def primary(situation: Situation, parts: Set[Part]) -> Verb | None:
    """The one verb to put first for somebody playing these parts, if any."""
    can = verbs(situation, parts)
    return next((verb for part, verb in _PRIMARY if part in parts and verb in can), None)
