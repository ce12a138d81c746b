"""The list of requests for everybody: filters and search words in the address, pages after a mark."""

from collections.abc import Container

from flask import Blueprint, render_template, request

from cphub.domain.lifecycle import State, Track
from cphub.i18n import Speaker
from cphub.models.queries import keyset
from cphub.models.queries.requests import Filter, browse
from cphub.taxonomies import COUNTRIES, KINDS, LANGUAGES
from cphub.web import choices, current
from cphub.web.paging import address, next_page

bp = Blueprint("browse", __name__)
_WORDS_MOST = 200
STATES = [state for state in State if state is not State.DRAFT]


@bp.get("/requests")
def index() -> str:
    """What does not name anything that exists is left out of the filters: old links go on to work."""
    args = request.args
    wanted = Filter(
        state=next((s for s in STATES if s == args.get("state")), None),
        track=next((t for t in Track if t == args.get("track")), None),
        kind=_among(args.get("kind"), KINDS),
        language=_among(args.get("language"), LANGUAGES),
        country=_among(args.get("country"), COUNTRIES),
        words=args.get("q", "").strip()[:_WORDS_MOST],
    )
    page = browse(current.viewer(), wanted, after=args.get("after"))
    chosen = _chosen(current.speaker(), wanted)
    return render_template(
        "requests/list.html",
        page=page,
        wanted=wanted,
        chosen=[(label, address(**{name: None})) for name, label in chosen.items()],
        next=next_page(page.next),
        states=STATES,
        most=keyset.PAGE,
        first=address(),
        choices=choices,
    )


def _chosen(speaker: Speaker, wanted: Filter) -> dict[str, str]:
    """The filters that are set, in words."""
    found = {}
    if wanted.state:
        found["state"] = speaker.text(f"requests-state-{wanted.state.replace('_', '-')}")
    if wanted.track:
        found["track"] = speaker.text(f"requests-track-{wanted.track}")
    if wanted.kind:
        found["kind"] = speaker.text(KINDS[wanted.kind].message)
    if wanted.language:
        found["language"] = speaker.language_name(wanted.language)
    if wanted.country:
        found["country"] = speaker.country_name(wanted.country)
    return found


def _among(code: str | None, vocabulary: Container[str]) -> str | None:
    return code if code and code in vocabulary else None
