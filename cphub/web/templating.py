"""What templates can use: messages, icons, assets, Markdown, links."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from flask import Flask, request, url_for
from markupsafe import Markup

from cphub import taxonomies
from cphub.domain import lifecycle
from cphub.domain.policy import Act, may
from cphub.hub import hub
from cphub.services import wording
from cphub.web import current
from cphub.web.markdown import render as markdown

log = logging.getLogger(__name__)

#: Value and label, or the label of a group and its options.
Option = tuple[str, str | Sequence[tuple[str, str]]]


def init_app(app: Flask) -> None:
    """Register globals and filters."""
    vendor = Path(app.static_folder or "static") / "vendor"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        icon=_icons(vendor),
        Act=Act,
        lifecycle=lifecycle,
        taxonomies=taxonomies,
        may=lambda act, thing=None: may(current.viewer(), act, thing),
        markdown=markdown,
        wording=wording,
        here=here,
        in_language=in_language,
        option_tags=option_tags,
    )

    @app.context_processor
    def everywhere() -> dict[str, object]:
        speaker = current.speaker()
        return {
            "languages": hub().catalogue.languages,
            "speaker": speaker,
            "msg": speaker.msg,
            "text": speaker.text,
            "viewer": current.viewer,
            "person": current.person,
            "unread": current.unread,
            "settings": hub().settings,
            "now": hub().clock(),
            "zone": _zone(),
        }


def here() -> str:
    """The page to come back to: this one, or the front page when this is the answer to a form."""
    return request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else url_for("home.index")


def in_language(code: str) -> str:
    """The address of this page in another language."""
    path, _, query = here().partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name != "uselang"]
    return f"{path}?{urlencode([*kept, ('uselang', code)])}"


def option_tags(options: Iterable[Option], chosen: object) -> Markup:
    """The ``<option>`` elements of a select, which for languages and countries are hundreds on every page."""
    hashable = tuple((first, second if isinstance(second, str) else tuple(second)) for first, second in options)
    return _option_tags(hashable, str(chosen))


@lru_cache(maxsize=256)
def _option_tags(options: tuple[Option, ...], chosen: str) -> Markup:
    option, group = Markup('<option value="{}"{}>{}</option>'), Markup('<optgroup label="{}">{}</optgroup>')
    selected = Markup(" selected")
    return Markup("").join(
        option.format(first, selected if first == chosen else "", second)
        if isinstance(second, str)
        else group.format(first, _option_tags(tuple(second), chosen))
        for first, second in options
    )


def _zone() -> str | None:
    who = current.person()
    return who.time_zone if who else None


def _icons(vendor: Path) -> Callable[[str], Markup]:
    """``icon(name)``: a Codex icon as SVG, decorative; the words beside it say what it means."""
    try:
        drawings: dict[str, str] = json.loads((vendor / "icons.json").read_text())
    except OSError:
        log.warning("no icons: run 'npm ci && npm run build'")
        drawings = {}
    frame = '<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">{}</svg>'
    ready = {name: Markup(frame).format(Markup(drawing)) for name, drawing in drawings.items()}  # noqa: S704 - ours
    return lambda name: ready.get(name, Markup())
