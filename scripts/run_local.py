"""What ``make run`` starts: the tool, its worker, and beside them the small wiki and the small Phabricator.

They start together and stop together: on Ctrl-C, on SIGTERM, and when one of them ends by itself. The first
time a database with demo data is made; later runs go on with what is there.
"""

import argparse
import ctypes
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from cphub import config  # noqa: E402 - only now can it be found
from cphub.config import ConfigError, Settings  # noqa: E402

HOST = "127.0.0.1"
PEOPLE = ROOT / "cphub" / "demo" / "people.yaml"
TASKS = ROOT / "cphub" / "demo" / "tasks.yaml"
#: Seconds that starting may take on a busy machine, and that stopping may.
PATIENCE = 120
FAREWELL = 15
FLASK = [sys.executable, "-m", "flask", "--app", "app"]


class Failed(Exception):
    """It cannot run. The message is one plain sentence."""


class Together:
    """Programs that run side by side; when the block ends, all of them have ended."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str | Path) -> None:
        self._running[name] = subprocess.Popen(command, cwd=ROOT, env=self.environ, preexec_fn=_end_with_parent)

    def check(self) -> None:
        """Raises Failed when one has ended."""
        for name, process in self._running.items():
            if (code := process.poll()) is not None:
                raise Failed(f"The {name} has ended (code {code}), so everything is stopped.")

    def wait_for(self, address: str) -> None:
        """Until ``address`` answers. Raises Failed when a program ends before, or after PATIENCE seconds."""
        until = time.monotonic() + PATIENCE
        while not answers(address):
            self.check()
            if time.monotonic() > until:
                raise Failed(f"{address} does not answer.")
            time.sleep(0.1)

    def watch(self) -> None:
        """Until one has ended; raises Failed then."""
        while True:
            self.check()
            time.sleep(0.5)

    def stop(self) -> None:
        """The last one started is the first to go, so that nobody misses what they depend on."""
        for process in reversed(self._running.values()):
            process.terminate()
            try:
                process.wait(FAREWELL)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def together(environ: Mapping[str, str]) -> Iterator[Together]:
    programs = Together(environ)
    try:
        yield programs
    finally:
        programs.stop()


def _end_with_parent() -> None:
    """Ask Linux to stop this program when the one that started it is gone, whatever happened to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def answers(address: str) -> bool:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=2)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": parts.netloc, "User-Agent": "run_local"})
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As gunicorn does; else a port would look busy for a minute after each run.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def port_for_sandbox(wanted: int, *, taken: set[int]) -> int:
    """``wanted``, so that addresses are the same in the next run, or any free one."""
    if wanted < 65_536 and wanted not in taken and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        free: int = probe.getsockname()[1]
    return free


def tools_port(environ: Mapping[str, str]) -> int:
    """The port that ``PORT`` picks, else 5000. Raises Failed when it cannot be had."""
    given = environ.get("PORT") or "5000"
    if not given.isdecimal() or not 0 < int(given) < 65_536:
        raise Failed(f"PORT must be a number from 1 to 65535, not {given!r}.")
    if not is_free(int(given)):
        raise Failed(f"Port {given} is in use by another program: pick another one, as in PORT=5100 make run.")
    return int(given)


def local_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` with the settings of a local run: the sandbox, with names and secrets made for this run
    alone.
    """
    port = tools_port(environ)
    wiki = port_for_sandbox(port + 1, taken={port})
    phabricator = port_for_sandbox(port + 2, taken={port, wiki})
    return {
        **environ,
        "PYTHONUNBUFFERED": "1",
        "TOOL_BASE_URL": f"http://{HOST}:{port}",
        "TOOL_SANDBOX": "true",
        "TOOL_WIKI_INDEX_URL": f"http://{HOST}:{wiki}/w/index.php",
        "TOOL_WIKI_API_URL": f"http://{HOST}:{wiki}/w/api.php",
        "TOOL_OAUTH_CONSUMER_KEY": secrets.token_hex(16),
        "TOOL_OAUTH_CONSUMER_SECRET": secrets.token_hex(20),
        "TOOL_PHABRICATOR_URL": f"http://{HOST}:{phabricator}",
        "TOOL_PHABRICATOR_TOKEN": f"api-{secrets.token_hex(14)}",
        "TOOL_PHABRICATOR_PROJECT": "content-partnerships-hub",
    }


def prepare_database(settings: Settings, environ: Mapping[str, str]) -> None:
    """Bring the database up to date, and fill an empty one with demo data.

    A new SQLite file gets its name only when it is complete, so that an interrupted first run leaves no half
    of it.
    """
    url = settings.SQLALCHEMY_DATABASE_URI.reveal()
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:////") else None
    if path is None or path.exists():
        _flask(environ, "db", "upgrade")
        _flask(environ, "demo", "load")
        return
    print("Making a database with invented people and requests ...", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    for remains in (draft, Path(f"{draft}-wal"), Path(f"{draft}-shm")):
        remains.unlink(missing_ok=True)
    new = {**environ, "TOOL_SQLALCHEMY_DATABASE_URI": f"sqlite:///{draft}"}
    _flask(new, "db", "upgrade")
    _flask(new, "demo", "load")
    draft.rename(path)


def _flask(environ: Mapping[str, str], *words: str) -> None:
    done = subprocess.run(
        [*FLASK, *words], cwd=ROOT, env=environ, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, preexec_fn=_end_with_parent,
    )  # fmt: skip
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        raise Failed(f"'flask --app app {' '.join(words)}' has failed (see above).")


def who_can_sign_in() -> str:
    """The first people of each group of the sandbox wiki, as lines of text."""
    groups: dict[str, list[str]] = {}
    for person in yaml.safe_load(PEOPLE.read_text(encoding="utf-8")):
        if person.get("central_id"):
            groups.setdefault(person["group"], []).append(person["name"])
    return "\n".join(
        f"  {group:<12} {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}" for group, names in groups.items()
    )


def run(environ: Mapping[str, str]) -> None:
    """Everything, until it is told to stop. Raises Failed."""
    environ = local_environment(environ)
    settings = config.load(environ=environ)
    port = urlsplit(settings.BASE_URL).port
    settings.INSTANCE.mkdir(parents=True, exist_ok=True)
    state = settings.INSTANCE / "phabricator.state"
    if not _database_exists(settings):
        state.unlink(missing_ok=True)  # its tasks belong to a database that is gone
    with together(environ) as programs:
        programs.start(
            "sandbox", sys.executable, "-m", "cphub.sandbox", "--people", PEOPLE, "--tasks", TASKS, "--state",
            state
        )  # fmt: skip
        programs.wait_for(f"{settings.PHABRICATOR_URL}/")
        prepare_database(settings, environ)
        programs.start("worker", *FLASK, "worker")
        programs.start(
            "web server", sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", "2",
            "--log-level", "warning", "app:app",
        )  # fmt: skip
        programs.wait_for(f"{settings.BASE_URL}/healthz")
        print(
            f"\ncphub runs on {settings.BASE_URL}\n"
            f"The wiki to sign in with is {settings.WIKI_INDEX_URL.removesuffix('/w/index.php')}, "
            f"Phabricator {settings.PHABRICATOR_URL}, mail lies in {settings.MAIL_FOLDER}\n"
            f"Choose \"Sign in\" and be one of these invented people:\n{who_can_sign_in()}\n"
            "Ctrl-C stops everything.",
            flush=True,
        )  # fmt: skip
        programs.watch()


def _database_exists(settings: Settings) -> bool:
    url = settings.SQLALCHEMY_DATABASE_URI.reveal()
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # More signals while everything stops would only leave something behind.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def main() -> int:
    argparse.ArgumentParser(description="Run cphub locally with demo data; PORT picks the port.").parse_args()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, _stop)
    try:
        run(os.environ)
    except (Failed, ConfigError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
