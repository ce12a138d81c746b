"""What a reader sees of what was asked: everything, or all but what the requester withholds from the public."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track


@dataclass(frozen=True, slots=True)
class Shown:
    """The content of a request as one reader sees it. What they may not know is None or empty.

    ``private``: names of the fields among these that the public does not see.
    """

    title: str
    body: str
    track: Track
    language: str | None
    reply_languages: tuple[str, ...]
    stage: str | None
    kinds: tuple[str, ...]
    partner_type: str | None
    partner_name: str
    country: str | None
    community: str
    deadline: date | None
    contact: str
    justification: Mapping[str, str]
    requester: str | None
    private: frozenset[str]


def shown(draft: Draft, requester: str | None, *, everything: bool) -> Shown:
    """``everything``: for somebody inside, who may see what is withheld; otherwise as the public sees it."""
    private = {"contact"}
    private |= {"partner_name"} if draft.withhold_partner else set()
    private |= {"country"} if draft.withhold_country else set()
    private |= {"requester"} if draft.withhold_name else set()
    hidden = frozenset() if everything else frozenset(private)
    return Shown(
        title=draft.title,
        body=draft.body,
        track=draft.track,
        language=draft.language,
        reply_languages=draft.reply_languages,
        stage=draft.stage,
        kinds=draft.kinds,
        partner_type=draft.partner_type,
        partner_name="" if "partner_name" in hidden else draft.partner_name,
        country=None if "country" in hidden else draft.country,
        community=draft.community,
        deadline=draft.deadline,
        contact="" if "contact" in hidden else draft.contact,
        justification=draft.justification,
        requester=None if "requester" in hidden else requester,
        private=frozenset(private),
    )
