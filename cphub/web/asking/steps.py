"""The steps of asking: which fields each shows, and in which order a question and a project go through them."""

from enum import StrEnum

from cphub.domain.lifecycle import Track
from cphub.taxonomies import JUSTIFICATION


class Step(StrEnum):
    """``ALL``: everything on one page, for correcting."""

    AIM = "aim"
    PARTNER = "partner"
    LANGUAGE = "language"
    REASONS = "reasons"
    VISIBILITY = "visibility"
    CHECK = "check"
    ALL = "all"


REASONS = tuple(f"justification-{code}" for code in JUSTIFICATION)
_OF_EACH: dict[Step, tuple[str, ...]] = {
    # A question is sent from its first page, which therefore has what must be decided before.
    Step.AIM: ("card", "track", "title", "body", "language", "visibility", "withhold_name", "on_behalf_of"),
    Step.PARTNER: ("partner_type", "partner_name", "country", "stage", "kinds"),
    Step.LANGUAGE: ("language", "reply_languages", "community", "deadline", "contact"),
    Step.REASONS: REASONS,
    Step.VISIBILITY: ("visibility", "withhold_partner", "withhold_country", "withhold_name"),
    Step.CHECK: (),
}
#: Names of all fields of the form, in the order of the page that has them all.
ALL = tuple(dict.fromkeys(name for names in _OF_EACH.values() for name in names))
FIELDS = _OF_EACH | {Step.ALL: tuple(name for name in ALL if name != "card")}


def path(track: Track) -> tuple[Step, ...]:
    """The steps in order."""
    return tuple(step for step in Step if step is not Step.ALL and (step is not Step.REASONS or track is Track.PROJECT))


def at(place: str, track: Track) -> Step:
    """The step that an address names by its place, from 1 on; the first when it names none."""
    steps = path(track)
    if place == Step.ALL:
        return Step.ALL
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 3 else 1
    return steps[min(max(number, 1), len(steps)) - 1]


def place(step: Step, track: Track) -> str:
    """How an address names a step."""
    return step.value if step is Step.ALL else str(path(track).index(step) + 1)


def beside(step: Step, track: Track, by: int) -> Step:
    """The step ``by`` places further on, as far as there is one."""
    steps = path(track)
    if step is Step.ALL:
        return Step.CHECK
    here = steps.index(step) if step in steps else 0
    return steps[min(max(here + by, 0), len(steps) - 1)]


def named(name: str | None) -> Step | None:
    """The step a form says it shows: by its name, for places shift when the track is changed in another tab."""
    return Step(name) if name in set(Step) else None
