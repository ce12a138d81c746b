"""The migrations make, from an empty database, exactly the tables of the models; on both engines."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade

from cphub.models import Base, db
from cphub.models.fulltext import TABLE as FULLTEXT

MakeApp = Callable[..., Flask]


@pytest.fixture(params=["sqlite", "mariadb"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with no tables at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    make: Callable[[str], str] = request.getfixturevalue("make_mariadb_database")
    return make("migrations")


@pytest.fixture
def migrated(make_app: MakeApp, empty_url: str) -> Iterator[Flask]:
    app = make_app(SQLALCHEMY_DATABASE_URI=empty_url)
    with app.app_context():
        upgrade()
        yield app


@pytest.fixture
def database_url(empty_url: str) -> str:
    return empty_url


def _tables() -> set[str]:
    names = sa.inspect(db.engine).get_table_names()
    return {name for name in names if not name.startswith(FULLTEXT) and name != "alembic_version"}


def test_upgrade_from_empty_equals_the_models(migrated: Flask) -> None:
    def mine(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        sqlite = db.engine.dialect.name == "sqlite"
        if kind == "table":
            return not (name or "").startswith(FULLTEXT)
        return not (kind == "index" and sqlite and (name or "").startswith("ft_"))

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": mine})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []
    assert _tables() == set(Base.metadata.tables)


def test_columns_and_checks_are_those_of_the_models(migrated: Flask, make_app: MakeApp, tmp_path: Path) -> None:
    """What autogenerate does not look at: collations, check constraints, full-text indexes."""
    engine = db.engine
    migrated_ddl = _described(engine)
    Base.metadata.drop_all(engine)

    Base.metadata.create_all(engine)

    assert _described(engine) == migrated_ddl


def test_upgrading_again_changes_nothing(migrated: Flask) -> None:
    before = _described(db.engine)

    upgrade()

    assert _described(db.engine) == before


def test_there_is_a_way_back(migrated: Flask) -> None:
    downgrade(revision="base")

    assert _tables() == set()


def _described(engine: sa.Engine) -> dict[str, set[str]]:
    """The lines of each table's definition as the database itself tells it; their order does not count."""
    found = {}
    with engine.connect() as connection:
        for table in Base.metadata.tables:
            if engine.dialect.name == "sqlite":
                told = connection.execute(
                    sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL"), {"name": table}
                )
                definition = "\n".join(told.scalars())
            else:
                definition = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
            lines = definition.replace('"', "").replace(",", "\n").splitlines()
            found[table] = {" ".join(line.split()).rstrip(",") for line in lines if line.strip()}
    return found
