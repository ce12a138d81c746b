"""What can be wrong with how a page is built, found out in the browser itself."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
_AXE = (ROOT / "build" / "axe.min.js", ROOT / "node_modules" / "axe-core" / "axe.min.js")
#: Colours are only what they are when they have stopped changing. Nobody waits for that: a window that is not drawn
#: at the moment stands still.
_RUN = """async options => {
    document.getAnimations().forEach(one => one.finish());
    const found = await axe.run(document, options);
    const where = node => `${node.target} ${node.html.slice(0, 160)} (${node.failureSummary?.slice(0, 200)})`;
    return found.violations.map(rule => `${rule.id}: ${rule.nodes.map(where).join(' | ')}`);
}"""


@cache
def _axe() -> str:
    return next(path for path in _AXE if path.is_file()).read_text(encoding="utf-8")


def axe(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong, one line a rule; ``rules`` limits it to some."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_axe())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found: list[str] = page.evaluate(_RUN, options)
    return found


def too_wide(page: Page) -> list[str]:
    """What makes a page wider than the window, so that one has to scroll sideways."""
    found: list[str] = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const out = box => box.width && (box.right > width + 0.5 || box.left < -0.5);
            return [...document.querySelectorAll('body *')]
                .filter(one => out(one.getBoundingClientRect()))
                .map(one => one.outerHTML.slice(0, 160));
        }"""
    )
    return found or (["the page"] if _scrolls(page) else [])


def _scrolls(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return wide
