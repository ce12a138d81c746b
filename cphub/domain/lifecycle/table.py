"""``MOVES``: the one table of which verb leads from which state to which, who may use it, and who is waited for then.

Buttons, services, policy and tests all read it; nothing about the life of a request is decided anywhere else.
"""

from dataclasses import dataclass
from datetime import timedelta

from cphub.domain.events import EventKind
from cphub.domain.lifecycle.states import WORKING, Outcome, Part, State, Track, Verb, WaitingOn


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
ASKED = Next(_W.REQUESTER, "requester_answers", 14)
OFFERED = Next(_W.EXPERT, "expert_answers_offer", OFFER_LIFE.days)

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
    Move(Verb.ASK, WORKING, None, _ANYONE_WORKING, _E.REQUEST_ASKED, then=ASKED, needs=("body",)),
    Move(Verb.ANSWER, WORKING, None, _by(_P.REQUESTER), _E.REQUEST_ANSWERED, needs=("body",)),
    Move(
        Verb.SET_NEXT,
        WORKING,
        None,
        _STAFFED,
        _E.REQUEST_NEXT_STEP,
        needs=("waiting_on", "next_step_text", "due_on"),
    ),
    Move(Verb.OFFER, _of(_S.MATCHING), None, _by(_P.COORDINATOR), _E.OFFER_SENT, then=OFFERED),
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
WITHOUT_LEAD = Next(_W.COORDINATOR, "coordinator_continues", 7)
#: Message codes a next step can have; ``text`` shows the sentence a person wrote.
STEPS = frozenset(n.step for n in (*STANDING.values(), WITHOUT_LEAD, ASKED, OFFERED)) | {"text"}
