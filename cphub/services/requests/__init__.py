"""Requests: writing one down, sending it, and every step of its life."""

from cphub.services.requests.drafts import discard, edit, save, send
from cphub.services.requests.moves import Facts, act, carry_out
from cphub.services.requests.needs import set_needs
from cphub.services.requests.subject import find, subject_of
from cphub.services.requests.watch import unwatch, watch

__all__ = [
    "Facts",
    "act",
    "carry_out",
    "discard",
    "edit",
    "find",
    "save",
    "send",
    "set_needs",
    "subject_of",
    "unwatch",
    "watch",
]
