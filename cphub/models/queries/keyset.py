"""Keyset pages: the next page starts after the last row shown, so page 1,000 costs what page 1 does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

from cphub.errors import Invalid

PAGE = 50
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Rows, and the mark of the next page when there is one."""

    rows: Sequence[_T]
    next: str | None


def newest_first(
    query: Select[*tuple[Any, ...]], at: Any, key: Any, mark: str | None, *, size: int = PAGE
) -> Select[*tuple[Any, ...]]:
    """Order by ``at`` and ``key``, newest first, from after ``mark`` on."""
    if mark:
        when, number = _moment(mark)
        query = query.where(_before(at, key, when, number))
    return query.order_by(at.desc(), key.desc()).limit(size + 1)


def soonest_first(
    query: Select[*tuple[Any, ...]], on: Any, key: Any, mark: str | None, *, size: int = PAGE
) -> Select[*tuple[Any, ...]]:
    """Order by the day ``on`` and ``key``, soonest first, from after ``mark`` on."""
    if mark:
        day, number = _day(mark)
        query = query.where(and_(on >= day, or_(on > day, key > number)))
    return query.order_by(on, key).limit(size + 1)


def latest_first(
    query: Select[*tuple[Any, ...]], key: Any, mark: str | None, *, size: int = PAGE
) -> Select[*tuple[Any, ...]]:
    """Order by ``key`` alone, the latest first, from after ``mark`` on; for rows that are only ever added."""
    if mark:
        query = query.where(key < _number(mark))
    return query.order_by(key.desc()).limit(size + 1)


def earliest_first(
    query: Select[*tuple[Any, ...]], key: Any, mark: str | None, *, size: int = PAGE
) -> Select[*tuple[Any, ...]]:
    """The same the other way round."""
    if mark:
        query = query.where(key > _number(mark))
    return query.order_by(key).limit(size + 1)


def page(rows: Sequence[Any], mark_of: Any, *, size: int = PAGE) -> Page[Any]:
    """Cut the one row too many, which says that there is a next page."""
    more = len(rows) > size
    shown = rows[:size]
    return Page(shown, mark_of(shown[-1]) if more else None)


def moment_mark(at: datetime, key: int) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H%M%S%f}-{key}"


def day_mark(on: date, key: int) -> str:
    return f"{on:%Y%m%d}-{key}"


def _before(at: Any, key: Any, when: datetime, number: int) -> ColumnElement[bool]:
    # Written this way because MariaDB answers a row comparison by its first column alone.
    return and_(at <= when, or_(at < when, key < number))


def _number(mark: str) -> int:
    if not (mark.isascii() and mark.isdigit() and len(mark) < 19):
        raise Invalid({"after": "errors-bad"})
    return int(mark)


def _moment(mark: str) -> tuple[datetime, int]:
    try:
        when, number = mark.split("-")
        return datetime.strptime(when, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC), _number(number)
    except ValueError:
        raise Invalid({"after": "errors-bad"}) from None


def _day(mark: str) -> tuple[date, int]:
    try:
        on, number = mark.split("-")
        return datetime.strptime(on, "%Y%m%d").replace(tzinfo=UTC).date(), _number(number)
    except ValueError:
        raise Invalid({"after": "errors-bad"}) from None
