"""Reading forms: what was typed, made tidy, or Invalid with the key of the message to show beside the field.

Nothing here changes what people wrote beyond line ends and space around it.
"""

import re
import secrets
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import flash, request
from werkzeug.datastructures import MultiDict

from cphub.errors import Invalid
from cphub.web.current import speaker

_Choice = TypeVar("_Choice", bound=StrEnum)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KEY = re.compile(r"[\w-]{8,64}", re.ASCII)

Form = MultiDict[str, str]


def text(name: str, *, form: Form | None = None) -> str:
    """One line or many, without space around it; "" when the field did not come."""
    value = _form(form).get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("", value).strip()


def choice(name: str, among: type[_Choice], default: _Choice | None = None, *, form: Form | None = None) -> _Choice:
    """The chosen code. Raises Invalid for one that was not offered, and for none without a ``default``."""
    value = text(name, form=form)
    if not value and default is not None:
        return default
    try:
        return among(value)
    except ValueError:
        raise Invalid({name: "errors-choice"}) from None


def one_of(name: str, among: Collection[str], *, form: Form | None = None) -> str | None:
    """The chosen word of a vocabulary, None when nothing was chosen. Raises Invalid for one that was not offered."""
    value = text(name, form=form)
    if value and value not in among:
        raise Invalid({name: "errors-choice"})
    return value or None


def many(name: str, among: Collection[str] | None = None, *, form: Form | None = None) -> tuple[str, ...]:
    """All that were ticked, each once. Raises Invalid for one that was not offered."""
    values = dict.fromkeys(value.strip() for value in _form(form).getlist(name) if value.strip())
    if among is not None and not values.keys() <= set(among):
        raise Invalid({name: "errors-choice"})
    return tuple(values)


def day(name: str, *, form: Form | None = None) -> date | None:
    """A day as ``<input type=date>`` sends it. Raises Invalid when it is none."""
    value = text(name, form=form)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise Invalid({name: "errors-day"}) from None


def number(name: str, *, least: int = 0, most: int = 2**31 - 1, form: Form | None = None) -> int | None:
    """A whole number in ASCII digits, None when empty. Raises Invalid when it is none, or out of bounds."""
    value = text(name, form=form)
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", value) or not least <= int(value) <= most:
        raise Invalid({name: "errors-number"})
    return int(value)


def flag(name: str, *, form: Form | None = None) -> bool:
    """Whether a box was ticked."""
    return bool(_form(form).get(name))


def key(name: str = "key", *, form: Form | None = None) -> str:
    """The key that tells a form sent twice from two forms. A form without one is taken for a new one."""
    value = _form(form).get(name, "")
    return value if _KEY.fullmatch(value) else new_key()


def seen() -> int | None:
    """The version of the request that the form was made for; a form without one is taken as it is."""
    try:
        return number("seen")
    except Invalid:
        return None


def new_key() -> str:
    """Drawn when a form is shown."""
    return secrets.token_urlsafe(16)


def tell(message: str, *params: object, kind: str = "success") -> None:
    """Say something on the page that follows. ``kind``: success, notice, warning or error."""
    flash(speaker().msg(message, *params), kind)


def _form(form: Form | None) -> Form:
    return request.form if form is None else form
