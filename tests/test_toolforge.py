"""The files that Toolforge reads say what its documentation allows."""

import re
import runpy
from typing import Any

import yaml

from cphub.config import ROOT
from cphub.jobs.worker import ALIVE


def processes() -> dict[str, str]:
    """The Procfile: name -> command."""
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def jobs() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROOT / "jobs.yaml").read_text()))


def test_service_is_built_and_asks_for_health_without_a_database() -> None:
    service = yaml.safe_load((ROOT / "service.template").read_text())
    assert service["type"] == "buildservice"
    assert service["health-check-path"] == "/healthz"
    assert service["mount"] == "none"
    assert set(service) <= {"type", "health-check-path", "mount", "cpu", "mem", "replicas"}


def test_web_keeps_within_the_connections_of_toolsdb() -> None:
    assert processes()["web"] == "gunicorn app:app"
    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert settings["worker_class"] == "gthread"
    # Twenty in all; old and new version run side by side while one replaces the other.
    assert 2 * settings["workers"] * settings["threads"] + 2 <= 20
    assert settings["bind"].startswith("0.0.0.0:")


def test_worker_runs_all_the_time_and_proves_that_it_lives() -> None:
    (worker,) = jobs()
    assert worker["continuous"] is True
    assert worker["command"].removeprefix("launcher ") in processes()
    assert worker["health-check-script"] == f"unlink /tmp/{ALIVE.name}"
    assert worker["mount"] == "none"
    assert re.fullmatch(r"[a-z0-9-]{1,52}", worker["name"])


def test_exactly_one_package_manager_is_named() -> None:
    assert (ROOT / "requirements.txt").exists()
    for other in ("uv.lock", "poetry.lock", "Pipfile.lock", "runtime.txt"):
        assert not (ROOT / other).exists()
    assert re.fullmatch(r"3\.1[1-9]", (ROOT / ".python-version").read_text().strip())
