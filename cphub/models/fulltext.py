"""SQLite's full-text table. MariaDB has a FULLTEXT index on ``request_search`` instead; nothing else differs."""

from sqlalchemy import Connection, Table, event, text

from cphub.models.requests import RequestSearch

TABLE = "request_fts"


def create_fulltext(connection: Connection) -> None:
    """Make the table if the database is SQLite and has none. FTS5 makes further tables of that name by itself."""
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5(open_tokens, all_tokens)"))


def drop_fulltext(connection: Connection) -> None:
    """Undo ``create_fulltext``."""
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


@event.listens_for(RequestSearch.__table__, "after_create")
def _with_the_tokens(_table: Table, connection: Connection, **_: object) -> None:
    create_fulltext(connection)


@event.listens_for(RequestSearch.__table__, "before_drop")
def _without_the_tokens(_table: Table, connection: Connection, **_: object) -> None:
    drop_fulltext(connection)
