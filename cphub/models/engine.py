"""How to talk to each database, so that the rest of the code need not know which one it is.

On both engines a statement sees what others have committed before it (READ COMMITTED), reading locks nothing,
and a transaction that writes waits for its turn instead of failing.
"""

import re
import ssl
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Delete, Engine, Update, event, make_url
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.pool import NullPool

from cphub.config import Settings

#: Seconds to wait for a lock before giving up, on both engines.
LOCK_TIMEOUT = 5
#: Seconds for the TCP connection to MariaDB.
CONNECT_TIMEOUT = 5

_SQL_MODE = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
#: What SQLite can do outside a transaction, or cannot do inside one.
_NO_WRITE = re.compile(
    r"\s*(SELECT|VALUES|EXPLAIN|PRAGMA|VACUUM|ATTACH|DETACH|BEGIN|COMMIT|ROLLBACK"
    r"|WITH(?!.*\b(INSERT|UPDATE|DELETE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def engine_options(settings: Settings) -> dict[str, Any]:
    """``SQLALCHEMY_ENGINE_OPTIONS`` for the configured database."""
    url = make_url(settings.SQLALCHEMY_DATABASE_URI.reveal())
    return _sqlite() if url.get_backend_name() == "sqlite" else _mariadb(settings)


def begin_write(session: Session | scoped_session[Any]) -> None:
    """Take SQLite's write lock now instead of at the first write. Does nothing on MariaDB.

    For a use case that reads, decides and then writes: on MariaDB it locks the rows it decides about with
    ``SELECT ... FOR UPDATE``, which SQLite does not know. Raises OperationalError after LOCK_TIMEOUT seconds.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        _begin_immediate(connection)


def affected(session: Session | scoped_session[Any], statement: Update | Delete) -> int:
    """Carry out a statement; how many rows it found, also those it left as they were."""
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _sqlite() -> dict[str, Any]:
    return {
        # The driver must not open transactions by itself: it would take a read lock first, and changing a
        # read lock into a write lock fails at once ("database is locked") when somebody else wrote in
        # between.
        "connect_args": {"timeout": LOCK_TIMEOUT, "isolation_level": None},
        "pool_events": [(_prepare_sqlite, "connect")],
    }


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


@event.listens_for(Engine, "before_cursor_execute")
def _write_as_a_writer(connection: Connection, _cursor: Any, statement: str, *_: object) -> None:
    """Open SQLite's transaction before the first statement that writes, and as a writer from the start."""
    if connection.dialect.name == "sqlite" and not _NO_WRITE.match(statement):
        _begin_immediate(connection)


def _begin_immediate(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        driver.execute("BEGIN IMMEDIATE").close()


def _mariadb(settings: Settings) -> dict[str, Any]:
    limit = settings.DATABASE_TIMEOUT

    def prepare(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SET autocommit=0, tx_isolation='READ-COMMITTED', time_zone='+00:00', sql_mode=%s, "
                "innodb_lock_wait_timeout=%s, max_statement_time=%s",
                (_SQL_MODE, LOCK_TIMEOUT, limit),
            )

    return {
        # ToolsDB forbids keeping idle connections.
        "poolclass": NullPool,
        # The server undoes by itself what a connection leaves unfinished.
        "pool_reset_on_return": None,
        "pool_events": [(prepare, "connect")],
        "connect_args": {
            "charset": "utf8mb4",
            # Every request makes a connection of its own, so what it needs is set in one statement, above.
            "autocommit": None,
            "connect_timeout": CONNECT_TIMEOUT,
            # Longer than the server's own limit, so that a slow statement ends there with a clear error.
            "read_timeout": limit + 5,
            "write_timeout": limit + 5,
            **_tls(settings),
        },
    }


def _tls(settings: Settings) -> dict[str, Any]:
    # Left to itself PyMySQL builds an SSL context for every connection, which takes 30 ms; hence off, or one
    # for all.
    if settings.DATABASE_TLS == "off":
        return {"ssl_disabled": True}
    return {"ssl": ssl.create_default_context(cafile=settings.DATABASE_CA or None)}
