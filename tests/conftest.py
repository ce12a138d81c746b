"""What all tests share: settings, a clock that stands still, an app, and a database of each kind.

A test gets an SQLite file of its own. A test that asks for ``engine_url``, or a folder whose ``conftest.py``
makes ``database_url`` of it, runs once on SQLite and once on MariaDB.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from cphub import config, create_app
from cphub.config import Settings
from cphub.models import Base, db
from cphub.models.engine import engine_options
from scripts.with_mariadb import mariadb

MakeApp = Callable[..., Flask]

# Neither the settings of whoever runs the tests, nor the world outside, may have a say.
for _name in [name for name in os.environ if name.startswith(config.PREFIX)]:
    del os.environ[_name]
os.environ["CPHUB_CONFIG"] = os.devnull


def _loopback_only(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host != "localhost" and not ip_address(host).is_loopback:
            raise RuntimeError(f"a test wants to reach {host}; tests reach only this machine")


sys.addaudithook(_loopback_only)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Any:
    return _no_skip((yield))


def _no_skip(report: Any) -> Any:
    """In CI a test that cannot run has failed: nobody reads the list of skipped ones."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as a failure in CI: {report.longrepr}"
    return report


class FixedClock:
    """Stands still until told otherwise. Calling it gives the time, aware and in UTC."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **parts: float) -> datetime:
        """Go on by ``timedelta(**parts)``; gives the new time."""
        self.at += timedelta(**parts)
        return self.at


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


class Browser(FlaskClient):
    """Says, as browsers do, that its forms come from a page of the app. A test's own headers win."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environ_base["HTTP_ORIGIN"] = "http://localhost"


@pytest.fixture
def overrides(database_url: str, tmp_path: Path) -> dict[str, object]:
    """The settings of an app under test."""
    return {
        "INSTANCE": tmp_path / "instance",
        "SECRET_KEY": "only for tests, and long enough for anything",
        "SQLALCHEMY_DATABASE_URI": database_url,
        "ADMINS": [9401],
    }


@pytest.fixture
def settings(overrides: dict[str, object]) -> Settings:
    return config.load(overrides)


@pytest.fixture
def make_app(overrides: dict[str, object], clock: FixedClock) -> Iterator[MakeApp]:
    """Makes an app with an empty database; ``make_app(BASE_URL=...)`` changes settings."""
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        app = create_app({**overrides, **changes}, clock=clock)
        app.testing = True
        app.test_client_class = Browser
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Where the app's database is: empty, with all tables."""
    return sqlite_url


@pytest.fixture(params=["sqlite", "mariadb"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind in turn: empty, with all tables."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "cphub.sqlite"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[sa.URL]:
    """A running server without databases of ours: that of ``scripts/with_mariadb.py``, else one for this run."""
    if given := os.environ.get("TEST_MARIADB_URL"):
        yield sa.make_url(given)
    else:
        with mariadb() as url:
            yield sa.make_url(url)


@pytest.fixture(scope="session")
def make_mariadb_database(mariadb_server: sa.URL) -> Iterator[Callable[[str], str]]:
    """Makes an empty database without tables, whose name has ``name`` in it; gives its address."""
    server = open_engine(mariadb_server.set(database="mysql").render_as_string(hide_password=False))
    made: list[str] = []

    def execute(statement: str) -> None:
        with server.begin() as connection:
            connection.exec_driver_sql(statement)

    def make(name: str) -> str:
        database = f"test__{name}_{os.getpid()}_{len(made)}"
        execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        made.append(database)
        return mariadb_server.set(database=database).render_as_string(hide_password=False)

    yield make
    for database in made:
        execute(f"DROP DATABASE {database}")


@pytest.fixture(scope="session")
def mariadb_with_tables(make_mariadb_database: Callable[[str], str]) -> Iterator[sa.Engine]:
    """An engine on this worker's database with all tables."""
    engine = open_engine(make_mariadb_database("tables"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def mariadb_url(mariadb_with_tables: sa.Engine) -> str:
    # Before the test and not after it, because a test that was cut off may have left rows.
    with mariadb_with_tables.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for table in Base.metadata.tables.values():
            connection.execute(table.delete())
    return mariadb_with_tables.url.render_as_string(hide_password=False)


def open_engine(url: str) -> sa.Engine:
    """An engine as the app would have it."""
    settings = config.load(
        {"SQLALCHEMY_DATABASE_URI": url, "SECRET_KEY": "only for tests"}, environ={}, file=Path(os.devnull)
    )
    return sa.create_engine(url, **engine_options(settings))
