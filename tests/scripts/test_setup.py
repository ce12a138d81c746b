"""``scripts/setup.sh``: what is missing is named in one plain sentence, and what is ready costs nothing.

Each test has a copy of the files that count and a PATH of its own, on which only invented programs lie.
"""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cphub.config import ROOT

FILES = ("requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json", ".npmrc")
#: What the script itself leans on, from every Debian.
TOOLS = (
    "sh",
    "cat",
    "cut",
    "dirname",
    "env",
    "flock",
    "grep",
    "id",
    "ln",
    "mkdir",
    "rm",
    "sha256sum",
    "sleep",
    "touch",
)


class Place:
    """A clone of the repository on a machine where only what the test puts there is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.programs = folder / "bin"
        self.log = folder / "log"
        self.programs.mkdir(parents=True)
        (self.folder / "scripts").mkdir(parents=True)
        for name in FILES:
            shutil.copy(ROOT / name, self.folder)
        for name in ("setup.sh", "vendor.mjs"):
            shutil.copy(ROOT / "scripts" / name, self.folder / "scripts")
        for kind in ("css", "js"):
            (self.folder / "static" / kind).mkdir(parents=True)
            (self.folder / "static" / kind / f"own.{kind}").touch()
        for name in TOOLS:
            (self.programs / name).symlink_to(shutil.which(name) or "/missing")

    def program(self, name: str, script: str) -> None:
        """Install a program: its calls are logged, then ``script`` runs."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{script}\n')
        path.chmod(0o755)

    def everything(self) -> None:
        """Install all that a command needs."""
        inner = self.programs.parent / "venv-python"
        inner.write_text(f'#!/bin/sh\necho "pip $*" >>"{self.log}"\n')
        inner.chmod(0o755)
        self.program(
            "python3", f'case "$*" in *"-m venv"*) mkdir -p .venv/bin; ln -sf "{inner}" .venv/bin/python ;; esac'
        )
        self.program("node", 'case "$1" in -p) echo 20 ;; *) echo v20.1.0 ;; esac')
        built = 'mkdir -p static/vendor; echo "{}" >static/vendor/manifest.json'
        self.program("npm", f'case "$1" in ci) mkdir -p node_modules ;; run) {built} ;; esac')
        for name in ("mariadbd", "mariadb-install-db", "chromium", "apt-get"):
            self.program(name, "")
        self.program("dpkg-query", 'echo "install ok installed"')

    def setup(self, what: str = "run", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["scripts/setup.sh", what],
            cwd=self.folder,
            env={"PATH": str(self.programs), "HOME": str(self.folder), **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, of: str) -> list[str]:
        """Calls of a program that did something: a mere look does not count."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith(of) and " -c" not in line]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.everything()
    return place


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line in which the script says what is missing."""
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].endswith(".")
    return lines[0]


def test_everything_is_set_up_once(place: Place) -> None:
    first = place.setup()
    assert first.returncode == 0, first.stderr
    assert len(place.calls("pip -m pip install")) == 1
    assert "--require-hashes -r requirements.txt" in place.calls("pip")[0]
    assert place.calls("npm ci")
    before = place.log.read_text()
    second = place.setup()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert place.calls("pip -m") + place.calls("npm") == [
        c for c in before.splitlines() if c.startswith(("pip -m", "npm"))
    ]


def test_tests_need_more_and_contain_what_a_run_needs(place: Place) -> None:
    assert place.setup("test").returncode == 0
    assert "-r requirements-dev.txt" in place.calls("pip -m")[0]
    assert place.setup("run").returncode == 0
    assert len(place.calls("pip -m")) == 1


@pytest.mark.parametrize(
    ("file", "call"),
    [
        ("requirements.txt", "pip -m"),
        ("package-lock.json", "npm ci"),
        ("scripts/vendor.mjs", "npm run"),
        ("package.json", "npm run"),
        ("static/css/own.css", "npm run"),
    ],
)
def test_changed_lock_is_installed_anew(file: str, call: str, place: Place) -> None:
    place.setup()
    with (place.folder / file).open("a") as lock:
        lock.write("\n")
    assert place.setup().returncode == 0
    assert len(place.calls(call)) == 2


def test_failed_installation_is_tried_again(place: Place) -> None:
    place.program("npm", "exit 1")
    assert "npm could not install" in sentence(place.setup())
    place.program("npm", "mkdir -p node_modules static/vendor; echo '{}' >static/vendor/manifest.json")
    assert place.setup().returncode == 0


def test_two_at_once_do_the_work_once(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: place.setup(), range(4)))
    assert [one.returncode for one in done] == [0] * 4
    assert len(place.calls("pip -m")) == 1
    assert len(place.calls("npm ci")) == 1


def test_old_python_is_named(place: Place) -> None:
    place.program("python3", "exit 1")
    assert "Python 3.11 or newer is missing" in sentence(place.setup())


def test_next_python_of_the_path_is_taken_when_the_first_does_not_work(place: Place, tmp_path: Path) -> None:
    works = (place.programs / "python3").rename(tmp_path / "python3")
    place.program("python3", "exit 127")
    assert place.setup(PATH=f"{place.programs}:{works.parent}").returncode == 0


def test_python_without_venv_is_named(place: Place) -> None:
    place.program("python3", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    assert "python3-venv" in sentence(place.setup())


def test_missing_node_is_named(place: Place) -> None:
    (place.programs / "node").unlink()
    assert "Node.js 20" in sentence(place.setup())


def test_old_node_is_named(place: Place) -> None:
    place.program("node", 'case "$1" in -p) echo 18 ;; *) echo v18.19.0 ;; esac')
    assert "v18.19.0" in sentence(place.setup())


def test_missing_npm_is_named(place: Place) -> None:
    (place.programs / "npm").unlink()
    assert "npm is missing" in sentence(place.setup())


def test_missing_debian_packages_are_installed(place: Place) -> None:
    (place.programs / "mariadb-install-db").unlink()
    (place.programs / "chromium").unlink()
    place.program("id", "echo 0")
    assert place.setup("test").returncode == 0
    (call,) = place.calls("apt-get install")
    assert call.endswith("mariadb-server-core mariadb-client-core chromium")


def test_old_list_of_packages_is_renewed(place: Place) -> None:
    (place.programs / "chromium").unlink()
    place.program("id", "echo 0")
    place.program("apt-get", '[ "$1" = update ] && touch updated; [ -e updated ]')
    assert place.setup("test").returncode == 0
    assert [call.split()[1] for call in place.calls("apt-get")] == ["install", "update", "install"]


def test_who_may_not_install_is_told_what_is_missing(place: Place) -> None:
    (place.programs / "chromium").unlink()
    place.program("id", "echo 1000")
    assert sentence(place.setup("test")).endswith("let an administrator run 'apt-get install chromium'.")


def test_sudo_is_used_when_it_is_there(place: Place) -> None:
    (place.programs / "chromium").unlink()
    place.program("id", "echo 1000")
    place.program("sudo", '"$@"')
    assert place.setup("test").returncode == 0
    assert place.calls("sudo env DEBIAN_FRONTEND=noninteractive apt-get install")


def test_running_needs_no_debian_packages(place: Place) -> None:
    (place.programs / "mariadbd").unlink()
    (place.programs / "chromium").unlink()
    assert place.setup("run").returncode == 0
    assert not place.calls("apt-get")


def test_wrong_word_is_refused(place: Place) -> None:
    assert place.setup("everything").returncode == 1


def test_no_registry_is_named_in_the_locks() -> None:
    for name in (*FILES, "Makefile", "scripts/setup.sh"):
        text = (ROOT / name).read_text()
        assert "resolved" not in text or name == ".npmrc"
        for word in ("index-url", "find-links", "registry.npmjs", "pypi.org", "files.pythonhosted"):
            assert word not in text.replace("--no-emit-index-url", ""), f"{word} in {name}"


def test_python_of_the_tests_is_the_one_that_was_set_up() -> None:
    assert Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()
