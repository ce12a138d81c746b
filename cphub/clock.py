"""The one clock of the application, so that tests and demo data can say what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import current_app

Clock = Callable[[], datetime]


def system() -> datetime:
    """The machine's time, aware and in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The time by the clock that was given to ``create_app``; aware, in UTC. Needs an application context."""
    clock: Clock = current_app.extensions["cphub"].clock
    return clock()
