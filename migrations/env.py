"""How Alembic runs here: through Flask-Migrate, on the app's own engine, one statement at a time.

MariaDB commits each DDL statement by itself and two machines may start at once, so the whole run takes a named lock.
"""

from alembic import context
from flask import current_app
from sqlalchemy import text

from cphub.models.fulltext import TABLE as FULLTEXT

config = context.config
database = current_app.extensions["migrate"].db


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """SQLite's full-text tables are in no model, and it does not get MariaDB's FULLTEXT indexes."""
    if kind == "table":
        return not (name or "").startswith(FULLTEXT)
    return not (kind == "index" and (name or "").startswith("ft_") and database.engine.dialect.name == "sqlite")


def run() -> None:
    with database.engine.connect() as connection:
        locked = connection.dialect.name == "mysql"
        if locked:
            connection.execute(text("SELECT GET_LOCK('cphub-migration', 60)"))
        else:
            # SQLite changes a table by copying it and dropping the old one, which must not take other rows along.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            include_object=include_object,
            compare_type=True,
            transaction_per_migration=True,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        finally:
            if locked:
                connection.execute(text("SELECT RELEASE_LOCK('cphub-migration')"))
        connection.commit()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: they look at what is there.")
run()
