"""Replies and notes: writing, correcting and withdrawing what people say on a request."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from sqlalchemy import delete, func, select

from cphub import clock
from cphub.domain.events import Audience, EventKind
from cphub.domain.lifecycle import Verb, WaitingOn
from cphub.domain.policy import Act, Viewer, audiences, may
from cphub.errors import Forbidden, Invalid, NotFound
from cphub.hub import hub
from cphub.models import Json, Reply, ReplyVersion, Request, db
from cphub.services import requests
from cphub.services.record import record
from cphub.services.requests.moves import apply, held

BODY_MOST = 20_000
#: The same words of the same person within this time are one reply that was sent twice.
_AGAIN = timedelta(minutes=10)


def write(
    viewer: Viewer,
    number: int,
    body: str,
    *,
    key: str,
    note: bool = False,
    ask: bool = False,
) -> Reply:
    """Say something. ``note``: for the team only. ``ask``: the requester is waited for from now on.

    A requester who is waited for answers by any reply. A reply to a duplicate goes where the answer is given; a
    note stays with the request it is about. The same text twice, with the same form ``key`` or shortly after, writes
    one reply, unless it passes the turn once more. Commits. Raises Invalid for an empty or too long body, and what
    ``find`` raises.
    """
    act = Act.NOTE if note else Act.REPLY
    request, subject = requests.find(viewer, number, act, lock=True)
    _check(body)
    while request.duplicate_of_id is not None and not note:
        request, subject = requests.find(viewer, request.duplicate_of_id, act, lock=True)
    now, body, audience = clock.now(), body.strip(), Audience.TEAM if note else Audience.PUBLIC
    verb = None if note else Verb.ASK if ask else Verb.ANSWER
    if verb is not None and not may(viewer, verb, subject):
        verb = None
    written = db.session.scalars(select(Reply).where(Reply.key == key)).first()
    if written is not None and (written.author_id, written.body) != (viewer.person_id, body):
        # Somebody went back and wrote something else: nothing of it may be lost.
        written, key = None, token_urlsafe(16)
    # "Yes." may well answer two questions, and a question may be asked as such only the second time.
    passes_turn = verb is Verb.ANSWER or (verb is Verb.ASK and subject.waiting_on is not WaitingOn.REQUESTER)
    if written is None and not passes_turn:
        written = _same(viewer, request, body, audience, since=now - _AGAIN)
    if written is not None:
        db.session.rollback()
        return written
    if _written_since(viewer, now - timedelta(hours=1)) >= hub().settings.RATE_REPLIES_PER_HOUR:
        raise Invalid({"body": "replies-error-too-many"})
    reply = Reply(
        key=key,
        request_id=request.id,
        author_id=viewer.person_id,
        audience=audience,
        body=body,
        written_at=now,
    )
    db.session.add(reply)
    db.session.flush()
    kind = EventKind.NOTE_WRITTEN if note else EventKind.REPLY_WRITTEN
    payload: Json = {"reply": reply.id}
    if verb is not None:
        kind = apply(request, subject, verb, viewer, now=now, values={})
        payload |= held(request)
    if request.id != number:
        payload["via"] = number
    record(request, kind, actor=viewer.person_id, now=now, payload=payload)
    db.session.commit()
    return reply


def own(viewer: Viewer, reply_id: int) -> Reply:
    """A reply or note of the viewer's that can be corrected or taken back. Raises NotFound or Forbidden."""
    return _own(viewer, reply_id)[0]


def versions(viewer: Viewer, reply_id: int) -> tuple[Reply, list[ReplyVersion]]:
    """A reply and what it said before, oldest first, for whoever may read the reply. Raises NotFound."""
    reply = db.session.get(Reply, reply_id)
    if reply is None:
        raise NotFound
    _, subject = requests.find(viewer, reply.request_id)
    if reply.audience not in audiences(viewer, subject):
        raise NotFound
    earlier = select(ReplyVersion).where(ReplyVersion.reply_id == reply_id).order_by(ReplyVersion.id)
    return reply, list(db.session.scalars(earlier))


def edit(viewer: Viewer, reply_id: int, body: str) -> Reply:
    """Correct one's own reply; the earlier text stays readable. Commits."""
    reply, request = _own(viewer, reply_id, lock=True)
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
    reply, request = _own(viewer, reply_id, lock=True)
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


def _own(viewer: Viewer, reply_id: int, *, lock: bool = False) -> tuple[Reply, Request]:
    reply = db.session.get(Reply, reply_id)
    if reply is None:
        raise NotFound
    # Whoever wrote it may take it back as long as they can read it, also once they have left the team.
    request, subject = requests.find(viewer, reply.request_id, lock=lock)
    if reply.audience not in audiences(viewer, subject) and reply.author_id != viewer.person_id:
        raise NotFound
    if reply.author_id != viewer.person_id or not may(viewer, Act.WRITE):
        raise Forbidden("errors-blocked" if viewer.blocked else "errors-forbidden")
    if lock:
        db.session.refresh(reply)
    if reply.withdrawn_at is not None:
        raise NotFound
    return reply, request


def _same(viewer: Viewer, request: Request, body: str, audience: Audience, *, since: datetime) -> Reply | None:
    mine = select(Reply).where(
        Reply.request_id == request.id,
        Reply.author_id == viewer.person_id,
        Reply.audience == audience,
        Reply.written_at >= since,
    )
    # Compared here: a database may take "a" and "A" for the same.
    return next((reply for reply in db.session.scalars(mine) if reply.body == body), None)


def _written_since(viewer: Viewer, moment: datetime) -> int:
    """Everybody on the request hears of a reply; nobody can write so many that this becomes a flood."""
    mine = select(func.count()).where(Reply.author_id == viewer.person_id, Reply.written_at > moment)
    return db.session.scalar(mine) or 0


def _check(body: str) -> None:
    if not body.strip():
        raise Invalid({"body": "requests-error-reply-empty"})
    if len(body) > BODY_MOST:
        raise Invalid({"body": "requests-error-too-long"})
