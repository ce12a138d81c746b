"""Fills a database of MariaDB as fast as it goes."""

import json
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pymysql
import sqlalchemy as sa

from bench.stories import Row
from cphub.models import Base

_FULLTEXT = {"ft_request_search_open": "open_tokens", "ft_request_search_all": "all_tokens"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n"})


def connect(url: sa.URL) -> pymysql.Connection:
    """A connection without anything of SQLAlchemy."""
    return pymysql.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, database=url.database, charset="utf8mb4",
        ssl_disabled=True, local_infile=True,
    )  # fmt: skip


def make(url: sa.URL) -> bool:
    """Make an empty database without tables. False: there is one already."""
    with connect(url.set(database="mysql")) as server, server.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", (url.database,))
        if cursor.fetchall():
            return False
        cursor.execute(f"CREATE DATABASE {url.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    return True


def fill(url: sa.URL, rows: Iterable[Row]) -> None:
    """Make all tables in an empty database, and load the rows."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"ssl_disabled": True})
    Base.metadata.create_all(engine)
    with tempfile.TemporaryDirectory(prefix="cphub-bench-") as folder, connect(url) as database:
        files = _write(Path(folder), rows)
        with database.cursor() as cursor:
            # An index over texts is made far faster at once than row by row.
            for name in _FULLTEXT:
                cursor.execute(f"ALTER TABLE request_search DROP INDEX {name}")
            # The table still numbers its rows for those indexes, and rows loaded like that would not be found.
            cursor.execute("ALTER TABLE request_search FORCE")
            cursor.execute("SET foreign_key_checks = 0, unique_checks = 0")
            for table, file in files.items():
                columns = ", ".join(f"`{column.name}`" for column in Base.metadata.tables[table].columns)
                cursor.execute(
                    f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE `{table}` CHARACTER SET utf8mb4 ({columns})"
                )
                if cursor.rowcount != _lines(file):
                    raise RuntimeError(f"{table}: some rows were refused")
                file.unlink()
                database.commit()
            for name, column in _FULLTEXT.items():
                cursor.execute(f"ALTER TABLE request_search ADD FULLTEXT INDEX {name} ({column})")
            cursor.execute("ANALYZE TABLE " + ", ".join(f"`{table}`" for table in files))


def _write(folder: Path, rows: Iterable[Row]) -> dict[str, Path]:
    """One file a table, a line a row, as LOAD DATA reads it by default."""
    files: dict[str, TextIOWrapper] = {}
    defaults: dict[str, dict[str, str]] = {}
    with ExitStack() as stack:
        for table, values in rows:
            if table not in files:
                files[table] = stack.enter_context((folder / table).open("w", encoding="utf-8"))
                defaults[table] = {c.name: _text(_default(c)) for c in Base.metadata.tables[table].columns}
            given = {name: _text(value) for name, value in values.items()}
            files[table].write("\t".join([given.get(n, d) for n, d in defaults[table].items()]) + "\n")
    return {table: folder / table for table in files}


def _default(column: sa.Column[Any]) -> Any:
    given: Any = column.default
    if given is None:
        return None
    return given.arg({}) if given.is_callable else given.arg


def _text(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if "\\" in value or "\n" in value or "\t" in value else str(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    if isinstance(value, dict | list):
        return json.dumps(value).translate(_ESCAPES)
    return str(value)


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 20), b""))
