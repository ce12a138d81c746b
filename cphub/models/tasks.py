"""Tasks: the Phabricator task linked to a request, and what was last seen of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cphub.models.base import Model
from cphub.models.types import MYSQL_TABLE, Name, UTCDateTime


class TaskLink(Model):
    """The task of a request: one at a time. Phabricator owns its title and status; this is the last look at them.

    ``hidden``: Phabricator no longer shows it to us, so nothing of it may be shown.
    """

    __tablename__ = "task_link"
    __table_args__ = (Index("ix_task_link_number", "number"), MYSQL_TABLE)

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    number: Mapped[int]
    phid: Mapped[str] = mapped_column(Name(64))
    title: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[str] = mapped_column(Name(32), default="")
    status_name: Mapped[str] = mapped_column(String(64), default="")
    closed: Mapped[bool] = mapped_column(default=False)
    hidden: Mapped[bool] = mapped_column(default=False)
    made_here: Mapped[bool] = mapped_column(default=False)
    linked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    linked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
