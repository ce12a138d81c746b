"""Many claims at once, from processes of their own as the web's workers are, each with several threads."""

import multiprocessing
import threading
from collections.abc import Sequence
from multiprocessing.context import SpawnContext
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from cphub import create_app
from cphub.errors import Conflict, CphubError
from cphub.models import Person, db
from cphub.services import offers, people

#: Seconds after which a race that hangs is called off.
PATIENCE = 100
#: (person id, request number) -> how it ended: "won", or the key of the message the person reads.
Entry = tuple[int, int]
Result = tuple[Entry, str]


def race(overrides: dict[str, object], entries: Sequence[Entry], *, processes: int) -> list[Result]:
    """Let everybody claim at the same moment; gives every single answer."""
    context: SpawnContext = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(processes), context.Queue()
    running = [
        context.Process(target=_claim_all, args=(overrides, entries[n::processes], start, answers), daemon=True)
        for n in range(processes)
    ]
    for process in running:
        process.start()
    found = [result for _ in running for result in answers.get(timeout=PATIENCE)]
    for process in running:
        process.join(PATIENCE)
    return found


def _claim_all(overrides: dict[str, object], entries: Sequence[Entry], start: Barrier, answers: "Queue[Any]") -> None:
    app = create_app(overrides)
    results: list[Result] = []
    ready = threading.Barrier(len(entries) + 1)
    go = threading.Event()

    def claim(entry: Entry) -> None:
        person_id, number = entry
        with app.app_context():
            viewer = people.viewer_of(db.session.get_one(Person, person_id))
            db.session.rollback()
            ready.wait(PATIENCE)
            go.wait(PATIENCE)
            try:
                offers.claim(viewer, number)
                results.append((entry, "won"))
            except Conflict as conflict:
                results.append((entry, conflict.message))
            except CphubError as error:
                results.append((entry, repr(error)))
            except Exception as error:
                results.append((entry, f"{type(error).__name__}: {error}"))

    threads = [threading.Thread(target=claim, args=(entry,)) for entry in entries]
    for thread in threads:
        thread.start()
    ready.wait(PATIENCE)
    start.wait(PATIENCE)
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    answers.put(results)
