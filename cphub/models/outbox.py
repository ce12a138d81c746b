"""The outbox: what has still to be done outside, written together with the change that asks for it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cphub.models.base import Json, Model
from cphub.models.types import MYSQL_TABLE, Code, Name, UTCDateTime


class OutboxState(StrEnum):
    """``ready``: to do (also while a worker holds the lease). ``unsure``: sent, and no answer came. ``failed``: given
    up, until a coordinator tries it again."""

    READY = "ready"
    UNSURE = "unsure"
    DONE = "done"
    FAILED = "failed"


class OutboxRow(Model):
    """One thing to do outside. ``lease_until``: a worker is at it until then. ``dedupe_key``: asked for only once."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "due_at", "id"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Name(32))
    payload: Mapped[Json] = mapped_column(JSON)
    dedupe_key: Mapped[str] = mapped_column(Name(128), unique=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"))
    state: Mapped[OutboxState] = mapped_column(Code(OutboxState, 8), default=OutboxState.READY)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    #: When the first try began: a search for what it may have made starts there.
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str] = mapped_column(String(500), default="")


class Heartbeat(Model):
    """When a background process last said it is alive."""

    __tablename__ = "heartbeat"
    __table_args__ = MYSQL_TABLE

    name: Mapped[str] = mapped_column(Name(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
