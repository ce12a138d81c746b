"""One's own profile: filled in, looked at as others would see it, and published by its owner alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from cphub import clock
from cphub.domain.matching import SkillLevel
from cphub.domain.matching.values import NATIVE, PLACES
from cphub.errors import Invalid, NotFound
from cphub.models import Expert
from cphub.models.queries.experts import Listed
from cphub.services import experts
from cphub.services.experts import LINKS_MOST, Card, Link
from cphub.taxonomies import LANGUAGES, SKILLS
from cphub.web import choices, current, errors, forms, zones
from cphub.web.experts import below, roots
from cphub.web.forms import Form

bp = Blueprint("profile", __name__)

#: Rows for languages that the form can have.
LANGUAGES_MOST = 8
#: Empty rows that are shown below those filled in.
SPARE = 2
KINDS = ("person", "organisation")
#: Who is away for longer than two years had better not be shown.
AWAY_MOST = timedelta(days=731)
_T = TypeVar("_T")


@bp.get("/me/profile")
@current.signed_in
def edit() -> str:
    """The form, with what is stored or what was typed before the session ended."""
    expert = experts.of(current.viewer())
    kept = errors.typed()
    typed = {name: values[-1] for name, values in kept.items()} if kept else _values(expert)
    return _page(expert, typed)


@bp.post("/me/profile")
@current.writes
def save() -> Response | tuple[str, int] | str:
    """``do``: publish, keep (saved and not shown), skills (saved, and on to them), or preview (not even saved)."""
    viewer, do = current.viewer(), forms.text("do")
    expert = experts.of(viewer)
    shown = expert is not None and expert.published
    try:
        card = read(request.form, experts.card_of(expert).skills)
        if do == "preview":
            experts.check(card, publish=False)
            return _page(expert, request.form.to_dict(), preview=_as_others_see(card))
        expert = experts.save(viewer, card, publish=do == "publish" or (do == "skills" and shown))
    except Invalid as invalid:
        return _page(expert, request.form.to_dict(), problems=invalid.fields), 422
    if do == "skills":
        return redirect("/me/profile/skills", 303)
    if expert.published:
        forms.tell("experts-told-published")
        return redirect(f"/experts/{expert.id}", 303)
    forms.tell("experts-told-kept")
    return redirect("/me/profile", 303)


@bp.get("/me/profile/skills")
@current.signed_in
def edit_skills() -> str:
    """The tree of skills, on a page of its own: with all else it would be too heavy for a slow link."""
    kept = {name: values[-1] for name, values in errors.typed().items()}
    if not kept:
        kept = {f"skill.{s}": level.value for s, level in experts.card_of(experts.of(current.viewer())).skills.items()}
    return _skills_page(kept)


@bp.post("/me/profile/skills")
@current.writes
def save_skills() -> Response | tuple[str, int]:
    """Only the skills change; what is published stays so, and what is not does, too."""
    viewer = current.viewer()
    expert = experts.of(viewer)
    try:
        card = replace(experts.card_of(expert), skills=_skills(request.form))
        experts.save(viewer, card, publish=expert is not None and expert.published)
    except Invalid as invalid:
        return _skills_page(request.form.to_dict(), invalid.fields), 422
    forms.tell("experts-told-skills")
    return redirect("/me/profile", 303)


@bp.post("/me/profile/unpublish")
@current.writes
def unpublish() -> Response:
    """Take it out of the registry."""
    try:
        experts.unpublish(current.viewer())
        forms.tell("experts-told-unpublished")
    except NotFound:
        pass  # there is nothing to take out, which is what was wanted
    return redirect("/me/profile", 303)


def read(form: Form, skills: Mapping[str, SkillLevel]) -> Card:
    """What was filled in, with these skills. Raises Invalid with every problem that a form of ours can have."""
    problems: dict[str, str] = {}

    def reading(get: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return get()
        except Invalid as invalid:
            problems.update(invalid.fields)
            return otherwise

    kind = reading(lambda: forms.one_of("kind", KINDS, form=form), None)
    away_until = reading(lambda: forms.day("away_until", form=form), None)
    if away_until is not None and away_until > clock.now().date() + AWAY_MOST:
        problems["away_until"] = "experts-error-away-far"
    places = reading(lambda: forms.number("places", form=form), None)
    card = Card(
        is_organisation=kind == "organisation",
        organisation=forms.text("organisation", form=form),
        bio=forms.text("bio", form=form),
        country=forms.text("country", form=form) or None,
        time_zone=forms.text("time_zone", form=form) or None,
        places=-1 if places is None else places,
        away_until=away_until,
        skills=skills,
        languages=_languages(form, problems),
        links=tuple(_links(form, problems)),
        conflicts=tuple(dict.fromkeys(line.strip() for line in forms.text("conflicts", form=form).split("\n") if line)),
    )
    if problems:
        raise Invalid(problems)
    return card


def _skills(form: Form) -> dict[str, SkillLevel]:
    given = {code: form.get(f"skill.{code}", "") for code in SKILLS}
    try:
        return {code: SkillLevel(level) for code, level in given.items() if level}
    except ValueError:
        raise Invalid({"skills": "errors-choice"}) from None


def _languages(form: Form, problems: dict[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in range(1, LANGUAGES_MOST + 1):
        language, level = forms.text(f"language-{row}", form=form), forms.text(f"level-{row}", form=form)
        if not language:
            continue
        if language in found:
            problems[f"language-{row}"] = "experts-error-language-twice"
        elif level not in [str(n) for n in range(NATIVE + 1)]:
            problems[f"level-{row}"] = "experts-error-level"
        else:
            found[language] = int(level)
    return found


def _links(form: Form, problems: dict[str, str]) -> list[Link]:
    found = []
    for row in range(1, LINKS_MOST + 1):
        url, title, note = (forms.text(f"{name}-{row}", form=form) for name in ("url", "title", "note"))
        if url:
            # People copy addresses the way browsers show them.
            found.append(Link(url if "://" in url or ":" in url.split("/")[0] else f"https://{url}", title, note))
        elif title or note:
            problems[f"url-{row}"] = "experts-error-link-address"
    return found


def _values(expert: Expert | None) -> dict[str, str]:
    """The stored profile as the form's fields; what is known of the person for somebody who has none."""
    me = current.person()
    if expert is None:
        return {"kind": "person", "places": "2", "time_zone": (me and me.time_zone) or ""}
    values = {
        "kind": "organisation" if expert.is_organisation else "person",
        "organisation": expert.organisation,
        "bio": expert.bio,
        "country": expert.country or "",
        "time_zone": expert.time_zone or "",
        "places": str(expert.places),
        "away_until": expert.away_until.isoformat() if expert.away_until else "",
        "conflicts": "\n".join(row.name for row in expert.conflicts),
    }
    for place, spoken in enumerate(sorted(expert.languages, key=lambda row: (-row.level, row.language)), 1):
        values |= {f"language-{place}": spoken.language, f"level-{place}": str(spoken.level)}
    for place, link in enumerate(expert.links, 1):
        values |= {f"url-{place}": link.url, f"title-{place}": link.title, f"note-{place}": link.note}
    return values


def _page(
    expert: Expert | None,
    values: Mapping[str, str],
    *,
    problems: Mapping[str, str] | None = None,
    preview: Listed | None = None,
) -> str:
    speaker = current.speaker()
    return render_template(
        "experts/edit.html",
        expert=expert,
        values=values,
        errors=problems or {},
        preview=preview,
        card=experts.card_of(expert),
        levels=[(str(n), speaker.text(f"experts-level-{n}")) for n in range(NATIVE, -1, -1)],
        tongues=choices.languages(speaker),
        countries=choices.countries(speaker),
        zones=zones.options(speaker, values.get("time_zone")),
        language_rows=_rows(LANGUAGES_MOST, "language", values),
        link_rows=_rows(LINKS_MOST, "url", values),
        cost=PLACES,
        today=clock.now().date(),
    )


def _skills_page(values: Mapping[str, str], problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "experts/skills.html",
        values=values,
        errors=problems or {},
        areas=[(root, [root, *below(root)]) for root in roots()],
    )


def _rows(most: int, name: str, values: Mapping[str, str]) -> range:
    """The numbers of the rows to show: those that are filled in and a few more, for each makes the page heavier."""
    last = max((n for n in range(1, most + 1) if values.get(f"{name}-{n}")), default=0)
    return range(1, min(most, last + SPARE) + 1)


def _as_others_see(card: Card) -> Listed:
    me = current.person()
    account = me.name if me else ""
    return Listed(
        id=0,
        person_id=me.id if me else 0,
        name=card.organisation if card.is_organisation and card.organisation else account,
        is_organisation=card.is_organisation,
        account=account,
        bio=card.bio,
        country=card.country,
        time_zone=card.time_zone,
        places=max(card.places, 0),
        load=0,
        away_until=card.away_until,
        published=True,
        skills={code: level for code, level in card.skills.items() if code in SKILLS},
        languages={code: n for code, n in sorted(card.languages.items(), key=lambda e: -e[1]) if code in LANGUAGES},
        links=[(link.url, link.title, link.note) for link in card.links],
    )
