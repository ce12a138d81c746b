"""Lists of requests: what everybody can browse and search, and what is mine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Float, Integer, Select, Subquery, column, func, or_, select, text
from sqlalchemy.orm import aliased

from cphub.domain.lifecycle import State, Track, WaitingOn
from cphub.domain.policy import Viewer, reach
from cphub.domain.search import words
from cphub.models import Person, Request, RequestKind, db
from cphub.models.queries import keyset
from cphub.models.queries.keyset import Page
from cphub.models.queries.visibility import unmasked, visible

#: A search looks at this many best hits and shows the first page of those that fit the other filters: "newest first"
#: over a frequent word would read every match.
SEARCH_DEPTH = 2_000
#: A kind of help that fewer requests ask for is looked up from its index.
_RARE = 1_000
#: Words from this length on also find longer words that begin with them: "photo" finds "photos".
_STEM = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. What the viewer may not know is None or empty."""

    number: int
    title: str
    track: Track
    state: State
    waiting_on: WaitingOn | None
    next_step: str | None
    next_step_text: str
    due_on: date | None
    language: str | None
    country: str | None
    partner_type: str | None
    partner_name: str
    requester: str | None
    lead: str | None
    updated_at: datetime
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list shows; empty means all. ``words``: a full-text search, best hits first."""

    state: State | None = None
    track: Track | None = None
    kind: str | None = None
    language: str | None = None
    country: str | None = None
    words: str = ""


_Requester = aliased(Person)
_Lead = aliased(Person)


def browse(viewer: Viewer, wanted: Filter, *, after: str | None = None) -> Page[Row]:
    """The requests this viewer may see, most recently changed first; for words, the best hits. One statement."""
    query = rows(viewer).where(visible(viewer), *conditions(viewer, wanted))
    if wanted.words.strip():
        phrases = words(wanted.words)
        if not phrases:
            return Page([], None)
        hits = _hits(viewer, phrases)
        query = query.join(hits, hits.c.id == Request.id).order_by(hits.c.score.desc(), Request.id.desc())
        return Page(finish(db.session.execute(query.limit(keyset.PAGE))), None)
    query = keyset.newest_first(query.with_hint(Request, _way(wanted), "mysql"), Request.updated_at, Request.id, after)
    page = keyset.page(db.session.execute(query).all(), lambda row: keyset.moment_mark(row.updated_at, row.id))
    return Page(finish(page.rows), page.next)


_ROWS = (
    select(
        Request.id, Request.title, Request.track, Request.state, Request.waiting_on, Request.next_step,
        Request.next_step_text, Request.due_on, Request.language, Request.country, Request.partner_type,
        Request.partner_name, Request.updated_at, Request.withhold_country, Request.withhold_partner,
        Request.withhold_name, _Requester.name.label("requester"), _Lead.name.label("lead"),
        select(func.group_concat(RequestKind.kind))
        .where(RequestKind.request_id == Request.id)
        .correlate(Request)
        .scalar_subquery()
        .label("kinds"),
    )
    # There is always a requester, but to an inner join MariaDB would come from all people, and sort the table.
    .outerjoin(_Requester, _Requester.id == Request.requester_id)
    .outerjoin(_Lead, _Lead.id == Request.lead_id)
)  # fmt: skip


def rows(viewer: Viewer) -> Select[Any]:
    """The columns of a list; ``finish`` makes ``Row`` of them."""
    return _ROWS.add_columns(unmasked(viewer).label("unmasked"))


def conditions(viewer: Viewer, wanted: Filter) -> list[Any]:
    """The plain filters of a list."""
    found: list[Any] = []
    if wanted.state is not None:
        found.append(Request.state == wanted.state)
    if wanted.track is not None:
        found.append(Request.track == wanted.track)
    if wanted.language is not None:
        found.append(Request.language == wanted.language)
    if wanted.country is not None:
        # A withheld country must not be found out by filtering for it.
        found.append(Request.country == wanted.country)
        found.append(or_(~Request.withhold_country, unmasked(viewer)))
    if wanted.kind is not None:
        # At most one row joins.
        found += [RequestKind.request_id == Request.id, RequestKind.kind == wanted.kind]
    return found


def finish(found: Iterable[Any]) -> list[Row]:
    """Mask what is withheld."""
    return [
        Row(
            number=r.id,
            title=r.title,
            track=r.track,
            state=r.state,
            waiting_on=r.waiting_on,
            next_step=r.next_step,
            next_step_text=r.next_step_text,
            due_on=r.due_on,
            language=r.language,
            country=r.country if r.unmasked or not r.withhold_country else None,
            partner_type=r.partner_type,
            partner_name=r.partner_name if r.unmasked or not r.withhold_partner else "",
            requester=r.requester if r.unmasked or not r.withhold_name else None,
            lead=r.lead,
            updated_at=r.updated_at,
            kinds=tuple(r.kinds.split(",")) if r.kinds else (),
        )
        for r in found
    ]


def _way(wanted: Filter) -> str:
    """By which index MariaDB comes to what is wanted: one that has it in order, else it would often sort the table.

    No index has the kinds in order. Of a frequent kind a page is soon full; requests of a rare one are looked up.
    """
    if wanted.kind is not None:
        some = select(RequestKind.request_id).where(RequestKind.kind == wanted.kind).limit(_RARE).subquery()
        if (db.session.scalar(select(func.count()).select_from(some)) or 0) < _RARE:
            return "FORCE INDEX (PRIMARY)"
    given = [name for name in ("state", "language", "country") if getattr(wanted, name) is not None]
    return f"FORCE INDEX ({', '.join(f'ix_request_{name}' for name in given or ['updated'])})"


def _hits(viewer: Viewer, phrases: list[list[str]]) -> Subquery:
    """``id`` and ``score`` of the best hits. Only who sees everything searches in what is withheld."""
    tokens = "all_tokens" if reach(viewer).everything else "open_tokens"
    if db.session.get_bind().dialect.name == "sqlite":
        match = f"{tokens} : (" + " AND ".join(f'"{" ".join(p)}"{_more(p)}' for p in phrases) + ")"
        found = "SELECT rowid AS id, -rank AS score FROM request_fts WHERE request_fts MATCH :match ORDER BY rank"
    else:
        match = " ".join(f"+{p[0]}*" if _more(p) else f'+"{" ".join(p)}"' for p in phrases)
        against = f"MATCH ({tokens}) AGAINST (:match IN BOOLEAN MODE)"
        found = f"SELECT request_id AS id, {against} AS score FROM request_search WHERE {against} ORDER BY score DESC"  # noqa: S608
    statement = text(f"{found} LIMIT {SEARCH_DEPTH}").bindparams(match=match)
    return statement.columns(column("id", Integer), column("score", Float)).subquery("hits")


def _more(phrase: list[str]) -> str:
    """An asterisk if longer words count as well. The first character of a token is its kind."""
    return "*" if len(phrase) == 1 and not phrase[0].startswith("u") and len(phrase[0]) > _STEM else ""
