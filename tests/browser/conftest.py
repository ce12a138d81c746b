"""The whole stack as ``make run`` starts it, on free ports with a database of its own, and a real Chromium.

One stack and one browser serve all tests of a process. Everybody signs in once, through the wiki's real pages;
later windows of the same person begin with those cookies.
"""

import os
import shutil
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize, expect, sync_playwright

from cphub import config
from cphub.gateways.phabricator import Phabricator
from scripts import run_local

#: Persona -> name of the account, as ``cphub/demo/people.yaml`` has it.
NAMES = {
    "asha": "Asha Reads",
    "kofi": "Kofi Maps",
    "mei": "美玲小筆記",
    "lena": "Lena Zettelkasten",
    "sami": "Sami Passing By",
    "blake": "Blake Blocked",
    "root": "Keeper of Keys",
}
PHONE = ViewportSize(width=360, height=740)
DESK = ViewportSize(width=1280, height=900)
#: Chromium asks its maker for this and that unless told not to.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
OpenWindow = Callable[..., BrowserContext]
Tab = Callable[[str | None], Page]
#: Milliseconds. On a busy machine a page may take a while; one that never comes should not take half a minute.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True, slots=True)
class Stack:
    """The running tool and what is beside it."""

    url: str
    phabricator: Phabricator
    phabricator_url: str
    mail: Path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web server, worker, small wiki and small Phabricator, with the demonstration's people and requests."""
    folder = tmp_path_factory.mktemp("stack")
    environ = run_local.local_environment(
        os.environ | {"PORT": str(_free_port()), "TOOL_INSTANCE": str(folder), "TOOL_RATE_REPLIES_PER_HOUR": "1000"}
    )
    settings = config.load(environ=environ)
    port = settings.BASE_URL.rpartition(":")[2]
    with warnings.catch_warnings(), run_local.together(environ) as programs:
        # Newer Pythons warn of starting programs while there are threads; pytest-xdist has some.
        warnings.simplefilter("ignore", DeprecationWarning)
        programs.start(
            "sandbox", sys.executable, "-m", "cphub.sandbox",
            "--people", run_local.PEOPLE, "--tasks", run_local.TASKS,
        )  # fmt: skip
        programs.wait_for(f"{settings.PHABRICATOR_URL}/")
        run_local.prepare_database(settings, environ)
        programs.start("worker", *run_local.FLASK, "worker")
        programs.start("web server", sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app")
        programs.wait_for(f"{settings.BASE_URL}/healthz")
        yield Stack(
            settings.BASE_URL,
            Phabricator(
                settings.PHABRICATOR_URL, settings.PHABRICATOR_TOKEN.reveal(), user_agent="cphub-tests (loopback)"
            ),
            settings.PHABRICATOR_URL,
            settings.MAIL_FOLDER,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), "chromium", "google-chrome"))), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Windows:
    """Opens browser windows: of a persona, who signs in when first asked for, or of nobody (None)."""

    def __init__(self, browser: Browser, stack: Stack) -> None:
        self._browser = browser
        self._stack = stack
        self._cookies: dict[str, StorageState] = {}
        self._pages: dict[str | None, Page] = {}

    def open(self, persona: str | None = None, **options: Any) -> BrowserContext:
        """Options are those of Playwright: ``viewport``, ``java_script_enabled``, ``color_scheme``, ``locale`` ..."""
        state = self._signed_in(persona) if persona else None
        context = self._browser.new_context(
            base_url=self._stack.url, storage_state=state, **{"viewport": DESK, **options}
        )
        context.set_default_timeout(PATIENCE)
        return context

    def shared(self, persona: str | None) -> Page:
        """One page of the persona, for tests that only look."""
        if persona not in self._pages:
            self._pages[persona] = self.open(persona).new_page()
        return self._pages[persona]

    def _signed_in(self, persona: str) -> StorageState:
        if persona not in self._cookies:
            context = self.open()
            page = context.new_page()
            page.goto("/")
            sign_in(page, NAMES[persona])
            self._cookies[persona] = context.storage_state()
            context.close()
        return self._cookies[persona]


def sign_in(page: Page, name: str) -> None:
    """From any page of the tool, through the wiki's pages, back to where it began."""
    page.locator("form[action='/login'] button").first.click()
    page.locator("label", has_text=name).get_by_role("radio").check()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_load_state()


@pytest.fixture(scope="session")
def windows(stack: Stack, browser: Browser) -> Windows:
    return Windows(browser, stack)


@pytest.fixture
def window(windows: Windows) -> Iterator[OpenWindow]:
    """``window("mei", viewport=PHONE)``: a new window, see ``Windows.open``; closed after the test."""
    opened: list[BrowserContext] = []

    def make(persona: str | None = None, **options: Any) -> BrowserContext:
        opened.append(windows.open(persona, **options))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def tab(windows: Windows) -> Tab:
    """``tab("mei")``: a page that all tests share which only look."""
    return windows.shared
