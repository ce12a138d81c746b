"""Requests: what is asked, how it stands, and the team that works on it.

The row holds the present; how it came about is in the events. ``waiting_on``, ``next_step`` and ``due_on`` are filled
exactly while the request is open (a check constraint repeats what the domain enforces).
"""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.lifecycle import Outcome, State, Track, WaitingOn
from cphub.domain.matching.values import Weight
from cphub.domain.policy import Visibility
from cphub.models.base import Model
from cphub.models.people import Person
from cphub.models.types import MYSQL_TABLE, Code, LongText, Name, UTCDateTime


class Request(Model):
    """One request for help. Its ``id`` is the number people quote. ``version`` grows with every change of holding."""

    __tablename__ = "request"
    __table_args__ = (
        CheckConstraint(
            "(waiting_on IS NULL) = (due_on IS NULL) AND (waiting_on IS NULL) = (next_step IS NULL) AND "
            "(waiting_on IS NOT NULL) = "
            "(state IN ('received', 'in_review', 'matching', 'in_progress', 'resolved'))",
            name="held",
        ),
        # Every list is a keyset page: what it filters by, then (updated_at, id) or (due_on, id).
        Index("ix_request_updated", "updated_at", "id"),
        Index("ix_request_public", "visibility", "updated_at", "id"),
        Index("ix_request_state", "state", "updated_at", "id"),
        Index("ix_request_language", "language", "updated_at", "id"),
        Index("ix_request_country", "country", "updated_at", "id"),
        Index("ix_request_requester", "requester_id", "updated_at", "id"),
        Index("ix_request_due", "due_on", "id"),
        Index("ix_request_waiting", "waiting_on", "due_on", "id"),
        Index("ix_request_lead", "lead_id", "waiting_on", "due_on", "id"),
        Index("ix_request_coordinator", "coordinator_id", "waiting_on", "due_on", "id"),
        MYSQL_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Drawn by the form before the first save: the same form sent twice finds the same row.
    key: Mapped[str] = mapped_column(Name(64), unique=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    #: The coordinator who wrote it down for the requester, if one did.
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    track: Mapped[Track] = mapped_column(Code(Track, 16), default=Track.QUESTION)
    title: Mapped[str] = mapped_column(String(255), default="")
    body: Mapped[str] = mapped_column(LongText, default="")
    language: Mapped[str | None] = mapped_column(Name(16))
    reply_languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    stage: Mapped[str | None] = mapped_column(Name(32))
    partner_type: Mapped[str | None] = mapped_column(Name(32))
    partner_name: Mapped[str] = mapped_column(String(255), default="")
    country: Mapped[str | None] = mapped_column(Name(8))
    community: Mapped[str] = mapped_column(String(255), default="")
    deadline: Mapped[date | None]
    contact: Mapped[str] = mapped_column(String(255), default="")
    #: Prompt code -> answer (the Hub's five questions of a project).
    justification: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    visibility: Mapped[Visibility] = mapped_column(Code(Visibility, 16), default=Visibility.PUBLIC)
    withhold_partner: Mapped[bool] = mapped_column(default=False)
    withhold_country: Mapped[bool] = mapped_column(default=False)
    withhold_name: Mapped[bool] = mapped_column(default=False)

    state: Mapped[State] = mapped_column(Code(State, 16), default=State.DRAFT)
    waiting_on: Mapped[WaitingOn | None] = mapped_column(Code(WaitingOn, 16))
    next_step: Mapped[str | None] = mapped_column(Name(32))
    next_step_text: Mapped[str] = mapped_column(String(500), default="")
    due_on: Mapped[date | None]
    outcome: Mapped[Outcome | None] = mapped_column(Code(Outcome, 32))
    #: To whom, where, or which missing service: what the outcome must name.
    outcome_detail: Mapped[str] = mapped_column(String(500), default="")
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"))
    weight: Mapped[Weight] = mapped_column(Code(Weight, 1), default=Weight.M)
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    coordinator_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    requester: Mapped[Person] = relationship(foreign_keys=requester_id)
    lead: Mapped[Person | None] = relationship(foreign_keys=lead_id)
    coordinator: Mapped[Person | None] = relationship(foreign_keys=coordinator_id)
    kinds: Mapped[list["RequestKind"]] = relationship(cascade="all, delete-orphan")
    skills: Mapped[list["RequestSkill"]] = relationship(cascade="all, delete-orphan")
    team: Mapped[list["TeamMember"]] = relationship(cascade="all, delete-orphan")


class RequestKind(Model):
    """A kind of help asked for."""

    __tablename__ = "request_kind"
    __table_args__ = (Index("ix_request_kind_kind", "kind", "request_id"), MYSQL_TABLE)

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Name(32), primary_key=True)


class RequestSkill(Model):
    """A skill the request needs, as a coordinator sees it."""

    __tablename__ = "request_skill"
    __table_args__ = MYSQL_TABLE

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    skill: Mapped[str] = mapped_column(Name(64), primary_key=True)
    must: Mapped[bool] = mapped_column(default=False)


class TeamMember(Model):
    """Somebody who works on a request beside the lead: ``expert``, ``bridge`` (language) or ``apprentice``."""

    __tablename__ = "team_member"
    __table_args__ = (Index("ix_team_member_person", "person_id", "request_id"), MYSQL_TABLE)

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Name(16), default="expert")
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)

    person: Mapped[Person] = relationship()


class RequestSearch(Model):
    """Search tokens of a request (see ``cphub.domain.search``): of what everybody may read, and of all of it."""

    __tablename__ = "request_search"
    __table_args__ = (
        # SQLite has a table of its own instead (see cphub.models.fulltext).
        Index("ft_request_search_open", "open_tokens", mysql_prefix="FULLTEXT").ddl_if(dialect="mysql"),
        Index("ft_request_search_all", "all_tokens", mysql_prefix="FULLTEXT").ddl_if(dialect="mysql"),
        {**MYSQL_TABLE, "mysql_charset": "ascii", "mysql_collate": "ascii_bin"},
    )

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    open_tokens: Mapped[str] = mapped_column(LongText)
    all_tokens: Mapped[str] = mapped_column(LongText)


class Watch(Model):
    """Somebody wants to hear of everything that happens to a request."""

    __tablename__ = "watch"
    __table_args__ = (Index("ix_watch_person", "person_id"), MYSQL_TABLE)

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
