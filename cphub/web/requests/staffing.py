"""What coordinators do to find and gather the people for a request, and who wants to hear of it."""

from flask import redirect, render_template, request

from cphub.domain.matching.values import Weight
from cphub.domain.policy import Act
from cphub.errors import Invalid
from cphub.models import db
from cphub.services import offers, requests, team
from cphub.taxonomies import SKILLS
from cphub.web import current, forms
from cphub.web.experts import skill_options
from cphub.web.requests.blueprint import bp
from cphub.web.requests.page import Answer, Tried, find, take

#: Rows for skills that are not there yet.
_FREE_ROWS = 3


@bp.post("/requests/<int:number>/watch")
@current.writes
def watch(number: int) -> Answer:
    change = requests.watch if forms.flag("on") else requests.unwatch
    return take(number, "watch", lambda: change(current.viewer(), number), at="#watching")


@bp.post("/requests/<int:number>/offer")
@current.writes
def offer(number: int) -> Answer:
    """Ask the chosen expert."""

    def send() -> None:
        expert = forms.number("expert")
        if expert is None:
            raise Invalid({"expert": "offers-error-choose"})
        offers.send(current.viewer(), number, expert, message=forms.text("message"), seen=forms.seen())

    return take(number, "offer", send, say="requests-page-offer-sent", at="#experts")


@bp.post("/requests/<int:number>/team")
@current.writes
def join(number: int) -> Answer:
    def add() -> None:
        team.join(current.viewer(), number, forms.text("name"), forms.text("role"))

    return take(number, "team", add, at="#people")


@bp.post("/requests/<int:number>/team/<int:person_id>/leave")
@current.writes
def leave(number: int, person_id: int) -> Answer:
    return take(number, "team", lambda: team.leave(current.viewer(), number, person_id), at="#people")


@bp.get("/requests/<int:number>/needs")
@current.signed_in
def needs(number: int) -> str:
    """The skills and the size of a request, to be set."""
    requests.find(current.viewer(), number, Act.SET_NEEDS)
    return _needs_page(number, Tried("needs"))


@bp.post("/requests/<int:number>/needs")
@current.writes
def set_needs(number: int) -> Answer:
    skills = {skill: must for skill, must in _typed_rows() if skill}
    try:
        requests.set_needs(current.viewer(), number, skills=skills, weight=forms.text("weight"))
    except Invalid as invalid:
        db.session.rollback()
        return _needs_page(number, Tried("needs", request.form, invalid.fields)), 422
    return redirect(f"/requests/{number}#experts", 303)


def _needs_page(number: int, tried: Tried) -> str:
    page = find(current.viewer(), number)
    if tried.values:
        rows = _typed_rows()
    else:
        have = {row.skill: row.must for row in page.request.skills}
        rows = [(skill, have[skill]) for skill in SKILLS if skill in have] + [("", False)] * _FREE_ROWS
    return render_template(
        "requests/needs.html",
        page=page,
        tried=tried,
        rows=rows,
        skills=skill_options(current.speaker()),
        weight=tried.values.get("weight", page.request.weight),
        weights=list(Weight),
    )


def _typed_rows() -> list[tuple[str, bool]]:
    """Skill and whether it is a must, row by row as the form had them."""
    rows = min(forms.number("rows") or 0, len(SKILLS))
    return [(forms.text(f"skill-{row}"), forms.flag(f"must-{row}")) for row in range(rows)]
