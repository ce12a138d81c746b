"""Whether the tool can do its work: what its operators' probes ask."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from cphub.models import Heartbeat, db

#: A worker says that it is alive every 20 seconds or so, between two deliveries.
SILENCE = timedelta(minutes=2)


def health(now: datetime) -> dict[str, bool]:
    """``database``: it answers; ``worker``: one was alive less than two minutes ago. Raises nothing."""
    try:
        beat = db.session.scalar(select(func.max(Heartbeat.at)))
    except SQLAlchemyError:
        db.session.rollback()
        return {"database": False, "worker": False}
    return {"database": True, "worker": beat is not None and now - beat < SILENCE}
