"""The floor's statements: one for a list, two for the page of a request, three for a new one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cphub.domain.search import words
from cphub.models import Base, Event, Person, Reply, Request, RequestKind

PAGE = 50
_TABLES = Base.metadata.tables
_Lead = aliased(Person)
_SHOWN = (
    Request.id, Request.title, Request.state, Request.waiting_on, Request.next_step, Request.due_on, Request.language,
    Request.country, Request.partner_name, Request.updated_at, Person.name.label("requester"), _Lead.name.label("lead"),
)  # fmt: skip


def _rows(index: str | None) -> sa.Select[Any]:
    shown: Any = sa.select(*_SHOWN)
    query: sa.Select[Any] = shown.outerjoin(Person, Person.id == Request.requester_id)
    query = query.outerjoin(_Lead, _Lead.id == Request.lead_id)
    return query.with_hint(Request, f"FORCE INDEX ({index})", "mysql") if index else query


def browse(*, state: str | None, language: str | None, kind: str | None, after: str | None) -> sa.Select[Any]:
    """Newest first, by the index that begins with what is filtered by."""
    query = _rows("ix_request_state" if state else "ix_request_language" if language else "ix_request_public")
    query = query.where(Request.visibility == "public")
    if state:
        query = query.where(Request.state == state)
    if language:
        query = query.where(Request.language == language)
    if kind:
        has = sa.select(RequestKind.kind).where(RequestKind.request_id == Request.id, RequestKind.kind == kind)
        query = query.where(has.exists())
    if after:
        when, number = after.split("-")
        at = datetime.strptime(when, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
        query = query.where(Request.updated_at <= at, (Request.updated_at < at) | (Request.id < int(number)))
    return query.order_by(Request.updated_at.desc(), Request.id.desc()).limit(PAGE + 1)


def search(query: str) -> sa.Select[Any]:
    """First the best hits, then what is shown of them."""
    best = (
        sa.text(
            "SELECT request_id, MATCH (open_tokens) AGAINST (:match IN BOOLEAN MODE) AS score FROM request_search "
            "WHERE MATCH (open_tokens) AGAINST (:match IN BOOLEAN MODE) ORDER BY score DESC LIMIT :most"
        )
        .bindparams(match=" ".join(f"+{phrase[0]}" for phrase in words(query)), most=PAGE + 1)
        .columns(sa.column("request_id"), sa.column("score"))
        .subquery("best")
    )
    found = _rows(None).join(best, best.c.request_id == Request.id).where(Request.visibility == "public")
    return found.order_by(best.c.score.desc())


def queue() -> sa.Select[Any]:
    """Open and without a lead, soonest due first."""
    query = _rows("ix_request_due").where(Request.due_on.is_not(None), Request.lead_id.is_(None))
    return query.order_by(Request.due_on, Request.id).limit(PAGE + 1)


def counts(coordinator: int) -> sa.Select[Any]:
    """The numbers beside the queue's views, up to a hundred."""
    waits = Request.waiting_on.is_not(None)
    views = (
        (waits & Request.lead_id.is_(None), "ix_request_lead"),
        (waits & (Request.coordinator_id == coordinator), "ix_request_coordinator"),
        ((Request.waiting_on == "coordinator") & Request.coordinator_id.is_(None), "ix_request_coordinator"),
        (Request.due_on <= sa.func.current_date(), "ix_request_due"),
        (waits, "ix_request_waiting"),
    )
    some = (
        sa.select(Request.id).with_hint(Request, f"FORCE INDEX ({index})", "mysql").where(view).limit(100).subquery()
        for view, index in views
    )
    return sa.select(*(sa.select(sa.func.count()).select_from(each).scalar_subquery() for each in some))


def request(number: int) -> sa.Select[Any]:
    """The request and who asked."""
    columns = [*Request.__table__.columns, Person.name.label("requester"), _Lead.name.label("lead")]
    query = sa.select(*columns).join(Person, Person.id == Request.requester_id)
    return query.outerjoin(_Lead, _Lead.id == Request.lead_id).where(Request.id == number)


def events(number: int) -> sa.Select[Any]:
    """Its timeline with what was said."""
    said = (Reply.request_id == number) & (Reply.id == sa.func.json_value(Event.payload, "$.reply"))
    shown: Any = sa.select(Event.kind, Event.at, Person.name, Reply.body)
    found: sa.Select[Any] = shown.outerjoin(Person, Person.id == Event.actor_id).outerjoin(Reply, said)
    return found.where(Event.request_id == number).order_by(Event.id)


def create(connection: sa.Connection, key: str, title: str, body: str) -> int:
    """A request, its event and an outbox row. Gives the number; does not commit."""
    now = datetime.now(UTC)
    requester = 2
    made = connection.execute(
        sa.insert(_TABLES["request"]).values(
            key=key, requester_id=requester, title=title, body=body, state="received", waiting_on="coordinator",
            next_step="coordinator_reads", due_on=(now + timedelta(days=3)).date(), created_at=now, updated_at=now,
        )
    )  # fmt: skip
    (number,) = made.inserted_primary_key or (0,)
    happened = connection.execute(
        sa.insert(_TABLES["event"]).values(
            request_id=number, actor_id=requester, kind="request:received", audience="public", payload={}, at=now
        )
    )
    (event,) = happened.inserted_primary_key or (0,)
    connection.execute(
        sa.insert(_TABLES["outbox"]).values(
            kind="mail",
            payload={"event": event},
            dedupe_key=f"mail:{event}",
            request_id=number,
            created_at=now,
            due_at=now,
        )
    )
    return int(number)
