"""Mail to people: a copy of what is in the inbox, for those who gave and confirmed an address.

What somebody may no longer see when the mail is about to leave is not sent.
"""

from datetime import datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from cphub import clock
from cphub.domain.notices import Why
from cphub.domain.policy import Act, Viewer, audiences, may
from cphub.errors import Forbidden, Invalid
from cphub.gateways.mail import compose
from cphub.hub import hub
from cphub.i18n import Speaker
from cphub.models import Event, InboxItem, OutboxRow, OutboxState, Person, Request, db
from cphub.models.queries.names import mentioned, names_in, unnamed
from cphub.services import outbox, people, wording
from cphub.services.outbox import Job
from cphub.services.requests.subject import subject_of

#: A link to confirm an address works this long, in seconds.
CONFIRM_LIFE = 7 * 86_400
#: A mail over the limit of the hour is looked at again after this time.
_HELD = timedelta(minutes=5)


def deliver(job: Job) -> None:
    """Send the mail about one event to one person."""
    event = db.session.get(Event, job.payload["event"])
    person = db.session.get(Person, job.payload["person"])
    message = None
    if event is not None and person is not None and person.mail and person.mail_confirmed and person.mail_wanted:
        message = _about(event, person)
    _send(job, message)


def _send(job: Job, message: EmailMessage | None) -> None:
    """Send it, if there is anything to send, and call the job done."""
    now = clock.now()
    if message is not None and not _room(now):
        outbox.hold(job, until=now + _HELD, why="waits: the limit of mails an hour is reached")
        return
    db.session.rollback()  # nothing stays open while the server is waited for
    if message is not None:
        hub().mailer.send(message)
    outbox.done(job, now=clock.now())
    db.session.commit()


def _room(now: datetime) -> bool:
    """Whether another mail may leave now: of the newest MAIL_PER_HOUR that left, the oldest left over an hour ago."""
    oldest = db.session.scalars(
        db.select(OutboxRow.done_at)
        .where(OutboxRow.kind.in_(["mail", "mail:confirm"]), OutboxRow.state == OutboxState.DONE)
        .order_by(OutboxRow.id.desc())
        .offset(hub().settings.MAIL_PER_HOUR - 1)
        .limit(1)
    ).first()
    return oldest is None or oldest <= now - timedelta(hours=1)


def set_address(viewer: Viewer, address: str, *, wanted: bool = True) -> None:
    """Give, change or (empty) remove one's mail address; a new one gets a link to confirm it. Commits.

    One address gets one link an hour at most, however often it is saved. Somebody blocked may do this, too: it
    concerns only themselves.
    """
    person = _self(viewer)
    address = address.strip()
    if address and not _plausible(address):
        raise Invalid({"mail": "mail-error-address"})
    person.mail_wanted = wanted
    if address != (person.mail or ""):
        person.mail, person.mail_confirmed = address or None, False
    if person.mail and not person.mail_confirmed:
        now = clock.now()
        named = sha256(person.mail.encode()).hexdigest()[:16]
        outbox.put(
            "mail:confirm", {"person": person.id, "address": person.mail},
            key=f"confirm:{person.id}:{named}:{now:%Y%m%d%H}", now=now,
        )  # fmt: skip
    db.session.commit()


def deliver_confirmation(job: Job) -> None:
    """Send the link that proves an address."""
    person = db.session.get(Person, job.payload["person"])
    message = None
    if person is not None and person.mail == job.payload["address"] and not person.mail_confirmed:
        speaker = _speaker(person)
        token = _signer().dumps([person.id, person.mail])
        link = f"{_base()}/me/settings/confirm/{token}"
        message = compose(
            sender=hub().settings.MAIL_FROM, to=job.payload["address"], subject=speaker.text("mail-confirm-subject"),
            text=speaker.text("mail-confirm-body", person.name, link),
            message_id=f"confirm-{job.id}@{_host()}", language=speaker.lang,
        )  # fmt: skip
    _send(job, message)


def confirm(viewer: Viewer, token: str) -> None:
    """The link was followed by the person it was sent to. Commits. Raises what ``check`` raises."""
    check(viewer, token).mail_confirmed = True
    db.session.commit()


def check(viewer: Viewer, token: str) -> Person:
    """The person whose address the link confirms. Raises Invalid when it is old or another's."""
    person = _self(viewer)
    try:
        owner, address = _signer().loads(token, max_age=CONFIRM_LIFE)
    except (BadData, ValueError, TypeError):
        raise Invalid({"mail": "mail-error-link"}) from None
    if owner != person.id or address != person.mail:
        raise Invalid({"mail": "mail-error-link"})
    return person


def _about(event: Event, person: Person) -> EmailMessage | None:
    """The mail, or None when this person may not read of the event (any more)."""
    request = db.session.get_one(Request, event.request_id)
    subject, viewer = subject_of(request), people.viewer_of(person)
    item = db.session.scalars(
        db.select(InboxItem).where(InboxItem.event_id == event.id, InboxItem.person_id == person.id)
    ).first()
    # Whom an offer is made to reads of it, though nobody else but the coordinators may.
    concerned = item is not None and item.reason == Why.OFFERED
    if not may(viewer, Act.SEE, subject) or not (concerned or event.audience in audiences(viewer, subject)):
        return None
    speaker = _speaker(person)
    hidden = unnamed(viewer, request, subject)
    actor = None if event.actor is None or event.actor_id in hidden else event.actor.name
    names = names_in(event.payload, mentioned([event.payload]), withheld=hidden)
    lines = [
        _plain(wording.event(speaker, event.kind, actor, event.payload, names)),
        f"{_base()}/requests/{request.id}",
        _next(speaker, request),
        speaker.text(wording.key_of("inbox-why", item.reason)) if item else "",
        speaker.text("mail-stop", f"{_base()}/me/settings"),
    ]
    return compose(
        sender=hub().settings.MAIL_FROM,
        to=person.mail or "",
        subject=" ".join(speaker.text("mail-subject", request.id, request.title).split()),
        text="\n\n".join(line for line in lines if line) + "\n",
        message_id=f"event-{event.id}-{person.id}@{_host()}",
        thread=f"request-{request.id}@{_host()}",
        language=speaker.lang,
    )


def _next(speaker: Speaker, request: Request) -> str:
    if request.waiting_on is None or request.next_step is None or request.due_on is None:
        return ""
    return _plain(
        wording.next_step(
            speaker, waiting_on=request.waiting_on, step=request.next_step, text=request.next_step_text,
            due_on=request.due_on,
        )
    )  # fmt: skip


def _plain(html: object) -> str:
    return str(getattr(html, "striptags", lambda: html)())


def _speaker(person: Person) -> Speaker:
    """In their language where we have messages in it, as on the pages; else in the nearest one that we have."""
    catalogue = hub().catalogue
    return catalogue.speaker(catalogue.negotiate(None, person.language, None))


def _plausible(address: str) -> bool:
    """Whether mail could go there. It need not be exact: the link that is sent is the proof."""
    local, _, host = address.partition("@")
    return (
        bool(local)
        and "." in host.strip(".")
        and len(address) <= 254
        and address.isascii()
        and address.isprintable()
        and not any(c in local + host for c in '@ ,;:<>()[]"\\')
    )


def _self(viewer: Viewer) -> Person:
    person = db.session.get(Person, viewer.person_id) if viewer.person_id is not None else None
    if person is None:
        raise Forbidden
    return person


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(hub().settings.SECRET_KEY.reveal(), salt="mail-address")


def _base() -> str:
    return hub().settings.BASE_URL.rstrip("/")


def _host() -> str:
    return urlsplit(hub().settings.BASE_URL).hostname or "localhost"
