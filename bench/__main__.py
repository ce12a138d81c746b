"""``python -m bench``: fill databases of several sizes, serve the tool and the floor on each, measure, print a table.

Runs beside a server of MariaDB whose address is in ``TEST_MARIADB_URL`` (see ``scripts/with_mariadb.py``).
"""

import argparse
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from bench import floor, report
from bench.actions import ACTIONS, Action, Database, marks
from bench.client import Client, Failed
from bench.load import connect, fill, make
from bench.measure import Way, measure
from bench.servers import serve
from bench.sessions import SignedIn, sign_in
from bench.statements import Sent, forget, replay, sent_by
from bench.stories import Stories
from cphub import create_app

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
_NUMBER = re.compile(rb'href="/requests/(\d+)')


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure pages against the floor of the stack."
    )
    parser.add_argument("--sizes", type=_sizes, default=[1_000, 20_000, 200_000], help="requests, such as 1000,20000")
    parser.add_argument("--seconds", type=float, default=180, help="how long to measure")
    parser.add_argument("--only", default="", help="only actions whose name has this in it")
    given = parser.parse_args(arguments)
    if "TEST_MARIADB_URL" not in os.environ:
        parser.error("no database: run it beside scripts/with_mariadb.py, or say 'make bench'")
    actions = tuple(action for action in ACTIONS if given.only in action.name)
    try:
        result = run(sa.make_url(os.environ["TEST_MARIADB_URL"]), given.sizes, actions, seconds=given.seconds)
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    print(report.table(result))
    report.write(result, BUILD / "bench.json")
    return 0


def _sizes(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


def run(server: sa.URL, sizes: list[int], actions: tuple[Action, ...], *, seconds: float) -> report.Result:
    """Everything; what it started has ended when it returns."""
    sent: dict[tuple[int, str], Sent] = {}
    ways: dict[tuple[int, str], Way] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cphub-bench-")))
        log = BUILD / "bench.log"
        BUILD.mkdir(exist_ok=True)
        log.write_bytes(b"")
        for size in sizes:
            url = server.set(database=f"bench_{size}")
            _fill(url, size)
            with connect(url) as connection:
                database = marks(connection, size)
            settings = _settings(url, folder)
            app = create_app(settings)
            people = {person: sign_in(app, person) for person in {action.person for action in actions}}
            for action in actions:
                sent[size, action.name] = _capture(app, people[action.person], action, database, url)
            environment = {f"TOOL_{name}": value for name, value in settings.items()} | {"CPHUB_CONFIG": os.devnull}
            port = stack.enter_context(serve("app:app", environment, log))
            ways[size, "app"] = _tool(stack, port, people, database)
            address = {floor.DATABASE: url.render_as_string(hide_password=False)}
            port = stack.enter_context(serve("bench.floor:create_app()", address, log))
            ways[size, "floor"] = _floor(stack, port, database)
            ways[size, "sql"] = _sql(url, size, sent)
        for action in actions:
            if not action.form:
                for size in sizes:
                    _compare(action, ways[size, "app"], ways[size, "floor"])
        print(f"measuring for {seconds:.0f} seconds ...", file=sys.stderr)
        # What is written comes last: it changes what the lists show.
        reads, writes = [a for a in actions if not a.form], [a for a in actions if a.form]
        share = seconds / len(actions)
        times = measure(ways, reads, seconds=share * len(reads)) | measure(ways, writes, seconds=share * len(writes))
    return report.Result(sizes, [action.name for action in actions], times, sent)


def _fill(url: sa.URL, size: int) -> None:
    start = time.monotonic()
    if make(url):
        fill(url, Stories(size, datetime.now(UTC)).rows())
        print(f"{size:,} requests loaded in {time.monotonic() - start:.0f} seconds", file=sys.stderr)


def _settings(url: sa.URL, folder: Path) -> dict[str, str]:
    return {
        "SQLALCHEMY_DATABASE_URI": url.render_as_string(hide_password=False),
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE": str(folder),
        "LOG_LEVEL": "WARNING",
        # More forms than any person sends.
        "RATE_REPLIES_PER_HOUR": "100000",
        "RATE_REQUESTS_PER_DAY": "100000",
    }


def _form(action: Action, who: SignedIn) -> dict[str, str] | None:
    return {**action.form(), "csrf_token": who.csrf_token} if action.form else None


def _capture(app: Flask, who: SignedIn, action: Action, database: Database, url: sa.URL) -> Sent:
    form, path = _form(action, who), action.path(database, 0)
    sent_by(app, who, path, form)  # the first time it asks the server about itself
    form = _form(action, who)
    found = sent_by(app, who, path, form)
    if form:
        forget(url, form["key"])
    return found


def _compare(action: Action, tool: Way, least: Way) -> None:
    """Raises Failed when the tool's page has fewer requests than the floor's: it would be no wonder to be quick."""
    ours, theirs = (len(set(_NUMBER.findall(way(action, 0)[1]))) for way in (tool, least))
    if ours < 0.8 * theirs - 1:
        raise Failed(f"{action.name}: {ours} requests on the page, but {theirs} on the floor's")


def _tool(stack: ExitStack, port: int, people: Mapping[int, SignedIn], database: Database) -> Way:
    clients = {person: stack.enter_context(Client(port, who.cookie)) for person, who in people.items()}

    def way(action: Action, turn: int) -> tuple[float, bytes]:
        return clients[action.person].send(action.path(database, turn), _form(action, people[action.person]))

    return way


def _floor(stack: ExitStack, port: int, database: Database) -> Way:
    client = stack.enter_context(Client(port))
    return lambda action, turn: client.send(action.path(database, turn), action.form and action.form())


def _sql(url: sa.URL, size: int, sent: dict[tuple[int, str], Sent]) -> Way:
    return lambda action, _turn: (replay(url, sent[size, action.name]), b"")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
