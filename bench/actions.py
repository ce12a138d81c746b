"""What is measured: pages and forms, by whom, and at which addresses."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

import pymysql

from bench import words
from bench.stories import COORDINATOR, LONG_EVERY, MEMBER
from cphub.models.queries import keyset

#: How many long requests are looked at, at every size.
LONG_ONES = 10


@dataclass(frozen=True, slots=True)
class Database:
    """One database: its size, and marks in it."""

    size: int
    #: Where the page begins that has three fifths of all requests before it.
    deep: str

    def long_request(self, turn: int) -> int:
        """One of the same ten long requests, from all over the table: people look at a page more than once."""
        return (turn % LONG_ONES + 1) * (self.size // LONG_EVERY // LONG_ONES) * LONG_EVERY


@dataclass(frozen=True, slots=True)
class Action:
    """``path``: where, for the turn-th time. ``form``: what is sent, if anything."""

    name: str
    person: int
    path: Callable[[Database, int], str]
    form: Callable[[], dict[str, str]] | None = None


def marks(connection: pymysql.Connection, size: int) -> Database:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT updated_at, id FROM request ORDER BY updated_at DESC, id DESC LIMIT 1 OFFSET %s", (size * 3 // 5,)
        )
        ((at, number),) = cursor.fetchall()
    return Database(size, keyset.moment_mark(at.replace(tzinfo=UTC), number))


def _always(path: str) -> Callable[[Database, int], str]:
    return lambda _database, _turn: path


def _new_request() -> dict[str, str]:
    return {
        "key": secrets.token_urlsafe(16),
        "track": "question",
        "title": "How do we describe old glass negatives?",
        "body": "Our museum has some hundreds of them and nobody here knows how others describe such things.",
        "language": "en",
        "kinds": "metadata",
        "visibility": "public",
    }


ACTIONS = (
    Action("list", MEMBER, _always("/requests")),
    Action("list, coordinator", COORDINATOR, _always("/requests")),
    Action("filtered by language", MEMBER, _always("/requests?language=ar")),
    Action("filtered by state", MEMBER, _always("/requests?state=declined")),
    Action("filtered by kind", MEMBER, _always("/requests?kind=tool")),
    Action("deep page", MEMBER, lambda database, _: f"/requests?after={database.deep}"),
    Action("request page", COORDINATOR, lambda database, turn: f"/requests/{database.long_request(turn)}"),
    Action("search, ordinary word", MEMBER, _always(f"/requests?q={words.ORDINARY}")),
    Action("search, frequent word", MEMBER, _always(f"/requests?q={words.FREQUENT}")),
    Action("queue", COORDINATOR, _always("/queue")),
    Action("create", MEMBER, _always("/requests/new"), _new_request),
)
