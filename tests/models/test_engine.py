"""What the rest of the code relies on from both databases, shown with many threads at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from cphub import config
from cphub.models.engine import begin_write, engine_options
from cphub.models.types import MYSQL_TABLE, Name, UTCDateTime
from tests.conftest import open_engine

metadata = sa.MetaData()
options: dict[str, Any] = dict(MYSQL_TABLE)
place = sa.Table(
    "place",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", Name(80)),
    sa.Column("title", sa.String(80)),
    sa.Column("taken", sa.Integer, nullable=False, server_default="0"),
    sa.Column("at", UTCDateTime),
    **options,
)
guest = sa.Table(
    "guest",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("place_id", sa.Integer, sa.ForeignKey("place.id")),
    **options,
)


@pytest.fixture(params=["sqlite", "mariadb"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An engine as the app would have it, on a database with a table of places."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'places.sqlite'}"
    else:
        make: Callable[[str], str] = request.getfixturevalue("make_mariadb_database")
        url = make("places")
    engine = open_engine(url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(place.insert().values(id=1, name="ÉVA", title="ÉVA"))
    yield engine
    engine.dispose()


def test_reading_takes_no_lock(engine: sa.Engine) -> None:
    with Session(engine) as reader, Session(engine) as writer:
        assert reader.scalar(sa.select(place.c.taken)) == 0
        writer.execute(place.update().values(taken=1))
        assert reader.scalar(sa.select(place.c.taken)) == 0
        writer.commit()
        assert reader.scalar(sa.select(place.c.taken)) == 1, "a statement sees what was committed before it"


def test_what_was_written_goes_when_the_transaction_does(engine: sa.Engine) -> None:
    with Session(engine) as session:
        session.execute(place.update().values(taken=1))
        session.rollback()
        assert session.scalar(sa.select(place.c.taken)) == 0


def test_savepoint_rolled_back_leaves_the_rest(engine: sa.Engine) -> None:
    with Session(engine) as session:
        with session.begin_nested() as savepoint:
            session.execute(place.insert().values(id=2))
            savepoint.rollback()
        session.execute(place.insert().values(id=3))
        with session.begin_nested():
            session.execute(place.insert().values(id=4))
        assert session.scalars(sa.select(place.c.id)).all() == [1, 3, 4]
        session.rollback()
        assert session.scalars(sa.select(place.c.id)).all() == [1], "a kept savepoint is no commit"


def test_writers_wait_for_each_other_even_after_reading(engine: sa.Engine) -> None:
    """Reading and then writing is what loses transactions on an SQLite that begins them as readers."""
    barrier = threading.Barrier(8)

    def add(_: int) -> None:
        with Session(engine) as session:
            session.scalar(sa.select(place.c.taken))
            barrier.wait()
            for _turn in range(5):
                session.scalar(sa.select(place.c.taken))
                session.execute(place.update().values(taken=place.c.taken + 1))
                session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    with Session(engine) as session:
        assert session.scalar(sa.select(place.c.taken)) == 40


def test_begin_write_makes_read_and_write_one_step(engine: sa.Engine) -> None:
    def add(_: int) -> None:
        with Session(engine) as session:
            begin_write(session)
            taken = session.scalar(sa.select(place.c.taken).with_for_update())
            session.execute(place.update().values(taken=(taken or 0) + 1))
            session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    with Session(engine) as session:
        assert session.scalar(sa.select(place.c.taken)) == 24


def test_common_table_expression_that_only_reads_takes_no_lock(engine: sa.Engine) -> None:
    busy = sa.select(place.c.id).where(place.c.taken > 0).cte("busy")
    with Session(engine) as reader, Session(engine) as writer:
        assert reader.scalars(sa.select(busy.c.id)).all() == []
        writer.execute(place.update().values(taken=1))
        writer.commit()


def test_foreign_keys_hold(engine: sa.Engine) -> None:
    with Session(engine) as session, pytest.raises(IntegrityError):
        session.execute(guest.insert().values(place_id=99))


def test_names_are_compared_exactly(engine: sa.Engine) -> None:
    with Session(engine) as session:
        for other in ("Éva", "EVA", "éva"):
            assert session.scalar(sa.select(place.c.id).where(place.c.name == other)) is None
        assert session.scalar(sa.select(place.c.id).where(place.c.name == "ÉVA")) == 1


def test_all_of_unicode_comes_back(engine: sa.Engine) -> None:
    with Session(engine) as session:
        session.execute(place.update().values(name="ናይ 😀 山野"))
        session.commit()
        assert session.scalar(sa.select(place.c.name)) == "ናይ 😀 山野"


def test_moment_keeps_its_instant_and_its_microseconds(engine: sa.Engine) -> None:
    here = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with Session(engine) as session:
        session.execute(place.update().values(at=here))
        session.commit()
        found = session.scalar(sa.select(place.c.at))
        assert found == here
        assert found is not None
        assert found.tzinfo is UTC


def test_moment_without_a_time_zone_is_refused(engine: sa.Engine) -> None:
    with Session(engine) as session, pytest.raises(StatementError, match="time zone"):
        session.execute(place.update().values(at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_sqlite_uses_the_write_ahead_log(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    engine.dispose()


def test_mariadb_session_is_strict_and_in_utc(mariadb_url: str) -> None:
    with open_engine(mariadb_url).connect() as connection:
        zone, mode, level, limit = connection.exec_driver_sql(
            "SELECT @@time_zone, @@sql_mode, @@tx_isolation, @@max_statement_time"
        ).one()
    assert (zone, level, limit) == ("+00:00", "READ-COMMITTED", 20)
    assert "STRICT_ALL_TABLES" in mode


def test_mariadb_keeps_no_idle_connection(mariadb_url: str) -> None:
    engine = open_engine(mariadb_url)
    with engine.connect() as connection:
        first = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar() != first


def test_slow_statement_is_ended(mariadb_url: str) -> None:
    settings = config.load(
        {"SQLALCHEMY_DATABASE_URI": mariadb_url, "DATABASE_TIMEOUT": 1, "SECRET_KEY": "x"}, environ={}
    )
    engine = sa.create_engine(mariadb_url, **engine_options(settings))
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.exec_driver_sql("SELECT SUM(a.seq * b.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b")


def _mariadb_settings(**more: object) -> config.Settings:
    return config.load(
        {"SQLALCHEMY_DATABASE_URI": "mysql+pymysql://u:p@localhost/x", "SECRET_KEY": "x", **more}, environ={}
    )


def test_tls_costs_nothing_when_it_is_off() -> None:
    arguments = engine_options(_mariadb_settings())["connect_args"]
    assert arguments["ssl_disabled"] is True
    assert "ssl" not in arguments


def test_required_tls_checks_the_server() -> None:
    context = engine_options(_mariadb_settings(DATABASE_TLS="required"))["connect_args"]["ssl"]
    assert context.check_hostname


def test_required_tls_refuses_a_server_without_it(mariadb_server: sa.URL) -> None:
    url = mariadb_server.set(database="mysql").render_as_string(hide_password=False)
    settings = _mariadb_settings(SQLALCHEMY_DATABASE_URI=url, DATABASE_TLS="required")
    with pytest.raises(OperationalError, match="SSL"):
        sa.create_engine(url, **engine_options(settings)).connect()
