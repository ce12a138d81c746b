"""``flask --app app demo load``: plays the invented stories through the same use cases the pages call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import select

from cphub import demo as stories
from cphub.demo import Data
from cphub.domain.draft import Draft
from cphub.domain.lifecycle import Track, Verb
from cphub.domain.matching import SkillLevel
from cphub.domain.policy import Role, Viewer, Visibility
from cphub.hub import Hub, hub
from cphub.jobs import worker
from cphub.models import Offer, Person, RoleGrant, db
from cphub.services import experts, offers, people, replies, requests, tasks, team
from cphub.services.requests import Facts

group = AppGroup("demo", help="Invented people and requests to try the tool with.")
_FACTS = frozenset(Facts.__slots__)


@group.command("load")
def load() -> None:
    """Fill an empty database with invented people, experts and requests."""
    if not hub().settings.loopback:
        raise click.ClickException("The demonstration is for local runs only: BASE_URL is not on this machine.")
    if db.session.scalars(select(Person.id).limit(1)).first() is not None:
        click.echo("There is data already; nothing was loaded.")
        return
    play = Play(today=hub().clock().replace(hour=0, minute=0, second=0, microsecond=0))
    play.everybody()
    play.stories()
    click.echo(f"Loaded {len(play.person)} people, {len(play.expert)} experts and {len(play.number)} requests.")


@dataclass
class Play:
    """The stage: who and what has been made so far, by the names the files use."""

    today: datetime
    person: dict[str, int] = field(default_factory=dict)
    expert: dict[str, int] = field(default_factory=dict)
    number: dict[str, int] = field(default_factory=dict)
    reply: dict[tuple[str, str], int] = field(default_factory=dict)

    def everybody(self) -> None:
        """People with their roles, then the experts' profiles."""
        with _at(self.today - timedelta(days=400)):
            for row in stories.people():
                self.person[row["id"]] = self._enrol(row)
            for row in stories.experts():
                viewer = self._viewer(row["person"])
                self.expert[row["person"]] = experts.save(
                    viewer, _card(row, self.today), publish=row.get("published", True)
                ).id

    def stories(self) -> None:
        """All steps of all stories in the order of time, so that they may refer to each other."""
        told = stories.requests()
        steps = [
            (step["day"], place, order, name, step)
            for place, (name, data) in enumerate(told.items())
            for order, step in enumerate(data["story"])
        ]
        for name, data in told.items():
            if not data["story"]:
                with _at(self.today - timedelta(days=1)):
                    requests.save(self._viewer(data["requester"]), f"demo-{name}", _draft(data, self.today))
        hours: dict[tuple[str, int], int] = {}
        for day, _, _, name, step in sorted(steps, key=lambda s: s[:3]):
            hours[name, day] = hours.get((name, day), 0) + 1
            moment = self.today + timedelta(days=day, hours=8, minutes=47 * hours[name, day] + len(name) % 40)
            with _at(moment):
                self._step(name, told[name], step)

    def _step(self, name: str, data: Data, step: Data) -> None:
        do = step["do"]
        by = step.get("by") or data["requester"]
        if do == "send":
            self._send(name, data)
            return
        _STEPS.get(do, Play._act)(self, self._viewer(by), name, step)

    def _send(self, name: str, data: Data) -> None:
        sender = data.get("entered_by") or data["requester"]
        requester = db.session.get_one(Person, self.person[data["requester"]])
        other = requester.name if data.get("entered_by") else None
        request = requests.send(self._viewer(sender), f"demo-{name}", _draft(data, self.today), on_behalf_of=other)
        self.person[data["requester"]] = request.requester_id
        self.number[name] = request.id

    def _act(self, viewer: Viewer, name: str, step: Data) -> None:
        facts = {key: value for key, value in step.items() if key in _FACTS}
        if "due_in" in step:
            facts["due_on"] = (hub().clock() + timedelta(days=step["due_in"])).date()
        if "duplicate_of" in step:
            facts["duplicate_of"] = str(self.number[step["duplicate_of"]])
        requests.act(viewer, self.number[name], Verb(step["do"]), Facts(**facts))

    def _say(self, viewer: Viewer, name: str, step: Data) -> None:
        key = f"demo-{name}-{step['day']}-{viewer.person_id}-{len(self.reply)}"
        written = replies.write(
            viewer, self.number[name], step["text"], key=key, note=step["do"] == "note", ask=step["do"] == "ask"
        )
        self.reply[name, step.get("id", key)] = written.id

    def _edit_reply(self, viewer: Viewer, name: str, step: Data) -> None:
        replies.edit(viewer, self.reply[name, step["reply"]], step["text"])

    def _withdraw_reply(self, viewer: Viewer, name: str, step: Data) -> None:
        replies.withdraw(viewer, self.reply[name, step["reply"]])

    def _offer(self, viewer: Viewer, name: str, step: Data) -> None:
        offers.send(viewer, self.number[name], self.expert[step["expert"]], message=step.get("text", ""))

    def _accept(self, viewer: Viewer, name: str, _: Data) -> None:
        offers.accept(viewer, self._open_offer(viewer, name))

    def _decline_offer(self, viewer: Viewer, name: str, step: Data) -> None:
        offers.decline(viewer, self._open_offer(viewer, name), step["reason"], step.get("text", ""))

    def _claim(self, viewer: Viewer, name: str, _: Data) -> None:
        offers.claim(viewer, self.number[name])

    def _add_team(self, viewer: Viewer, name: str, step: Data) -> None:
        member = db.session.get_one(Person, self.person[step["person"]])
        team.join(viewer, self.number[name], member.name, step["role"])

    def _set_needs(self, viewer: Viewer, name: str, step: Data) -> None:
        requests.set_needs(viewer, self.number[name], skills=step.get("skills", {}), weight=step["weight"])

    def _task(self, viewer: Viewer, name: str, step: Data) -> None:
        """Through the outbox like any other; delivered at once if Phabricator answers, else by the worker later."""
        if hub().phabricator is None:
            return
        if step["do"] == "create_task":
            tasks.order(viewer, self.number[name])
        else:
            tasks.link(viewer, self.number[name], str(step["task"]))
        while worker.work():
            pass

    def _enrol(self, row: Data) -> int:
        if row["central_id"] is None:
            guest = people.guest(row["name"])
            db.session.commit()
            return guest.id
        name = None if row.get("suppressed") else row["name"]
        person = people.sign_in(row["central_id"], name, blocked=bool(row.get("blocked")))
        person.language, person.time_zone = row.get("language"), row.get("time_zone")
        for role in row.get("roles", ()):
            person.roles.append(RoleGrant(role=Role(role), granted_at=hub().clock()))
        db.session.commit()
        return person.id

    def _viewer(self, name: str) -> Viewer:
        return people.viewer_of(db.session.get_one(Person, self.person[name]))

    def _open_offer(self, viewer: Viewer, name: str) -> int:
        return (
            db.session.scalars(
                select(Offer.id)
                .where(Offer.request_id == self.number[name], Offer.person_id == viewer.person_id)
                .order_by(Offer.id.desc())
            ).first()
            or 0
        )


#: What is not a verb that needs words alone.
_STEPS: dict[str, Callable[[Play, Viewer, str, Data], None]] = {
    "reply": Play._say,
    "ask": Play._say,
    "note": Play._say,
    "edit_reply": Play._edit_reply,
    "withdraw_reply": Play._withdraw_reply,
    "offer": Play._offer,
    "accept": Play._accept,
    "decline_offer": Play._decline_offer,
    "claim": Play._claim,
    "add_team": Play._add_team,
    "set_needs": Play._set_needs,
    "create_task": Play._task,
    "link_task": Play._task,
}


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    """Let the app's clock stand at a moment of the past."""
    before: Hub = hub()
    current_app.extensions["cphub"] = replace(before, clock=lambda: moment)
    try:
        yield
    finally:
        current_app.extensions["cphub"] = before


def _card(row: Data, today: datetime) -> experts.Card:
    people_row = next(p for p in stories.people() if p["id"] == row["person"])
    away = row.get("away_days")
    return experts.Card(
        is_organisation="organisation" in row,
        organisation=row.get("organisation", ""),
        bio=row.get("bio", ""),
        country=row.get("country", people_row.get("country")),
        time_zone=row.get("time_zone", people_row.get("time_zone")),
        places=row.get("places", 2),
        away_until=(today + timedelta(days=away)).date() if away else None,
        skills={skill: SkillLevel(level) for skill, level in row.get("skills", {}).items()},
        languages=row.get("languages", {}),
        links=tuple(
            experts.Link(link["url"], link.get("title", ""), link.get("note", "")) for link in row.get("links", ())
        ),
        conflicts=tuple(row.get("conflicts", ())),
    )


def _draft(data: Data, today: datetime) -> Draft:
    deadline = data.get("deadline")
    return Draft(
        track=Track(data["track"]),
        title=data["title"],
        body=data["body"],
        language=data.get("language"),
        reply_languages=tuple(data.get("reply_languages", ())),
        stage=data.get("stage"),
        kinds=tuple(data.get("kinds", ())),
        partner_type=data.get("partner_type"),
        partner_name=data.get("partner_name") or "",
        country=data.get("country"),
        community=data.get("community") or "",
        deadline=(today + timedelta(days=deadline)).date() if deadline is not None else None,
        justification=data.get("justification") or {},
        visibility=Visibility(data.get("visibility", "public")),
        withhold_partner=bool(data.get("withhold_partner")),
        withhold_country=bool(data.get("withhold_country")),
        withhold_name=bool(data.get("withhold_name")),
    )
