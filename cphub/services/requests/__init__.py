"""Requests: writing one down, sending it, and every step of its life."""

from cphub.services.requests.drafts import as_draft, clean, discard, edit, mine, save, send
from cphub.services.requests.facts import Facts
from cphub.services.requests.handover import Handover, handover_link, see_handover, take_over
from cphub.services.requests.moves import act, carry_out
from cphub.services.requests.needs import set_needs
from cphub.services.requests.subject import find, read, subject_of
from cphub.services.requests.watch import unwatch, watch

__all__ = [
    "Facts",
    "Handover",
    "act",
    "as_draft",
    "carry_out",
    "clean",
    "discard",
    "edit",
    "find",
    "handover_link",
    "mine",
    "read",
    "save",
    "see_handover",
    "send",
    "set_needs",
    "subject_of",
    "take_over",
    "unwatch",
    "watch",
]
