"""A database of MariaDB with invented requests."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.load import fill
from bench.stories import Stories
from tests.conftest import open_engine

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SIZE = 3_000


@pytest.fixture(scope="session")
def stories_url(make_mariadb_database: Callable[[str], str]) -> str:
    """Nothing may be changed in it: all tests of this folder look at it."""
    url = make_mariadb_database("stories")
    fill(sa.make_url(url), Stories(SIZE, NOW).rows())
    return url


@pytest.fixture
def filled(stories_url: str) -> Iterator[Session]:
    engine = open_engine(stories_url)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def database_url(stories_url: str) -> str:
    return stories_url
