"""Codes in words: events, next steps and reasons, for pages and mails alike, in the reader's language."""

from collections.abc import Mapping
from datetime import date

from markupsafe import Markup

from cphub.domain.events import EventKind
from cphub.domain.lifecycle import WaitingOn
from cphub.domain.matching.values import Reason
from cphub.i18n import Speaker
from cphub.models import Json
from cphub.taxonomies import MISSING_SERVICES, SKILLS


def key_of(group: str, code: str) -> str:
    """The message key of a code: ``events`` and ``request:in_review`` give ``events-request-in-review``."""
    return f"{group}-{code.replace(':', '-').replace('_', '-')}"


def event(speaker: Speaker, kind: EventKind, actor: str | None, payload: Json, names: Mapping[str, str]) -> Markup:
    """One line: who did what, words of people in ``<bdi>``. ``actor`` None: a name that is withheld, or the hub
    itself."""
    hub = payload.get("by") == "hub"
    who = bdi(actor) if actor else speaker.text("events-the-hub" if hub else "events-somebody")
    key = key_of("events", kind.value)
    if _asked_the_same(kind, payload):
        key += "-same"
    return speaker.msg(key, who, _detail(speaker, kind, payload, names))


def _asked_the_same(kind: EventKind, payload: Json) -> bool:
    return kind is EventKind.TEAM_JOINED and payload.get("role") == "joined"


def _detail(speaker: Speaker, kind: EventKind, payload: Json, names: Mapping[str, str]) -> str:
    if "expert" in names or "person" in names or _asked_the_same(kind, payload):
        name = names.get("expert") or names.get("person")
        return bdi(name) if name else speaker.text("events-somebody")
    if "outcome" in payload:
        return speaker.text(key_of("requests-outcome", payload["outcome"]))
    if "task" in payload:
        return f"T{payload['task']}"
    if "duplicate_of" in payload:
        return f"#{payload['duplicate_of']}"
    if kind is EventKind.REQUEST_NEXT_STEP:
        return bdi(str(payload.get("next_step_text", "")))
    if "status" in payload:
        return bdi(str(payload["status"]))
    return ""


def next_step(
    speaker: Speaker, *, waiting_on: WaitingOn, step: str, text: str, due_on: date, who: str | None = None
) -> Markup:
    """ "Next: X does Y by Z". ``who``: the name of the person waited for, where there is one and it may be shown."""
    holder = speaker.text(key_of("requests-holder", waiting_on.value)) if who is None else who
    if step == "text":
        # A sentence of somebody's own, in whatever language and shape: it stands alone.
        return speaker.msg("requests-next-said", holder, bdi(text.rstrip(".")), speaker.date(due_on))
    return speaker.msg("requests-next", holder, speaker.text(key_of("requests-step", step)), speaker.date(due_on))


def bdi(text: str) -> Markup:
    """Words of people inside a sentence of ours, with a direction of their own."""
    return Markup("<bdi>{}</bdi>").format(text)


def reason(speaker: Speaker, fact: Reason) -> Markup:
    """One reason or caveat of a match, with its facts in words."""
    values = [_fact(speaker, fact.code, place, value) for place, value in enumerate(fact.values)]
    return speaker.msg(key_of("experts-reason", fact.code), *values)


def outcome_detail(speaker: Speaker, outcome: str, detail: str) -> str:
    """To whom, where, or which missing service."""
    entry = MISSING_SERVICES.get(detail) if outcome == "out_of_scope" else None
    return speaker.text(entry.message) if entry else detail


def _fact(speaker: Speaker, code: str, place: int, value: str | int) -> str | int:
    if isinstance(value, int):
        return value
    if value in SKILLS:
        return speaker.text(SKILLS[value].message)
    if "language" in code and place == 0:
        return speaker.language_name(value)
    if code == "country":
        return speaker.country_name(value)
    if code == "region":
        return speaker.text(f"taxonomy-region-{value.lower()}")
    return value
