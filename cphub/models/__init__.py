"""The tables, one file per subject, and the database object."""

from cphub.models.base import Base, Json, Model, db
from cphub.models.events import Event
from cphub.models.experts import Expert, ExpertConflict, ExpertLanguage, ExpertLink, ExpertSkill
from cphub.models.fulltext import create_fulltext, drop_fulltext
from cphub.models.inbox import InboxItem
from cphub.models.offers import Offer
from cphub.models.outbox import Heartbeat, OutboxRow, OutboxState
from cphub.models.people import ParkedForm, Person, RoleGrant
from cphub.models.replies import Reply, ReplyVersion
from cphub.models.requests import Request, RequestKind, RequestSearch, RequestSkill, TeamMember, Watch
from cphub.models.tasks import TaskLink

__all__ = [
    "Base",
    "Event",
    "Expert",
    "ExpertConflict",
    "ExpertLanguage",
    "ExpertLink",
    "ExpertSkill",
    "Heartbeat",
    "InboxItem",
    "Json",
    "Model",
    "Offer",
    "OutboxRow",
    "OutboxState",
    "ParkedForm",
    "Person",
    "Reply",
    "ReplyVersion",
    "Request",
    "RequestKind",
    "RequestSearch",
    "RequestSkill",
    "RoleGrant",
    "TaskLink",
    "TeamMember",
    "Watch",
    "create_fulltext",
    "db",
    "drop_fulltext",
]
