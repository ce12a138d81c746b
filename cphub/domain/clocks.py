"""Times to the first human answer, the decision, the match and the resolution, computed from the events.

They are never stored. They stop while the request waits on its requester, because that time is not the hub's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cphub.domain.events import EventKind
from cphub.domain.lifecycle import WaitingOn


@dataclass(frozen=True, slots=True)
class Tick:
    """What the clocks read of an event. ``by_requester``: the requester did it. ``waiting_on``: who is waited for
    from here on; None when the event did not change it or nobody is."""

    at: datetime
    kind: EventKind
    by_requester: bool
    waiting_on: WaitingOn | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """``took``: time counted; ``paused``: time that passed waiting on the requester and is not counted."""

    took: timedelta
    paused: timedelta


_ANSWERS = {
    EventKind.REPLY_WRITTEN,
    EventKind.REQUEST_ASKED,
    EventKind.REQUEST_IN_REVIEW,
    EventKind.REQUEST_TAKEN_ON,
    EventKind.REQUEST_APPROVED,
    EventKind.REQUEST_CLAIMED,
    EventKind.REQUEST_RESOLVED,
    EventKind.REQUEST_DECLINED,
}
_DECIDES = {
    EventKind.REQUEST_APPROVED,
    EventKind.REQUEST_TAKEN_ON,
    EventKind.REQUEST_CLAIMED,
    EventKind.REQUEST_DECLINED,
    EventKind.REQUEST_RESOLVED,
}
_MATCHES = {EventKind.OFFER_ACCEPTED, EventKind.REQUEST_CLAIMED}
_ENDS = {EventKind.REQUEST_RESOLVED, EventKind.REQUEST_DECLINED}

#: Name of each clock -> the events that stop it.
STOPS = {"first_answer": _ANSWERS, "decision": _DECIDES, "match": _MATCHES, "resolution": _ENDS}


def clocks(ticks: Iterable[Tick]) -> dict[str, Clock]:
    """The clocks that have stopped, by name. ``ticks`` in order of time, from ``request:received`` on.

    A reopened request keeps its first answer, decision and match; its resolution is the last one.
    """
    found: dict[str, Clock] = {}
    start: datetime | None = None
    waiting_since: datetime | None = None
    paused = timedelta()
    for tick in ticks:
        if start is None:
            if tick.kind is EventKind.REQUEST_RECEIVED:
                start = tick.at
            continue
        so_far = paused + (tick.at - waiting_since if waiting_since else timedelta())
        for name, kinds in STOPS.items():
            if tick.kind in kinds and not tick.by_requester and (name == "resolution" or name not in found):
                found[name] = Clock(tick.at - start - so_far, so_far)
        if tick.waiting_on is WaitingOn.REQUESTER and waiting_since is None:
            waiting_since = tick.at
        elif waiting_since and (tick.ends or tick.waiting_on not in (None, WaitingOn.REQUESTER)):
            paused, waiting_since = so_far, None
    return found
