"""The whole stack as ``make run`` starts it, on free ports with a database of its own, and a real Chromium.

One stack and one browser serve all tests of a process. Everybody signs in once, through the wiki's real pages;
later windows of the same person begin with those cookies.
"""

import os
import shutil
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

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
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
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
#: Milliseconds. On a busy machine a page may take a while; one that never comes should not take half a minute.
PATIENCE = 15_000


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
    wiki_url: str


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web server, worker, small wiki and small Phabricator, with the demonstration's people and requests."""
    folder = tmp_path_factory.mktemp("stack")
    environ = run_local.local_environment(
        os.environ | {"PORT": str(_free_port()), "TOOL_INSTANCE": str(folder), "TOOL_RATE_WRITES_PER_MINUTE": "1000"}
    )
    settings = config.load(environ=environ)
    port = settings.BASE_URL.rpartition(":")[2]
    with warnings.catch_warnings(), run_local.together(environ) as programs:
        # Newer Pythons warn of starting programs while there are threads; pytest-xdist has some.
        warnings.simplefilter("ignore", DeprecationWarning)
        programs.start(
            "sandbox", run_local.sys.executable, "-m", "cphub.sandbox",
            "--people", run_local.PEOPLE, "--tasks", run_local.TASKS,
        )  # fmt: skip
        programs.wait_for(f"{settings.PHABRICATOR_URL}/")
        run_local.prepare_database(settings, environ)
        programs.start("worker", *run_local.FLASK, "worker")
        programs.start(
            "web server", run_local.sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"
        )
        programs.wait_for(f"{settings.BASE_URL}/healthz")
        yield Stack(
            settings.BASE_URL,
            Phabricator(
                settings.PHABRICATOR_URL, settings.PHABRICATOR_TOKEN.reveal(), user_agent="cphub-tests (loopback)"
            ),
            settings.PHABRICATOR_URL,
            settings.WIKI_INDEX_URL.removesuffix("/w/index.php"),
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


class OpenAs(Protocol):
    def __call__(self, persona: str | None = None, *, keep: bool = False, **options: Any) -> BrowserContext: ...


@pytest.fixture(scope="session")
def signed_in(stack: Stack, browser: Browser) -> Callable[[str], StorageState]:
    """The cookies of a persona, who signs in when asked for the first time."""
    known: dict[str, StorageState] = {}

    def state(persona: str) -> StorageState:
        if persona not in known:
            with _window(browser, stack) as context:
                page = context.new_page()
                page.goto("/")
                sign_in(page, NAMES[persona])
                known[persona] = context.storage_state()
        return known[persona]

    return state


@pytest.fixture
def window(
    stack: Stack, browser: Browser, signed_in: Callable[[str], StorageState]
) -> Iterator[Callable[..., BrowserContext]]:
    """``window("mei", viewport=PHONE)``: a browser window of a persona, or of nobody; closed after the test.

    Options are those of Playwright: ``java_script_enabled``, ``viewport``, ``color_scheme``, ``locale`` ...
    """
    opened: list[BrowserContext] = []

    def make(persona: str | None = None, **options: Any) -> BrowserContext:
        state = signed_in(persona) if persona else None
        context = browser.new_context(base_url=stack.url, storage_state=state, **{"viewport": DESK} | options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@contextmanager
def _window(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=stack.url, viewport=DESK)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


def sign_in(page: Page, name: str) -> None:
    """From any page of the tool, through the wiki's pages, back to where it began."""
    page.locator("form[action='/login'] button").first.click()
    page.locator("label", has_text=name).get_by_role("radio").check()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_load_state()


@pytest.fixture(scope="session")
def tabs(
    stack: Stack, browser: Browser, signed_in: Callable[[str], StorageState]
) -> Iterator[Callable[[str | None], Page]]:
    known: dict[str | None, Page] = {}

    def tab(persona: str | None) -> Page:
        if persona not in known:
            state = signed_in(persona) if persona else None
            context = browser.new_context(base_url=stack.url, storage_state=state)
            context.set_default_timeout(PATIENCE)
            known[persona] = context.new_page()
        return known[persona]

    yield tab
    for page in known.values():
        page.context.close()


@pytest.fixture
def tab(tabs: Callable[[str | None], Page]) -> Callable[[str | None], Page]:
    """``tab("mei")``: a page that is shared by the tests which only look, as a persona or as nobody (None)."""
    return tabs
