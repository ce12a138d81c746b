"""Every step of a request's life: the domain's table says what happens, one conditional UPDATE lets it happen once."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import FREES_LEAD, Holding, Part, State, Verb, move
from cphub.domain.policy import Subject, Viewer, parts
from cphub.errors import Conflict
from cphub.models import Json, Request, db
from cphub.models.engine import affected
from cphub.services.record import record
from cphub.services.requests import duplicates, offered
from cphub.services.requests.facts import NOTHING, Facts, checked
from cphub.services.requests.subject import find

#: Who acts when nobody does: an offer ran out, a request closes by itself.
HUB = Viewer()
#: Verbs that need nothing but words; the others belong to drafts, replies and offers.
WORDED = frozenset(
    {
        Verb.REVIEW,
        Verb.TAKE_ON,
        Verb.APPROVE,
        Verb.SET_NEXT,
        Verb.RELEASE,
        Verb.RESOLVE,
        Verb.CONFIRM,
        Verb.REOPEN,
        Verb.WITHDRAW,
        Verb.DECLINE,
        Verb.MARK_DUPLICATE,
        Verb.REINSTATE,
    }
)


def act(viewer: Viewer, number: int, verb: Verb, facts: Facts = NOTHING, *, seen: int | None = None) -> Request:
    """Carry out a verb of ``WORDED``. Commits.

    ``seen``: the version of the request the person was looking at. Raises Invalid when something is missing, and
    what ``find`` raises.
    """
    if verb not in WORDED:
        raise ValueError(f"{verb} needs more than words")
    request, subject = find(viewer, number, verb, lock=True, seen=seen)
    facts = checked(facts, verb, today=clock.now().date())
    values: Json = {}
    if verb is Verb.RESOLVE:
        values = {"outcome": facts.outcome, "outcome_detail": facts.detail}
    elif verb is Verb.MARK_DUPLICATE:
        values = {"duplicate_of_id": duplicates.target(request, facts.duplicate_of).id}
    return carry_out(viewer, request, subject, verb, facts=facts, values=values)


def carry_out(
    viewer: Viewer,
    request: Request,
    subject: Subject,
    verb: Verb,
    *,
    facts: Facts = NOTHING,
    values: Json | None = None,
) -> Request:
    """Apply a checked verb, with all that follows from it, write its event, commit."""
    now = clock.now()
    repeated = request.duplicate_of_id
    kind = apply(request, subject, verb, viewer, now=now, values=values or {}, chosen=facts.holding)
    if subject.state is State.MATCHING and request.state is not State.MATCHING:
        offered.close(request)
    for target in {repeated, request.duplicate_of_id}:
        if target is not None:
            duplicates.join(target, actor=viewer.person_id)
    record(request, kind, actor=viewer.person_id, now=now, payload=facts.said() | held(request))
    db.session.commit()
    return request


def apply(
    request: Request,
    subject: Subject,
    verb: Verb,
    viewer: Viewer,
    *,
    now: datetime,
    values: Json,
    chosen: Holding | None = None,
    offers: int | None = None,
) -> EventKind:
    """Let the domain decide what ``verb`` does, and write it if the request is still as it was read. No commit.

    ``offers``: open offers left, when the verb has just ended one. ``viewer`` HUB: the hub itself, for what happens
    by time. Raises Conflict("requests-conflict-changed") when somebody else was quicker.
    """
    mine = frozenset({Part.SYSTEM}) if viewer is HUB else parts(viewer, subject)
    situation = subject.situation if offers is None else replace(subject.situation, offers=offers)
    change = move(situation, verb, mine, now=now, chosen=chosen)
    columns: Json = {"state": change.state, "version": request.version + 1, "updated_at": now} | values
    if not change.keeps_holding:
        then = change.holding
        columns |= {
            "waiting_on": then.waiting_on if then else None,
            "next_step": then.step if then else None,
            "next_step_text": then.text if then else "",
            "due_on": then.due_on if then else None,
        }
    if change.outcome:
        columns["outcome"] = change.outcome
    elif change.state is not State.RESOLVED and change.state is not State.CLOSED:
        columns |= {"outcome": None, "outcome_detail": "", "duplicate_of_id": None}
    if verb in FREES_LEAD:
        columns["lead_id"] = None
    if Part.COORDINATOR in mine and request.coordinator_id is None and verb is not Verb.SEND:
        columns["coordinator_id"] = viewer.person_id
    _write(request, columns)
    return change.kind


def _write(request: Request, columns: Json) -> None:
    """The conditional UPDATE behind every step: of any number at once exactly one succeeds."""
    seen = request.version
    db.session.flush()
    as_seen = update(Request).where(Request.id == request.id, Request.version == seen)
    if not affected(db.session, as_seen.values(**columns)):
        db.session.rollback()
        raise Conflict("requests-conflict-changed", number=request.id, since=seen)
    db.session.refresh(request)


def held(request: Request) -> Json:
    """What the clocks and the conflict page read: who holds the request after this event."""
    return {
        "version": request.version,
        "state": request.state.value,
        "waiting_on": request.waiting_on.value if request.waiting_on else None,
    }
