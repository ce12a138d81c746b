"""The house: one floor never imports a higher one. Also proves that the check would notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cphub.config import ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml on the code in ``folder``."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the code, to build wrongly in."""
    shutil.copytree(ROOT / "cphub", tmp_path / "cphub", ignore=shutil.ignore_patterns("__pycache__", "messages"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_no_floor_imports_a_higher_one() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("services/people.py", "from cphub.web import errors", "One floor never imports a higher one"),
        ("models/people.py", "from cphub.services import people", "One floor never imports a higher one"),
        ("domain/policy.py", "from cphub.models import db", "One floor never imports a higher one"),
        ("config/values.py", "from cphub.domain import policy", "One floor never imports a higher one"),
        ("gateways/mail.py", "from cphub.sandbox import wiki", "Nothing in the tool leans on the sandbox"),
        ("sandbox/wiki/people.py", "from cphub.domain import policy", "The sandbox knows nothing of the tool"),
        ("domain/policy.py", "import flask", "The domain knows no framework, no database and no world"),
        ("domain/policy.py", "import sqlalchemy.orm", "The domain knows no framework, no database and no world"),
    ],
)
def test_wrong_import_is_reported(file: str, line: str, contract: str, house: Path) -> None:
    path = house / "cphub" / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    done = lint_imports(house)
    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout


def test_new_floor_must_be_given_its_place(house: Path) -> None:
    (house / "cphub" / "attic").mkdir()
    (house / "cphub" / "attic" / "__init__.py").write_text('"""Nobody said which floor."""\n')
    done = lint_imports(house)
    assert done.returncode != 0
    assert "attic" in done.stdout + done.stderr
