"""Every step of a request's life: the domain's table says what happens, one conditional UPDATE lets it happen once."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, update

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import (
    CHOSEN_OUTCOMES,
    Holding,
    Outcome,
    Part,
    State,
    Verb,
    WaitingOn,
    move,
    needs,
)
from cphub.domain.policy import Subject, Viewer, parts
from cphub.errors import Conflict, Invalid
from cphub.models import Json, Request, TeamMember, db
from cphub.services.record import record
from cphub.services.requests.subject import find
from cphub.taxonomies import MISSING_SERVICES

_TEXT_MOST = 5_000

#: Who acts when nobody does: an offer ran out, a request closes by itself.
HUB = Viewer()


#: What goes into the event as people wrote it.
_SAID = ("reason", "alternative", "summary", "outcome", "next_step_text")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person says when carrying out a verb; which of it must be said, the domain's table knows."""

    reason: str = ""
    alternative: str = ""
    outcome: str = ""
    outcome_detail: str = ""
    missing_service: str = ""
    summary: str = ""
    duplicate_of: str = ""
    waiting_on: str = ""
    next_step_text: str = ""
    due_on: date | None = None


def act(viewer: Viewer, number: int, verb: Verb, facts: Facts = Facts(), *, seen: int | None = None) -> Request:
    """Carry out a verb that needs nothing but words: from ``review`` to ``reinstate``. Commits.

    ``seen``: the version of the request the person was looking at. Raises Conflict("requests-conflict-changed")
    when it has changed since, Invalid when something is missing, and what ``find`` raises.
    """
    request, subject = find(viewer, number, verb)
    _unchanged(request, seen)
    facts, problems = _tidy(facts), {}
    for name in needs(verb):
        if not getattr(facts, name):
            problems[name] = f"requests-error-{name.replace('_', '-')}"
    values: Json = {}
    if verb is Verb.RESOLVE and "outcome" not in problems:
        problems |= _check_outcome(facts)
        values = {"outcome": facts.outcome, "outcome_detail": facts.outcome_detail or facts.missing_service}
    if verb is Verb.MARK_DUPLICATE and "duplicate_of" not in problems:
        values = {"duplicate_of_id": _target(viewer, request, facts, problems)}
    if problems:
        raise Invalid(problems)
    return carry_out(viewer, request, subject, verb, facts=facts, values=values)


def carry_out(
    viewer: Viewer,
    request: Request,
    subject: Subject,
    verb: Verb,
    *,
    facts: Facts = Facts(),
    values: Json | None = None,
    payload: Json | None = None,
) -> Request:
    """Apply a checked verb, write its event, commit."""
    now = clock.now()
    kind = apply(request, subject, verb, viewer, now=now, values=values or {}, chosen=_chosen(verb, facts))
    said = {name: getattr(facts, name) for name in _SAID if getattr(facts, name)}
    detail = facts.outcome_detail or facts.missing_service
    if detail:
        said["outcome_detail"] = detail
    record(request, kind, actor=viewer.person_id, now=now, payload=said | _holding(request) | (payload or {}))
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
        held = change.holding
        columns |= {
            "waiting_on": held.waiting_on if held else None,
            "next_step": held.step if held else None,
            "next_step_text": held.text if held else "",
            "due_on": held.due_on if held else None,
        }
    if change.outcome:
        columns["outcome"] = change.outcome
    elif change.state is not State.RESOLVED and change.state is not State.CLOSED:
        columns |= {"outcome": None, "outcome_detail": "", "duplicate_of_id": None}
    if verb is Verb.RELEASE:
        columns["lead_id"] = None
    if Part.COORDINATOR in mine and request.coordinator_id is None and verb is not Verb.SEND:
        columns["coordinator_id"] = viewer.person_id
    write(request, columns)
    return change.kind


def write(request: Request, columns: Json, *conditions: ColumnElement[bool]) -> None:
    """The conditional UPDATE behind every step: of any number at once exactly one succeeds."""
    seen = request.version
    db.session.flush()
    done = db.session.execute(
        update(Request)
        .where(Request.id == request.id, Request.version == seen, *conditions)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:
        db.session.rollback()
        raise Conflict("requests-conflict-changed", number=request.id, since=seen)
    db.session.refresh(request)


def _unchanged(request: Request, seen: int | None) -> None:
    if seen is not None and seen != request.version:
        raise Conflict("requests-conflict-changed", number=request.id, since=seen)


def _tidy(facts: Facts) -> Facts:
    values = {name: getattr(facts, name) for name in Facts.__slots__}
    return Facts(**{k: v.strip()[:_TEXT_MOST] if isinstance(v, str) else v for k, v in values.items()})


def _check_outcome(facts: Facts) -> dict[str, str]:
    if facts.outcome not in {o.value for o in CHOSEN_OUTCOMES}:
        return {"outcome": "requests-error-outcome"}
    more = CHOSEN_OUTCOMES[Outcome(facts.outcome)]
    if more is None:
        return {}
    if not getattr(facts, more):
        return {more: f"requests-error-{more.replace('_', '-')}"}
    if more == "missing_service" and facts.missing_service not in MISSING_SERVICES:
        return {more: "requests-error-choice"}
    return {}


def _target(viewer: Viewer, request: Request, facts: Facts, problems: dict[str, str]) -> int | None:
    """The request this one repeats; its people join that one, so that they hear the answer."""
    number = facts.duplicate_of.lstrip("#")
    target = db.session.get(Request, int(number)) if number.isdecimal() else None
    while target is not None and target.duplicate_of_id is not None:
        target = db.session.get(Request, target.duplicate_of_id)
    if target is None or target.id == request.id or target.state is State.DRAFT:
        problems["duplicate_of"] = "requests-error-duplicate-of"
        return None
    joining = {request.requester_id} - {target.requester_id, target.lead_id}
    for person_id in joining:
        if db.session.get(TeamMember, (target.id, person_id)) is None:
            db.session.add(TeamMember(request_id=target.id, person_id=person_id, role="joined", joined_at=clock.now()))
    return target.id


def _chosen(verb: Verb, facts: Facts) -> Holding | None:
    if verb is not Verb.SET_NEXT:
        return None
    try:
        waiting_on = WaitingOn(facts.waiting_on)
    except ValueError:
        raise Invalid({"waiting_on": "requests-error-choice"}) from None
    if facts.due_on is None or facts.due_on < clock.now().date():
        raise Invalid({"due_on": "requests-error-due-on"})
    return Holding(waiting_on, "text", facts.due_on, facts.next_step_text[:500])


def _holding(request: Request) -> Json:
    """What the clocks and the conflict page read: who holds the request after this event."""
    return {
        "version": request.version,
        "state": request.state.value,
        "waiting_on": request.waiting_on.value if request.waiting_on else None,
    }
