"""Events: the append-only record of everything that happened to a request."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.events import Audience, EventKind
from cphub.models.base import Json, Model
from cphub.models.people import Person
from cphub.models.types import MYSQL_TABLE, Code, UTCDateTime


class Event(Model):
    """One line of the timeline. ``payload`` holds codes, ids and what people wrote, never a sentence of ours.

    ``actor_id`` empty: the hub itself (an offer ran out, the worker made the task).
    """

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_request", "request_id", "id"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[EventKind] = mapped_column(Code(EventKind, 32))
    audience: Mapped[Audience] = mapped_column(Code(Audience, 16))
    payload: Mapped[Json] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(UTCDateTime)

    actor: Mapped[Person | None] = relationship()
