"""What a person fills in when asking for help, and what it must have before it can be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from cphub.domain.lifecycle import Track
from cphub.domain.policy import Visibility

TITLE_MOST = 255
BODY_MOST = 20_000
SHORT_MOST = 255
#: Fewer characters than this cannot be understood; in Chinese ten are a sentence.
BODY_LEAST = 10
#: No help can be promised for a day beyond ten years: it is a slip of the keys.
DEADLINE_FURTHEST = timedelta(days=3653)


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
    if draft.deadline is not None and draft.deadline > today + DEADLINE_FURTHEST:
        found["deadline"] = "requests-error-deadline-far"
    return found


def loosened(before: Draft, after: Draft) -> list[str]:
    """The fields by which ``after`` shows the public more than ``before`` did."""
    boxes = ("withhold_partner", "withhold_country", "withhold_name")
    found = [name for name in boxes if getattr(before, name) and not getattr(after, name)]
    if before.visibility is Visibility.HUB and after.visibility is Visibility.PUBLIC:
        found.append("visibility")
    return found


def fingerprint(draft: Draft) -> str:
    """``name.digest`` of each field, each reason by itself: tells what somebody else has changed, and what not."""
    return " ".join(f"{name}.{digest}" for name, digest in _digests(draft).items())


def changed_since(seen: str, draft: Draft) -> set[str]:
    """The fields, ``justification-<code>`` for a reason, in which ``draft`` is not what ``fingerprint`` gave
    ``seen`` for.
    """
    before = dict(part.split(".", 1) for part in seen.split() if "." in part)
    after = _digests(draft)
    return {name for name in before | after if before.get(name) != after.get(name)}


def merged(seen: str, mine: Draft, theirs: Draft) -> Draft:
    """``theirs`` with what ``mine`` changed since ``seen``, which both began with."""
    changed = changed_since(seen, mine)
    reasons = {
        code: (mine if f"justification-{code}" in changed else theirs).justification.get(code, "")
        for code in {**theirs.justification, **mine.justification}
    }
    return replace(
        theirs,
        **{name: getattr(mine, name) for name in changed & set(Draft.__slots__)},
        justification={code: text for code, text in reasons.items() if text},
    )


def _digests(draft: Draft) -> dict[str, str]:
    values: dict[str, Any] = {each.name: getattr(draft, each.name) for each in fields(draft)}
    reasons = values.pop("justification")
    values |= {f"justification-{code}": text for code, text in reasons.items() if text}
    return {name: _digest(value) for name, value in values.items()}


def _digest(value: object) -> str:
    # Boxes come in the order of the page, and not in that of what is stored.
    plain = ",".join(sorted(value)) if isinstance(value, tuple) else "" if value is None else str(value)
    return sha256(plain.encode()).hexdigest()[:8]
