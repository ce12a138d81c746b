"""One field of a draft in words, for telling somebody what it says now."""

from cphub.domain.draft import Draft
from cphub.i18n import Speaker
from cphub.taxonomies import KINDS, PARTNER_TYPES, STAGES


def said(speaker: Speaker, draft: Draft, name: str) -> str:
    """What the field ``name`` says; "–" when it is empty."""
    value = getattr(draft, name)
    if value in (None, "", ()):
        return "–"
    match name:
        case "language":
            return speaker.language_name(value)
        case "country":
            return speaker.country_name(value)
        case "deadline":
            return speaker.date(value)
        case "stage":
            return speaker.text(STAGES[value].message)
        case "partner_type":
            return speaker.text(PARTNER_TYPES[value].message)
        case "track" | "visibility":
            return speaker.text(f"requests-form-{name}-{value}")
        case "kinds":
            return speaker.list([speaker.text(KINDS[code].message) for code in value])
        case "reply_languages":
            return speaker.list([speaker.language_name(code) for code in value])
        case "justification":
            return "\n".join(value.values()) or "–"
    if isinstance(value, bool):
        return speaker.text("common-yes" if value else "common-no")
    return str(value)
