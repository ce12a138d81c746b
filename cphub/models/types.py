"""Column types that mean the same on SQLite and MariaDB."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import DateTime, Dialect, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

#: Every table says its character set and engine itself: a database made by somebody else may have other defaults.
#: ``unicode_ci`` ignores case and accents, which is right for titles and texts; names and keys use :func:`Name`.
MYSQL_TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_ci",
}


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. Aware UTC in Python, a naive UTC ``DATETIME(6)`` in the database.

    Refuses a naive datetime with ``ValueError``: nobody can know which hour it means.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # Without fsp MariaDB would cut to whole seconds, and events of the same second would lose their order.
        return dialect.type_descriptor(mysql.DATETIME(fsp=6) if dialect.name == "mysql" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def Name(length: int) -> String:
    """A name or key of at most ``length`` characters, compared exactly: "ÉVA", "Eva" and "eva" are three.

    SQLite compares bytes anyway; on MariaDB the column gets the ``utf8mb4_bin`` collation.
    """
    return String(length).with_variant(_exact(length), "mysql")


def _exact(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")


#: Text of any length a form lets through; MariaDB's TEXT would end at 64 KiB, in bytes.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")

_E = TypeVar("_E", bound=StrEnum)


class Code(TypeDecorator[_E]):
    """A member of a ``StrEnum``, stored as its value: readable in SQL, and the set can grow without a migration.

    Refuses a value the enum does not have with ``ValueError``, on the way in and on the way out.
    """

    impl = String
    cache_ok = True

    def __init__(self, enum: type[_E], length: int = 32) -> None:
        super().__init__(length)
        self.enum, self.length = enum, length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_exact(self.length) if dialect.name == "mysql" else String(self.length))

    def process_bind_param(self, value: _E | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> _E | None:
        return None if value is None else self.enum(value)
