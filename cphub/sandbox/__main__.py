"""The small wiki and the small Phabricator, as one process on loopback: ``python -m cphub.sandbox``.

They take the tool's own settings from the environment (``TOOL_WIKI_INDEX_URL``, ``TOOL_PHABRICATOR_URL``,
``TOOL_BASE_URL``, the consumer and the token), so that both sides always agree.
"""

import argparse
import logging
import os
import pickle
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import yaml
from flask import Flask, Response
from werkzeug.serving import BaseWSGIServer, make_server

from cphub.sandbox.phabricator import PhabricatorSandbox, create_phabricator
from cphub.sandbox.phabricator.install import BOT, Install
from cphub.sandbox.wiki import WikiConsumer, create_wiki, load_people

#: What a Phabricator consists of, besides its address, its clock and its lock.
_NOT_KEPT = {"lock", "base_url", "_clock"}


def wiki(environ: Mapping[str, str], people: Path | None) -> Flask:
    """The wiki that the tool at ``TOOL_BASE_URL`` is registered with."""
    consumer = WikiConsumer(
        key=environ["TOOL_OAUTH_CONSUMER_KEY"],
        secret=environ["TOOL_OAUTH_CONSUMER_SECRET"],
        name="cphub",
        callback=f"{environ['TOOL_BASE_URL']}/",
    )
    known = load_people(people) if people else load_people()
    return create_wiki(base_url=_origin(environ["TOOL_WIKI_INDEX_URL"]), people=known, consumers=[consumer])


def phabricator(environ: Mapping[str, str], tasks: Path | None, state: Path | None) -> PhabricatorSandbox:
    """The Phabricator where the tool's token is that of the bot.

    ``tasks``: a YAML list of tasks that are there from the beginning. ``state``: a file that carries
    everything over to the next run, because the tool's database remembers the tasks too.
    """
    app = create_phabricator(
        base_url=_origin(environ["TOOL_PHABRICATOR_URL"]),
        tokens={environ["TOOL_PHABRICATOR_TOKEN"]: BOT.name},
    )
    if state is not None and state.exists():
        vars(app.install).update(pickle.loads(state.read_bytes()))  # noqa: S301 - written below, by ourselves
    elif tasks is not None:
        _begin_with(app.install, yaml.safe_load(tasks.read_text(encoding="utf-8")))
    if state is not None:
        _keep(app, state)
    return app


def _begin_with(install: Install, tasks: list[dict[str, Any]]) -> None:
    author = install.user("noor") or BOT
    for entry in tasks:
        task = install.blank_task(author.phid, number=entry["number"], title=entry["title"], status=entry["status"])
        install.keep(task)
        install.add_transaction(task, author.phid, f"begin-{task.number}", "create")


def _keep(app: PhabricatorSandbox, state: Path) -> None:
    """Write ``state`` anew after every call that changed something."""
    kept = None

    @app.after_request
    def keep(response: Response) -> Response:
        nonlocal kept
        install = app.install
        with install.lock:
            now = (install.next_transaction, install.next_comment, install.next_number)
            if now != kept:
                content = {key: value for key, value in vars(install).items() if key not in _NOT_KEPT}
                draft = state.with_suffix(".new")
                draft.write_bytes(pickle.dumps(content))
                draft.replace(state)
                kept = now
        return response


def serve(*apps: tuple[Flask, str]) -> None:
    """Serve each app at its address until SIGTERM or SIGINT."""
    servers = [_server(app, address) for app, address in apps]
    done = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    done.wait()
    for server in servers:
        server.shutdown()


def _server(app: Flask, address: str) -> BaseWSGIServer:
    parts = urlsplit(address)
    return make_server(parts.hostname or "127.0.0.1", parts.port or 80, app, threaded=True)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def main(environ: Mapping[str, str] = os.environ) -> None:
    parser = argparse.ArgumentParser(prog="python -m cphub.sandbox", description="A small wiki and Phabricator.")
    parser.add_argument("--people", type=Path, help="YAML file of who has an account on the wiki")
    parser.add_argument("--tasks", type=Path, help="YAML file of the tasks that are there at first")
    parser.add_argument("--state", type=Path, help="file in which Phabricator is kept between two runs")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    serve(
        (wiki(environ, given.people), _origin(environ["TOOL_WIKI_INDEX_URL"])),
        (phabricator(environ, given.tasks, given.state), _origin(environ["TOOL_PHABRICATOR_URL"])),
    )


if __name__ == "__main__":
    main()
