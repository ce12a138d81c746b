"""How the value of one setting is read.

Each function takes what YAML, the environment or a test gives and returns the typed value, or raises
ValueError with a reason that does not repeat the value: it may be a secret.
"""

import hmac
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parents[2]


class Secret:
    """A text that must not be shown. ``reveal()`` gives it; ``str``, ``repr``, formatting and pickling do
    not.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "'***'" if self._value else "''"

    def __str__(self) -> str:
        return "***" if self._value else ""

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not to be stored or sent")


NO_SECRET = Secret("")


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text (put it in quotes)")
    return value.strip()


def secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(text(value))


def number(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        try:
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError
            result = int(value)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not least <= result <= most:
            raise ValueError(f"must be between {least} and {most}")
        return result

    return read


def yes_or_no(value: object) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise ValueError("must be true or false") from None


def one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        # YAML reads a bare "off" as False.
        word = "off" if value is False else text(value)
        if word not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return word

    return read


def address(value: object) -> str:
    """An http or https address, without a slash at its end."""
    result = text(value).rstrip("/")
    try:
        parts = urlsplit(result)
        well_formed = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise ValueError("must be an http or https address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be an address without user, query or fragment")
    return result


def origin(value: object) -> str:
    """An address without a path."""
    result = address(value)
    if urlsplit(result).path:
        raise ValueError("must be an address without a path")
    return result


def database(value: object) -> Secret:
    try:
        url = make_url(secret(value).reveal())
    except (ArgumentError, ValueError):
        raise ValueError("must be a database address") from None
    if url.drivername in {"mariadb", "mysql", "mariadb+pymysql"}:
        # One name, because SQLAlchemy keeps the table options of "mysql" and "mariadb" apart.
        url = url.set(drivername="mysql+pymysql")
    if url.drivername not in {"sqlite", "mysql+pymysql"}:
        raise ValueError("must begin with sqlite:// or mysql+pymysql://")
    if url.drivername == "mysql+pymysql" and not database_name(url.database or ""):
        raise ValueError("must name a database")
    return Secret(url.render_as_string(hide_password=False))


def database_name(value: object) -> str:
    name = text(value)
    if name.endswith("_p"):
        raise ValueError("must not end in _p: on ToolsDB every tool can read such a database")
    return name


def ids(value: object) -> frozenset[int]:
    """Central ids: ``[12, 34]``, ``"12, 34"`` or ``12``."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    elif isinstance(value, int):
        value = [value]
    try:
        if not isinstance(value, list | tuple | set | frozenset):
            raise ValueError
        return frozenset(map(number(1, 2**63 - 1), value))
    except ValueError:
        raise ValueError("must be a list of central ids, which are whole numbers") from None


def day(value: object) -> date | None:
    if value is None or value == "":
        return None
    try:
        return value if type(value) is date else date.fromisoformat(text(value))
    except ValueError:
        raise ValueError("must be a day such as 2026-12-31") from None


def folder(value: object) -> Path:
    """A folder; a relative one is meant from the top of the code."""
    path = value if isinstance(value, Path) else Path(text(value))
    if not path.parts:
        raise ValueError("must name a folder")
    return (ROOT / path).resolve()
