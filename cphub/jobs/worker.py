"""The worker: takes rows from the outbox one at a time, delivers them, and sweeps up what is due by time.

Any number may run. One stopped at any moment loses nothing: what it held comes free when its lease ends.
"""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import gettempdir

from sqlalchemy.exc import OperationalError

from cphub import clock
from cphub.errors import GatewayError
from cphub.models import Heartbeat, db
from cphub.services import mail, outbox, sweep, tasks
from cphub.services.outbox import Job

log = logging.getLogger(__name__)

#: What is done for each kind of row. A handler calls the world without a transaction open, then writes the result
#: and ``outbox.done`` in one; it may be called again for the same row.
HANDLERS: dict[str, Callable[[Job], None]] = {
    "mail": mail.deliver,
    "mail:confirm": mail.deliver_confirmation,
    "task:create": tasks.deliver,
    "task:link": tasks.deliver_link,
}
IDLE_SECONDS = 1.0
#: How often time-driven work and a look at the linked tasks are due.
SWEEP_EVERY = timedelta(minutes=1)
LOOK_EVERY = timedelta(minutes=10)
#: A probe outside removes this file and expects to find it again (see jobs.yaml).
ALIVE = Path(gettempdir()) / "cphub-worker-alive"


def run(*, once: bool = False) -> None:
    """Work until told to stop; the row in hand is finished first. ``once``: until nothing is due."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
    swept = looked = None
    while not stop.is_set():
        busy = False
        try:
            _beat()
            now = clock.now()
            if swept is None or now - swept >= SWEEP_EVERY:
                sweep.run()
                swept = now
            if looked is None or now - looked >= LOOK_EVERY:
                _look()
                looked = now
            busy = work()
        except OperationalError:
            # The database is away or read-only: nothing is lost, and it will be back.
            log.warning("the database does not answer", exc_info=True)
        finally:
            # ToolsDB wants no idle connections, and the next turn must see what others wrote.
            db.session.remove()
        if once and not busy:
            return
        if not busy:
            stop.wait(IDLE_SECONDS)


def work() -> bool:
    """Take and deliver one row; False when nothing was due."""
    job = outbox.claim()
    if job is None:
        return False
    handler = HANDLERS.get(job.kind)
    if handler is None:
        outbox.give_up(job, f"nothing delivers {job.kind}")
        return True
    try:
        handler(job)
    except GatewayError as error:
        db.session.rollback()
        _put_off(job, error)
    except OperationalError:
        raise
    except Exception as error:  # a bug in one handler must not stop the others' deliveries
        db.session.rollback()
        log.exception("delivery of outbox row %s failed", job.id)
        outbox.later(job, type(error).__name__, unsure=True)
    return True


def _put_off(job: Job, error: GatewayError) -> None:
    log.warning("outbox row %s (%s): %s", job.id, job.kind, error)
    if error.permanent:
        outbox.give_up(job, str(error))
    else:
        outbox.later(job, str(error), unsure=error.unsure)


def _look() -> None:
    try:
        tasks.look()
    except GatewayError as error:
        db.session.rollback()
        log.warning("could not look at the linked tasks: %s", error)


def _beat() -> None:
    """Say that the worker is alive: to the pages, and to the probe of the platform."""
    now: datetime = clock.now()
    beat = db.session.get(Heartbeat, "worker")
    if beat is None:
        db.session.add(Heartbeat(name="worker", at=now))
    elif now - beat.at > timedelta(seconds=20):
        beat.at = now
    db.session.commit()
    ALIVE.touch()
