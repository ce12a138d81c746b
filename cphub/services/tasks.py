"""The Phabricator task of a request: previewed, ordered, made by the worker exactly once, looked at now and then.

A create that may have happened is never repeated blindly: the worker first looks for a task of its own that names
the request's address.
"""

import re

from sqlalchemy import func, select, update

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.policy import Act, Viewer, Visibility
from cphub.domain.task_text import TaskSource, TaskText, compose
from cphub.errors import Conflict, Invalid, NotFound
from cphub.gateways.phabricator import Phabricator, Task
from cphub.hub import hub
from cphub.models import Event, Json, OutboxRow, OutboxState, Request, TaskLink, db
from cphub.services import outbox, requests
from cphub.services.outbox import Job
from cphub.services.record import record
from cphub.taxonomies import COUNTRIES, JUSTIFICATION, KINDS

KINDS_OF_JOB = ("task:create", "task:link")
#: Linked tasks are looked at in lots of this many.
_LOT = 100


def preview(viewer: Viewer, number: int) -> TaskText:
    """What the task would say: public fields only, in English, because Phabricator is. Raises Invalid for a request
    that is not public."""
    request, _ = requests.find(viewer, number, Act.LINK_TASK)
    return _text(request)


def order(viewer: Viewer, number: int) -> None:
    """Have the task made. Ordering twice makes one. Commits. Raises Invalid for a request that is not public."""
    request, _ = requests.find(viewer, number, Act.LINK_TASK, lock=True)
    _text(request)
    _ask(viewer, request, "task:create", {})


def link(viewer: Viewer, number: int, task: str) -> None:
    """Have an existing task linked, once the worker has seen that it is there. Commits.

    ``task``: T123, 123 or its address on our Phabricator. Raises Invalid for anything else.
    """
    request, _ = requests.find(viewer, number, Act.LINK_TASK, lock=True)
    _ask(viewer, request, "task:link", {"task": _named(task)})


def _named(task: str) -> int:
    there = re.escape(hub().settings.PHABRICATOR_URL.rstrip("/"))
    found = re.fullmatch(rf"(?:{there}/T|T?)([1-9][0-9]{{0,8}})(?:/?#[\w-]*)?", task.strip(), re.ASCII | re.IGNORECASE)
    if found is None:
        raise Invalid({"task": "tasks-error-number"})
    return int(found[1])


def unlink(viewer: Viewer, number: int) -> None:
    """Forget the link; the task itself stays. Commits."""
    request, _ = requests.find(viewer, number, Act.LINK_TASK, lock=True)
    linked = db.session.get(TaskLink, number)
    if linked is None:
        raise Conflict("tasks-conflict-unlinked", number=number)
    db.session.delete(linked)
    record(request, EventKind.TASK_UNLINKED, actor=viewer.person_id, now=clock.now(), payload={"task": linked.number})
    db.session.commit()


def _text(request: Request) -> TaskText:
    if request.visibility is not Visibility.PUBLIC:
        raise Invalid({"task": "tasks-error-not-public"})
    speaker = hub().catalogue.speaker("en")
    shown = None if request.withhold_country or request.country is None else COUNTRIES[request.country]
    source = TaskSource(
        number=request.id,
        title=request.title,
        body=request.body,
        language=speaker.language_name(request.language) if request.language else None,
        kinds=", ".join(speaker.text(KINDS[k.kind].message) for k in request.kinds) or None,
        partner=None if request.withhold_partner else request.partner_name or None,
        country=None
        if shown is None
        else speaker.text(shown.message)
        if shown.message
        else speaker.country_name(shown.code),
        requester=None if request.withhold_name else request.requester.name or None,
        justification=tuple(
            (speaker.text(JUSTIFICATION[code].message), answer) for code, answer in request.justification.items()
        ),
    )
    return compose(source, url=address(request.id), word=speaker.text)


def address(number: int) -> str:
    """The page of a request, for use outside of it; ends so that no other request's address begins with it."""
    return f"{hub().settings.BASE_URL.rstrip('/')}/requests/{number}#request"


def _ask(viewer: Viewer, request: Request, kind: str, payload: Json) -> None:
    if hub().phabricator is None:
        raise Invalid({"task": "tasks-error-not-configured"})
    if db.session.get(TaskLink, request.id) is not None:
        raise Conflict("tasks-conflict-linked", number=request.id)
    rows = db.session.scalars(
        select(OutboxRow).where(OutboxRow.request_id == request.id, OutboxRow.kind.in_(KINDS_OF_JOB))
    ).all()
    if any(row.state in (OutboxState.READY, OutboxState.UNSURE) for row in rows):
        return
    now = clock.now()
    failed = next((r for r in rows if r.state is OutboxState.FAILED and r.kind == kind == "task:create"), None)
    if failed is not None:
        # It may have been made all the same, and only the job that began then knows since when to look.
        failed.state, failed.due_at, failed.tries = OutboxState.UNSURE, now, 0
        record(request, EventKind.TASK_ORDERED, actor=viewer.person_id, now=now)
        db.session.commit()
        return
    # Counted, so that a task can be made again after the first was unlinked, but not by two clicks.
    before = db.session.scalar(
        select(func.count()).where(Event.request_id == request.id, Event.kind == EventKind.TASK_ORDERED)
    )
    outbox.put(
        kind, payload | {"by": viewer.person_id}, key=f"task:{request.id}:{before}", now=now, request_id=request.id
    )
    record(request, EventKind.TASK_ORDERED, actor=viewer.person_id, now=now)
    db.session.commit()


def deliver(job: Job) -> None:
    """Make the task, or find the one an earlier try made; then write the link down.

    Its text is what is public at this moment: somebody may have withheld something since it was ordered.
    """
    phabricator = _phabricator()
    number = _number(job)
    text = None
    if db.session.get(TaskLink, number) is None:
        try:
            text = _text(db.session.get_one(Request, number))
        except Invalid:
            _failed(job, number, {})
            return
    db.session.rollback()  # nothing stays open while the network is waited for
    if text is None:  # linked by hand meanwhile
        outbox.done(job, now=clock.now())
        db.session.commit()
        return
    reference = address(number)
    me = phabricator.whoami()
    task = None
    if job.unsure:
        task = phabricator.find_created(reference=reference, author_phid=me.phid, since=job.since)
    if task is None:
        project = phabricator.project(hub().settings.PHABRICATOR_PROJECT)
        task = phabricator.create_task(title=text.title, description=text.description, project_phid=project.phid)
    _linked(job, number, task, EventKind.TASK_CREATED)


def deliver_link(job: Job) -> None:
    """Look for the named task and link it, or say that it is not there."""
    number, wanted = _number(job), int(job.payload["task"])
    db.session.rollback()
    task = _phabricator().task(wanted)
    if task is not None:
        _linked(job, number, task, EventKind.TASK_LINKED)
        return
    _failed(job, number, {"task": wanted})


def _failed(job: Job, number: int, payload: Json) -> None:
    """There will be no task: say so, and be done."""
    now = clock.now()
    request = _locked(number)
    record(request, EventKind.TASK_FAILED, actor=None, now=now, payload=payload | {"by": "hub"})
    outbox.done(job, now=now)
    db.session.commit()


def look() -> int:
    """Read the state of all linked tasks once; says how many had changed. A task that is not shown to us any more
    loses its cached text at once."""
    if hub().phabricator is None:
        return 0
    numbers = db.session.scalars(select(TaskLink.number).distinct().order_by(TaskLink.number)).all()
    db.session.rollback()
    changed = 0
    for start in range(0, len(numbers), _LOT):
        lot = numbers[start : start + _LOT]
        seen = _phabricator().tasks(lot)
        links = db.session.scalars(select(TaskLink).where(TaskLink.number.in_(lot))).all()
        other = [(link.request_id, link.number) for link in links if not _is_same(link, seen.get(link.number))]
        db.session.execute(update(TaskLink).where(TaskLink.number.in_(lot)).values(seen_at=clock.now()))
        db.session.commit()
        for request_id, number in other:
            changed += _refresh(request_id, number, seen.get(number))
    return changed


def _is_same(linked: TaskLink, task: Task | None) -> bool:
    if task is None:
        return linked.hidden
    return not linked.hidden and (linked.title, linked.status, linked.status_name, linked.closed) == (
        task.title[:255],
        task.status,
        task.status_name,
        task.closed,
    )


def _refresh(request_id: int, number: int, task: Task | None) -> bool:
    request, now = _locked(request_id), clock.now()
    linked = db.session.get(TaskLink, request_id, populate_existing=True)
    if linked is None or linked.number != number:  # unlinked while we looked
        db.session.rollback()
        return False
    before = (linked.status, linked.hidden)
    if task is None:
        linked.hidden, linked.title, linked.status, linked.status_name = True, "", "", ""
    else:
        _copy(linked, task)
    changed = (linked.status, linked.hidden) != before
    if changed:
        payload = {"task": number, "status": linked.status_name, "hidden": linked.hidden, "by": "hub"}
        record(request, EventKind.TASK_CHANGED, actor=None, now=now, payload=payload)
    db.session.commit()
    return changed


def _locked(number: int) -> Request:
    request = requests.read(number, lock=True)
    if request is None:
        raise NotFound
    return request


def _linked(job: Job, number: int, task: Task, kind: EventKind) -> None:
    now = clock.now()
    request = _locked(number)
    if db.session.get(TaskLink, number) is None:
        linked = TaskLink(
            request_id=number,
            number=task.number,
            phid=task.phid,
            made_here=kind is EventKind.TASK_CREATED,
            linked_by_id=job.payload.get("by"),
            linked_at=now,
            seen_at=now,
        )
        _copy(linked, task)
        db.session.add(linked)
        record(request, kind, actor=job.payload.get("by"), now=now, payload={"task": task.number})
    outbox.done(job, now=now)
    db.session.commit()


def _copy(linked: TaskLink, task: Task) -> None:
    linked.title, linked.status, linked.status_name = task.title[:255], task.status, task.status_name
    linked.closed, linked.hidden = task.closed, False


def _number(job: Job) -> int:
    if job.request_id is None:
        raise ValueError("a task belongs to a request")
    return job.request_id


def _phabricator() -> Phabricator:
    found = hub().phabricator
    if found is None:
        raise Invalid({"task": "tasks-error-not-configured"})
    return found
