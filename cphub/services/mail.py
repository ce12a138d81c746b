"""Mail to people: a copy of what is in the inbox, for those who gave and confirmed an address.

What somebody may no longer see when the mail is about to leave is not sent.
"""

from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from cphub import clock
from cphub.domain.policy import Act, Viewer, audiences, may
from cphub.errors import Forbidden, Invalid
from cphub.gateways.mail import compose
from cphub.hub import hub
from cphub.i18n import Speaker
from cphub.models import Event, InboxItem, Person, Request, db
from cphub.services import outbox, people, wording
from cphub.services.outbox import Job
from cphub.services.requests.subject import subject_of

#: A link to confirm an address works this long, in seconds.
CONFIRM_LIFE = 7 * 86_400


def deliver(job: Job) -> None:
    """Send the mail about one event to one person."""
    event = db.session.get(Event, job.payload["event"])
    person = db.session.get(Person, job.payload["person"])
    message = None
    if event is not None and person is not None and person.mail and person.mail_confirmed and person.mail_wanted:
        request = db.session.get_one(Request, event.request_id)
        subject = subject_of(request)
        viewer = people.viewer_of(person)
        if may(viewer, Act.SEE, subject) and event.audience in audiences(viewer, subject):
            message = _about(event, request, person, viewer)
    db.session.rollback()  # nothing stays open while the server is waited for
    if message is not None:
        hub().mailer.send(message)
    outbox.done(job, now=clock.now())
    db.session.commit()


def set_address(viewer: Viewer, address: str, *, wanted: bool = True) -> None:
    """Give, change or (empty) remove one's mail address; a new one gets a link to confirm it. Commits."""
    person = _self(viewer)
    address = address.strip()
    if address and not _plausible(address):
        raise Invalid({"mail": "mail-error-address"})
    person.mail_wanted = wanted
    if address != (person.mail or ""):
        person.mail, person.mail_confirmed = address or None, False
    if person.mail and not person.mail_confirmed:
        now = clock.now()
        outbox.put(
            "mail:confirm", {"person": person.id, "address": person.mail},
            key=f"confirm:{person.id}:{now:%Y%m%d%H%M}", now=now,
        )  # fmt: skip
    db.session.commit()


def deliver_confirmation(job: Job) -> None:
    """Send the link that proves an address."""
    person = db.session.get(Person, job.payload["person"])
    message = None
    if person is not None and person.mail == job.payload["address"] and not person.mail_confirmed:
        speaker = hub().catalogue.speaker(person.language or "en")
        token = _signer().dumps([person.id, person.mail])
        link = f"{_base()}/me/settings/confirm/{token}"
        message = compose(
            sender=hub().settings.MAIL_FROM, to=person.mail, subject=speaker.text("mail-confirm-subject"),
            text=speaker.text("mail-confirm-body", person.name, link),
            message_id=f"confirm-{job.id}@{_host()}", language=speaker.lang,
        )  # fmt: skip
    db.session.rollback()
    if message is not None:
        hub().mailer.send(message)
    outbox.done(job, now=clock.now())
    db.session.commit()


def confirm(viewer: Viewer, token: str) -> None:
    """The link was followed by the person it was sent to. Commits. Raises Invalid when it is old or another's."""
    person = _self(viewer)
    try:
        owner, address = _signer().loads(token, max_age=CONFIRM_LIFE)
    except (BadData, ValueError, TypeError):
        raise Invalid({"mail": "mail-error-link"}) from None
    if owner != person.id or address != person.mail:
        raise Invalid({"mail": "mail-error-link"})
    person.mail_confirmed = True
    db.session.commit()


def _about(event: Event, request: Request, person: Person, viewer: Viewer):  # type: ignore[no-untyped-def]
    speaker = hub().catalogue.speaker(person.language or "en")
    item = db.session.scalars(
        db.select(InboxItem).where(InboxItem.event_id == event.id, InboxItem.person_id == person.id)
    ).first()
    masked = request.withhold_name and not may(viewer, Act.SEE_WITHHELD, subject_of(request))
    actor = None if event.actor is None or (masked and event.actor_id == request.requester_id) else event.actor.name
    lines = [
        _plain(wording.event(speaker, event.kind, actor, event.payload, {})),
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


def _plausible(address: str) -> bool:
    local, at, host = address.rpartition("@")
    return bool(at and local and "." in host) and len(address) <= 254 and not any(c in address for c in ' ,;<>\r\n\t"')


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
