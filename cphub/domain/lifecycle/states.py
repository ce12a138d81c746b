"""The words of a request's life: tracks, states, outcomes, who is waited for, parts people play, verbs they use."""

from enum import StrEnum


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
