"""Drafts: saved at every step, sent once, and corrected afterwards."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from cphub import clock
from cphub.domain import draft as rules
from cphub.domain.draft import Draft
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import State, Track, Verb
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Conflict, Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.models import Person, Request, RequestKind, RequestSkill, Watch, db
from cphub.models.engine import begin_write
from cphub.services import people, search
from cphub.services.record import record
from cphub.services.requests.moves import apply
from cphub.services.requests.subject import find, subject_of
from cphub.taxonomies import (
    COUNTRIES,
    JUSTIFICATION,
    KINDS,
    LANGUAGES,
    PARTNER_TYPES,
    STAGES,
    skills_for_kinds,
)

_PLAIN = (
    "track", "title", "body", "language", "stage", "partner_type", "partner_name", "country", "community", "deadline",
    "contact", "visibility", "withhold_partner", "withhold_country", "withhold_name",
)  # fmt: skip


def save(viewer: Viewer, key: str, draft: Draft, *, on_behalf_of: str | None = None) -> Request:
    """Keep what has been typed so far under the form's ``key``; the same key saves the same draft.

    ``on_behalf_of``: the name of whom a coordinator writes it down for: an account that has signed in before, or
    anybody else, who then becomes a guest. A draft that was sent meanwhile is returned as it is.
    Raises Invalid for what is too long or not in the taxonomies, NotFound when the key is somebody else's.
    """
    draft = clean(draft)
    begin_write(db.session)
    request = mine(viewer, key, lock=True)
    if request is None:
        if not may(viewer, Act.WRITE):
            raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
        request = _new(viewer, key)
    if request.state is State.DRAFT:
        _for_whom(viewer, request, on_behalf_of)
        _fill(request, draft)
        request.updated_at = clock.now()
    db.session.commit()
    return request


def send(viewer: Viewer, key: str, draft: Draft, *, on_behalf_of: str | None = None) -> Request:
    """Save the draft and send it. Sending twice gives the same request. Raises Invalid when something is missing;
    what was typed is saved then, too.

    ``on_behalf_of``: as for ``save``; empty, and not None, it is missing.
    """
    now = clock.now()
    save(viewer, key, draft, on_behalf_of=on_behalf_of)
    begin_write(db.session)
    request = mine(viewer, key, lock=True)
    if request is None:
        raise NotFound
    if request.state is not State.DRAFT:
        db.session.commit()
        return request
    problems = rules.missing(draft, today=now.date())
    if on_behalf_of is not None and not on_behalf_of.strip():
        problems["on_behalf_of"] = "requests-error-on-behalf-of"
    elif not may(viewer, Act.ASK_FOR_OTHERS) and _sent_since(viewer, now - timedelta(days=1)) >= _most_a_day():
        problems["send"] = "requests-error-too-many"
    if problems:
        db.session.rollback()
        raise Invalid(problems)
    apply(request, subject_of(request), Verb.SEND, viewer, now=now, values={"sent_at": now, "created_at": now})
    for skill in skills_for_kinds(draft.kinds)[:4]:
        db.session.add(RequestSkill(request_id=request.id, skill=skill, must=False))
    search.index(request)
    record(
        request,
        EventKind.REQUEST_RECEIVED,
        actor=viewer.person_id,
        now=now,
        payload={
            "waiting_on": "coordinator",
            "version": request.version,
            "entered_for": _is_for_other(request),
        },
    )
    db.session.commit()
    return request


def edit(viewer: Viewer, number: int, draft: Draft, *, seen: str | None = None) -> Request:
    """Correct a sent request. What changed is an event that names the fields, not the texts.

    ``seen``: the ``fingerprint`` of what the person began with; Conflict("requests-conflict-changed") when somebody
    has corrected it since, before anything is said against what may be the other's words. Only its requester can show
    the public more of a request than before.
    """
    draft = clean(draft)
    request, _ = find(viewer, number, Act.EDIT, lock=True)
    before = as_draft(request)
    if seen is not None and seen != rules.fingerprint(before):
        db.session.rollback()
        raise Conflict("requests-conflict-changed", number=number)
    # A day may have passed since it was written down.
    changed_day = draft if draft.deadline != before.deadline else replace(draft, deadline=None)
    problems = rules.missing(changed_day, today=clock.now().date())
    if viewer.person_id != request.requester_id and request.requester.central_id is not None:
        problems |= dict.fromkeys(rules.loosened(before, draft), "requests-error-loosened")
    if problems:
        db.session.rollback()
        raise Invalid(problems)
    if request.state is not State.RECEIVED:
        draft = replace(draft, track=request.track)  # its path was decided by it
    changed = sorted(name for name in Draft.__slots__ if getattr(before, name) != getattr(draft, name))
    if changed:
        _fill(request, draft)
        db.session.flush()
        search.index(request)
        record(
            request,
            EventKind.REQUEST_EDITED,
            actor=viewer.person_id,
            now=clock.now(),
            payload={"fields": changed},
        )
    db.session.commit()
    return request


def discard(viewer: Viewer, key: str) -> None:
    """Throw a draft away, and the name of a guest it was for."""
    begin_write(db.session)
    request = mine(viewer, key, lock=True)
    if request is None or request.state is not State.DRAFT:
        raise NotFound
    requester = request.requester
    db.session.execute(delete(Watch).where(Watch.request_id == request.id))
    db.session.delete(request)
    if requester.central_id is None:
        db.session.flush()
        db.session.delete(requester)
    db.session.commit()


def mine(viewer: Viewer, key: str, *, lock: bool = False) -> Request | None:
    """The request that the viewer wrote down in the form with this key, if it was saved before.

    ``lock``: nobody else changes it until the transaction ends. Raises NotFound if it is another's.
    """
    query = select(Request).where(Request.key == key)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    request = db.session.scalars(query).first()
    if request is not None and (request.entered_by_id or request.requester_id) != viewer.person_id:
        raise NotFound
    return request


def as_draft(request: Request) -> Draft:
    """What the form showed when this was saved."""
    return Draft(
        **{name: getattr(request, name) for name in _PLAIN},
        reply_languages=tuple(request.reply_languages),
        kinds=tuple(sorted((k.kind for k in request.kinds), key=list(KINDS).index)),
        justification=dict(request.justification),
    )


def clean(draft: Draft) -> Draft:
    """The draft in the form it is stored in. Raises Invalid for what no form of ours can have sent."""
    problems = rules.too_long(draft)
    for name, allowed in (
        ("language", LANGUAGES),
        ("stage", STAGES),
        ("partner_type", PARTNER_TYPES),
        ("country", COUNTRIES),
    ):
        value = getattr(draft, name)
        if value is not None and value not in allowed:
            problems[name] = "requests-error-choice"
    if not set(draft.kinds) <= set(KINDS):
        problems["kinds"] = "requests-error-choice"
    if not set(draft.reply_languages) <= set(LANGUAGES):
        problems["reply_languages"] = "requests-error-choice"
    if problems:
        raise Invalid(problems)
    kept = {code: text.strip() for code, text in draft.justification.items() if code in JUSTIFICATION and text.strip()}
    return replace(
        draft,
        title=" ".join(draft.title.split()),
        body=draft.body.strip(),
        partner_name=" ".join(draft.partner_name.split()),
        community=" ".join(draft.community.split()),
        contact=" ".join(draft.contact.split()),
        kinds=tuple(code for code in KINDS if code in draft.kinds),
        reply_languages=tuple(dict.fromkeys(draft.reply_languages)),
        justification=kept if draft.track is Track.PROJECT else {},
    )


def _new(viewer: Viewer, key: str) -> Request:
    now = clock.now()
    # That it has no kinds yet need not be asked.
    request = Request(key=key, requester_id=viewer.person_id, created_at=now, updated_at=now, kinds=[])
    db.session.add(request)
    try:
        db.session.flush()
    except IntegrityError:  # the same form was saved by two tabs at once
        db.session.rollback()
        found = mine(viewer, key)
        if found is None:
            raise
        return found
    return request


def _for_whom(viewer: Viewer, request: Request, name: str | None) -> None:
    if name is None or not name.strip():
        return
    if not may(viewer, Act.ASK_FOR_OTHERS):
        raise Forbidden
    request.entered_by_id = viewer.person_id
    try:
        request.requester_id = people.by_name(name).id
        return
    except NotFound:
        pass
    current = db.session.get(Person, request.requester_id)
    if current is None or current.central_id is not None:
        current = people.guest(name)
        db.session.flush()
        request.requester_id = current.id
    current.name = " ".join(name.split())[:255]


def _fill(request: Request, draft: Draft) -> None:
    for name in _PLAIN:
        setattr(request, name, getattr(draft, name))
    request.reply_languages = list(draft.reply_languages)
    request.justification = dict(draft.justification)
    have = {k.kind: k for k in request.kinds}
    request.kinds = [have.get(kind) or RequestKind(kind=kind) for kind in draft.kinds]


def _sent_since(viewer: Viewer, since: datetime) -> int:
    written_by_them = or_(Request.requester_id == viewer.person_id, Request.entered_by_id == viewer.person_id)
    count = select(func.count()).select_from(Request).where(written_by_them, Request.sent_at > since)
    return db.session.scalar(count) or 0


def _most_a_day() -> int:
    return hub().settings.RATE_REQUESTS_PER_DAY


def _is_for_other(request: Request) -> bool:
    return request.entered_by_id is not None and request.entered_by_id != request.requester_id
