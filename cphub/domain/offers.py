"""Offers: the states of an ask sent to an expert, and the reasons one can give for a no."""

from enum import StrEnum


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferReason(StrEnum):
    """Why an expert says no. None of them counts against the expert."""

    BUSY = "busy"
    AWAY = "away"
    NOT_MY_SKILL = "not_my_skill"
    CONFLICT = "conflict"
    OTHER = "other"
