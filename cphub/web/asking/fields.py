"""From what a form sends to a draft, and back to what a form shows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track
from cphub.domain.policy import Visibility
from cphub.errors import Invalid
from cphub.taxonomies import CARDS, JUSTIFICATION, Card
from cphub.web import forms
from cphub.web.asking.steps import ALL, REASONS
from cphub.web.forms import Form

_Reader = Callable[[str, Form], Any]


def _words(name: str, form: Form) -> str:
    return forms.text(name, form=form)


def _code(name: str, form: Form) -> str | None:
    return forms.text(name, form=form) or None


def _codes(name: str, form: Form) -> tuple[str, ...]:
    """Ticked boxes; codes in one field with commas between them are understood as well."""
    codes = (code.strip() for value in form.getlist(name) for code in value.split(","))
    return tuple(dict.fromkeys(code for code in codes if code))


def _flag(name: str, form: Form) -> bool:
    return forms.flag(name, form=form)


_READ: Mapping[str, _Reader] = {
    "track": lambda name, form: forms.choice(name, Track, form=form),
    "title": _words,
    "body": _words,
    "language": _code,
    "reply_languages": _codes,
    "stage": _code,
    "kinds": _codes,
    "partner_type": _code,
    "partner_name": _words,
    "country": _code,
    "community": _words,
    "deadline": lambda name, form: forms.day(name, form=form),
    "contact": _words,
    "visibility": lambda name, form: forms.choice(name, Visibility, form=form),
    "withhold_partner": _flag,
    "withhold_country": _flag,
    "withhold_name": _flag,
}
_BOXES = {"kinds", "reply_languages", "withhold_partner", "withhold_country", "withhold_name"}


def read(form: Form, base: Draft, names: Collection[str], *, lenient: bool = False) -> Draft:
    """``base`` with the fields ``names`` as the form has them. A field that did not come stays as it was, but for
    boxes: one that did not come was not ticked.

    Raises Invalid for what cannot be read; ``lenient`` leaves such fields as they were.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in names:
        if name in _READ and (name in form or name in _BOXES):
            try:
                values[name] = _READ[name](name, form)
            except Invalid as invalid:
                problems |= invalid.fields
    if problems and not lenient:
        raise Invalid(problems)
    reasons = {
        name.removeprefix("justification-"): forms.text(name, form=form)
        for name in REASONS
        if name in names and name in form
    }
    draft = replace(base, **values, justification={c: t for c, t in {**base.justification, **reasons}.items() if t})
    return _with_card(draft, base, form.get("card", "")) if "card" in names else draft


def given(form: Form) -> list[str]:
    """The fields that a form without steps brings."""
    return [name for name in ALL if name in form]


def as_form(draft: Draft) -> Form:
    """What the form's fields show of a draft."""
    found: Form = MultiDict()
    for field in fields(draft):
        value = getattr(draft, field.name)
        if field.name == "justification":
            for code in JUSTIFICATION:
                found[f"justification-{code}"] = value.get(code, "")
        elif isinstance(value, tuple):
            found.setlist(field.name, list(value))
        elif value is not None and value is not False:
            found[field.name] = "on" if value is True else str(value)
    if card := card_of(draft):
        found["card"] = card.code
    return found


def overlay(values: Form, typed: Form, names: Collection[str]) -> Form:
    """``values`` with the fields ``names`` as they were typed, however wrong."""
    found = values.copy()
    for name in names:
        found.poplist(name)  # an empty list would count as something that came
        if name in typed:
            found.setlist(name, typed.getlist(name))
    return found


def card_of(draft: Draft) -> Card | None:
    """The card of the first step to which a draft's kinds of help belong."""
    return next((card for card in CARDS.values() if set(card.kinds) & set(draft.kinds)), None)


def _with_card(draft: Draft, base: Draft, code: str) -> Draft:
    """Another card than before ticks what it stands for; the same one leaves the details that were chosen since."""
    card, before = CARDS.get(code), card_of(base)
    if card is None or card == before:
        return draft
    stage = card.stage if draft.stage in (None, before.stage if before else None) else draft.stage
    return replace(draft, kinds=card.preset, stage=stage)
