"""The closed vocabulary of what can happen to a request.

A kind is ``subject:what_happened``. Events store the kind and a payload of codes and ids, never a sentence, so that
every reader gets the line in their own language and reports can count them.
"""

from enum import StrEnum


class Audience(StrEnum):
    """Who may read an event or a reply, from widest to narrowest.

    ``team`` is what a note needs: the requester is a participant but must not read internal notes.
    """

    PUBLIC = "public"
    PARTICIPANTS = "participants"
    TEAM = "team"
    COORDINATORS = "coordinators"


class EventKind(StrEnum):
    """Kinds of events; the value is stored and is part of the interface to reports and feeds."""

    REQUEST_RECEIVED = "request:received"
    REQUEST_EDITED = "request:edited"
    REQUEST_IN_REVIEW = "request:in_review"
    REQUEST_TAKEN_ON = "request:taken_on"
    REQUEST_APPROVED = "request:approved"
    REQUEST_ASKED = "request:asked"
    REQUEST_ANSWERED = "request:answered"
    REQUEST_NEXT_STEP = "request:next_step"
    REQUEST_CLAIMED = "request:claimed"
    REQUEST_RESOLVED = "request:resolved"
    REQUEST_CONFIRMED = "request:confirmed"
    REQUEST_LAPSED = "request:lapsed"
    REQUEST_REOPENED = "request:reopened"
    REQUEST_WITHDRAWN = "request:withdrawn"
    REQUEST_DECLINED = "request:declined"
    REQUEST_DUPLICATE = "request:duplicate"
    REQUEST_REINSTATED = "request:reinstated"
    REQUEST_NEEDS_SET = "request:needs_set"
    REQUEST_HANDED_OVER = "request:handed_over"
    OFFER_SENT = "offer:sent"
    OFFER_ACCEPTED = "offer:accepted"
    OFFER_DECLINED = "offer:declined"
    OFFER_WITHDRAWN = "offer:withdrawn"
    OFFER_EXPIRED = "offer:expired"
    LEAD_RELEASED = "lead:released"
    TEAM_JOINED = "team:joined"
    TEAM_LEFT = "team:left"
    REPLY_WRITTEN = "reply:written"
    REPLY_EDITED = "reply:edited"
    REPLY_WITHDRAWN = "reply:withdrawn"
    NOTE_WRITTEN = "note:written"
    TASK_ORDERED = "task:ordered"
    TASK_CREATED = "task:created"
    TASK_LINKED = "task:linked"
    TASK_UNLINKED = "task:unlinked"
    TASK_CHANGED = "task:changed"
    TASK_FAILED = "task:failed"


_NARROW = {
    # Who was asked and said no is nobody's business but the coordinators': a refusal must cost an expert nothing.
    EventKind.OFFER_SENT: Audience.COORDINATORS,
    EventKind.OFFER_DECLINED: Audience.COORDINATORS,
    EventKind.OFFER_WITHDRAWN: Audience.COORDINATORS,
    EventKind.OFFER_EXPIRED: Audience.COORDINATORS,
    EventKind.REQUEST_NEEDS_SET: Audience.COORDINATORS,
    EventKind.NOTE_WRITTEN: Audience.TEAM,
    EventKind.TASK_ORDERED: Audience.TEAM,
    EventKind.TASK_FAILED: Audience.TEAM,
    EventKind.REQUEST_HANDED_OVER: Audience.PARTICIPANTS,
    EventKind.REQUEST_EDITED: Audience.PARTICIPANTS,
}


def audience_of(kind: EventKind) -> Audience:
    """The audience an event of this kind has: public unless somebody could be hurt by that."""
    return _NARROW.get(kind, Audience.PUBLIC)
