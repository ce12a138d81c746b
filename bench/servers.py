"""Servers on loopback: gunicorn with two sync workers, as on Toolforge."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

WORKERS = 2


@contextmanager
def serve(application: str, settings: Mapping[str, str], log: Path) -> Iterator[int]:
    """The port where ``application`` answers for as long as the block lasts."""
    # We listen ourselves: nobody else can get the port, and who connects early waits for the workers.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener, log.open("ab") as out:
        # A server with an address of its own does this itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--timeout", "120", "--log-level", "warning",
             "--bind", f"fd://{listener.fileno()}", application],
            env={**os.environ, **settings}, pass_fds=[listener.fileno()], stdout=out, stderr=out,
        )  # fmt: skip
        try:
            yield listener.getsockname()[1]
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
