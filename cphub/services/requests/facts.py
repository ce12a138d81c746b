"""What a person says when carrying out a verb, and whether that is enough."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from cphub.domain.lifecycle import CHOSEN_OUTCOMES, Holding, Outcome, Verb, WaitingOn, needs
from cphub.errors import Invalid
from cphub.models import Json
from cphub.taxonomies import MISSING_SERVICES

MOST = 5_000
#: A next step is due within a year: what is later is a slip of the pen.
DUE_WITHIN = timedelta(days=366)
#: What is stored with the request itself is shorter.
SHORTER = {"outcome_detail": 500, "next_step_text": 500}
#: What the event keeps, for everybody who reads the timeline.
_SAID = ("reason", "alternative", "summary", "outcome", "next_step_text")


@dataclass(frozen=True, slots=True)
class Facts:
    """Which of it must be said for which verb, the domain's table knows."""

    reason: str = ""
    alternative: str = ""
    outcome: str = ""
    outcome_detail: str = ""
    missing_service: str = ""
    summary: str = ""
    duplicate_of: str = ""
    waiting_on: str = ""
    next_step_text: str = ""
    due_on: date | None = None

    @property
    def detail(self) -> str:
        """To whom, where, or which missing service: what the outcome must name, if anything."""
        more = CHOSEN_OUTCOMES.get(Outcome(self.outcome)) if self.outcome else None
        return str(getattr(self, more)) if more else ""

    @property
    def holding(self) -> Holding | None:
        """The next step a person chose, when they did."""
        if self.due_on is None:
            return None
        return Holding(WaitingOn(self.waiting_on), "text", self.due_on, self.next_step_text)

    def said(self) -> Json:
        """What belongs into the event: codes, and what the person wrote."""
        said = {name: getattr(self, name) for name in _SAID} | {"outcome_detail": self.detail}
        if self.due_on is not None:
            said["due_on"] = self.due_on.isoformat()
        return {name: value for name, value in said.items() if value}


NOTHING = Facts()


def checked(facts: Facts, verb: Verb, *, today: date) -> Facts:
    """What of it this verb needs, tidied; the rest is dropped. Raises Invalid, field by field."""
    wanted = set(needs(verb))
    if verb is Verb.RESOLVE:
        wanted |= {more for more in CHOSEN_OUTCOMES.values() if more}
    given: dict[str, Any] = {name: getattr(facts, name) for name in wanted}
    facts = replace(NOTHING, **given | {name: v.strip() for name, v in given.items() if isinstance(v, str)})
    problems = {name: _missing(name) for name in needs(verb) if not getattr(facts, name)}
    for name in wanted:
        value = getattr(facts, name)
        if isinstance(value, str) and len(value) > SHORTER.get(name, MOST):
            problems[name] = "requests-error-too-long"
    if verb is Verb.RESOLVE and "outcome" not in problems:
        problems |= _check_outcome(facts)
    if verb is Verb.SET_NEXT:
        if facts.waiting_on and facts.waiting_on not in set(WaitingOn):
            problems["waiting_on"] = "requests-error-choice"
        if facts.due_on is not None and facts.due_on < today:
            problems["due_on"] = "requests-error-due-on"
        elif facts.due_on is not None and facts.due_on - today > DUE_WITHIN:
            problems["due_on"] = "requests-error-due-on-far"
    if problems:
        raise Invalid(problems)
    return facts


def _check_outcome(facts: Facts) -> dict[str, str]:
    if facts.outcome not in {outcome.value for outcome in CHOSEN_OUTCOMES}:
        return {"outcome": _missing("outcome")}
    more = CHOSEN_OUTCOMES[Outcome(facts.outcome)]
    if more and not getattr(facts, more):
        return {more: _missing(more)}
    if more == "missing_service" and facts.missing_service not in MISSING_SERVICES:
        return {more: "requests-error-choice"}
    return {}


def _missing(name: str) -> str:
    return f"requests-error-{name.replace('_', '-')}"
