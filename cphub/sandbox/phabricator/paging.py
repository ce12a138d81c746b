"""Pages of rows, as Conduit cuts them: a cursor is only an id, and its place is looked up anew each time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Place(Generic[Row]):
    """A place in an ordered list: ``key`` orders the rows, ``here`` is the key of the cursor's row."""

    key: Callable[[Row], Any]
    here: Any
    backwards: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row]
    more_after: bool
    more_before: bool


def cut_page(rows: Sequence[Row], size: int, place: Place[Row] | None) -> Page[Row]:
    """``rows`` are in order. Backwards gives the rows next above the cursor, still in order."""
    if place is None:
        return Page(rows[:size], more_after=len(rows) > size, more_before=False)
    if place.backwards:
        above = [row for row in rows if place.key(row) < place.here]
        # Somebody who walks backwards can always come forward again.
        return Page(above[-size:], more_after=bool(above), more_before=len(above) > size)
    below = [row for row in rows if place.key(row) > place.here]
    return Page(below[:size], more_after=len(below) > size, more_before=bool(below))


def cursor_of(page: Page[Row], limit: Any, number: Callable[[Row], int]) -> dict[str, Any]:
    return {
        "limit": limit,
        "after": str(number(page.rows[-1])) if page.more_after and page.rows else None,
        "before": str(number(page.rows[0])) if page.more_before and page.rows else None,
    }
