"""A small Phabricator for local runs and tests: it speaks Conduit as a real one does, and shows its tasks.

Everything lives in memory and ends with the process. Only for loopback.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, request

from .api import Tokens, answer
from .faults import Fault, Faults
from .install import BOT, ENGINEERS, Column, Install, Project, Task, User, helpdesk
from .pages import pages
from .wire import read_call

__all__ = ["Column", "Fault", "PhabricatorSandbox", "Project", "Task", "User", "create_phabricator"]

_ACTS_FIRST = (Fault.HANG_AFTER, Fault.BAD_GATEWAY_AFTER, Fault.FATAL_AFTER)
_HANGS = (Fault.HANG_BEFORE, Fault.HANG_AFTER)


class PhabricatorSandbox(Flask):
    """The application. Tests reach into ``install`` (the state), ``tokens`` and ``faults``."""

    install: Install
    tokens: Tokens
    faults: Faults


def create_phabricator(
    *,
    base_url: str,
    tokens: Mapping[str, str],
    projects: Iterable[Project] | None = None,
    users: Iterable[User] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PhabricatorSandbox:
    """``tokens`` maps an API token to the name of its user.

    Without ``users`` and ``projects``: the bot ``cphub-bot``, three invented engineers, and the project
    ``content-partnerships-hub``.
    """
    app = PhabricatorSandbox(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.install = Install(
        base_url=base_url,
        users=(BOT, *ENGINEERS) if users is None else users,
        projects=[helpdesk()] if projects is None else projects,
        clock=clock,
    )
    app.tokens = Tokens(dict(tokens))
    app.faults = Faults()
    app.register_blueprint(pages)

    @app.route("/api/<method>", methods=["GET", "POST"])
    def conduit(method: str) -> Response:
        fault = app.faults.take(method)
        if fault is None:
            return jsonify(answer(app.install, app.tokens, method, lambda: read_call(request)))
        if fault in _ACTS_FIRST:
            answer(app.install, app.tokens, method, lambda: read_call(request))
        if fault in _HANGS:
            app.faults.hang()
            fault = Fault.BAD_GATEWAY
        return app.faults.answer(fault)

    return app
