"""People: accounts of the wiki, known by their central id, and guests for whom a coordinator wrote a request down."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.policy import Role
from cphub.models.base import Model
from cphub.models.types import MYSQL_TABLE, Code, LongText, Name, UTCDateTime


class Person(Model):
    """Somebody with a part in the hub. ``central_id`` is who they are; ``name`` is what the wiki calls them today.

    A guest has no ``central_id``: somebody who wrote by mail. ``hidden``: the wiki suppressed the name.
    """

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_name", "name"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    central_id: Mapped[str | None] = mapped_column(Name(32), unique=True)
    name: Mapped[str] = mapped_column(Name(255))
    blocked: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(Name(16))
    time_zone: Mapped[str | None] = mapped_column(Name(64))
    mail: Mapped[str | None] = mapped_column(String(254))
    mail_confirmed: Mapped[bool] = mapped_column(default=False)
    mail_wanted: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: Sessions that began before are over.
    signed_out_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    roles: Mapped[list["RoleGrant"]] = relationship(foreign_keys="RoleGrant.person_id", cascade="all, delete-orphan")


class RoleGrant(Model):
    """A role a person holds in the hub, and who gave it (nobody: the configuration or the command line)."""

    __tablename__ = "role_grant"
    __table_args__ = MYSQL_TABLE

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(Code(Role, 16), primary_key=True)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ParkedForm(Model):
    """What somebody typed when their session had ended: kept until they have signed in again."""

    __tablename__ = "parked_form"
    __table_args__ = (Index("ix_parked_form_created_at", "created_at"), MYSQL_TABLE)

    key: Mapped[str] = mapped_column(Name(64), primary_key=True)
    path: Mapped[str] = mapped_column(String(500))
    fields: Mapped[str] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
