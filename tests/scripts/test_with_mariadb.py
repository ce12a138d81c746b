"""``scripts/with_mariadb.py``: the server is there for the command, and gone after it, however the command ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from cphub.config import ROOT
from scripts import with_mariadb
from tests.conftest import open_engine

COMMAND = [sys.executable, str(ROOT / "scripts" / "with_mariadb.py")]
TELL = "import os; print(os.environ['TEST_MARIADB_URL'], flush=True)"


def folder_of(url: str) -> Path:
    """Where the server at this address keeps everything."""
    return Path(str(sa.make_url(url.strip()).query["unix_socket"])).parent


def test_server_answers_inside_the_block_and_is_gone_after_it() -> None:
    with with_mariadb.mariadb() as url:
        engine = open_engine(sa.make_url(url).set(database="mysql").render_as_string())
        with engine.connect() as connection:
            assert "MariaDB" in str(connection.exec_driver_sql("SELECT VERSION()").scalar())
        folder = folder_of(url)
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.parametrize("code", [0, 7])
def test_exit_code_is_that_of_the_command(code: int) -> None:
    done = subprocess.run(
        [*COMMAND, sys.executable, "-c", f"{TELL}; raise SystemExit({code})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert not folder_of(done.stdout).exists()


def test_server_goes_when_it_is_told_to_stop() -> None:
    process = subprocess.Popen(
        [*COMMAND, sys.executable, "-c", f"{TELL}; import time; time.sleep(100)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    folder = folder_of(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not folder.exists()


def test_missing_program_is_named() -> None:
    with pytest.raises(with_mariadb.Failed, match="install the Debian packages"):
        with_mariadb._program("mariadb-of-tomorrow")


def test_command_is_needed() -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "which command?" in done.stderr
