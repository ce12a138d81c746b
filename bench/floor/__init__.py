"""The floor: the least that Flask, SQLAlchemy Core and Jinja2 need for the same information.

Nobody is signed in, nothing is masked, no sentence is translated, every statement is the best one the tables allow,
and reads open no transaction. As in the tool, each request has a connection of its own.
"""

import os
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, redirect, render_template, request
from werkzeug.wrappers import Response

from bench.floor import statements
from bench.stories import COORDINATOR

#: Name of the environment variable that says where the database is.
DATABASE = "BENCH_FLOOR_DATABASE"


def create_app() -> Flask:
    app = Flask(__name__)
    engine = sa.create_engine(
        os.environ[DATABASE],
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        connect_args={"ssl_disabled": True, "charset": "utf8mb4"},
    )

    def read(query: sa.Select[Any]) -> Any:
        if "connection" not in g:
            g.connection = engine.connect()
        return g.connection.execute(query).all()

    @app.teardown_appcontext
    def close(_: object) -> None:
        if "connection" in g:
            g.connection.close()

    @app.get("/requests")
    def browse() -> str:
        return _list(read(statements.search(request.args["q"]) if "q" in request.args else _browsed()))

    def _browsed() -> sa.Select[Any]:
        return statements.browse(
            state=request.args.get("state"),
            language=request.args.get("language"),
            kind=request.args.get("kind"),
            after=request.args.get("after"),
        )

    @app.get("/queue")
    def queue() -> str:
        (counts,) = read(statements.counts(COORDINATOR))
        return _list(read(statements.queue()), counts)

    @app.get("/requests/<int:number>")
    def page(number: int) -> str:
        (found,) = read(statements.request(number))
        return render_template("page.html", row=found, events=read(statements.events(number)))

    @app.post("/requests/new")
    def create() -> Response:
        with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
            number = statements.create(connection, request.form["key"], request.form["title"], request.form["body"])
            connection.commit()
        return redirect(f"/requests/{number}", 303)

    return app


def _list(rows: Any, counts: Sequence[int] = ()) -> str:
    last = rows[statements.PAGE - 1] if len(rows) > statements.PAGE else None
    return render_template("list.html", rows=rows[: statements.PAGE], next=last, counts=counts)
