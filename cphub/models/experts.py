"""The registry: profiles of experts, persons and organisations, published only by their owners."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cphub.domain.matching import SkillLevel
from cphub.models.base import Model
from cphub.models.people import Person
from cphub.models.types import MYSQL_TABLE, Code, LongText, Name, UTCDateTime


class Expert(Model):
    """A profile. ``places``: how much fits at once, in places of S/M/L = 1/2/4. ``last_asked``: the newest offer."""

    __tablename__ = "expert"
    __table_args__ = (Index("ix_expert_published", "published", "id"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), unique=True)
    is_organisation: Mapped[bool] = mapped_column(default=False)
    #: How an organisation is called; a person goes by the name of the account.
    organisation: Mapped[str] = mapped_column(String(255), default="")
    bio: Mapped[str] = mapped_column(LongText, default="")
    country: Mapped[str | None] = mapped_column(Name(8))
    time_zone: Mapped[str | None] = mapped_column(Name(64))
    places: Mapped[int] = mapped_column(default=2)
    away_until: Mapped[date | None]
    published: Mapped[bool] = mapped_column(default=False)
    last_asked: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    person: Mapped[Person] = relationship()
    skills: Mapped[list["ExpertSkill"]] = relationship(cascade="all, delete-orphan")
    languages: Mapped[list["ExpertLanguage"]] = relationship(cascade="all, delete-orphan")
    links: Mapped[list["ExpertLink"]] = relationship(cascade="all, delete-orphan", order_by="ExpertLink.id")
    conflicts: Mapped[list["ExpertConflict"]] = relationship(cascade="all, delete-orphan")


class ExpertSkill(Model):
    __tablename__ = "expert_skill"
    __table_args__ = (Index("ix_expert_skill_skill", "skill", "expert_id"), MYSQL_TABLE)

    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), primary_key=True)
    skill: Mapped[str] = mapped_column(Name(64), primary_key=True)
    level: Mapped[SkillLevel] = mapped_column(Code(SkillLevel, 8))


class ExpertLanguage(Model):
    """A language and how well: 0 to 5 as in Babel, 6 for a first language."""

    __tablename__ = "expert_language"
    __table_args__ = (Index("ix_expert_language_language", "language", "expert_id"), MYSQL_TABLE)

    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), primary_key=True)
    language: Mapped[str] = mapped_column(Name(16), primary_key=True)
    level: Mapped[int]


class ExpertLink(Model):
    """Evidence: something the expert did that anybody can look at."""

    __tablename__ = "expert_link"
    __table_args__ = (Index("ix_expert_link_expert", "expert_id"), MYSQL_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    url: Mapped[str] = mapped_column(String(500))
    title: Mapped[str] = mapped_column(String(255), default="")
    note: Mapped[str] = mapped_column(String(500), default="")


class ExpertConflict(Model):
    """A partner the expert must not be asked about: an employer, a client, family. Never shown to others."""

    __tablename__ = "expert_conflict"
    __table_args__ = MYSQL_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    name: Mapped[str] = mapped_column(String(255))
