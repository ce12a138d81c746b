"""The recordings of a real Phorge, as the contract tests of both sides read them, and the world they were made in.

They lie beside the repository; without them the contract is not tested, so reading fails.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cphub.sandbox.phabricator import Column, Project, User

FOLDER = Path(__file__).parents[2] / "shared" / "recordings" / "phabricator"
BOT = "PHID-USER-fttonysn7o3vpn5jgxos"
ALICE = "PHID-USER-7vt2l6y4vke7knwtzykp"
BOB = "PHID-USER-2qkdexiyhea6qidvfmxw"
ADMIN = "PHID-USER-x4npwvg6kluehb7xmkrc"
HELPDESK = "PHID-PROJ-rom5zwgsjz43e5axqsnh"
TOOLFORGE = "PHID-PROJ-ebjevkafafncoq65oimq"
RESTRICTED = "PHID-PROJ-d5skmrycfixqvlisscvl"
MILESTONE_COLUMN = "PHID-PCOL-q4rrznbx5m6ulwr2lhms"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer."""

    raw: dict[str, Any]

    @property
    def request(self) -> dict[str, Any]:
        return dict(self.raw["request"])

    @property
    def response(self) -> dict[str, Any]:
        return dict(self.raw["response"])

    @property
    def method(self) -> str:
        return str(self.request["path"]).removeprefix("/api/")

    @property
    def answer(self) -> dict[str, Any] | None:
        """The JSON of the answer, None when it was something else."""
        return self.response.get("json")

    @property
    def result(self) -> Any:
        return self.answer["result"] if self.answer else None

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields as sent; a range of ids that the recording shortens is written out."""
        fields: list[tuple[str, str]] = []
        for name, value in self.request.get("form", ()):
            if shortened := re.fullmatch(r"(.*)\[(\d+)\.\.(\d+)\]", name):
                first = int(value.partition("..")[0])
                low, high = int(shortened[2]), int(shortened[3])
                fields += [(f"{shortened[1]}[{index}]", str(first + index - low)) for index in range(low, high + 1)]
            else:
                fields.append((name, value))
        return fields

    @property
    def sent(self) -> dict[str, str]:
        return dict(self.form)


@dataclass(frozen=True, slots=True)
class Recording:
    name: str
    exchanges: tuple[Exchange, ...]
    text: str

    @property
    def measured(self) -> Any:
        return json.loads(self.text).get("measured")


@cache
def recordings() -> dict[str, Recording]:
    """All of them by file name; raises when there are none."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        exchanges = tuple(Exchange(raw) for raw in json.loads(text).get("exchanges", ()))
        found[path.name] = Recording(path.name, exchanges, text)
    if not found:
        raise FileNotFoundError(FOLDER)
    return found


def tokens() -> dict[str, str]:
    """The invented tokens of the recordings and whose they were."""
    found = {}
    for recording in recordings().values():
        for exchange in recording.exchanges:
            caller, token = exchange.request.get("caller"), exchange.sent.get("api.token")
            if caller and token:
                found[token] = str(caller)
    return found


def users() -> list[User]:
    return [
        User(name="admin", real_name="Site Admin", admin=True, phid=ADMIN),
        User(name="cphub-bot", real_name="cphub helpdesk bot", bot=True, phid=BOT),
        User(name="alice", real_name="Alice Example", phid=ALICE),
        User(name="bob", real_name="Bob Example", phid=BOB),
        User(name="nopriv-bot", real_name="Second bot", bot=True, phid="PHID-USER-a2tbmg5d5mxwca2sgwtj"),
        User(
            name="disabled-bot",
            real_name="Disabled bot",
            bot=True,
            disabled=True,
            phid="PHID-USER-ple3innc6mb7uixvwmpq",
        ),
    ]


def projects() -> list[Project]:
    columns = (
        Column(name="Backlog", default=True, phid="PHID-PCOL-n3mfyjuw62aoi5saxc6m"),
        Column(name="Doing", phid="PHID-PCOL-knh2vqqzdtuwiirbhbis"),
        Column(name="Waiting", phid="PHID-PCOL-qzhc34ktjz72k7zlulbu"),
        Column(name="Done", phid="PHID-PCOL-m4ev3tpjpflmuonio6ct"),
        Column(name="Hidden column", hidden=True, phid="PHID-PCOL-7z36pijw2twesqzc57cr"),
    )
    return [
        Project(
            name="Helpdesk",
            slug="helpdesk",
            description="Requests followed through from cphub",
            columns=columns,
            members=("alice", "cphub-bot"),
            phid=HELPDESK,
        ),
        Project(name="Toolforge", slug="toolforge", phid=TOOLFORGE),
        Project(name="Restricted-Ops", slug="restricted-ops", phid=RESTRICTED),
        Project(name="Old-Archived", slug="old-archived", archived=True, phid="PHID-PROJ-6hlwxogqak3m53gfdhow"),
        Project(name="Sprint 1", slug=None, parent="Helpdesk", phid="PHID-PROJ-k47odf3r5l6o5wlemtjd"),
    ]
