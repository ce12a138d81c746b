"""The public registry of experts, and the page of one of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from markupsafe import Markup

from cphub import clock
from cphub.domain.matching import SkillLevel
from cphub.domain.search import normalise
from cphub.errors import NotFound
from cphub.hub import hub
from cphub.i18n import Speaker
from cphub.models.queries import experts as registry
from cphub.models.queries.experts import Filter, Listed
from cphub.taxonomies import COUNTRIES, LANGUAGES, REGIONS, SKILLS, Skill
from cphub.web import choices, current, forms
from cphub.web.paging import given, next_page

bp = Blueprint("experts", __name__)

_LEVELS = (SkillLevel.TEACH, SkillLevel.KNOWN, SkillLevel.LEARN)


@bp.get("/experts")
def index() -> str:
    """Published profiles; every filter is in the address."""
    wanted = Filter(
        skill=given("skill", SKILLS),
        language=given("language", LANGUAGES),
        region=given("region", REGIONS),
        country=given("country", COUNTRIES),
        free=forms.flag("free", form=request.args),
    )
    today, speaker = clock.now().date(), current.speaker()
    found = registry.browse(wanted, today=today, after=request.args.get("after"))
    return render_template(
        "experts/index.html",
        experts=found.rows,
        next_page=next_page(found.next),
        wanted=wanted,
        filtered=wanted != Filter(),
        skills=skill_options(speaker),
        spoken=_by_name(registry.spoken(), speaker.language_name),
        regions=choices.entries(speaker, REGIONS),
        countries=_by_name(registry.countries(), speaker.country_name),
        today=today,
    )


@bp.get("/experts/<int:expert_id>")
def show(expert_id: int) -> str:
    """One profile; its owner sees it before it is published, too."""
    found = registry.profile(current.viewer(), expert_id)
    if found is None:
        raise NotFound
    return render_template("experts/show.html", expert=found, today=clock.now().date())


@bp.app_template_global()
def skills_by_area(expert: Listed) -> list[tuple[Skill, list[tuple[Skill, SkillLevel]]]]:
    """Each area in which the expert has something, with it; what can be taught comes first."""
    found = []
    for root in roots():
        here = [(s, expert.skills[s.code]) for s in (root, *below(root)) if s.code in expert.skills]
        if here:
            found.append((root, sorted(here, key=lambda entry: _LEVELS.index(entry[1]))))
    return found


@bp.app_template_global()
def skills_in_words(skills: Mapping[str, SkillLevel], level: str, most: int) -> Markup:
    """The names of the skills of one level in a row, cut off after ``most``."""
    speaker = current.speaker()
    names = [speaker.msg(SKILLS[s].message) for s, has in skills.items() if has == level and s in SKILLS]
    shown = speaker.list(names[:most])
    return shown if len(names) <= most else speaker.msg("experts-and-more", shown, len(names) - most)


@bp.app_template_global()
def languages_in_words(expert: Listed, most: int) -> Markup:
    """The languages an expert speaks and how well, the best first, at most so many."""
    speaker = current.speaker()
    spoken = [(code, level) for code, level in expert.languages.items() if level > 0]
    return speaker.list(
        [
            speaker.msg("experts-language", speaker.language_name(code), speaker.msg(f"experts-level-{level}"))
            for code, level in spoken[:most]
        ]
    )


@bp.app_template_global()
def wiki_page(account: str) -> str:
    """Where an account's user page is, for those who want to know or write more."""
    return f"{hub().settings.WIKI_INDEX_URL}?{urlencode({'title': f'User:{account}'})}"


def _by_name(codes: Iterable[str], name: Callable[[str], str]) -> list[tuple[str, str]]:
    return sorted(((code, name(code)) for code in codes), key=lambda option: normalise(option[1]))


def skill_options(speaker: Speaker) -> list[tuple[str, list[tuple[str, str]]]]:
    """The tree for a select: each area with everything in it, further down with a dash for each level."""
    return [
        (
            speaker.text(root.message),
            [(root.code, speaker.text("experts-skill-all", speaker.text(root.message)))]
            + [(s.code, "– " * (s.depth - 2) + speaker.text(s.message)) for s in below(root)],
        )
        for root in roots()
    ]


def roots() -> list[Skill]:
    """The areas of the tree."""
    return [skill for skill in SKILLS.values() if skill.parent is None]


def below(skill: Skill) -> Iterator[Skill]:
    """Everything under a skill, each followed by what is under it."""
    for code in skill.children:
        yield SKILLS[code]
        yield from below(SKILLS[code])
