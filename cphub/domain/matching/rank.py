"""Hard filters and the additive score of design section 4, each part with the facts that explain it."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cphub.domain.matching.values import (
    NATIVE,
    PLACES,
    Barrier,
    Expert,
    Match,
    Need,
    Reason,
    SkillLevel,
    Weights,
)

#: Likeness of a needed skill and one the expert has, over the tree (design section 4).
EXACT, CHILD, PARENT, SIBLING = 1.0, 0.9, 0.6, 0.4
#: A missing must caps the whole.
WITHOUT_MUST = 0.5
#: Below this share of full proficiency a conversation is hard work.
WEAK = 0.6
_MUST, _NICE = 1.0, 0.4
DEFAULT = Weights()
#: Hours of a day in which people can be expected to read a message, local time.
_WAKING = range(8, 22)
_FULL_OVERLAP = 8
#: Two waking days share four hours even on opposite sides of the earth; fewer than this is worth a word.
_FEW_HOURS = 5


def barrier(need: Need, expert: Expert, *, today: date) -> Barrier | None:
    """Why this expert may not be asked for this request, or None. Asked again when an offer or claim is written."""
    if not expert.published:
        return Barrier.UNPUBLISHED
    if expert.blocked:
        return Barrier.BLOCKED
    if expert.person_id == need.requester_id:
        return Barrier.SELF
    if expert.away_until is not None and expert.away_until >= today:
        return Barrier.AWAY
    if _fold(need.partner_name) in {_fold(c) for c in expert.conflicts} - {""}:
        return Barrier.CONFLICT
    if expert.load + PLACES[need.weight] > expert.places:
        return Barrier.FULL
    return None


def rank(
    need: Need,
    experts: Iterable[Expert],
    *,
    now: datetime,
    parents: Mapping[str, str | None],
    region_of: Callable[[str], str | None],
    weights: Weights = DEFAULT,
) -> list[Match]:
    """Everybody who can be asked, best first; ties go to who was asked least recently, then to the lower id.

    ``parents``: skill id -> id of its parent in the taxonomy, or None. ``region_of``: country -> region.
    """
    matches = [
        _match(need, expert, parents=parents, region_of=region_of, weights=weights, now=now)
        for expert in experts
        if barrier(need, expert, today=now.date()) is None
    ]
    return sorted(
        matches,
        key=lambda m: (
            -round(m.score, 6),
            m.expert.last_asked is not None,
            m.expert.last_asked or now,
            m.expert.id,
        ),
    )


def _match(
    need: Need,
    expert: Expert,
    *,
    parents: Mapping[str, str | None],
    region_of: Callable[[str], str | None],
    weights: Weights,
    now: datetime,
) -> Match:
    skill, has, missing = _skills(need, expert, parents)
    language, spoken = _language(need, expert)
    context, context_reason = _context(need, expert, region_of)
    hours = _shared_hours(need.time_zone, expert.time_zone, now)
    time = min(hours, _FULL_OVERLAP) / _FULL_OVERLAP if hours is not None else 0.5
    load = expert.load / expert.places if expert.places else 1.0
    parts = {
        "skill": weights.skill * skill,
        "language": weights.language * language,
        "context": weights.context * context,
        "time": weights.time * time,
        "load": -weights.load * load,
    }
    score = max(0.0, sum(parts.values()))
    if any(need.skills[s] for s in missing):
        score = min(score, WITHOUT_MUST)
    reasons = [*has[:2], *spoken, *context_reason]
    if hours:
        reasons.append(Reason("hours", (hours,)))
    reasons.append(Reason("places", (expert.load, expert.places)))
    return Match(expert, score, parts, tuple(reasons[:3]), _caveat(need, expert, missing, language, hours))


def _skills(need: Need, expert: Expert, parents: Mapping[str, str | None]) -> tuple[float, list[Reason], list[str]]:
    """Weighted coverage of the needed skills, the reasons for it, and the skills nobody near covers."""
    if not need.skills:
        return 0.0, [], []
    got, total = 0.0, 0.0
    reasons: list[tuple[float, Reason]] = []
    missing = []
    for wanted, must in need.skills.items():
        likeness, best = max(
            ((_likeness(wanted, s, parents), s) for s, level in expert.skills.items() if level is not SkillLevel.LEARN),
            default=(0.0, ""),
        )
        weight = _MUST if must else _NICE
        got, total = got + weight * likeness, total + weight
        if likeness == 0.0:
            missing.append(wanted)
        else:
            code = "skill_teach" if expert.skills[best] is SkillLevel.TEACH else "skill"
            reasons.append((likeness * weight, Reason(code if likeness == EXACT else "skill_near", (best, wanted))))
    reasons.sort(key=lambda r: (-r[0], r[1].values))
    return got / total, [r for _, r in reasons], missing


def _likeness(wanted: str, has: str, parents: Mapping[str, str | None]) -> float:
    if wanted == has:
        return EXACT
    if parents.get(has) == wanted:
        return CHILD
    if parents.get(wanted) == has:
        return PARENT
    parent = parents.get(wanted)
    return SIBLING if parent is not None and parents.get(has) == parent else 0.0


def _language(need: Need, expert: Expert) -> tuple[float, list[Reason]]:
    level, code = max(((expert.languages.get(c, 0), c) for c in need.languages), default=(0, ""))
    if level == 0:
        return 0.0, []
    return min(level, 5) / 5, [Reason("language_native" if level == NATIVE else "language", (code, level))]


def _context(need: Need, expert: Expert, region_of: Callable[[str], str | None]) -> tuple[float, list[Reason]]:
    if not expert.country or not need.country:
        return 0.0, []
    if expert.country == need.country:
        return 1.0, [Reason("country", (expert.country,))]
    region = region_of(expert.country)
    if region is not None and region == (need.region or region_of(need.country)):
        return 0.6, [Reason("region", (region,))]
    return 0.0, []


def _shared_hours(here: str | None, there: str | None, now: datetime) -> int | None:
    """Hours of one day in which both are awake; None when a time zone is not known."""
    if not here or not there:
        return None
    try:
        offsets = [
            int((now.astimezone(ZoneInfo(zone)).utcoffset() or now - now).total_seconds() // 3600)
            for zone in (here, there)
        ]
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, or far too long
        return None
    awake = [{(hour - offset) % 24 for hour in _WAKING} for offset in offsets]
    return len(awake[0] & awake[1])


def _caveat(need: Need, expert: Expert, missing: list[str], language: float, hours: int | None) -> Reason | None:
    if missing:
        first = min(missing, key=lambda s: (not need.skills[s], s))
        return Reason("lacks_must" if need.skills[first] else "lacks", (first,))
    if need.languages and language == 0.0:
        return Reason("no_language", (need.languages[0],))
    if language and language < WEAK:
        return Reason("weak_language", (max(need.languages, key=lambda c: expert.languages.get(c, 0)),))
    if hours is not None and hours < _FEW_HOURS:
        return Reason("few_hours", (hours,))
    if expert.load + PLACES[need.weight] == expert.places:
        return Reason("last_place", (expert.load, expert.places))
    return None


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
