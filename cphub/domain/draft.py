"""What a person fills in when asking for help, and what it must have before it can be sent."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256

from cphub.domain.lifecycle import Track
from cphub.domain.policy import Visibility

TITLE_MOST = 255
BODY_MOST = 20_000
SHORT_MOST = 255
#: Fewer characters than this cannot be understood; in Chinese ten are a sentence.
BODY_LEAST = 10


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of ``/requests/new`` (design section 7). Everything but title and body may stay empty."""

    track: Track = Track.QUESTION
    title: str = ""
    body: str = ""
    language: str | None = None
    reply_languages: tuple[str, ...] = ()
    stage: str | None = None
    kinds: tuple[str, ...] = ()
    partner_type: str | None = None
    partner_name: str = ""
    country: str | None = None
    community: str = ""
    deadline: date | None = None
    contact: str = ""
    justification: Mapping[str, str] = field(default_factory=dict)
    visibility: Visibility = Visibility.PUBLIC
    withhold_partner: bool = False
    withhold_country: bool = False
    withhold_name: bool = False


def too_long(draft: Draft) -> dict[str, str]:
    """Field -> message key for what cannot even be kept as a draft."""
    limits = {
        "title": TITLE_MOST,
        "body": BODY_MOST,
        "partner_name": SHORT_MOST,
        "community": SHORT_MOST,
        "contact": SHORT_MOST,
    }
    found = {name: "requests-error-too-long" for name, most in limits.items() if len(getattr(draft, name)) > most}
    found |= {
        f"justification-{code}": "requests-error-too-long"
        for code, text in draft.justification.items()
        if len(text) > BODY_MOST
    }
    return found


def missing(draft: Draft, *, today: date) -> dict[str, str]:
    """Field -> message key for what keeps a draft from being sent."""
    found = too_long(draft)
    if not draft.title.strip():
        found["title"] = "requests-error-title"
    if len(draft.body.strip()) < BODY_LEAST:
        found["body"] = "requests-error-body"
    if draft.deadline is not None and draft.deadline < today:
        found["deadline"] = "requests-error-deadline-past"
    return found


def loosened(before: Draft, after: Draft) -> list[str]:
    """The fields by which ``after`` shows the public more than ``before`` did."""
    boxes = ("withhold_partner", "withhold_country", "withhold_name")
    found = [name for name in boxes if getattr(before, name) and not getattr(after, name)]
    if before.visibility is Visibility.HUB and after.visibility is Visibility.PUBLIC:
        found.append("visibility")
    return found


def fingerprint(draft: Draft) -> str:
    """Short, and the same for the same content: tells whether somebody else has changed it."""
    content = json.dumps(asdict(draft), sort_keys=True, default=str)
    return sha256(content.encode()).hexdigest()[:16]
