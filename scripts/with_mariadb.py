"""Run a command beside a throw-away MariaDB server: ``with_mariadb.py COMMAND...``.

The server lives in a temporary folder and is reached through a socket there. The command finds its address,
without a database's name, in ``TEST_MARIADB_URL``. The server ends and its folder goes, however the command
ends.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pymysql

#: Seconds that making the system tables and starting may take on a busy machine.
PATIENCE = 120
#: Nothing has to survive a loss of power here, and a hundred may knock at once.
FAST = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-log-file-size=64M",
    "--sync-binlog=0",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--max-connections=200",
    "--back-log=300",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
)


class Failed(Exception):
    """The server cannot be had. The message is one plain sentence."""


@contextmanager
def mariadb(*, buffer_pool: str = "128M") -> Iterator[str]:
    """The address of a fresh server (``mysql+pymysql://…``, no database) for as long as the block lasts."""
    install = _program("mariadb-install-db")
    server = _program("mariadbd")
    # Short, because the path of a socket may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="cphub-db-", dir="/tmp"))
    process = None
    try:
        # Of its own, because a server that starts clears away the temporary tables that lie there.
        options = ["--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder}", *_as_ourselves()]
        with (folder / "log").open("wb") as log:
            made = subprocess.run(
                [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
                stdout=log, stderr=log, check=False, timeout=PATIENCE,
            )  # fmt: skip
            if made.returncode != 0:
                raise Failed(f"MariaDB could not make its tables: {_end_of(folder / 'log')}")
            socket = folder / "s"
            process = subprocess.Popen(
                [server, *options, f"--socket={socket}", f"--pid-file={folder / 'pid'}", "--skip-networking",
                 f"--innodb-buffer-pool-size={buffer_pool}", *FAST],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _wait(process, socket, folder / "log")
        yield f"mysql+pymysql://root@localhost/?unix_socket={quote(str(socket))}"
    finally:
        if process is not None:
            process.kill()  # nothing in it is worth a tidy end
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Failed(f"{name} is missing: install the Debian packages mariadb-server-core and mariadb-client-core.")
    return found


def _as_ourselves() -> list[str]:
    """MariaDB refuses to run as root unless it is told that this is meant."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _wait(process: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if socket.exists():
            try:
                pymysql.connect(unix_socket=str(socket), user="root", ssl_disabled=True).close()
            except pymysql.err.OperationalError:
                pass  # not yet
            else:
                return
        time.sleep(0.05)
    raise Failed(f"MariaDB did not start: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-3:])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Run a command beside a throw-away MariaDB server.")
    parser.add_argument("--buffer-pool", default="128M", help="memory for the server's pages")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if not given.command:
        parser.error("which command?")
    # A signal must not pass by the clean-up.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _frame: sys.exit(128 + number))
    try:
        with mariadb(buffer_pool=given.buffer_pool) as url:
            return _run(given.command, {**os.environ, "TEST_MARIADB_URL": url})
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(command: list[str], environ: dict[str, str]) -> int:
    process = subprocess.Popen(command, env=environ)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
