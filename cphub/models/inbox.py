"""The inbox: the record of what concerns a person, and why they are told."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.models.base import Model
from cphub.models.events import Event
from cphub.models.types import MYSQL_TABLE, Name, UTCDateTime


class InboxItem(Model):
    """One event that concerns one person. ``reason``: code of why they are told (see ``cphub.domain.notices``)."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        Index("ix_inbox_item_person", "person_id", "id"),
        Index("ix_inbox_item_unread", "person_id", "read_at", "id"),
        MYSQL_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    reason: Mapped[str] = mapped_column(Name(16))
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    event: Mapped[Event] = relationship()
