"""Which statements a page sends, what they read, and how long they take by themselves."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pymysql
import sqlalchemy as sa
from flask import Flask

from bench.load import connect
from bench.sessions import SignedIn
from cphub.models import Base, db


@dataclass(slots=True)
class Sent:
    """Statements of one page (values: of one row, or a list of them) without those that prepare a connection, and how
    many rows the server read for them."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    rows_read: int = 0


def sent_by(app: Flask, who: SignedIn, path: str, form: dict[str, str] | None) -> Sent:
    """Ask the app in this process for a page, and write down what it sends to the database."""
    with app.app_context():
        engine = db.engine
    found = Sent()

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.statements.append((statement, values))

    def count(connection: Any, _record: Any) -> None:
        if connection is not None:
            found.rows_read += rows_read(connection)

    sa.event.listen(engine, "before_cursor_execute", note)
    sa.event.listen(engine, "checkin", count)
    try:
        client = app.test_client(use_cookies=False)
        response = client.open(
            path, method="POST" if form else "GET", data=form, headers={"Cookie": who.cookie, "Accept-Language": "en"}
        )
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
        sa.event.remove(engine, "checkin", count)
    if response.status_code not in (200, 303):
        raise RuntimeError(f"{path}: {response.status}")
    return found


def rows_read(connection: pymysql.Connection) -> int:
    """How many rows the server has read for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(value) for _, value in cursor.fetchall())


def forget(url: sa.URL, key: str) -> None:
    """Take away the request that a form with this key made, so that its statements can be repeated."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM request WHERE `key` = %s", (key,))
        ((number,),) = cursor.fetchall()
        cursor.execute(
            "DELETE FROM inbox_item WHERE event_id IN (SELECT id FROM event WHERE request_id = %s)", (number,)
        )
        for table in Base.metadata.tables.values():
            if "request_id" in table.columns:
                cursor.execute(f"DELETE FROM `{table.name}` WHERE request_id = %s", (number,))  # noqa: S608 - ours
        cursor.execute("DELETE FROM request WHERE id = %s", (number,))
        connection.commit()


def replay(url: sa.URL, sent: Sent) -> float:
    """Milliseconds for the same statements on a connection of their own. What they write is undone."""
    start = perf_counter()
    connection = connect(url)
    with connection, connection.cursor() as cursor:
        # Rows that were written carry the number of a request that is no more.
        cursor.execute("SET autocommit = 0, foreign_key_checks = 0")
        for statement, values in sent.statements:
            (cursor.executemany if isinstance(values, list) else cursor.execute)(statement, values)
            cursor.fetchall()
        connection.rollback()
    return (perf_counter() - start) * 1000
