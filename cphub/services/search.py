"""Keeping the search tokens of requests."""

from sqlalchemy import delete, insert, text

from cphub.domain.search import document
from cphub.models import Request, RequestSearch, db


def index(request: Request) -> None:
    """Write the tokens of a request anew. Does not commit.

    Everybody finds what everybody may read; what is withheld only those who see everything.
    """
    said = (request.title, request.title, request.body, request.community, *request.justification.values())
    everything = document(*said, request.partner_name)
    open_tokens = document(*said) if request.withhold_partner else everything
    row = {"request_id": request.id, "open_tokens": open_tokens, "all_tokens": everything}
    if db.session.get_bind().dialect.name == "sqlite":
        db.session.execute(text("DELETE FROM request_fts WHERE rowid = :request_id"), row)
        insertion = (
            "INSERT INTO request_fts (rowid, open_tokens, all_tokens) VALUES (:request_id, :open_tokens, :all_tokens)"
        )
        db.session.execute(text(insertion), row)
        return
    db.session.execute(delete(RequestSearch).where(RequestSearch.request_id == request.id))
    db.session.execute(insert(RequestSearch).values(**row))
