"""Replays a recording against the small Phabricator: first the state it was made in, then call by call."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import quote_from_bytes

from cphub.sandbox.phabricator import Column, PhabricatorSandbox, create_phabricator
from cphub.sandbox.phabricator.install import Task, Transaction, Version
from tests import phabricator_recordings as world
from tests.phabricator_recordings import Exchange, Recording, recordings

LATER = datetime(2026, 11, 22, tzinfo=UTC)  # after everything that was recorded
_PHID = re.compile(r"PHID-[A-Z]{4}(?:-[A-Z]{4})?-[a-z0-9]+")
_DATES = {"dateCreated", "dateModified", "dateClosed", "epoch"}
_FREE = {"image", "uri", "groupID"}  # what a server makes up; only its type is compared

Seeds = Mapping[int, Mapping[str, Any]]
Step = Callable[[PhabricatorSandbox], None]


class Replay:
    """``seeds``: what tasks (by number) were like before the first call, where the answers do not tell."""

    def __init__(self, recording: Recording, seeds: Seeds) -> None:
        self.recording = recording
        self.app = create_phabricator(
            base_url="http://127.0.0.1:8317",
            tokens=world.tokens(),
            users=world.users(),
            projects=world.projects(),
            clock=lambda: LATER,
        )
        self.app.tokens.expired.add("api-fakeexpiredfakeexpiredfakeex")
        self.client = self.app.test_client()
        self._names: dict[str, str] = {}  # recorded -> here
        self._seed(seeds)

    def call(self, exchange: Exchange) -> dict[str, Any] | None:
        """Make the recorded call; the JSON of the answer, None if it is none."""
        self._let_history_come_to(exchange)
        if created := _created(exchange):
            self.app.install.next_number = created
        request = exchange.request
        path = request["path"]
        if "raw_body" in request:
            sent = self.client.post(path, data=request["raw_body"], headers=request["headers"])
        elif request["http_method"] == "GET":
            sent = self.client.get(f"{path}?{self._encoded(exchange).decode()}")
        else:
            kind = "application/x-www-form-urlencoded"
            sent = self.client.post(path, data=self._encoded(exchange), content_type=kind)
        assert sent.status_code == exchange.response["http_status"]
        return sent.get_json() if sent.is_json else None

    def compare(self, recorded: Any, here: Any, path: str = "") -> None:
        """Same shape, same texts; PHIDs, ids and dates may differ, but the same one must stay the same."""
        key = path.rpartition(".")[2]
        if isinstance(recorded, dict):
            assert isinstance(here, dict), path
            names = {self._here(name): value for name, value in recorded.items()}
            assert set(names) == set(here), path
            for name, value in names.items():
                self.compare(value, here[name], f"{path}.{name}")
        elif isinstance(recorded, list):
            assert isinstance(here, list), path
            assert len(recorded) == len(here), (path, recorded, here)
            for index, pair in enumerate(zip(recorded, here, strict=True)):
                self.compare(*pair, f"{path}[{index}]")
        elif key in _DATES | _FREE:
            assert type(recorded) is type(here), path
        elif isinstance(recorded, str) and _PHID.fullmatch(recorded):
            assert isinstance(here, str), (path, recorded, here)
            assert recorded.rpartition("-")[0] == here.rpartition("-")[0], path
            assert self._names.setdefault(recorded, here) == here, (path, recorded, here)
        elif path == "conduit.ping.result" or (key == "id" and self._is_made_up(path)):
            assert type(recorded) is type(here), path
        elif key in ("after", "before") and "transaction.search" in path:
            assert (recorded is None) == (here is None), path
        else:
            assert type(recorded) is type(here), (path, recorded, here)
            assert (self._here(recorded) if isinstance(recorded, str) else recorded) == here, path

    @staticmethod
    def _is_made_up(path: str) -> bool:
        return path.startswith("transaction.search") or ".comments" in path

    def _here(self, text: str) -> str:
        return _PHID.sub(lambda found: self._names.get(found[0], found[0]), text)

    def _encoded(self, exchange: Exchange) -> bytes:
        pairs = ((name, self._here(value)) for name, value in exchange.form)
        return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in pairs)

    def _seed(self, seeds: Seeds) -> None:
        """Whatever the recording names and did not make itself was there before."""
        install, text = self.app.install, self.recording.text
        made = {exchange.result["object"]["phid"] for exchange in self.recording.exchanges if _created(exchange)}
        rows = _rows(self.recording)
        for number, phid in _known_tasks().items():
            named = phid in text or any(_names_task(exchange, number) for exchange in self.recording.exchanges)
            if phid not in made and (named or number in seeds):
                row = rows.get(phid)
                values = _from_row(row) if row else {"author": world.BOT, "title": f"earlier title of {number}"}
                self._keep(number, phid, values | dict(seeds.get(number, {})))
        for number in sorted(set(seeds) - set(_known_tasks())):
            values = {"author": world.BOT, "phid": f"PHID-TASK-seed{number:016d}", **seeds[number]}
            install.keep(install.blank_task(**{"number": number, **values}))
        self._seed_history()

    def _keep(self, number: int, phid: str, values: Mapping[str, Any]) -> Task:
        given = {"number": number, "phid": phid, "subscribers": [world.BOB, world.BOT], **values}
        return self.app.install.keep(self.app.install.blank_task(**given))

    def _seed_history(self) -> None:
        install = self.app.install
        by_edits = {
            one["phid"]
            for exchange in self.recording.exchanges
            if exchange.method == "maniphest.edit" and exchange.result
            for one in exchange.result["transactions"]
        }
        seen: dict[int, Transaction] = {}
        for exchange in self.recording.exchanges:
            if exchange.method != "transaction.search":
                continue
            for row in (exchange.result or {}).get("data", ()):
                if row["phid"] not in by_edits:
                    seen.setdefault(row["id"], _transaction(row))
        # A cursor that was taken named a transaction that was there, though no answer shows it.
        for exchange in self.recording.exchanges:
            if exchange.method != "transaction.search" or exchange.result is None:
                continue
            shown = exchange.result["data"]
            cursor = int(exchange.sent.get("before", exchange.sent.get("after", 0)))
            older = shown[-1]["id"] - 1 if shown and exchange.result["cursor"]["after"] else 0
            newer = shown[0]["id"] + 1 if _shows_newer_exist(exchange) else 0
            phid = shown[-1]["objectPHID"] if shown else next(iter(install.tasks), "")
            author = shown[-1]["authorPHID"] if shown else world.BOT
            for number in filter(None, (cursor, older, newer)):
                filler = Transaction(id=number, type=None, author=author, task=phid, at=0, group="g" * 32)
                seen.setdefault(number, filler)
        for one in seen.values():
            if one.task not in install.tasks:
                self._keep(install.next_number, one.task, {"author": world.BOT})
        self._coming = [one for _, one in sorted(seen.items())]
        install.next_comment = 1 + max((v.id for one in seen.values() for v in one.versions), default=0)

    def _let_history_come_to(self, exchange: Exchange) -> None:
        """Others write between the calls: let in what had happened when this call was answered."""
        install = self.app.install
        if not self._is_history(exchange):
            newest = self._coming[-1].id if self._coming else 0
        elif exchange.result and exchange.result["data"]:
            newest = max(row["id"] for row in exchange.result["data"])
        else:
            newest = 0
        newer_exist = _shows_newer_exist(exchange)
        while self._coming and (self._coming[0].id <= newest or newer_exist):
            newer_exist = newer_exist and self._coming[0].id <= newest
            install.transactions.append(self._coming.pop(0))
        install.next_transaction = max([install.next_transaction, *(one.id + 1 for one in install.transactions)])

    @staticmethod
    def _is_history(exchange: Exchange) -> bool:
        return exchange.method == "transaction.search"


class Bench:
    """A small Phabricator with the people of the recordings, called as the bot; its clock ticks at every look."""

    def __init__(self) -> None:
        ticks = count(1_800_000_000)
        self._token = next(token for token, name in world.tokens().items() if name == "cphub-bot")
        self.app = create_phabricator(
            base_url="http://127.0.0.1",
            tokens=world.tokens(),
            users=world.users(),
            projects=world.projects(),
            clock=lambda: datetime.fromtimestamp(next(ticks), UTC),
        )
        self.install = self.app.install

    def call(self, method: str, **params: Any) -> Any:
        """The result; raises with the text of a refusal."""
        packed = json.dumps({"__conduit__": {"token": self._token}, **params})
        answer = self.app.test_client().post(f"/api/{method}", data={"params": packed}).get_json()
        if answer["error_code"]:
            raise AssertionError(answer["error_info"])
        return answer["result"]

    def create(self, title: str, **values: Any) -> str:
        result = self.call("maniphest.edit", transactions=_changes({"title": title, **values}))
        return str(result["object"]["phid"])

    def edit(self, task: str, **values: Any) -> list[str]:
        """The PHIDs of the transactions."""
        result = self.call("maniphest.edit", objectIdentifier=task, transactions=_changes(values))
        return [one["phid"] for one in result["transactions"]]

    def task(self, phid: str) -> dict[str, Any]:
        return dict(self.call("maniphest.search", constraints={"phids": [phid]})["data"][0])

    def history(self, task: str) -> list[dict[str, Any]]:
        return list(self.call("transaction.search", objectIdentifier=task)["data"])

    def new_version(self, comment: str, text: str, *, removed: bool = False) -> None:
        one = next(one for one in self.install.transactions if one.phid == comment)
        self.install.add_version(one, text, removed=removed)


def _changes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"type": kind, "value": value} for kind, value in values.items()]


def milestone_column(app: PhabricatorSandbox) -> None:
    """The board of Helpdesk got a column for its milestone."""
    board = app.install.projects[world.HELPDESK]
    board.columns += (Column(name="Sprint 1", proxy="Sprint 1", phid=world.MILESTONE_COLUMN),)


def changed(number: int, **values: Any) -> Step:
    """Somebody changes a task in the browser, between two recorded calls."""

    def step(app: PhabricatorSandbox) -> None:
        task = app.install.task(number)
        assert task is not None
        app.install.tasks[task.phid] = replace(task, **values)

    return step


def _quoted(text: str) -> bytes:
    """In a recording a byte that is not UTF-8 is written as ``\\xff``."""
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())
    return quote_from_bytes(raw, safe="").encode()


def _created(exchange: Exchange) -> int | None:
    """The number of the task that this call made."""
    if exchange.method == "maniphest.edit" and exchange.result and "objectIdentifier" not in exchange.sent:
        if "objectIdentifier" in exchange.sent.get("params", ""):
            return None
        return int(exchange.result["object"]["id"])
    return None


def _shows_newer_exist(exchange: Exchange) -> bool:
    """Whether this page of a history, read upwards, says that there is another above it."""
    if exchange.method != "transaction.search" or "before" not in exchange.sent:
        return False
    return bool(exchange.result and exchange.result["cursor"]["before"])


def _names_task(exchange: Exchange, number: int) -> bool:
    identifier = exchange.sent.get("objectIdentifier", "")
    return identifier.lstrip("Tt#") == str(number)


@cache
def _known_tasks() -> dict[int, str]:
    """Every task of the recordings, number and PHID."""
    found: dict[int, str] = {}
    for recording in recordings().values():
        for exchange in recording.exchanges:
            result = exchange.result if isinstance(exchange.result, dict) else {}
            if exchange.method == "maniphest.edit" and result:
                found[result["object"]["id"]] = result["object"]["phid"]
            if exchange.method == "maniphest.search":
                found |= {row["id"]: row["phid"] for row in result.get("data", ())}
    return found


def _rows(recording: Recording) -> dict[str, dict[str, Any]]:
    """The tasks as the first search shows them, attachments from whichever search has them."""
    rows: dict[str, dict[str, Any]] = {}
    for exchange in recording.exchanges:
        if exchange.method != "maniphest.search":
            continue
        for row in (exchange.result or {}).get("data", ()):
            kept = rows.setdefault(row["phid"], json.loads(json.dumps(row)))
            kept["attachments"] = dict(row["attachments"]) | dict(kept["attachments"])
    return rows


def _from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    fields, attached = row["fields"], row["attachments"]
    boards = dict(attached.get("columns", {}).get("boards") or {})
    return {
        "author": fields["authorPHID"],
        "title": fields["name"],
        "description": fields["description"]["raw"],
        "status": fields["status"]["value"],
        "priority": fields["priority"]["value"],
        "owner": fields["ownerPHID"],
        "closer": fields["closerPHID"],
        "closed": fields["dateClosed"],
        "created": fields["dateCreated"],
        "modified": fields["dateModified"],
        "view": fields["policy"]["view"],
        "edit": fields["policy"]["edit"],
        "projects": attached.get("projects", {}).get("projectPHIDs", list(boards))[::-1],
        "subscribers": attached.get("subscribers", {}).get("subscriberPHIDs", [world.BOT, world.BOB])[::-1],
        "columns": {board: shown["columns"][0]["phid"] for board, shown in boards.items()},
    }


def _transaction(row: Mapping[str, Any]) -> Transaction:
    versions = [
        Version(
            id=comment["id"],
            text=comment["content"]["raw"],
            author=comment["authorPHID"],
            at=comment["dateCreated"],
            removed=comment["removed"],
            phid=comment["phid"],
        )
        for comment in reversed(row["comments"])
    ]
    return Transaction(
        id=row["id"],
        type=row["type"],
        author=row["authorPHID"],
        task=row["objectPHID"],
        at=row["dateCreated"],
        group=row["groupID"],
        fields=dict(row["fields"]),
        versions=versions,
        phid=row["phid"],
    )
