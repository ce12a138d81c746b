"""``make run``: everything starts together, tells its address, stops together, and goes on where it was."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from cphub.config import ROOT
from scripts import run_local

READY = "Ctrl-C stops everything."


class Run:
    """A running ``scripts/run_local.py`` with a folder and a port of its own."""

    def __init__(self, instance: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.port = port
        environ = {**os.environ, "TOOL_INSTANCE": str(instance), "PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "scripts/run_local.py"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if READY in line:
                return
        raise AssertionError(self.said)

    def get(self, path: str, port: int | None = None) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as answer:
            text: str = answer.read().decode()
            return text

    def programs(self) -> dict[str, int]:
        """The ids of the programs it has started, by a word of their command."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
        words = ("sandbox", "flask", "gunicorn")
        return {word: pid for word in words for pid, command in commands.items() if word in command}

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; gives the exit code."""
        self.process.send_signal(by)
        return self.ended()

    def ended(self) -> int:
        rest, _ = self.process.communicate(timeout=60)
        self.said += rest
        return self.process.returncode


@pytest.fixture
def port() -> int:
    """A port that is free, and so are the two after it."""
    for port in range(20_000 + os.getpid() % 20_000, 60_000, 10):
        if all(run_local.is_free(port + more) for more in range(3)):
            return port
    raise AssertionError("no free port")


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Callable[[], Run]]:
    """Starts it; called again, with the same folder and port."""
    runs: list[Run] = []

    def begin() -> Run:
        runs.append(Run(tmp_path / "instance", port))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.end()
        stream: IO[str] | None = run.process.stdout
        if stream is not None:
            stream.close()


def requests_in(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        count: int = connection.execute("SELECT COUNT(*) FROM request").fetchone()[0]
        return count
    finally:
        connection.close()


def test_first_and_second_run(start: Callable[[], Run], port: int, tmp_path: Path) -> None:
    run = start()
    run.until_ready()
    assert run.address in run.said
    assert "Asha Reads" in run.said
    run.get("/healthz")
    assert "Asha Reads" in run.get("/", port + 1)
    tasks = run.get("/", port + 2)
    assert "T1187" in tasks
    count = requests_in(tmp_path / "instance" / "cphub.sqlite")
    assert count >= 24
    assert set(run.programs()) == {"sandbox", "flask", "gunicorn"}

    assert run.end(signal.SIGINT) == 0
    assert all(run_local.is_free(port + more) for more in range(3))
    assert "Traceback" not in run.said

    again = start()
    again.until_ready()
    assert requests_in(tmp_path / "instance" / "cphub.sqlite") == count
    assert again.get("/", port + 2) == tasks, "Phabricator remembers its tasks, as the database does"

    os.kill(again.programs()["flask"], signal.SIGKILL)
    assert again.ended() == 1
    assert "The worker has ended (code -9), so everything is stopped." in again.said
    assert all(run_local.is_free(port + more) for more in range(3))


def test_busy_port_is_named(start: Callable[[], Run], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        run = start()
        assert run.ended() == 1
    assert run.said == f"Port {port} is in use by another program: pick another one, as in PORT=5100 make run.\n"


@pytest.mark.parametrize("wrong", ["http", "0", "70000", "-1"])
def test_wrong_port_is_named(wrong: str) -> None:
    with pytest.raises(run_local.Failed, match="PORT must be a number"):
        run_local.tools_port({"PORT": wrong})


def test_interrupted_first_run_leaves_no_half_of_a_database(start: Callable[[], Run], tmp_path: Path) -> None:
    run = start()
    assert run.process.stdout is not None
    assert "Making a database" in run.process.stdout.readline()
    assert run.end() == 0
    assert not (tmp_path / "instance" / "cphub.sqlite").exists()


def test_sandbox_goes_elsewhere_when_its_port_is_taken(port: int) -> None:
    with socket.create_server(("127.0.0.1", port + 1)):
        environ = run_local.local_environment({"PORT": str(port)})
    assert environ["TOOL_BASE_URL"] == f"http://127.0.0.1:{port}"
    assert f":{port + 1}/" not in environ["TOOL_WIKI_INDEX_URL"]
