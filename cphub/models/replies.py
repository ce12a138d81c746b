"""Replies and notes: what people write to each other on a request, with every earlier version."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.events import Audience
from cphub.models.base import Model
from cphub.models.people import Person
from cphub.models.types import MYSQL_TABLE, Code, LongText, Name, UTCDateTime


class Reply(Model):
    """A reply, or a note when its audience is the team. ``body`` is Markdown as typed; empty once withdrawn."""

    __tablename__ = "reply"
    __table_args__ = (
        Index("ix_reply_request", "request_id", "id"),
        Index("ix_reply_author", "author_id", "written_at"),
        MYSQL_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Drawn by the form: the same form sent twice writes one reply.
    key: Mapped[str] = mapped_column(Name(64), unique=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    audience: Mapped[Audience] = mapped_column(Code(Audience, 16))
    body: Mapped[str] = mapped_column(LongText)
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    author: Mapped[Person] = relationship()

    @property
    def is_note(self) -> bool:
        return self.audience is Audience.TEAM


class ReplyVersion(Model):
    """What a reply said before it was edited. Withdrawing a reply removes these too: withdrawn means gone."""

    __tablename__ = "reply_version"
    __table_args__ = (Index("ix_reply_version_reply", "reply_id", "id"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"))
    body: Mapped[str] = mapped_column(LongText)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
