"""The page of one request. Every form on it comes back here when it cannot be taken, with all that was typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from cphub import clock
from cphub.domain.events import EventKind
from cphub.domain.lifecycle import PATH, Part, State, Verb, WaitingOn
from cphub.domain.matching import Match
from cphub.domain.policy import Act, Viewer, may
from cphub.domain.shown import shown
from cphub.errors import Conflict, Invalid, NotFound
from cphub.hub import hub
from cphub.models import db
from cphub.models.queries.request_page import RequestPage, request_page
from cphub.models.queries.timeline import Line
from cphub.services import inbox, matching, offers, requests, wording
from cphub.services.requests.moves import WORDED
from cphub.web import current, errors, forms
from cphub.web.forms import Form
from cphub.web.requests.blueprint import bp

Answer = Response | tuple[str, int]
#: Suggestions shown (design section 4).
MATCHES_MOST = 5
#: Verbs in the order in which their links stand.
_ORDER = [verb for verb in Verb if verb in WORDED]
_ENDS = {
    EventKind.REQUEST_RESOLVED,
    EventKind.REQUEST_DECLINED,
    EventKind.REQUEST_WITHDRAWN,
    EventKind.REQUEST_DUPLICATE,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A form of the page that was sent and could not be taken, or that was typed into before a sign-in.

    ``form``: its name. ``message``: key of why, where something else changed. ``since``: the version the person had
    before them, if it is known.
    """

    form: str = ""
    values: Form = field(default_factory=Form)
    errors: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    since: int | None = None

    @property
    def ids(self) -> dict[str, str]:
        """Field -> id of its control: names come more than once on this page."""
        return {name: f"{self.form}-{name}" for name in self.errors}

    def of(self, form: str) -> "Tried":
        """For the template of one form: what was tried, if it was this one."""
        return self if self.form == form else NOTHING


NOTHING = Tried()


@bp.get("/requests/<int:number>")
def show(number: int) -> str:
    """The request as this reader may see it. Looking at it means having read what the inbox said of it."""
    if current.unread() and not hub().settings.READ_ONLY_REASON:
        current.has_read(inbox.read_request(current.viewer(), number))
    return render(number, _parked())


def render(number: int, tried: Tried = NOTHING) -> str:
    """The page. Raises NotFound when there is none for this reader."""
    viewer = current.viewer()
    page = find(viewer, number)
    request, may_staff = page.request, page.may(viewer, Act.STAFF)
    return render_template(
        "requests/page.html",
        page=page,
        tried=tried,
        shown=shown(requests.as_draft(request), page.requester, everything=page.inside),
        strip=strip(page),
        step=next_step(page),
        your_turn=is_turn_of(page, viewer),
        overdue=request.due_on is not None and request.due_on < clock.now().date(),
        ending=_ending(page),
        others=[verb for verb in _ORDER if verb in page.verbs and verb is not page.primary],
        worded=WORDED,
        changed=[] if tried.since is None else page.since(tried.since),
        matches=_matches(viewer, page),
        offers_most=offers.AT_ONCE,
        may_reply=page.may(viewer, Act.REPLY),
        may_note=page.may(viewer, Act.NOTE),
        may_edit=page.may(viewer, Act.EDIT),
        may_staff=may_staff,
        may_task=page.may(viewer, Act.LINK_TASK),
        may_watch=page.may(viewer, Act.WATCH),
        key=forms.new_key(),
    )


def find(viewer: Viewer, number: int) -> RequestPage:
    """The page's content. A draft has no page yet."""
    page = request_page(viewer, number, requests.subject_of)
    if page is None or page.request.state is State.DRAFT:
        raise NotFound
    return page


def take(number: int, form: str, change: Callable[[], object], *, say: str | None = None, at: str = "") -> Answer:
    """Carry out what a form of the page asks for: back to the page, or the page again with all that was typed.

    ``at``: the part of the page to come back to.
    """
    try:
        change()
    except (Invalid, Conflict) as refused:
        return again(number, form, refused)
    if say:
        forms.tell(say)
    return redirect(f"/requests/{number}{at}", 303)


def again(number: int, form: str, refused: Invalid | Conflict) -> Answer:
    """The page once more: 422 with the messages beside the fields, or 409 with what changed meanwhile."""
    db.session.rollback()  # whoever is refused lets go of the request
    if isinstance(refused, Invalid):
        return render(number, Tried(form, request.form, refused.fields)), 422
    since = refused.facts.get("since")
    try:
        tried = Tried(form, request.form, {}, refused.message, since if isinstance(since, int) else forms.seen())
        return render(number, tried), 409
    except NotFound:  # the change took the request out of their sight
        raise refused from None


def strip(page: RequestPage) -> list[tuple[Markup, str]]:
    """The steps of the straight path for ``ui.steps``; empty for a request that has left it."""
    request = page.request
    path = PATH[request.track]
    if request.state not in path:
        return []
    here, speaker = path.index(request.state), current.speaker()
    return [
        (
            speaker.msg(wording.key_of("requests-state", state.value)),
            "done" if place < here else "current" if place == here else "todo",
        )
        for place, state in enumerate(path)
    ]


def next_step(page: RequestPage) -> Markup | None:
    """ "Next: X does Y by Z", with the name of X where there is one and it may be shown."""
    request = page.request
    if request.waiting_on is None or request.next_step is None or request.due_on is None:
        return None
    name = {
        WaitingOn.COORDINATOR: page.coordinator,
        WaitingOn.REQUESTER: page.requester,
        WaitingOn.EXPERT: page.lead,
    }.get(request.waiting_on)
    return wording.next_step(
        current.speaker(),
        waiting_on=request.waiting_on,
        step=request.next_step,
        text=request.next_step_text,
        due_on=request.due_on,
        who=Markup("<bdi>{}</bdi>").format(name) if name else None,
    )


def is_turn_of(page: RequestPage, viewer: Viewer) -> bool:
    """Whether this reader is the one who is waited for."""
    request, mine = page.request, page.parts
    return {
        WaitingOn.REQUESTER: Part.REQUESTER in mine,
        WaitingOn.EXPERT: Part.LEAD in mine or (request.lead_id is None and Part.OFFERED in mine),
        WaitingOn.COORDINATOR: Part.COORDINATOR in mine and request.coordinator_id in (None, viewer.person_id),
        WaitingOn.COMMITTEE: Part.COMMITTEE in mine,
    }.get(request.waiting_on or WaitingOn.PARTNER, False)


def _ending(page: RequestPage) -> Line | None:
    """How it ended, when it has."""
    if page.request.outcome is None:
        return None
    return next((line for line in reversed(page.timeline) if line.kind in _ENDS), None)


def _matches(viewer: Viewer, page: RequestPage) -> list[Match]:
    if Verb.OFFER not in page.verbs or not may(viewer, Act.SEE_MATCHES, page.subject):
        return []
    asked = page.subject.offered_ids
    found = matching.matches(viewer, page.request.id)
    return [match for match in found if match.expert.person_id not in asked][:MATCHES_MOST]


def _parked() -> Tried:
    typed = Form((name, value) for name, values in errors.typed().items() for value in values)
    return Tried(typed.get("form", ""), typed) if typed else NOTHING
