"""Offers: asks sent to experts, and what became of them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.offers import OfferState
from cphub.models.base import Model
from cphub.models.experts import Expert
from cphub.models.types import MYSQL_TABLE, Code, Name, UTCDateTime


class Offer(Model):
    """An ask. ``person_id`` repeats the expert's owner, so that "may see the request" needs no second table."""

    __tablename__ = "offer"
    __table_args__ = (
        Index("ix_offer_request", "request_id", "state"),
        Index("ix_offer_person", "person_id", "state", "request_id"),
        Index("ix_offer_expires", "state", "expires_at"),
        MYSQL_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    state: Mapped[OfferState] = mapped_column(Code(OfferState, 16), default=OfferState.OPEN)
    message: Mapped[str] = mapped_column(String(1000), default="")
    sent_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(Name(16))
    reason_text: Mapped[str] = mapped_column(String(500), default="")

    expert: Mapped[Expert] = relationship()
