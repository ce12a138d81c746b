"""Who has an account on the sandbox wiki, and in which state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

PEOPLE = Path(__file__).with_name("people.yaml")

#: In the order of the chooser: the ``group`` of a person, and its heading.
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "requester": "Requesters",
        "expert": "Experts",
        "coordinator": "Coordinators",
        "committee": "Expert Committee",
        "admin": "Administrators",
        "stranger": "Never used the tool",
        "trouble": "In trouble with the wiki",
    }
)

#: What an ordinary account may do, as ``identify`` lists it (REL1_43 with AbuseFilter).
# fmt: off
USER_RIGHTS = (
    "createaccount", "read", "edit", "createpage", "createtalk", "viewmyprivateinfo", "editmyprivateinfo",
    "editmyoptions", "abusefilter-view", "abusefilter-log", "move", "move-subpages", "move-rootuserpages",
    "move-categorypages", "movefile", "upload", "reupload", "reupload-shared", "minoredit",
    "editmyusercss", "editmyuserjson", "editmyuserjs", "editmyuserjsredirect", "sendemail",
    "applychangetags", "changetags", "editcontentmodel", "viewmywatchlist", "editmywatchlist",
    "mwoauthproposeconsumer", "mwoauthupdateownconsumer", "mwoauthmanagemygrants", "autoconfirmed",
    "editsemiprotected",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class WikiPerson:
    """An invented account.

    ``central_id``: the ``sub`` of the identity. ``group``: one of GROUPS, only for the chooser.
    ``registered``: YYYYMMDDHHMMSS, None for very old accounts. The states: ``blocked`` (sitewide),
    ``partially_blocked`` (one page; the identity does not tell the difference), ``locked`` (globally;
    identify is refused), ``suppressed`` (identify leaves out the name), ``revokes`` (takes the permission
    back before the tool can use it).
    """

    central_id: str
    name: str
    group: str
    blocked: bool = False
    partially_blocked: bool = False
    locked: bool = False
    suppressed: bool = False
    revokes: bool = False
    edit_count: int = 0
    registered: str | None = "20150401120000"
    email: str = ""
    email_confirmed: bool = True
    real_name: str = ""
    wiki_groups: tuple[str, ...] = ()
    rights: tuple[str, ...] = USER_RIGHTS

    @property
    def states(self) -> tuple[str, ...]:
        """What is unusual about this account, in words for the chooser."""
        words = {
            "blocked": self.blocked,
            "blocked from one page": self.partially_blocked,
            "globally locked": self.locked,
            "name hidden": self.suppressed,
            "takes the permission back at once": self.revokes,
        }
        return tuple(word for word, holds in words.items() if holds)


def people_from(entries: Iterable[Mapping[str, Any]]) -> tuple[WikiPerson, ...]:
    """People out of richer descriptions: keys that are not fields of WikiPerson are left alone.

    Whoever has no ``central_id`` has no account here.
    """
    known = {field.name for field in fields(WikiPerson)}
    return tuple(
        WikiPerson(**{key: value for key, value in entry.items() if key in known})
        for entry in entries
        if entry.get("central_id")
    )


def load_people(path: Path = PEOPLE) -> tuple[WikiPerson, ...]:
    """The people of a YAML file, by default those who come with the sandbox."""
    return people_from(yaml.safe_load(path.read_text(encoding="utf-8")))
