"""Replies and notes: writing, correcting and withdrawing what people say on a request."""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import Verb
from cphub.domain.policy import Act, Viewer, may
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.models import Reply, ReplyVersion, Request, db
from cphub.services import requests
from cphub.services.record import record
from cphub.services.requests.moves import apply

BODY_MOST = 20_000


def write(viewer: Viewer, number: int, body: str, *, key: str, note: bool = False, ask: bool = False) -> Reply:
    """Say something. ``note``: for the team only. ``ask``: the requester is waited for from now on.

    A requester who is waited for answers by any reply. Written on a duplicate, it goes to the request that one
    repeats. The same form ``key`` twice writes one reply. Commits. Raises Invalid for an empty or too long body.
    """
    request, subject = requests.find(viewer, number, Act.NOTE if note else Act.REPLY)
    via = None
    if request.duplicate_of_id is not None:
        via, (request, subject) = (
            number,
            requests.find(viewer, request.duplicate_of_id, Act.NOTE if note else Act.REPLY),
        )
    _check(body)
    written = _by_key(viewer, key)
    if written is not None:
        return written
    now = clock.now()
    reply = Reply(
        key=key,
        request_id=request.id,
        author_id=viewer.person_id,
        audience=Audience.TEAM if note else Audience.PUBLIC,
        body=body.strip(),
        written_at=now,
    )
    db.session.add(reply)
    try:
        db.session.flush()
    except IntegrityError:  # the same form sent twice at once
        db.session.rollback()
        written = _by_key(viewer, key)
        if written is None:
            raise
        return written
    kind = EventKind.NOTE_WRITTEN if note else EventKind.REPLY_WRITTEN
    payload: dict[str, object] = {"reply": reply.id}
    verb = None if note else Verb.ASK if ask else Verb.ANSWER
    if verb is not None and may(viewer, verb, subject):
        kind = apply(request, subject, verb, viewer, now=now, values={})
        payload |= {"version": request.version, "waiting_on": request.waiting_on and request.waiting_on.value}
    if via is not None:
        payload["via"] = via
    record(request, kind, actor=viewer.person_id, now=now, payload=payload)
    db.session.commit()
    return reply


def edit(viewer: Viewer, reply_id: int, body: str) -> Reply:
    """Correct one's own reply; the earlier text stays readable. Commits."""
    reply, request = _own(viewer, reply_id)
    _check(body)
    if body.strip() != reply.body:
        now = clock.now()
        db.session.add(ReplyVersion(reply_id=reply.id, body=reply.body, until=now))
        reply.body, reply.edited_at = body.strip(), now
        _tell(viewer, request, reply, EventKind.REPLY_EDITED)
    db.session.commit()
    return reply


def withdraw(viewer: Viewer, reply_id: int) -> Reply:
    """Take one's own reply back: its text and every earlier version are gone, that there was one stays. Commits."""
    reply, request = _own(viewer, reply_id)
    db.session.execute(delete(ReplyVersion).where(ReplyVersion.reply_id == reply.id))
    reply.body, reply.withdrawn_at = "", clock.now()
    _tell(viewer, request, reply, EventKind.REPLY_WITHDRAWN)
    db.session.commit()
    return reply


def _tell(viewer: Viewer, request: Request, reply: Reply, kind: EventKind) -> None:
    record(
        request,
        kind,
        actor=viewer.person_id,
        now=clock.now(),
        payload={"reply": reply.id},
        audience=reply.audience,
    )


def _own(viewer: Viewer, reply_id: int) -> tuple[Reply, Request]:
    reply = db.session.get(Reply, reply_id)
    if reply is None:
        raise NotFound
    request, _ = requests.find(viewer, reply.request_id, Act.NOTE if reply.is_note else Act.REPLY)
    if reply.author_id != viewer.person_id:
        raise Forbidden
    if reply.withdrawn_at is not None:
        raise NotFound
    return reply, request


def _by_key(viewer: Viewer, key: str) -> Reply | None:
    return db.session.scalars(select(Reply).where(Reply.key == key, Reply.author_id == viewer.person_id)).first()


def _check(body: str) -> None:
    if not body.strip():
        raise Invalid({"body": "requests-error-reply-empty"})
    if len(body) > BODY_MOST:
        raise Invalid({"body": "requests-error-too-long"})
